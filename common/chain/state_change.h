// One change of the ledger's state, and the hash over a height's changes that goes into the chain entry.
#ifndef PACKTRAIL_COMMON_CHAIN_STATE_CHANGE_H
#define PACKTRAIL_COMMON_CHAIN_STATE_CHANGE_H

#include "common/base/bytes.h"

// State is a set of small tables of key -> value bytes. Table numbers are part of the hash: never reused.
enum state_table {
    STATE_PACK = 1,     // pack_id key -> pack record (packs, cases and pallets alike)
    STATE_ACTOR = 2,    // kid -> actor record
    STATE_CHAIN = 3,    // kid -> next sequence and head of a device's or gateway's chain
    STATE_MASTER = 4,   // kind + identifier + valid-from -> master record
    STATE_RULES = 5,    // name -> value: profile, versions, thresholds
    STATE_ALERT = 6,    // alert id -> alert record
    STATE_HELD = 7,     // kid + sequence -> statement that waits for its turn
    STATE_NAME = 8,     // a text that records share -> its number, and the number -> the text
    STATE_FACTS = 9,    // kind + identifier -> what contracts read of its master records (master_facts.h)
    STATE_EVENT = 10,   // event ID, hashed -> the statement that used it first and what it said
    STATE_RECALL = 11,  // product identifier -> its recalls; recall id -> the notice
    STATE_CLAIM = 12,   // pack -> what is settled of it; insurer + line -> the settled line
    STATE_FINDING = 13, // alert number -> how far its investigation is
};

struct state_change {
    enum state_table table;
    struct pt_bytes key;
    bool deleted;
    struct pt_bytes value;  // when not deleted
};

// Sorts in place by table, then key (bytewise). Keys must be unique a table.
void state_changes_sort(struct state_change *changes, size_t count);

// SHA-256 of the deterministic CBOR [* [table, key, value / null]] of sorted changes. Streams; needs no memory.
struct pt_digest state_changes_digest(const struct state_change *changes, size_t count);

#endif
