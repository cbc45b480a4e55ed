#include <limits.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/text.h"
#include "common/wire/wire.h"
#include "ledger/api/handlers.h"

enum { MOST_ANSWER = 64 * 1024 * 1024 };

void api_reply_json(struct https_request *request, unsigned status, json_t *take) {
    PT_JSON json_t *value = take;
    struct pt_error err = {0};
    PT_CLEANUP(pt_buf_free) struct pt_buf body = PT_BUF_INIT(MOST_ANSWER);
    if (!value) {
        pt_fail(&err, PT_NO_MEMORY, NULL, "out of memory");
        https_reply_problem(request, &err);
    } else if (pt_json_append(&body, value, &err) != PT_OK) https_reply_problem(request, &err);
    else https_reply_text(request, status, WIRE_TYPE_JSON, pt_buf_bytes(&body));
}

pt_millis api_age(struct api *api) {
    struct ledger_status status;
    ledger_status(api->options.ledger, &status);
    if (!status.failed) return 0;
    const pt_millis now = api->options.env->now(api->options.env->ctx);
    return now > status.time ? now - status.time : 0;
}

void api_add_standing(struct api *api, json_t *object, uint64_t height, pt_millis time) {
    struct ledger_status status;
    ledger_status(api->options.ledger, &status);
    json_object_set_new(object, "height", json_integer((json_int_t)height));
    json_object_set_new(object, "height_time", api_time(time));
    json_object_set_new(object, "age_ms", json_integer((json_int_t)api_age(api)));
    json_object_set_new(object, "standing", json_string(height <= status.final_height ? "final" : "ordered"));
}

json_t *api_digest(const struct pt_digest *digest) {
    char hex[65];
    pt_digest_hex(digest, hex);
    return json_string(hex);
}

static json_t *string_of(struct pt_buf *text) { return json_stringn((const char *)text->data, text->len); }

json_t *api_time(pt_millis time) {
    const struct pt_instant instant = pt_instant_from_millis(time);
    PT_CLEANUP(pt_buf_free) struct pt_buf text = PT_BUF_INIT(64);
    pt_instant_append_utc_ms(&text, &instant);
    return string_of(&text);
}

json_t *api_day(int32_t day) {
    if (day == INT32_MIN) return json_null();
    int64_t year;
    unsigned month;
    unsigned day_of_month;
    pt_civil_from_days(day, &year, &month, &day_of_month);
    PT_CLEANUP(pt_buf_free) struct pt_buf text = PT_BUF_INIT(64);
    pt_buf_printf(&text, "%04lld-%02u-%02u", (long long)year, month, day_of_month);
    return string_of(&text);
}

json_t *api_pack_uri(const struct pack_id *id) {
    PT_CLEANUP(pt_buf_free) struct pt_buf uri = PT_BUF_INIT(PACK_URI_MAX);
    if (pack_id_uri(id, &uri, NULL) != PT_OK) return json_null();
    return string_of(&uri);
}

bool api_parse_digest(const char *hex, struct pt_digest *out) {
    PT_CLEANUP(pt_buf_free) struct pt_buf bytes = PT_BUF_INIT(PT_DIGEST_SIZE);
    if (pt_hex_decode(pt_bytes_str(hex), &bytes, NULL) != PT_OK || bytes.len != PT_DIGEST_SIZE) return false;
    memcpy(out->bytes, bytes.data, PT_DIGEST_SIZE);
    return true;
}

bool api_parse_number(const char *text, uint64_t *out) {
    if (!text || !text[0]) return false;
    uint64_t value = 0;
    for (const char *c = text; *c; c++) {
        if (*c < '0' || *c > '9' || __builtin_mul_overflow(value, 10u, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*c - '0'), &value))
            return false;
    }
    *out = value;
    return true;
}
