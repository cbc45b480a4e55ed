// How far a recall has come: GET /recalls/{id}/reach, and its packs one by one: GET /recalls/{id}/packs. Both go through all
// packs of the product, on the background thread.
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/text.h"
#include "common/wire/wire.h"
#include "ledger/api/handlers.h"
#include "ledger/query/recalls.h"

enum { KEPT = 8, PLACES = 100, MOST_PLACES = 1000, PACKS = 1000, MOST_PACKS = 10000, LEAST_REUSE_MS = 2000, REUSE_FACTOR = 5 };
#define MOST_BODY ((size_t)256 * 1024 * 1024)
#define TYPE_CSV "text/csv; charset=utf-8"

// What was counted last, by recall; the background thread's alone.
struct recall_reaches {
    struct kept_reach {
        char id[RECALL_ID_MAX + 1];
        struct pt_arena arena;
        struct ledger_reach reach;
        pt_millis counted;
    } kept[KEPT];
    unsigned next;
};

enum pt_code recall_reaches_new(struct recall_reaches **out, struct pt_error *err) {
    *out = calloc(1, sizeof **out);
    return *out ? PT_OK : pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
}

void recall_reaches_free(struct recall_reaches *reaches) {
    for (unsigned i = 0; reaches && i < KEPT; i++) pt_arena_free(&reaches->kept[i].arena);
    free(reaches);
}

struct question {
    struct api *api;
    struct https_deferred *deferred;
    bool csv;
    char id[RECALL_ID_MAX + 1];
    uint64_t places, offset;
    struct recall_filter filter;
    char place[2048];
    uint8_t after[PACK_KEY_MAX];
};

// --- Reach ---

// The same height answers the same. While blocks keep coming, counting again waits for some multiple of the time it took:
// each answer says which height it is from.
static bool still_good(struct api *api, const struct kept_reach *kept) {
    struct ledger_status status;
    ledger_status(api->options.ledger, &status);
    if (kept->reach.recall.height == status.height) return true;
    const pt_millis reuse = (pt_millis)(kept->reach.seconds * 1000) * REUSE_FACTOR;
    const pt_millis age = api->options.env->now(api->options.env->ctx) - kept->counted;
    return age >= 0 && age < (reuse > LEAST_REUSE_MS ? reuse : LEAST_REUSE_MS);
}

static enum pt_code reach_of(struct api *api, const char *id, const struct ledger_reach **out, struct pt_error *err) {
    struct recall_reaches *reaches = api->reaches;
    struct kept_reach *kept = NULL;
    for (unsigned i = 0; i < KEPT && !kept; i++)
        if (strcmp(reaches->kept[i].id, id) == 0) kept = &reaches->kept[i];
    if (kept && still_good(api, kept)) {
        *out = &kept->reach;
        return PT_OK;
    }
    if (!kept) kept = &reaches->kept[reaches->next++ % KEPT];
    kept->id[0] = 0;
    pt_arena_free(&kept->arena);
    kept->arena.ceiling = MOST_BODY;
    const enum pt_code code = ledger_recall_reach(api->options.ledger, id, &kept->arena, &kept->reach, err);
    if (code != PT_OK) {
        pt_arena_free(&kept->arena);
        return code;
    }
    memcpy(kept->id, id, strlen(id) + 1);
    kept->counted = api->options.env->now(api->options.env->ctx);
    *out = &kept->reach;
    return PT_OK;
}

static uint64_t covered(const struct recall_counts *counts) {
    return counts->done + counts->before + counts->open + counts->beyond + counts->lost;
}

static json_t *number(uint64_t value) { return json_integer((json_int_t)value); }

static json_t *counts_json(const struct recall_counts *counts) {
    json_t *object = json_object();
    json_object_set_new(object, "covered", number(covered(counts)));
    json_object_set_new(object, "done", number(counts->done));
    json_object_set_new(object, "open", number(counts->open));
    json_object_set_new(object, "before", number(counts->before));
    json_object_set_new(object, "beyond", number(counts->beyond));
    json_object_set_new(object, "lost", number(counts->lost));
    json_object_set_new(object, "unsure", number(counts->unsure));
    json_t *classes = json_object();
    for (unsigned i = 0; i < RECALL_CLASSES; i++) json_object_set_new(classes, recall_class_name((enum recall_class)i), number(counts->classes[i]));
    json_object_set_new(object, "states", classes);
    return object;
}

