// Recall notices: GET /recalls and /recalls/{id}.
#include <string.h>

#include "common/base/cleanup.h"
#include "ledger/api/handlers.h"
#include "ledger/query/recalls.h"

enum { MOST_RECALLS = 200 };

static json_t *text_or_null(const char *text) { return text ? json_string(text) : json_null(); }

static json_t *languages(const struct master_name *name) {
    if (!name->zh && !name->en) return json_null();
    json_t *object = json_object();
    json_object_set_new(object, "zh", json_string(name->zh ? name->zh : name->en));
    json_object_set_new(object, "en", json_string(name->en ? name->en : name->zh));
    return object;
}

json_t *api_pack_recall(const struct ledger_pack_recall *recall) {
    json_t *object = json_object();
    json_object_set_new(object, "id", json_string(recall->id));
    json_object_set_new(object, "version", json_integer((json_int_t)recall->version));
    json_object_set_new(object, "level", json_integer(recall->level));
    json_object_set_new(object, "depth", text_or_null(recall_depth_name(recall->depth)));
    json_object_set_new(object, "certain", json_boolean(recall->certain));
    json_object_set_new(object, "since", api_time(recall->since));
    json_object_set_new(object, "reason", languages(&recall->reason));
    json_object_set_new(object, "instructions", languages(&recall->instructions));
    json_object_set_new(object, "advice", json_pack("{s:s, s:s}", "en", recall_advice_en(recall->certain), "zh", recall_advice_zh(recall->certain)));
    json_t *lots = json_array();
    for (size_t i = 0; i < recall->lot_count; i++) json_array_append_new(lots, json_string(recall->lots[i]));
    json_object_set_new(object, "lots", lots);
    return object;
}

static json_t *steps_json(const struct recall_record *record) {
    json_t *list = json_array();
    for (size_t i = 0; i < record->step_count; i++) {
        const struct recall_step *step = &record->steps[i];
        json_t *object = json_object();
        json_object_set_new(object, "version", json_integer((json_int_t)step->version));
        json_object_set_new(object, "action", text_or_null(recall_action_name(step->action)));
        json_object_set_new(object, "leaf_index", json_integer((json_int_t)step->leaf_index));
        json_object_set_new(object, "recorded", api_time(step->time));
        json_object_set_new(object, "signer", api_digest(&step->signer));
        json_array_append_new(list, object);
    }
    return list;
}

json_t *api_recall_json(const struct recall_record *record, bool history) {
    json_t *object = json_object();
    json_t *notice = NULL;
    json_object_set_new(object, "id", json_string(record->scope.id));
    json_object_set_new(object, "in_force", json_boolean(record->ended == 0));
    json_object_set_new(object, "since", api_time(record->since));
    json_object_set_new(object, "ended", record->ended ? api_time(record->ended) : json_null());
    json_object_set_new(object, "by_authority", json_boolean(record->by_authority));
    if (recall_notice_to_json(&record->scope, &notice, NULL) == PT_OK) json_object_set_new(object, "notice", notice);
    if (record->ended && recall_notice_to_json(&record->newest, &notice, NULL) == PT_OK) json_object_set_new(object, "end_notice", notice);
    if (history) json_object_set_new(object, "history", steps_json(record));
    return object;
}

void api_get_recalls(void *arg, struct https_request *request) {
    struct api *api = arg;
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    struct pt_error err = {0};
    struct ledger_recall *recalls;
    size_t count;
    bool more;
    if (!api_may(api, request, API_NEED_VERIFY)) return;
    const char *which = https_request_query(request, "which", 0);
    if (which && strcmp(which, "all") != 0 && strcmp(which, "in_force") != 0) {
        pt_fail(&err, PT_INVALID, NULL, "'which' must be in_force or all");
        https_reply_problem(request, &err);
        return;
    }
    const bool in_force = !which || strcmp(which, "in_force") == 0;
    if (ledger_recalls(api->options.ledger, https_request_query(request, "after", 0), in_force, MOST_RECALLS, &arena, &recalls, &count,
                       &more, &err) != PT_OK) {
        https_reply_problem(request, &err);
        return;
    }
    json_t *answer = json_object();
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) json_array_append_new(list, api_recall_json(&recalls[i].record, false));
    json_object_set_new(answer, "recalls", list);
    json_object_set_new(answer, "more", json_boolean(more));
    struct ledger_status status;
    ledger_status(api->options.ledger, &status);
    api_add_standing(api, answer, status.height, status.time);
    api_reply_json(request, 200, answer);
}

void api_get_recall(void *arg, struct https_request *request) {
    struct api *api = arg;
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    struct pt_error err = {0};
    struct ledger_recall recall;
    if (!api_may(api, request, API_NEED_VERIFY)) return;
    if (ledger_recall(api->options.ledger, https_request_param(request, "id"), &arena, &recall, &err) != PT_OK) {
        https_reply_problem(request, &err);
        return;
    }
    json_t *answer = api_recall_json(&recall.record, true);
    api_add_standing(api, answer, recall.height, recall.time);
    api_reply_json(request, 200, answer);
}
