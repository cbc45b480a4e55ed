#include "ledger/state/event_record.h"

#include <string.h>

#include "common/crypto/digest.h"
#include "ledger/state/varint.h"

// A version byte, the content, then varints.
#define VERSION 1
#define FIELDS 8

void event_record_key(const char *event_id, uint8_t out[EVENT_RECORD_KEY]) {
    const struct pt_digest digest = sha256(pt_bytes_str(event_id));
    memcpy(out, digest.bytes, EVENT_RECORD_KEY);
}

void event_record_encode(const struct event_record *record, struct pt_buf *out) {
    const uint64_t fields[FIELDS] = {record->leaf,
                                     record->declaration,
                                     record->party,
                                     (record->by_operator ? 1u : 0u) | (record->partial ? 2u : 0u),
                                     record->operation,
                                     varint_fold(record->event_seconds),
                                     record->place,
                                     record->units};
    pt_buf_byte(out, VERSION);
    pt_buf_append(out, record->content, sizeof record->content);
    for (size_t i = 0; i < FIELDS; i++) varint_put(out, fields[i]);
}

enum pt_code event_record_decode(struct pt_bytes bytes, struct event_record *out, struct pt_error *err) {
    uint64_t fields[FIELDS] = {0};
    *out = (struct event_record){0};
    bool good = bytes.len > 1 + sizeof out->content && bytes.data[0] == VERSION;
    if (good) {
        memcpy(out->content, bytes.data + 1, sizeof out->content);
        bytes = pt_bytes_of(bytes.data + 1 + sizeof out->content, bytes.len - 1 - sizeof out->content);
    }
    for (size_t i = 0; good && i < FIELDS; i++) good = varint_get(&bytes, &fields[i]);
    if (!good || bytes.len > 0) return pt_fail(err, PT_UNVERIFIED, NULL, "the record of an event is damaged");
    out->leaf = fields[0];
    out->declaration = fields[1];
    out->party = fields[2];
    out->by_operator = (fields[3] & 1) != 0;
    out->partial = (fields[3] & 2) != 0;
    out->operation = (unsigned)fields[4];
    out->event_seconds = varint_unfold(fields[5]);
    out->place = fields[6];
    out->units = fields[7];
    return PT_OK;
}
