#include "ledger/state/pack_record.h"

#include "ledger/state/varint.h"

// The order of the fields is the format: a version byte, then varints, zeros at the end left out.
#define VERSION 1
#define FIELDS 14

void pack_record_encode(const struct pack_record *record, struct pt_buf *out) {
    const uint64_t fields[FIELDS] = {
        (uint64_t)record->state, record->flags,   record->last,   record->place,          record->party,
        record->lot,             record->expiry,  varint_fold(record->event_seconds),     record->parent,
        record->content,         record->left,    record->parent_filling, record->filling, record->alerts,
    };
    size_t count = FIELDS;
    while (count > 0 && fields[count - 1] == 0) count--;
    pt_buf_byte(out, VERSION);
    for (size_t i = 0; i < count; i++) varint_put(out, fields[i]);
}

enum pt_code pack_record_decode(struct pt_bytes bytes, struct pack_record *out, struct pt_error *err) {
    uint64_t fields[FIELDS] = {0};
    size_t count = 0;
    *out = (struct pack_record){0};
    bool good = bytes.len >= 1 && bytes.data[0] == VERSION;
    if (good) bytes = pt_bytes_of(bytes.data + 1, bytes.len - 1);
    while (good && bytes.len > 0) good = count < FIELDS && varint_get(&bytes, &fields[count++]);
    // One record has one encoding, because the encoding is hashed.
    if (!good || fields[0] >= LIFECYCLE_STATES || (count > 0 && fields[count - 1] == 0))
        return pt_fail(err, PT_UNVERIFIED, NULL, "a pack record is damaged or of an unknown version");
    *out = (struct pack_record){
        .state = (enum lifecycle_state)fields[0],
        .flags = (unsigned)fields[1],
        .last = fields[2],
        .place = fields[3],
        .party = fields[4],
        .lot = fields[5],
        .expiry = (uint32_t)fields[6],
        .event_seconds = varint_unfold(fields[7]),
        .parent = fields[8],
        .content = fields[9],
        .left = fields[10],
        .parent_filling = fields[11],
        .filling = fields[12],
        .alerts = (unsigned)fields[13],
    };
    return PT_OK;
}