static json_t *uri(const char *text) { return text ? json_string(text) : json_null(); }

static json_t *reach_json(struct api *api, const struct ledger_reach *reach, uint64_t offset, uint64_t most) {
    const uint64_t to_do = reach->total.done + reach->total.open;
    json_t *answer = api_recall_json(&reach->recall.record, false);
    json_t *places = json_array();
    uint64_t at = offset;
    for (; at < reach->place_count && at - offset < most; at++) {
        json_t *place = counts_json(&reach->places[at].counts);
        json_object_set_new(place, "place", uri(reach->places[at].place));
        json_object_set_new(place, "party", uri(reach->places[at].party));
        json_array_append_new(places, place);
    }
    json_object_set_new(answer, "total", counts_json(&reach->total));
    json_object_set_new(answer, "progress", to_do ? json_real((double)reach->total.done / (double)to_do) : json_null());
    json_object_set_new(answer, "places", places);
    json_object_set_new(answer, "place_count", number(reach->place_count));
    json_object_set_new(answer, "more", json_boolean(at < reach->place_count));
    json_object_set_new(answer, "scanned", number(reach->scanned));
    json_object_set_new(answer, "seconds", json_real(reach->seconds));
    api_add_standing(api, answer, reach->recall.height, reach->recall.time);
    return answer;
}

// RFC 4180; always quoted. A leading sign would be a formula to a spreadsheet.
static void csv_text(struct pt_buf *out, const char *text) {
    pt_buf_byte(out, '"');
    if (text && text[0] && strchr("=+-@\t\r", text[0])) pt_buf_byte(out, '\'');
    for (const char *c = text ? text : ""; *c; c++) {
        if (*c == '"') pt_buf_byte(out, '"');
        pt_buf_byte(out, (uint8_t)*c);
    }
    pt_buf_byte(out, '"');
}

static void reach_csv(const struct ledger_reach *reach, struct pt_buf *out) {
    pt_buf_str(out, "place,party,covered,done,open,before,beyond,lost,unsure");
    for (unsigned i = 0; i < RECALL_CLASSES; i++) pt_buf_printf(out, ",%s", recall_class_name((enum recall_class)i));
    pt_buf_str(out, "\r\n");
    for (size_t i = 0; i < reach->place_count; i++) {
        const struct recall_counts *counts = &reach->places[i].counts;
        const uint64_t numbers[] = {covered(counts), counts->done, counts->open, counts->before, counts->beyond, counts->lost, counts->unsure};
        csv_text(out, reach->places[i].place);
        pt_buf_byte(out, ',');
        csv_text(out, reach->places[i].party);
        for (size_t j = 0; j < sizeof numbers / sizeof *numbers; j++) pt_buf_printf(out, ",%llu", (unsigned long long)numbers[j]);
        for (unsigned j = 0; j < RECALL_CLASSES; j++) pt_buf_printf(out, ",%llu", (unsigned long long)counts->classes[j]);
        pt_buf_str(out, "\r\n");
    }
}

static enum pt_code answer_reach(struct question *question, struct pt_buf *body, struct pt_error *err) {
    const struct ledger_reach *reach;
    enum pt_code code = reach_of(question->api, question->id, &reach, err);
    if (code != PT_OK) return code;
    if (question->csv) {
        reach_csv(reach, body);
        return pt_buf_check(body, err);
    }
    PT_JSON json_t *answer = reach_json(question->api, reach, question->offset, question->places);
    return answer ? pt_json_append(body, answer, err) : pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
}

// --- Packs ---

static json_t *pack_json(const struct recall_listed *pack) {
    json_t *object = json_object();
    json_object_set_new(object, "id", api_pack_uri(&pack->id));
    json_object_set_new(object, "state", json_string(recall_class_name(pack->class)));
    json_object_set_new(object, "place", uri(pack->place));
    json_object_set_new(object, "party", uri(pack->party));
    json_object_set_new(object, "lot", uri(pack->lot));
    json_object_set_new(object, "time", pack->event_seconds ? api_time(pack->event_seconds * 1000) : json_null());
    json_object_set_new(object, "done", json_boolean(pack->done));
    json_object_set_new(object, "inferred", json_boolean(pack->inferred));
    return object;
}

