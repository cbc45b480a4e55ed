#include "firmware/sync/line_record.h"

#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/disk.h"
#include "common/base/log.h"
#include "common/cose/cbor.h"

enum { FILE_VERSION = 1, MOST_FILE = 1024 };

const char *line_state_name(enum line_state state) {
    static const char *const names[] = {"unknown", "up", "down", "busy", "refused", "untrusted"};
    return (unsigned)state < sizeof names / sizeof *names ? names[state] : names[LINE_UNKNOWN];
}

// The file: [version, state, since, contact, tried, code, why]; why in bytes, since it quotes others and may be cut inside a character.
void line_record_load(const char *file, struct line_record *out) {
    PT_CLEANUP(pt_buf_free) struct pt_buf bytes = PT_BUF_INIT(MOST_FILE);
    struct pt_error err = {0};
    *out = (struct line_record){0};
    enum pt_code code = pt_file_read(file, &bytes, &err);
    if (code == PT_NOT_FOUND) return;
    struct line_record record = {0};
    struct cbor_reader reader = cbor_reader_of(pt_buf_bytes(&bytes), true, &err);
    if (code == PT_OK) {
        cbor_expect_array(&reader, 7);
        cbor_expect_int(&reader, FILE_VERSION);
        const uint64_t state = cbor_get_uint(&reader);
        record.since = cbor_get_int(&reader);
        record.contact = cbor_get_int(&reader);
        record.tried = cbor_get_int(&reader);
        const uint64_t said = cbor_get_uint(&reader);
        const struct pt_bytes why = cbor_get_bytes(&reader);
        code = cbor_finish(&reader);
        if (code == PT_OK && (state > LINE_UNTRUSTED || said > PT_INTERNAL || why.len > LINE_WHY_MAX)) code = pt_fail(&err, PT_INVALID, NULL, "out of range");
        if (code == PT_OK) {
            record.state = (enum line_state)state;
            record.code = (enum pt_code)said;
            if (why.len) memcpy(record.why, why.data, why.len);
        }
    }
    if (code == PT_OK) *out = record;
    else pt_log_error("line-record-not-read", &err);
}

enum pt_code line_record_save(const char *file, const struct line_record *record, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf bytes = PT_BUF_INIT(MOST_FILE);
    cbor_put_array(&bytes, 7);
    cbor_put_uint(&bytes, FILE_VERSION);
    cbor_put_uint(&bytes, record->state);
    cbor_put_int(&bytes, record->since);
    cbor_put_int(&bytes, record->contact);
    cbor_put_int(&bytes, record->tried);
    cbor_put_uint(&bytes, record->code);
    cbor_put_bytes(&bytes, pt_bytes_str(record->why));
    const enum pt_code code = pt_buf_check(&bytes, err);
    return code == PT_OK ? pt_file_replace(file, pt_buf_bytes(&bytes), 0600, err) : code;
}
