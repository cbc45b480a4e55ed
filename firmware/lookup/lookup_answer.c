#include "firmware/lookup/lookup_answer.h"

#include <stdio.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/json.h"
#include "common/identify/percent.h"

enum { ANSWER_MOST = 256 * 1024 };

// As its symbol would say it: GS1 element string with FNC1 (GS), or the URI of the pack.
static enum pt_code label_text(const struct pack_id *pack, const char *lot, const char *expiry, struct pt_buf *out, struct pt_error *err) {
    if (pack->kind != PACK_SGTIN) return pack_id_uri(pack, out, err);
    pt_buf_printf(out, "]d201%s", pack->product);
    if (strlen(expiry) == 10) pt_buf_printf(out, "17%.2s%.2s%.2s", expiry + 2, expiry + 5, expiry + 8);
    if (lot[0]) pt_buf_printf(out, "10%s\x1d", lot);
    pt_buf_printf(out, "21%s", pack->serial);
    return pt_buf_check(out, err);
}

enum pt_code lookup_question(const struct pack_id *pack, const char *lot, const char *expiry, struct pt_buf *out, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf label = PT_BUF_INIT(4096);
    const enum pt_code code = label_text(pack, lot, expiry, &label, err);
    if (code != PT_OK) return code;
    pt_buf_str(out, "/verify/scan?code=");
    percent_encode(out, pt_buf_bytes(&label));
    if (lot[0] && pack->kind != PACK_SGTIN) {
        pt_buf_str(out, "&lot=");
        percent_encode(out, pt_bytes_str(lot));
    }
    return pt_buf_check(out, err);
}

static void copy(char *to, size_t size, const json_t *from) { snprintf(to, size, "%s", json_is_string(from) ? json_string_value(from) : ""); }

static enum lookup_colour colour_of(const json_t *name) {
    static const char *const names[] = {[LOOKUP_GREEN] = "green", [LOOKUP_AMBER] = "amber", [LOOKUP_RED] = "red"};
    for (int i = LOOKUP_GREEN; i <= LOOKUP_RED; i++)
        if (json_is_string(name) && strcmp(json_string_value(name), names[i]) == 0) return (enum lookup_colour)i;
    return LOOKUP_NONE;
}

static bool read_time(const json_t *text, pt_millis *out) {
    struct pt_instant instant;
    if (!json_is_string(text) || pt_instant_parse(pt_bytes_str(json_string_value(text)), &instant, NULL) != PT_OK) return false;
    *out = pt_instant_millis(&instant);
    return true;
}

static int64_t units_of(const json_t *number) { return json_is_integer(number) ? json_integer_value(number) : -1; }

enum pt_code lookup_answer_read(struct pt_bytes json, struct lookup_answer *out, struct pt_error *err) {
    PT_JSON json_t *answer = NULL;
    out->colour = LOOKUP_NONE;
    out->units = out->units_left = -1;
    const enum pt_code code = pt_json_parse(json, ANSWER_MOST, &answer, err);
    if (code != PT_OK) return code;
    const json_t *verdict = json_object_get(answer, "verdict"), *pack = json_object_get(answer, "pack");
    const json_t *reason = json_object_get(verdict, "reason"), *advice = json_object_get(verdict, "advice"), *linked = json_object_get(pack, "linked_to");
    const json_t *height = json_object_get(answer, "height"), *standing = json_object_get(answer, "standing");
    const enum lookup_colour colour = colour_of(json_object_get(verdict, "colour"));
    if (colour == LOOKUP_NONE || !json_is_integer(height) || json_integer_value(height) < 0 || !read_time(json_object_get(answer, "height_time"), &out->chain_time))
        return pt_fail(err, PT_INVALID, "answer", "says no colour, height or time");
    out->known = json_is_true(json_object_get(pack, "found"));
    copy(out->state, sizeof out->state, json_object_get(pack, "state"));
    out->units = units_of(json_object_get(pack, "content"));
    out->units_left = units_of(json_object_get(pack, "quantity_left"));
    copy(out->reason_zh, sizeof out->reason_zh, json_object_get(reason, "zh"));
    copy(out->reason_en, sizeof out->reason_en, json_object_get(reason, "en"));
    copy(out->advice_zh, sizeof out->advice_zh, json_object_get(advice, "zh"));
    copy(out->advice_en, sizeof out->advice_en, json_object_get(advice, "en"));
    out->height = (uint64_t)json_integer_value(height);
    out->final = json_is_string(standing) && strcmp(json_string_value(standing), "final") == 0;
    if (json_is_string(linked) && pack_id_from_uri(pt_bytes_str(json_string_value(linked)), &out->holds_as, err) != PT_OK) return PT_INVALID;
    out->colour = colour;
    return PT_OK;
}