static void packs_csv(const struct recall_list_page *page, struct pt_buf *out) {
    pt_buf_str(out, "id,state,place,party,lot,time,done,inferred\r\n");
    for (size_t i = 0; i < page->count; i++) {
        const struct recall_listed *pack = &page->items[i];
        PT_CLEANUP(pt_buf_free) struct pt_buf id = PT_BUF_INIT(PACK_URI_MAX);
        const struct pt_instant instant = pt_instant_from_millis(pack->event_seconds * 1000);
        if (pack_id_uri(&pack->id, &id, NULL) != PT_OK) continue;
        csv_text(out, pt_buf_cstr(&id));
        pt_buf_printf(out, ",%s,", recall_class_name(pack->class));
        csv_text(out, pack->place);
        pt_buf_byte(out, ',');
        csv_text(out, pack->party);
        pt_buf_byte(out, ',');
        csv_text(out, pack->lot);
        pt_buf_byte(out, ',');
        if (pack->event_seconds) pt_instant_append(out, &instant);
        pt_buf_printf(out, ",%s,%s\r\n", pack->done ? "yes" : "no", pack->inferred ? "yes" : "no");
    }
}

static enum pt_code answer_packs(struct question *question, struct pt_buf *body, struct pt_error *err) {
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    PT_CLEANUP(pt_buf_free) struct pt_buf next = PT_BUF_INIT(2 * PACK_KEY_MAX + 1);
    struct recall_list_page page;
    enum pt_code code = ledger_recall_packs(question->api->options.ledger, question->id, &question->filter, &arena, &page, err);
    if (code != PT_OK) return code;
    if (question->csv) {
        packs_csv(&page, body);
        return pt_buf_check(body, err);
    }
    PT_JSON json_t *answer = json_object();
    json_t *list = json_array();
    for (size_t i = 0; i < page.count; i++) json_array_append_new(list, pack_json(&page.items[i]));
    json_object_set_new(answer, "id", json_string(question->id));
    json_object_set_new(answer, "packs", list);
    json_object_set_new(answer, "more", json_boolean(page.more));
    if (page.more) pt_hex_append(&next, page.next);
    json_object_set_new(answer, "next", page.more ? json_string(pt_buf_cstr(&next)) : json_null());
    api_add_standing(question->api, answer, page.recall.height, page.recall.time);
    return pt_json_append(body, answer, err);
}

// --- Asking ---

static void run(struct question *question, bool stopping, enum pt_code (*answer)(struct question *question, struct pt_buf *body, struct pt_error *err)) {
    PT_CLEANUP(pt_buf_free) struct pt_buf body = PT_BUF_INIT(MOST_BODY);
    struct pt_error err = {0};
    const enum pt_code code = stopping ? pt_fail(&err, PT_UNAVAILABLE, NULL, "the ledger is stopping") : answer(question, &body, &err);
    if (code == PT_OK) {
        const struct https_response response = {
            .status = 200, .content_type = question->csv ? TYPE_CSV : WIRE_TYPE_JSON, .body = pt_buf_bytes(&body)};
        https_reply_later(question->deferred, &response);
    } else {
        https_reply_later_problem(question->deferred, &err);
    }
    free(question);
}

static void run_reach(void *arg, bool stopping) { run(arg, stopping, answer_reach); }
static void run_packs(void *arg, bool stopping) { run(arg, stopping, answer_packs); }

static enum pt_code query_number(struct https_request *request, const char *name, uint64_t least, uint64_t most, uint64_t *out,
                                 struct pt_error *err) {
    const char *text = https_request_query(request, name, 0);
    if (!text) return PT_OK;
    if (api_parse_number(text, out) && *out >= least && *out <= most) return PT_OK;
    return pt_fail(err, PT_INVALID, NULL, "query parameter '%s' must be a whole number from %llu to %llu", name, (unsigned long long)least,
                   (unsigned long long)most);
}

