// Small records of the state beside packs: a key's place in its own chain (STATE_CHAIN), a statement that waits for its
// turn (STATE_HELD).
#ifndef PACKTRAIL_LEDGER_STATE_KEY_CHAIN_H
#define PACKTRAIL_LEDGER_STATE_KEY_CHAIN_H

#include "common/base/time.h"

// Of a device: the statements below `next` are dealt with. Of a gateway: its blocks.
struct key_chain {
    uint64_t next;
    struct pt_digest head;  // id of the last statement, digest of the last block; zeros before the first
};
void key_chain_encode(const struct key_chain *record, struct pt_buf *out);
enum pt_code key_chain_decode(struct pt_bytes bytes, struct key_chain *out, struct pt_error *err) PT_NODISCARD;

// Key: kid, sequence (8 bytes big-endian).
#define HELD_KEY 40u
struct held_record {
    uint64_t leaf;
    pt_millis since;  // chain time
};
void held_key(const struct pt_digest *kid, uint64_t sequence, uint8_t out[HELD_KEY]);
void held_record_encode(const struct held_record *record, struct pt_buf *out);
enum pt_code held_record_decode(struct pt_bytes bytes, struct held_record *out, struct pt_error *err) PT_NODISCARD;

#endif
