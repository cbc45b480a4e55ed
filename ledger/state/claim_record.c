#include "ledger/state/claim_record.h"

#include <string.h>

#include "common/crypto/digest.h"
#include "ledger/state/varint.h"

#define VERSION 1
#define FLAG_FULL 1u
#define HAS_PRESCRIPTION ((uint64_t)1 << 8)  // beside enum claim_flag
#define FLAGS_MOST (HAS_PRESCRIPTION | 255u)

// More room twice over, the old content in front.
static void *grown(struct pt_arena *arena, const void *items, size_t count, size_t *room, size_t size) {
    const size_t wanted = *room ? *room * 2 : 2;
    void *memory = pt_arena_alloc(arena, wanted, size);
    if (memory && count > 0) memcpy(memory, items, count * size);
    if (memory) *room = wanted;
    return memory;
}

struct claim_dispensing *claim_pack_add_dispensing(struct claim_pack *pack, struct pt_arena *arena) {
    if (pack->dispensing_count == pack->dispensing_room) {
        void *memory = grown(arena, pack->dispensings, pack->dispensing_count, &pack->dispensing_room, sizeof *pack->dispensings);
        if (!memory) return NULL;
        pack->dispensings = memory;
    }
    struct claim_dispensing *added = &pack->dispensings[pack->dispensing_count++];
    *added = (struct claim_dispensing){0};
    return added;
}

struct claim_settled *claim_pack_add_line(struct claim_pack *pack, struct pt_arena *arena) {
    if (pack->line_count == pack->line_room) {
        void *memory = grown(arena, pack->lines, pack->line_count, &pack->line_room, sizeof *pack->lines);
        if (!memory) return NULL;
        pack->lines = memory;
    }
    struct claim_settled *added = &pack->lines[pack->line_count++];
    *added = (struct claim_settled){0};
    return added;
}

// Everything is counted from 0; CLAIM_ALL becomes 0 by adding one.
static void put_dispensing(const struct claim_dispensing *dispensing, struct pt_buf *out) {
    varint_put(out, dispensing->leaf);
    varint_put(out, varint_fold(dispensing->seconds));
    varint_put(out, dispensing->place);
    varint_put(out, dispensing->party);
    varint_put(out, dispensing->asked);
    varint_put(out, dispensing->back + 1);
    varint_put(out, dispensing->settled);
    varint_put(out, dispensing->flags | (dispensing->has_prescription ? HAS_PRESCRIPTION : 0));
    pt_buf_append(out, dispensing->statement, CLAIM_MARK);
    pt_buf_append(out, dispensing->event, CLAIM_MARK);
    if (dispensing->has_prescription) pt_buf_append(out, dispensing->prescription, sizeof dispensing->prescription);
}

void claim_pack_encode(const struct claim_pack *pack, struct pt_buf *out) {
    pt_buf_byte(out, VERSION);
    varint_put(out, pack->full ? FLAG_FULL : 0);
    varint_put(out, pack->dispensing_count);
    for (size_t i = 0; i < pack->dispensing_count; i++) put_dispensing(&pack->dispensings[i], out);
    varint_put(out, pack->line_count);
    for (size_t i = 0; i < pack->line_count; i++) {
        const struct claim_settled *line = &pack->lines[i];
        varint_put(out, line->batch);
        varint_put(out, line->line);
        varint_put(out, line->dispensing);
        varint_put(out, line->units);
        pt_buf_append(out, line->insurer, CLAIM_MARK);
        pt_buf_append(out, line->key, CLAIM_LINE_KEY);
    }
    varint_put(out, pack->unmatched_count);
    for (size_t i = 0; i < pack->unmatched_count; i++) {
        varint_put(out, varint_fold(pack->unmatched[i].seconds));
        varint_put(out, pack->unmatched[i].units + 1);
    }
}

struct reader {
    struct pt_bytes bytes;
    bool failed;
};

static uint64_t get(struct reader *reader) {
    uint64_t value = 0;
    if (reader->failed || !varint_get(&reader->bytes, &value)) reader->failed = true;
    return reader->failed ? 0 : value;
}

static size_t get_size(struct reader *reader, size_t most) {
    const uint64_t value = get(reader);
    if (value > most) reader->failed = true;
    return reader->failed ? 0 : (size_t)value;
}

static void get_raw(struct reader *reader, uint8_t *out, size_t len) {
    if (reader->bytes.len < len) reader->failed = true;
    if (reader->failed) return;
    memcpy(out, reader->bytes.data, len);
    reader->bytes = pt_bytes_of(reader->bytes.data + len, reader->bytes.len - len);
}

static void get_dispensing(struct reader *reader, struct claim_dispensing *out) {
    out->leaf = get(reader);
    out->seconds = varint_unfold(get(reader));
    out->place = get(reader);
    out->party = get(reader);
    out->asked = get(reader);
    out->back = get(reader) - 1;
    out->settled = get(reader);
    const uint64_t flags = get(reader);
    if (flags > FLAGS_MOST) reader->failed = true;
    out->flags = (unsigned)(flags & 255u);
    out->has_prescription = (flags & HAS_PRESCRIPTION) != 0;
    get_raw(reader, out->statement, CLAIM_MARK);
    get_raw(reader, out->event, CLAIM_MARK);
    if (out->has_prescription) get_raw(reader, out->prescription, sizeof out->prescription);
}

