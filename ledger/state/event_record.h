// What the state keeps of an event that bears an eventID: STATE_EVENT's value. It tells a reused ID from an event that was
// sent again, ties an error declaration to the event that it declares, and keeps what a corrective event said.
#ifndef PACKTRAIL_LEDGER_STATE_EVENT_RECORD_H
#define PACKTRAIL_LEDGER_STATE_EVENT_RECORD_H

#include "common/base/bytes.h"

#define EVENT_RECORD_KEY 16u  // the beginning of the ID's SHA-256
#define EVENT_RECORD_MAX 128u

struct event_record {
    uint64_t leaf;         // 1 + leaf index of the statement that used the ID first; 0: only its declaration has come
    uint64_t declaration;  // 1 + leaf index of the error declaration; 0: none
    uint64_t party;        // name of the signer's party: of the event, else of the declaration
    bool by_operator;      // the declaration was an operator's or a regulator's
    uint8_t content[16];   // beginning of the CBV event hash: says the same or not
    // What it did, where it is one thing for all its packs.
    unsigned operation;    // enum lifecycle_operation of its objects
    int64_t event_seconds;
    uint64_t place;        // name
    uint64_t units;
    bool partial;
};

void event_record_key(const char *event_id, uint8_t out[EVENT_RECORD_KEY]);
void event_record_encode(const struct event_record *record, struct pt_buf *out);
enum pt_code event_record_decode(struct pt_bytes bytes, struct event_record *out, struct pt_error *err) PT_NODISCARD;

#endif
