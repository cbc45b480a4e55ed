#include "ledger/state/pack_record.h"

#include "ledger/state/varint.h"

// A version byte, then varints: state, flags, last, 1 + folded (last - undo.by) or 0, and if not 0 the undo's mask and values;
// then the rest. Zeros at the end are left out.
#define VERSION 1
#define EPOCH ((int64_t)1767225600)  // 2026-01-01: times near it are short

// The fields that a change can be taken back for, in the order of the mask's bits (the format).
enum field {
    STATE, FLAGS, PLACE, PARTY, LOT, EXPIRY, TIME, PARENT, PARENT_FILLING, CONTENT, USED, OPERATION, FILLING, AWAITED, RETURNED
};
_Static_assert(RETURNED + 1 == PACK_UNDO_FIELDS, "one bit a field");
#define MASK_ALL ((1u << PACK_UNDO_FIELDS) - 1)
#define MASK_NOTHING_BEFORE (1u << PACK_UNDO_FIELDS)  // the record was not there: every field was zero

static uint64_t fold_time(int64_t seconds) { return seconds ? varint_fold(seconds - EPOCH) + 1 : 0; }

static int64_t unfold_time(uint64_t value) { return value ? varint_unfold(value - 1) + EPOCH : 0; }

static void lay_out(const struct pack_record *record, uint64_t fields[PACK_UNDO_FIELDS]) {
    fields[STATE] = (uint64_t)record->state;
    fields[FLAGS] = record->flags;
    fields[PLACE] = record->place;
    fields[PARTY] = record->party;
    fields[LOT] = record->lot;
    fields[EXPIRY] = record->expiry;
    fields[TIME] = fold_time(record->event_seconds);
    fields[PARENT] = record->parent;
    fields[PARENT_FILLING] = record->parent_filling;
    fields[CONTENT] = record->content;
    fields[USED] = record->used;
    fields[OPERATION] = record->operation;
    fields[FILLING] = record->filling;
    fields[AWAITED] = record->awaited;
    fields[RETURNED] = record->returned;
}

static void take_in(const uint64_t fields[PACK_UNDO_FIELDS], struct pack_record *record) {
    record->state = (enum lifecycle_state)fields[STATE];
    record->flags = (unsigned)fields[FLAGS];
    record->place = fields[PLACE];
    record->party = fields[PARTY];
    record->lot = fields[LOT];
    record->expiry = (uint32_t)fields[EXPIRY];
    record->event_seconds = unfold_time(fields[TIME]);
    record->parent = fields[PARENT];
    record->parent_filling = fields[PARENT_FILLING];
    record->content = fields[CONTENT];
    record->used = fields[USED];
    record->operation = (unsigned)fields[OPERATION];
    record->filling = fields[FILLING];
    record->awaited = fields[AWAITED];
    record->returned = fields[RETURNED];
}

static unsigned bits(uint32_t mask) {
    unsigned count = 0;
    for (; mask; mask &= mask - 1) count++;
    return count;
}

void pack_record_encode(const struct pack_record *record, struct pt_buf *out) {
    uint64_t numbers[9 + 2 * PACK_UNDO_FIELDS], fields[PACK_UNDO_FIELDS];
    size_t count = 0;
    lay_out(record, fields);
    numbers[count++] = fields[STATE];
    numbers[count++] = fields[FLAGS];
    numbers[count++] = record->last;
    numbers[count++] = record->undo.by ? 1 + varint_fold((int64_t)(record->last - record->undo.by)) : 0;
    if (record->undo.by) {
        const unsigned changed = bits(record->undo.mask & MASK_ALL);
        numbers[count++] = record->undo.mask & MASK_NOTHING_BEFORE ? 0 : record->undo.mask;
        for (unsigned i = 0; i < changed; i++) numbers[count++] = record->undo.values[i];
    }
    for (unsigned i = PLACE; i < PACK_UNDO_FIELDS; i++) numbers[count++] = fields[i];
    // A sighting mostly is the last change itself.
    numbers[count++] = varint_fold(record->seen_seconds - record->event_seconds);
    numbers[count++] = varint_fold((int64_t)(record->seen_place - record->place));
    numbers[count++] = record->alerts;
    numbers[count++] = record->again;
    while (count > 0 && numbers[count - 1] == 0) count--;
    pt_buf_byte(out, VERSION);
    for (size_t i = 0; i < count; i++) varint_put(out, numbers[i]);
}