static enum pt_code read_common(struct https_request *request, struct question *question, struct pt_error *err) {
    const char *id = https_request_param(request, "id");
    const char *format = https_request_query(request, "format", 0);
    const char *accept = https_request_header(request, "Accept");
    if (strlen(id) > RECALL_ID_MAX) return pt_fail(err, PT_NOT_FOUND, NULL, "there is no recall of this id");
    memcpy(question->id, id, strlen(id) + 1);
    question->csv = format ? strcmp(format, "csv") == 0 : accept && strstr(accept, "text/csv");
    if (format && !question->csv && strcmp(format, "json") != 0) return pt_fail(err, PT_INVALID, NULL, "'format' must be json or csv");
    return PT_OK;
}

static enum pt_code read_reach(struct https_request *request, struct question *question, struct pt_error *err) {
    question->places = PLACES;
    const enum pt_code code = query_number(request, "places", 1, MOST_PLACES, &question->places, err);
    return code == PT_OK ? query_number(request, "offset", 0, UINT32_MAX, &question->offset, err) : code;
}

static enum pt_code read_state(const char *text, int *class, struct pt_error *err) {
    *class = -1;
    for (unsigned i = 0; text && i < RECALL_CLASSES; i++)
        if (strcmp(text, recall_class_name((enum recall_class)i)) == 0) *class = (int)i;
    if (!text || *class >= 0) return PT_OK;
    return pt_fail(err, PT_INVALID, NULL, "'state' must be one of the states that the reach counts");
}

static enum pt_code read_which(struct https_request *request, struct recall_filter *filter, struct pt_error *err) {
    const char *which = https_request_query(request, "which", 0);
    filter->open = which && strcmp(which, "open") == 0;
    filter->unsure = which && strcmp(which, "unsure") == 0;
    if (!which || filter->open || filter->unsure || strcmp(which, "covered") == 0) return PT_OK;
    return pt_fail(err, PT_INVALID, NULL, "'which' must be covered, open or unsure");
}

static enum pt_code read_packs(struct https_request *request, struct question *question, struct pt_error *err) {
    struct recall_filter *filter = &question->filter;
    const char *place = https_request_query(request, "place", 0), *after = https_request_query(request, "after", 0);
    uint64_t most = PACKS;
    enum pt_code code = read_state(https_request_query(request, "state", 0), &filter->class, err);
    if (code == PT_OK) code = read_which(request, filter, err);
    if (code == PT_OK) code = query_number(request, "most", 1, MOST_PACKS, &most, err);
    if (code != PT_OK) return code;
    filter->most = (size_t)most;
    if (place && strlen(place) >= sizeof question->place) return pt_fail(err, PT_INVALID, NULL, "'place' is too long");
    if (place) filter->place = memcpy(question->place, place, strlen(place) + 1);
    if (!after) return PT_OK;
    PT_CLEANUP(pt_buf_free) struct pt_buf key = PT_BUF_INIT(PACK_KEY_MAX);
    if (pt_hex_decode(pt_bytes_str(after), &key, NULL) != PT_OK || key.failed)
        return pt_fail(err, PT_INVALID, NULL, "'after' must be the 'next' of the page before");
    memcpy(question->after, key.data, key.len);
    filter->after = pt_bytes_of(question->after, key.len);
    return PT_OK;
}

static void ask(struct api *api, struct https_request *request, background_job *job,
                enum pt_code (*read)(struct https_request *request, struct question *question, struct pt_error *err)) {
    struct pt_error err = {0};
    if (!api_may(api, request, API_NEED_READ)) return;
    struct question *question = calloc(1, sizeof *question);
    enum pt_code code = question ? PT_OK : pt_fail(&err, PT_NO_MEMORY, NULL, "out of memory");
    if (code == PT_OK) code = read_common(request, question, &err);
    if (code == PT_OK) code = read(request, question, &err);
    if (code != PT_OK) {
        free(question);
        https_reply_problem(request, &err);
        return;
    }
    question->api = api;
    question->deferred = https_request_defer(request);
    if (!question->deferred) {
        free(question);
        return;
    }
    if (background_run(api->background, job, question, &err) == PT_OK) return;
    https_reply_later_problem(question->deferred, &err);
    free(question);
}

void api_get_recall_reach(void *arg, struct https_request *request) { ask(arg, request, run_reach, read_reach); }
void api_get_recall_packs(void *arg, struct https_request *request) { ask(arg, request, run_packs, read_packs); }
