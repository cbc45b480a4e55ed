#include "ledger/state/key_chain.h"

#include <string.h>

#include "ledger/state/varint.h"

void key_chain_encode(const struct key_chain *record, struct pt_buf *out) {
    varint_put(out, record->next);
    pt_buf_append_bytes(out, pt_bytes_digest(&record->head));
}

enum pt_code key_chain_decode(struct pt_bytes bytes, struct key_chain *out, struct pt_error *err) {
    *out = (struct key_chain){0};
    if (!varint_get(&bytes, &out->next) || bytes.len != PT_DIGEST_SIZE)
        return pt_fail(err, PT_UNVERIFIED, "state", "a key's chain record is damaged");
    memcpy(out->head.bytes, bytes.data, PT_DIGEST_SIZE);
    return PT_OK;
}

void held_key(const struct pt_digest *kid, uint64_t sequence, uint8_t out[HELD_KEY]) {
    memcpy(out, kid->bytes, PT_DIGEST_SIZE);
    be64_put(sequence, out + PT_DIGEST_SIZE);
}

void held_record_encode(const struct held_record *record, struct pt_buf *out) {
    varint_put(out, record->leaf);
    varint_put(out, varint_fold(record->since));
}

enum pt_code held_record_decode(struct pt_bytes bytes, struct held_record *out, struct pt_error *err) {
    uint64_t since;
    *out = (struct held_record){0};
    if (!varint_get(&bytes, &out->leaf) || !varint_get(&bytes, &since) || bytes.len != 0)
        return pt_fail(err, PT_UNVERIFIED, "state", "a held statement's record is damaged");
    out->since = varint_unfold(since);
    return PT_OK;
}
