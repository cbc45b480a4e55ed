#include "ledger/state/pack_record.h"

#define VERSION 1

// The order of the fields is the format: a version byte, then varints (little-endian base 128), zeros at the end left out.
#define FIELDS 13

static void put_varint(struct pt_buf *out, uint64_t value) {
    uint8_t bytes[10];
    size_t len = 0;
    while (value >= 0x80) {
        bytes[len++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    bytes[len++] = (uint8_t)value;
    pt_buf_append(out, bytes, len);
}

static uint64_t zigzag(int64_t value) { return ((uint64_t)value << 1) ^ (uint64_t)(value >> 63); }
static int64_t unzigzag(uint64_t value) { return (int64_t)(value >> 1) ^ -(int64_t)(value & 1); }

void pack_record_encode(const struct pack_record *record, struct pt_buf *out) {
    const uint64_t fields[FIELDS] = {
        (uint64_t)record->state, record->flags,  record->last,   record->place,          record->party,   record->lot, record->expiry,
        zigzag(record->event_seconds), record->content, record->left, record->parent, record->parent_filling,
        record->filling | (uint64_t)record->alerts << 32};
    size_t count = FIELDS;
    while (count > 0 && fields[count - 1] == 0) count--;
    pt_buf_byte(out, VERSION);
    for (size_t i = 0; i < count; i++) put_varint(out, fields[i]);
}

static bool get_varint(struct pt_bytes *bytes, uint64_t *out) {
    *out = 0;
    for (unsigned shift = 0; shift < 64 && bytes->len > 0; shift += 7) {
        const uint8_t byte = bytes->data[0];
        bytes->data++;
        bytes->len--;
        if (shift == 63 && byte > 1) return false;
        *out |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) return true;
    }
    return false;
}

enum pt_code pack_record_decode(struct pt_bytes bytes, struct pack_record *out, struct pt_error *err) {
    uint64_t fields[FIELDS] = {0};
    *out = (struct pack_record){0};
    if (bytes.len < 1 || bytes.data[0] != VERSION) return pt_fail(err, PT_UNVERIFIED, NULL, "not a pack record of a known version");
    bytes.data++;
    bytes.len--;
    size_t count = 0;
    while (bytes.len > 0) {
        if (count == FIELDS || !get_varint(&bytes, &fields[count]))
            return pt_fail(err, PT_UNVERIFIED, NULL, "a pack record is damaged");
        count++;
    }
    if (fields[0] >= LIFECYCLE_STATES || (count > 0 && fields[count - 1] == 0))
        return pt_fail(err, PT_UNVERIFIED, NULL, "a pack record is damaged");
    *out = (struct pack_record){
        .state = (enum lifecycle_state)fields[0],
        .flags = (unsigned)fields[1],
        .last = fields[2],
        .place = fields[3],
        .party = fields[4],
        .lot = fields[5],
        .expiry = (uint32_t)fields[6],
        .event_seconds = unzigzag(fields[7]),
        .content = fields[8],
        .left = fields[9],
        .parent = fields[10],
        .parent_filling = fields[11],
        .filling = fields[12] & UINT32_MAX,
        .alerts = (unsigned)(fields[12] >> 32),
    };
    return PT_OK;
}
