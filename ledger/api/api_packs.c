// A pack's present state and its way, as JSON: GET /packs/{id} and /packs/{id}/provenance.
#include <string.h>

#include "common/base/cleanup.h"
#include "common/epcis/epcis_json.h"
#include "common/master/master.h"
#include "ledger/api/handlers.h"
#include "ledger/api/resolve.h"

json_t *api_product_name(struct api *api, const struct pack_id *id) {
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    PT_CLEANUP(pt_buf_free) struct pt_buf bytes = PT_BUF_INIT(MASTER_RECORD_MAX);
    struct master_record record;
    const pt_millis now = api->options.env->now(api->options.env->ctx);
    if (!id->product[0] || ledger_master(api->options.ledger, MASTER_PRODUCT, id->product, now, &bytes, NULL) != PT_OK ||
        master_decode(pt_buf_bytes(&bytes), &arena, &record, NULL) != PT_OK || record.withdrawn)
        return json_null();
    const struct master_name *name = &record.product.name;
    return json_pack("{s:s, s:s}", "zh", name->zh ? name->zh : name->en, "en", name->en ? name->en : name->zh);
}

enum { MOST_STEPS = 1000, MOST_CONTENTS = 10000 };

json_t *api_pack_json(const struct pack_id *id, const struct ledger_pack *pack) {
    static const struct {
        unsigned reason;
        const char *name;
    } reasons[] = {
        {PACK_REASON_UNKNOWN, "unknown"},       {PACK_REASON_INFERRED, "inferred"},
        {PACK_REASON_UNCONFIRMED, "contents_unconfirmed"}, {PACK_REASON_EXPIRED, "expired"},
        {PACK_REASON_RECALLED, "recalled"},     {PACK_REASON_NO_DATA, "no_data"},
        {PACK_REASON_ALERT, "alert"},           {PACK_REASON_NOT_DISPENSABLE, "not_dispensable"},
        {PACK_REASON_PART_USED, "part_used"},   {PACK_REASON_LOT_MISMATCH, "lot_mismatch"},
        {PACK_REASON_EXPIRY_MISMATCH, "expiry_mismatch"}, {PACK_REASON_CORRECTED, "corrected"}, {PACK_REASON_MAYBE_RECALLED, "may_be_recalled"},
    };
    json_t *object = json_object();
    json_object_set_new(object, "id", api_pack_uri(id));
    json_object_set_new(object, "found", json_boolean(pack->found));
    json_object_set_new(object, "state", json_string(lifecycle_state_name(pack->state)));
    json_object_set_new(object, "own_state", json_string(lifecycle_state_name(pack->own_state)));
    json_t *list = json_array();
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (pack->reasons & reasons[i].reason) json_array_append_new(list, json_string(reasons[i].name));
    json_object_set_new(object, "reasons", list);
    json_object_set_new(object, "place", pack->place ? json_string(pack->place) : json_null());
    json_object_set_new(object, "party", pack->party ? json_string(pack->party) : json_null());
    json_object_set_new(object, "lot", pack->lot ? json_string(pack->lot) : json_null());
    json_object_set_new(object, "expiry", api_day(pack->expiry_day));
    if (pack->content) {
        json_object_set_new(object, "content", json_integer((json_int_t)pack->content));
        json_object_set_new(object, "quantity_left", json_integer((json_int_t)pack->quantity_left));
    }
    if (pack->quantity_returned) json_object_set_new(object, "quantity_returned", json_integer((json_int_t)pack->quantity_returned));
    json_t *containers = json_array();
    for (size_t i = 0; i < pack->container_count; i++) json_array_append_new(containers, api_pack_uri(&pack->containers[i]));
    json_object_set_new(object, "containers", containers);
    json_object_set_new(object, "is_container", json_boolean(pack->is_container));
    json_object_set_new(object, "alerts", json_integer((json_int_t)pack->alert_count));
    if (pack->recall) json_object_set_new(object, "recall", api_pack_recall(pack->recall));
    return object;
}

