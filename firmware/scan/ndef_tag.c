// Where tags keep their NDEF message: Type 2 memory (NFC Forum T2T 1.x) and Type 4 containers (T4T 2.0 and later).
#include "firmware/scan/ndef.h"

#define DATA_BEGINS 16u  // behind UID, lock bytes and capability container
#define MAGIC 0xe1
#define MAX_RESERVED 8

enum { TLV_NULL = 0x00, TLV_LOCK = 0x01, TLV_MEMORY = 0x02, TLV_NDEF = 0x03, TLV_TERMINATOR = 0xfe };

struct area {
    struct pt_bytes memory;
    size_t end;  // of the data area
    size_t at;
    struct { size_t from, to; } reserved[MAX_RESERVED];
    size_t reserved_count;
    bool more;
};

// The next byte of the data area that is not reserved; false at the area's end, or, with `more`, of what was read.
static bool next(struct area *a, uint8_t *out) {
    for (size_t i = 0; i < a->reserved_count; i++)
        if (a->at >= a->reserved[i].from && a->at < a->reserved[i].to) {
            a->at = a->reserved[i].to;
            i = SIZE_MAX;  // another range may begin there
        }
    if (a->at >= a->end) return false;
    if (a->at >= a->memory.len) {
        a->more = true;
        return false;
    }
    *out = a->memory.data[a->at++];
    return true;
}

// One length byte, or FF and two for 255 and above.
static bool next_length(struct area *a, size_t *out) {
    uint8_t first, high, low;
    if (!next(a, &first)) return false;
    *out = first;
    if (first != 0xff) return true;
    if (!next(a, &high) || !next(a, &low)) return false;
    *out = (size_t)high << 8 | low;
    return true;
}

// Lock control counts bits, memory control bytes; 0 stands for 256.
static bool reserve(struct area *a, const uint8_t value[3], bool bits) {
    size_t size = value[1] ? value[1] : 256;
    if (bits) size = (size + 7) / 8;
    size_t from = ((size_t)(value[0] >> 4) << (value[2] & 15)) + (value[0] & 15);
    if (a->reserved_count == MAX_RESERVED) return false;
    a->reserved[a->reserved_count].from = from;
    a->reserved[a->reserved_count++].to = from + size;
    return true;
}

static enum pt_code cut_off(struct area *a, struct pt_error *err) {
    if (a->more) return pt_fail(err, PT_NOT_FOUND, "type 2", "more of the tag's memory is needed");
    return pt_fail_at(err, PT_INVALID, (long)a->at, "type 2", "a block is longer than the tag's memory");
}

static enum pt_code read_block(struct area *a, uint8_t tag, size_t len, struct pt_buf *message, struct pt_error *err) {
    uint8_t control[3] = {0}, byte;
    bool is_control = tag == TLV_LOCK || tag == TLV_MEMORY;
    if (is_control && len != 3) return pt_fail_at(err, PT_INVALID, (long)a->at, "type 2", "a control block's length is not 3");
    if (tag == TLV_NDEF && len > NDEF_MAX_MESSAGE) return pt_fail(err, PT_LIMIT, "type 2", "the message is too long");
    for (size_t i = 0; i < len; i++) {
        if (!next(a, &byte)) return cut_off(a, err);
        if (is_control) control[i] = byte;
        if (tag == TLV_NDEF) pt_buf_byte(message, byte);
    }
    if (is_control && !reserve(a, control, tag == TLV_LOCK))
        return pt_fail(err, PT_LIMIT, "type 2", "too many control blocks");
    return pt_buf_check(message, err);
}

static enum pt_code read_blocks(struct area *a, struct pt_buf *message, struct pt_error *err) {
    uint8_t tag;
    while (next(a, &tag)) {
        if (tag == TLV_NULL) continue;
        if (tag == TLV_TERMINATOR) return pt_fail(err, PT_NOT_FOUND, "type 2", "the tag holds no NDEF message");
        size_t len;
        size_t at = a->at;
        if (!next_length(a, &len)) return cut_off(a, err);
        if (len == 0xffff || (len < 255 && a->at - at >= 3 && a->memory.data[at] == 0xff))
            return pt_fail_at(err, PT_INVALID, (long)at, "type 2", "a block's length is not written as it must be");
        enum pt_code code = read_block(a, tag, len, message, err);
        if (code != PT_OK) return code;
        if (tag == TLV_NDEF && len > 0) return PT_OK;
        if (tag == TLV_NDEF) return pt_fail(err, PT_NOT_FOUND, "type 2", "the tag's NDEF message is empty");
    }
    return pt_fail(err, PT_NOT_FOUND, "type 2", a->more ? "more of the tag's memory is needed" : "the tag holds no NDEF message");
}

enum pt_code ndef_type2_message(struct pt_bytes memory, struct pt_buf *message, bool *more, struct pt_error *err) {
    pt_buf_clear(message);
    *more = memory.len < DATA_BEGINS;
    if (*more) return pt_fail(err, PT_NOT_FOUND, "type 2", "more of the tag's memory is needed");
    const uint8_t *container = memory.data + 12;
    if (container[0] != MAGIC) return pt_fail(err, PT_NOT_FOUND, "type 2", "the tag is not formatted for NDEF");
    if (container[1] >> 4 != 1) return pt_fail_at(err, PT_INVALID, 13, "type 2", "a mapping version that is not known");
    if (container[3] >> 4 != 0) return pt_fail(err, PT_FORBIDDEN, "type 2", "the tag does not let itself be read");
    struct area area = {.memory = memory, .at = DATA_BEGINS, .end = DATA_BEGINS + 8u * container[2]};
    enum pt_code code = read_blocks(&area, message, err);
    *more = code == PT_NOT_FOUND && area.more;
    if (code != PT_OK) pt_buf_clear(message);
    return code;
}

static uint16_t be16(const uint8_t *p) { return (uint16_t)(p[0] << 8 | p[1]); }

enum pt_code ndef_type4_container(struct pt_bytes c, struct ndef_type4 *out, struct pt_error *err) {
    *out = (struct ndef_type4){0};
    if (c.len < 15 || be16(c.data) < 15) return pt_fail(err, PT_INVALID, "type 4", "the capability container is cut off");
    unsigned version = c.data[2] >> 4;
    if (version != 2 && version != 3) return pt_fail_at(err, PT_INVALID, 2, "type 4", "a mapping version that is not known");
    if (c.data[7] != 0x04 || c.data[8] != 6)
        return pt_fail_at(err, PT_INVALID, 7, "type 4", "the NDEF file's control block is not the first");
    out->read_len = be16(c.data + 3);
    out->file_id = be16(c.data + 9);
    out->file_size = be16(c.data + 11);
    if (out->read_len < 15) return pt_fail_at(err, PT_INVALID, 3, "type 4", "the largest read is below 15 bytes");
    static const uint16_t reserved[] = {0x0000, 0xe102, 0xe103, 0x3f00, 0x3fff, 0xffff};
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
        if (out->file_id == reserved[i]) return pt_fail_at(err, PT_INVALID, 9, "type 4", "a reserved file name");
    if (out->file_size < 5 || out->file_size == 0xffff)
        return pt_fail_at(err, PT_INVALID, 11, "type 4", "the NDEF file's size is not allowed");
    if (c.data[13] != 0) return pt_fail(err, PT_FORBIDDEN, "type 4", "the tag does not let itself be read");
    return PT_OK;
}