static enum pt_code damaged(struct pt_error *err) {
    return pt_fail(err, PT_UNVERIFIED, NULL, "a record of claims is damaged or of an unknown version");
}

enum pt_code claim_pack_decode(struct pt_bytes bytes, struct pt_arena *arena, struct claim_pack *out, struct pt_error *err) {
    *out = (struct claim_pack){0};
    if (bytes.len < 1 || bytes.data[0] != VERSION) return damaged(err);
    struct reader reader = {.bytes = pt_bytes_of(bytes.data + 1, bytes.len - 1)};
    const uint64_t flags = get(&reader);
    out->full = flags == FLAG_FULL;
    const size_t dispensings = get_size(&reader, CLAIM_PARTS_MAX);
    for (size_t i = 0; i < dispensings && !reader.failed; i++) {
        struct claim_dispensing *dispensing = claim_pack_add_dispensing(out, arena);
        if (!dispensing) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
        get_dispensing(&reader, dispensing);
    }
    const size_t lines = get_size(&reader, CLAIM_PARTS_MAX);
    for (size_t i = 0; i < lines && !reader.failed; i++) {
        struct claim_settled *line = claim_pack_add_line(out, arena);
        if (!line) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
        line->batch = get(&reader);
        line->line = get(&reader);
        line->dispensing = get(&reader);
        line->units = get(&reader);
        get_raw(&reader, line->insurer, CLAIM_MARK);
        get_raw(&reader, line->key, CLAIM_LINE_KEY);
    }
    out->unmatched_count = get_size(&reader, CLAIM_UNMATCHED_MAX);
    for (size_t i = 0; i < out->unmatched_count && !reader.failed; i++) {
        out->unmatched[i].seconds = varint_unfold(get(&reader));
        out->unmatched[i].units = get(&reader) - 1;
    }
    return reader.failed || flags > FLAG_FULL || reader.bytes.len > 0 ? damaged(err) : PT_OK;
}

void claim_line_record_encode(const struct claim_line_record *record, struct pt_buf *out) {
    pt_buf_byte(out, VERSION);
    varint_put(out, (uint64_t)record->state);
    varint_put(out, (uint64_t)record->reason);
    varint_put(out, record->batch);
    varint_put(out, record->line);
    varint_put(out, record->reversed_by);
    pt_buf_append(out, record->content, sizeof record->content);
    pt_buf_append_bytes(out, record->pack);
}

enum pt_code claim_line_record_decode(struct pt_bytes bytes, struct claim_line_record *out, struct pt_error *err) {
    *out = (struct claim_line_record){0};
    if (bytes.len < 1 || bytes.data[0] != VERSION) return damaged(err);
    struct reader reader = {.bytes = pt_bytes_of(bytes.data + 1, bytes.len - 1)};
    const uint64_t state = get(&reader), reason = get(&reader);
    out->batch = get(&reader);
    out->line = get(&reader);
    out->reversed_by = get(&reader);
    get_raw(&reader, out->content, sizeof out->content);
    if (reader.failed || state < CLAIM_LINE_SETTLED || state > CLAIM_LINE_REFUSED || reason >= CLAIM_REASONS) return damaged(err);
    out->state = (enum claim_line_state)state;
    out->reason = (enum claim_reason)reason;
    out->pack = reader.bytes;
    return PT_OK;
}

void claim_line_key(const char *insurer, const char *line, uint8_t out[CLAIM_LINE_KEY]) {
    const struct pt_bytes parts[] = {pt_bytes_of(insurer, strlen(insurer) + 1), pt_bytes_str(line)};
    const struct pt_digest digest = sha256_parts(parts, 2);
    memcpy(out, digest.bytes, CLAIM_LINE_KEY);
}

void claim_insurer_mark(const char *insurer, uint8_t out[CLAIM_MARK]) {
    const struct pt_digest digest = sha256(pt_bytes_str(insurer));
    memcpy(out, digest.bytes, CLAIM_MARK);
}

void claim_key_pack(struct pt_bytes pack, struct pt_buf *out) {
    pt_buf_byte(out, 'p');
    pt_buf_append_bytes(out, pack);
}

void claim_key_line(const uint8_t line[CLAIM_LINE_KEY], struct pt_buf *out) {
    pt_buf_byte(out, 'l');
    pt_buf_append(out, line, CLAIM_LINE_KEY);
}

void claim_key_batch(uint64_t leaf, struct pt_buf *out) {
    uint8_t number[8];
    be64_put(leaf, number);
    pt_buf_byte(out, 'b');
    pt_buf_append(out, number, sizeof number);
}

void claim_key_due(const uint8_t insurer[CLAIM_MARK], const uint8_t line[CLAIM_LINE_KEY], struct pt_buf *out) {
    pt_buf_byte(out, 'd');
    pt_buf_append(out, insurer, CLAIM_MARK);
    pt_buf_append(out, line, CLAIM_LINE_KEY);
}