struct numbers {
    struct pt_bytes rest;
    bool bad;
    uint64_t last;
};

static uint64_t next(struct numbers *numbers) {
    if (numbers->rest.len == 0) return 0;  // left out
    if (!varint_get(&numbers->rest, &numbers->last)) numbers->bad = true;
    return numbers->last;
}

static void decode_undo(struct numbers *numbers, struct pack_record *out) {
    const uint64_t distance = next(numbers);
    if (distance == 0) return;
    const uint64_t mask = next(numbers);
    // A statement that was held back is applied behind younger ones: the last change may have the greater leaf.
    out->undo.by = out->last - (uint64_t)varint_unfold(distance - 1);
    out->undo.mask = mask ? (uint32_t)mask : MASK_NOTHING_BEFORE;
    if (out->undo.by == 0 || mask > MASK_ALL) numbers->bad = true;
    const unsigned changed = bits(out->undo.mask & MASK_ALL);
    for (unsigned i = 0; i < changed && !numbers->bad; i++) out->undo.values[i] = next(numbers);
}

enum pt_code pack_record_decode(struct pt_bytes bytes, struct pack_record *out, struct pt_error *err) {
    uint64_t fields[PACK_UNDO_FIELDS], seen_place = 0;
    int64_t seen = 0;
    struct numbers numbers = {.bad = bytes.len < 1 || bytes.data[0] != VERSION, .last = 1};
    *out = (struct pack_record){0};
    if (!numbers.bad) {
        numbers.rest = pt_bytes_of(bytes.data + 1, bytes.len - 1);
        fields[STATE] = next(&numbers);
        fields[FLAGS] = next(&numbers);
        out->last = next(&numbers);
        decode_undo(&numbers, out);
        for (unsigned i = PLACE; i < PACK_UNDO_FIELDS; i++) fields[i] = next(&numbers);
        seen = varint_unfold(next(&numbers));
        seen_place = (uint64_t)varint_unfold(next(&numbers));
        out->alerts = (unsigned)next(&numbers);
        out->again = next(&numbers);
    }
    // One record has one encoding, because the encoding is hashed.
    if (numbers.bad || numbers.rest.len > 0 || numbers.last == 0 || fields[STATE] >= LIFECYCLE_STATES)
        return pt_fail(err, PT_UNVERIFIED, NULL, "a pack record is damaged or of an unknown version");
    take_in(fields, out);
    out->seen_seconds = out->event_seconds + seen;
    out->seen_place = out->place + seen_place;
    return PT_OK;
}

void pack_record_remember(struct pack_record *record, const struct pack_record *before, uint64_t by) {
    uint64_t now[PACK_UNDO_FIELDS], then[PACK_UNDO_FIELDS], any = before->last;
    unsigned count = 0;
    struct pack_undo undo = {.by = by};
    lay_out(record, now);
    lay_out(before, then);
    then[FLAGS] = (then[FLAGS] & ~(uint64_t)PACK_FLAGS_NO_CHANGE) | (now[FLAGS] & PACK_FLAGS_NO_CHANGE);
    for (unsigned i = 0; i < PACK_UNDO_FIELDS; i++) {
        any |= then[i];
        if (now[i] == then[i]) continue;
        undo.mask |= 1u << i;
        undo.values[count++] = then[i];
    }
    if (undo.mask == 0) return;
    if (!any) undo = (struct pack_undo){.by = by, .mask = MASK_NOTHING_BEFORE};
    record->undo = undo;
}

bool pack_record_before(const struct pack_record *record, struct pack_record *out) {
    uint64_t fields[PACK_UNDO_FIELDS] = {0};
    unsigned at = 0;
    *out = *record;
    if (record->undo.by == 0) return false;
    if (!(record->undo.mask & MASK_NOTHING_BEFORE)) lay_out(record, fields);
    for (unsigned i = 0; i < PACK_UNDO_FIELDS; i++)
        if (record->undo.mask & (1u << i)) fields[i] = record->undo.values[at++];
    fields[FLAGS] = (fields[FLAGS] & ~(uint64_t)PACK_FLAGS_NO_CHANGE) | (record->flags & PACK_FLAGS_NO_CHANGE);
    take_in(fields, out);
    out->undo = (struct pack_undo){0};
    return true;
}
