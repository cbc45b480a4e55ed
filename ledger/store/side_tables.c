#include "ledger/store/side_tables.h"

#include <string.h>

#include "common/crypto/digest.h"
#include "ledger/state/varint.h"

void side_statement_key(const struct pt_digest *id, uint64_t leaf, uint8_t out[SIDE_STATEMENT_KEY]) {
    uint8_t number[8];
    be64_put(leaf, number);
    memcpy(out, id->bytes, SIDE_ID_PREFIX);
    memcpy(out + SIDE_ID_PREFIX, number + 2, 6);
}

uint64_t side_statement_leaf(struct pt_bytes key) {
    uint8_t number[8] = {0};
    if (key.len != SIDE_STATEMENT_KEY) return UINT64_MAX;
    memcpy(number + 2, key.data + SIDE_ID_PREFIX, 6);
    return be64_get(number);
}

void side_sequence_key(const struct pt_digest *kid, uint64_t sequence, uint8_t out[SIDE_SEQUENCE_KEY]) {
    memcpy(out, kid->bytes, 8);
    be64_put(sequence, out + 8);
}

void side_height_encode(const struct side_height *height, struct pt_buf *out) {
    varint_put(out, height->position.number);
    varint_put(out, height->position.offset);
    varint_put(out, height->position.segment);
    varint_put(out, height->first_leaf);
    varint_put(out, height->leaf_count);
    varint_put(out, varint_fold(height->time));
    pt_buf_append_bytes(out, pt_bytes_digest(&height->entry));
}

enum pt_code side_height_decode(struct pt_bytes bytes, struct side_height *out, struct pt_error *err) {
    uint64_t fields[6];
    *out = (struct side_height){0};
    for (unsigned i = 0; i < 6; i++)
        if (!varint_get(&bytes, &fields[i])) return pt_fail(err, PT_UNVERIFIED, "index", "a height's place is damaged");
    if (bytes.len != PT_DIGEST_SIZE || fields[2] > UINT32_MAX)
        return pt_fail(err, PT_UNVERIFIED, "index", "a height's place is damaged");
    out->position = (struct pt_journal_position){fields[0], fields[1], (uint32_t)fields[2]};
    out->first_leaf = fields[3];
    out->leaf_count = fields[4];
    out->time = varint_unfold(fields[5]);
    memcpy(out->entry.bytes, bytes.data, PT_DIGEST_SIZE);
    return PT_OK;
}

void side_block_key(const struct pt_digest *gateway, uint64_t sequence, uint8_t out[SIDE_BLOCK_KEY]) {
    memcpy(out, gateway->bytes, PT_DIGEST_SIZE);
    be64_put(sequence, out + PT_DIGEST_SIZE);
}

void side_feed_key(const char *audience, uint64_t leaf, unsigned kind, uint8_t out[SIDE_FEED_KEY]) {
    memset(out, 0, 8);
    if (audience) {
        const struct pt_digest digest = sha256(pt_bytes_str(audience));
        memcpy(out, digest.bytes, 8);
    }
    be64_put(leaf, out + 8);
    out[16] = (uint8_t)kind;
}

void side_links_encode(const uint64_t *previous, size_t count, struct pt_buf *out) {
    uint64_t before = 0;
    for (size_t i = 0; i < count;) {
        const int64_t difference = (int64_t)(previous[i] - before);
        size_t run = 0;
        for (; i < count && (int64_t)(previous[i] - before) == difference; i++, run++) before = previous[i];
        varint_put(out, run);
        varint_put(out, varint_fold(difference));
    }
}

enum pt_code side_links_at(struct pt_bytes links, size_t index, uint64_t *previous, struct pt_error *err) {
    uint64_t value = 0, run, difference;
    *previous = 0;
    while (varint_get(&links, &run) && run > 0 && varint_get(&links, &difference)) {
        const uint64_t steps = index < run ? index + 1 : run;
        value += steps * (uint64_t)varint_unfold(difference);
        if (index < run) {
            *previous = value;
            return PT_OK;
        }
        index -= (size_t)run;
    }
    return pt_fail(err, PT_UNVERIFIED, "index", "the links of a statement are damaged");
}