// The pack that the path names; answers itself and returns false if there is none to be told.
static bool ask_pack(struct api *api, struct https_request *request, struct pack_id *id) {
    struct pt_error err = {0};
    if (!api_may(api, request, API_NEED_READ)) return false;
    if (resolve_pack(https_request_param(request, "id"), api->options.env, id, &err) == PT_OK) return true;
    https_reply_problem(request, &err);
    return false;
}

static void add_contents(struct api *api, json_t *answer, const struct pack_id *id, struct pt_arena *arena) {
    struct pack_id *contents;
    size_t count;
    if (ledger_contents(api->options.ledger, id, MOST_CONTENTS, arena, &contents, &count, NULL) != PT_OK) return;
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) json_array_append_new(list, api_pack_uri(&contents[i]));
    json_object_set_new(answer, "contents", list);
}

void api_get_pack(void *arg, struct https_request *request) {
    struct api *api = arg;
    struct pack_id id;
    if (!ask_pack(api, request, &id)) return;
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    struct pt_error err = {0};
    struct ledger_pack pack;
    if (ledger_pack_labelled(api->options.ledger, &id, https_request_query(request, "lot", 0),
                             api->options.env->now(api->options.env->ctx), &arena, &pack, &err) != PT_OK) {
        https_reply_problem(request, &err);
        return;
    }
    json_t *answer = api_pack_json(&id, &pack);
    json_object_set_new(answer, "product", api_product_name(api, &id));
    if (pack.is_container) add_contents(api, answer, &id, &arena);
    api_add_standing(api, answer, pack.height, pack.time);
    api_reply_json(request, pack.found ? 200 : 404, answer);
}

static json_t *signer_json(struct api *api, const struct pt_digest *kid) {
    json_t *object = json_object();
    struct actor actor;
    json_object_set_new(object, "kid", api_digest(kid));
    if (ledger_actor(api->options.ledger, kid, &actor, NULL) != PT_OK) return object;
    json_object_set_new(object, "name", json_string(actor.name));
    json_object_set_new(object, "party", json_string(actor.party));
    json_object_set_new(object, "revoked", json_boolean(actor.revoked));
    actor_free(&actor);
    return object;
}

static json_t *step_json(struct api *api, const struct ledger_step *step) {
    json_t *object = json_object();
    json_object_set_new(object, "statement", api_digest(&step->id));
    json_object_set_new(object, "leaf_index", json_integer((json_int_t)step->leaf_index));
    json_object_set_new(object, "height", json_integer((json_int_t)step->height));
    json_object_set_new(object, "record_time", api_time(step->time));
    json_object_set_new(object, "alerted", json_boolean(step->result == RESULT_ALERTED));
    if (step->via) json_object_set_new(object, "via", api_pack_uri(step->via));
    if (step->declared_in_error) json_object_set_new(object, "declared_in_error", json_true());
    json_object_set_new(object, "signer", signer_json(api, &step->signer));
    json_t *event = NULL;
    if (step->event && epcis_json_from_event(step->event, &event, NULL) == PT_OK) json_object_set_new(object, "event", event);
    return object;
}

void api_get_provenance(void *arg, struct https_request *request) {
    struct api *api = arg;
    struct pack_id id;
    if (!ask_pack(api, request, &id)) return;
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    struct pt_error err = {0};
    struct ledger_pack pack;
    struct ledger_step *steps;
    size_t count = 0;
    bool more = false;
    enum pt_code code = ledger_pack(api->options.ledger, &id, api->options.env->now(api->options.env->ctx), &arena, &pack, &err);
    if (code == PT_OK) code = ledger_provenance(api->options.ledger, &id, MOST_STEPS, &arena, &steps, &count, &more, &err);
    if (code != PT_OK) {
        https_reply_problem(request, &err);
        return;
    }
    json_t *answer = api_pack_json(&id, &pack);
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) json_array_append_new(list, step_json(api, &steps[i]));
    json_object_set_new(answer, "steps", list);
    json_object_set_new(answer, "earlier_left_out", json_boolean(more));
    api_add_standing(api, answer, pack.height, pack.time);
    api_reply_json(request, pack.found ? 200 : 404, answer);
}
