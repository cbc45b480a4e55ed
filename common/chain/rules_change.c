#include "common/chain/rules_change.h"

#include <string.h>

#include "common/cose/cbor.h"

enum { KEY_VERSION = 1, KEY_FROM_HEIGHT, KEY_SETTINGS, KEY_REASON, KEYS = 4 };
#define REASON_MAX ((size_t)1000)

static bool good_name(const char *name) {
    const size_t len = strnlen(name, RULES_CHANGE_NAME_MAX + 1);
    return len > 0 && len <= RULES_CHANGE_NAME_MAX && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_.") == len;
}

static enum pt_code check(const struct rules_change *change, struct pt_error *err) {
    if (change->version > INT64_MAX || change->from_height == 0 || change->from_height > INT64_MAX)
        return pt_fail(err, PT_INVALID, "from_height", "a rule version takes force at a height from 1 on");
    if (change->version == 0 && change->setting_count == 0) return pt_fail(err, PT_INVALID, NULL, "the change changes nothing");
    if (change->setting_count > RULES_CHANGE_SETTINGS_MAX) return pt_fail(err, PT_LIMIT, "settings", "too many settings");
    for (size_t i = 0; i < change->setting_count; i++) {
        if (!good_name(change->settings[i].name)) return pt_fail(err, PT_INVALID, "settings", "number %zu has no proper name", i + 1);
        if (i > 0 && strcmp(change->settings[i - 1].name, change->settings[i].name) >= 0)
            return pt_fail(err, PT_INVALID, "settings", "the names are not sorted, each once");
    }
    const size_t reason = change->reason ? strlen(change->reason) : 0;
    if (reason == 0 || reason > REASON_MAX) return pt_fail(err, PT_INVALID, "reason", "a reason of at most %zu bytes is needed", REASON_MAX);
    return PT_OK;
}

enum pt_code rules_change_encode(const struct rules_change *change, struct pt_buf *out, struct pt_error *err) {
    const enum pt_code code = check(change, err);
    if (code != PT_OK) return code;
    cbor_put_map(out, KEYS);
    cbor_put_uint(out, KEY_VERSION);
    cbor_put_uint(out, change->version);
    cbor_put_uint(out, KEY_FROM_HEIGHT);
    cbor_put_uint(out, change->from_height);
    cbor_put_uint(out, KEY_SETTINGS);
    cbor_put_array(out, change->setting_count);
    for (size_t i = 0; i < change->setting_count; i++) {
        cbor_put_array(out, 2);
        cbor_put_text(out, change->settings[i].name);
        cbor_put_int(out, change->settings[i].value);
    }
    cbor_put_uint(out, KEY_REASON);
    cbor_put_text(out, change->reason);
    return pt_buf_check(out, err);
}

static const char *get_text(struct cbor_reader *reader, struct pt_arena *arena, size_t most) {
    const struct pt_bytes text = cbor_expect_text(reader, 1, most);
    char *copy = pt_arena_alloc(arena, 1, text.len + 1);
    if (!copy) {
        if (reader->code == PT_OK) reader->code = pt_fail(reader->err, PT_NO_MEMORY, NULL, "out of memory");
        return "";
    }
    if (text.len > 0) memcpy(copy, text.data, text.len);
    return copy;
}

enum pt_code rules_change_decode(struct pt_bytes bytes, struct pt_arena *arena, struct rules_change *out, struct pt_error *err) {
    *out = (struct rules_change){0};
    if (bytes.len > RULES_CHANGE_MAX) return pt_fail(err, PT_LIMIT, NULL, "a change of rules is too long");
    struct cbor_reader reader = cbor_reader_of(bytes, true, err);
    cbor_expect_map(&reader, KEYS);
    cbor_expect_int(&reader, KEY_VERSION);
    out->version = cbor_get_count(&reader);
    cbor_expect_int(&reader, KEY_FROM_HEIGHT);
    out->from_height = cbor_get_count(&reader);
    cbor_expect_int(&reader, KEY_SETTINGS);
    out->setting_count = (size_t)cbor_get_array(&reader, RULES_CHANGE_SETTINGS_MAX);
    out->settings = pt_arena_alloc(arena, out->setting_count + 1, sizeof *out->settings);
    if (!out->settings) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    for (size_t i = 0; i < out->setting_count; i++) {
        cbor_expect_array(&reader, 2);
        out->settings[i].name = get_text(&reader, arena, RULES_CHANGE_NAME_MAX);
        out->settings[i].value = cbor_get_int(&reader);
    }
    cbor_expect_int(&reader, KEY_REASON);
    out->reason = get_text(&reader, arena, REASON_MAX);
    const enum pt_code code = cbor_finish(&reader);
    return code == PT_OK ? check(out, err) : code;
}
