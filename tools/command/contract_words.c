#include <stdio.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/text.h"
#include "common/identify/pack_id.h"
#include "ledger/state/pack_record.h"
#include "ledger/state/varint.h"
#include "tools/command/contract.h"

enum { LINE_MAX_BYTES = 64 * 1024 * 1024, HEX_MAX = 4 * 1024 * 1024 };

void contract_print(json_t *object) {
    PT_JSON json_t *owned = object;
    PT_CLEANUP(pt_buf_free) struct pt_buf line = PT_BUF_INIT(LINE_MAX_BYTES);
    if (pt_json_append(&line, owned, NULL) == PT_OK) puts(pt_buf_cstr(&line));
}

const char *contract_table_word(unsigned table) {
    static const char *const words[] = {
        [STATE_PACK] = "pack", [STATE_ACTOR] = "actor", [STATE_CHAIN] = "chain", [STATE_MASTER] = "master", [STATE_RULES] = "rules",
        [STATE_ALERT] = "alert", [STATE_HELD] = "held", [STATE_NAME] = "name", [STATE_FACTS] = "facts", [STATE_EVENT] = "event",
        [STATE_RECALL] = "recall", [STATE_CLAIM] = "claim", [STATE_FINDING] = "finding"};
    return table < sizeof words / sizeof *words && words[table] ? words[table] : "unknown";
}

const char *contract_role_word(enum pack_role role) {
    static const char *const words[] = {"", "object", "parent", "child", "input", "output"};
    return (size_t)role < sizeof words / sizeof *words ? words[role] : "";
}

json_t *contract_digest_words(const struct pt_digest *digest) {
    char hex[65];
    pt_digest_hex(digest, hex);
    return json_string(hex);
}

json_t *contract_time_words(pt_millis time) {
    PT_CLEANUP(pt_buf_free) struct pt_buf text = PT_BUF_INIT(64);
    const struct pt_instant instant = pt_instant_from_millis(time);
    pt_instant_append(&text, &instant);
    return json_string(pt_buf_cstr(&text));
}

static json_t *hex_words(struct pt_bytes bytes) {
    PT_CLEANUP(pt_buf_free) struct pt_buf hex = PT_BUF_INIT(HEX_MAX);
    for (size_t i = 0; i < bytes.len; i++) pt_buf_printf(&hex, "%02x", bytes.data[i]);
    return json_string(pt_buf_cstr(&hex));
}

// Text if it is printable ASCII, else hex.
static json_t *text_words(struct pt_bytes bytes) {
    for (size_t i = 0; i < bytes.len; i++)
        if (bytes.data[i] < 0x20 || bytes.data[i] > 0x7e) return hex_words(bytes);
    return json_stringn(bytes.len ? (const char *)bytes.data : "", bytes.len);
}

static json_t *pack_words(struct pt_bytes key) {
    PT_CLEANUP(pt_buf_free) struct pt_buf uri = PT_BUF_INIT(PACK_URI_MAX);
    struct pack_id id;
    if (pack_id_from_key(key, &id, NULL) != PT_OK || pack_id_uri(&id, &uri, NULL) != PT_OK) return hex_words(key);
    return json_string(pt_buf_cstr(&uri));
}

json_t *contract_key_words(unsigned table, struct pt_bytes key) {
    if (table == STATE_PACK) return pack_words(key);
    if (table == STATE_RULES) return text_words(key);
    if (table != STATE_NAME || key.len == 0) return hex_words(key);
    if (key.data[0] == 255) return json_string("next number");
    if (key.data[0] == 0 && key.len == 9) return json_integer((json_int_t)be64_get(key.data + 1));
    const struct pt_bytes text = pt_bytes_of(key.data + 1, key.len - 1);
    return key.data[0] == NAME_CONTAINER ? pack_words(text) : text_words(text);
}

static void set_name(json_t *object, const char *member, struct simulator *simulator, uint64_t number, bool is_pack) {
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    if (number == 0) return;
    const struct pt_bytes text = simulator_name(simulator, number, &arena);
    json_object_set_new(object, member, is_pack ? pack_words(text) : text_words(text));
}

static void set_count(json_t *object, const char *member, uint64_t count) {
    if (count) json_object_set_new(object, member, json_integer((json_int_t)count));
}

static json_t *flag_words(unsigned flags) {
    static const char *const words[] = {"no_data", "container", "opened", "unconfirmed", "announced", "broached", "held", "contested", "corrected"};
    json_t *list = json_array();
    for (unsigned i = 0; i < sizeof words / sizeof *words; i++)
        if (flags & (1u << i)) json_array_append_new(list, json_string(words[i]));
    return list;
}

static json_t *record_words(struct simulator *simulator, const struct pack_record *record) {
    json_t *object = json_pack("{s:s}", "state", lifecycle_state_name(record->state));
    set_name(object, "place", simulator, record->place, false);
    set_name(object, "party", simulator, record->party, false);
    set_name(object, "awaited_by", simulator, record->awaited, false);
    set_name(object, "lot", simulator, record->lot, false);
    if (record->expiry) {
        int64_t year;
        unsigned month, day;
        char text[32];
        pt_civil_from_days(pt_days_from_civil(2000, 1, 1) + record->expiry - 1, &year, &month, &day);
        snprintf(text, sizeof text, "%04d-%02u-%02u", (int)year, month, day);
        json_object_set_new(object, "expiry", json_string(text));
    }
    set_count(object, "content", record->content);
    if (record->content) json_object_set_new(object, "left", json_integer((json_int_t)pack_record_left(record)));
    set_count(object, "used", record->used);
    set_count(object, "returned", record->returned);
    set_name(object, "lies_in", simulator, record->parent, true);
    set_count(object, "times_emptied", record->filling);
    set_count(object, "alerts", record->alerts);
    if (record->flags) json_object_set_new(object, "marks", flag_words(record->flags));
    if (record->event_seconds) {
        json_object_set_new(object, "changed_by", json_string(lifecycle_operation_name((enum lifecycle_operation)record->operation)));
        json_object_set_new(object, "changed_at", contract_time_words(record->event_seconds * 1000));
    }
    if (record->seen_seconds) json_object_set_new(object, "seen_at", contract_time_words(record->seen_seconds * 1000));
    set_name(object, "seen_in", simulator, record->seen_place, false);
    return object;
}

json_t *contract_value_words(struct simulator *simulator, unsigned table, struct pt_bytes key, bool found, struct pt_bytes value) {
    struct pack_record record;
    uint64_t number;
    struct pt_bytes rest = value;
    if (!found) return json_null();
    if (table == STATE_PACK && pack_record_decode(value, &record, NULL) == PT_OK) return record_words(simulator, &record);
    if (table == STATE_NAME && key.len > 0 && key.data[0] != 0 && varint_get(&rest, &number) && rest.len == 0)
        return json_integer((json_int_t)number);
    if (table == STATE_NAME && value.len > 0) {
        const struct pt_bytes text = pt_bytes_of(value.data + 1, value.len - 1);
        return value.data[0] == NAME_CONTAINER ? pack_words(text) : text_words(text);
    }
    return hex_words(value);
}
