// What terminal, gateway and ledger say to each other over HTTPS: paths, media types and the bodies' codecs.
// The components meet only here (wire.md beside this file describes it for people).
#ifndef PACKTRAIL_COMMON_WIRE_WIRE_H
#define PACKTRAIL_COMMON_WIRE_WIRE_H

#include "common/base/time.h"
#include "common/cose/receipt.h"

#define WIRE_PATH_STATEMENTS "/statements"  // POST, terminal -> gateway (and operator -> ledger)
#define WIRE_PATH_BLOCKS "/blocks"          // POST, gateway -> ledger
#define WIRE_PATH_RECEIPTS "/receipts"      // POST, terminal -> gateway -> ledger
#define WIRE_PATH_FEED "/terminal/feed"     // GET ?since=CURSOR&kinds=1,2,4, terminal -> gateway -> ledger

#define WIRE_TYPE_STATEMENTS "application/cbor-seq"                   // RFC 8742: one or more tagged COSE_Sign1
#define WIRE_TYPE_STATEMENT "application/cose; cose-type=\"cose-sign1\""  // exactly one
#define WIRE_TYPE_BLOCK "application/vnd.packtrail.block+cbor"
#define WIRE_TYPE_CBOR "application/cbor"
#define WIRE_TYPE_JSON "application/json"

#define WIRE_MAX_STATEMENTS 1024u               // a request
#define WIRE_MAX_BODY ((size_t)2 * 1024 * 1024)  // of a /statements or /receipts request
#define WIRE_MAX_RECEIPTS 1024u                 // ids a request

// --- POST /statements: the answer, one outcome a statement in the order sent. ---
// accepted: durable at whoever answered. duplicate: the same signed bytes were accepted before (good as accepted).
// refused: never will be accepted as it is; the sender keeps it as evidence and shows the reason.
// later: not taken now (full, busy); send the same bytes again.
enum wire_outcome { WIRE_ACCEPTED = 1, WIRE_DUPLICATE = 2, WIRE_REFUSED = 3, WIRE_LATER = 4 };

struct wire_ack {
    struct pt_digest id;
    enum wire_outcome outcome;
    char error[256];    // why refused or later; empty otherwise
    char warning[128];  // "gap" when statements before it are missing; empty otherwise
};

// {"results":[{"id":HEX,"outcome":"accepted"|"duplicate"|"refused"|"later","error":…,"warning":…}]}
enum pt_code wire_acks_encode(const struct wire_ack *acks, size_t count, struct pt_buf *out, struct pt_error *err) PT_NODISCARD;
// `count` outcomes are expected; their ids must be those in `acks`, whose other fields are filled in.
enum pt_code wire_acks_decode(struct pt_bytes json, struct wire_ack *acks, size_t count, struct pt_error *err) PT_NODISCARD;

// Splits a CBOR sequence into whole items without decoding them further; at most `most` views into `body`.
enum pt_code wire_split_sequence(struct pt_bytes body, struct pt_bytes *out, size_t most, size_t *count,
                                 struct pt_error *err) PT_NODISCARD;

// --- POST /blocks: the answer. ---
// applied / duplicate: on the chain at `height`. waiting: stored ahead of its turn, the ledger lacks `expected`.
// refused: recorded (height > 0) or ignored (height 0), with the reason; the gateway must not send it again.
enum wire_block_outcome { WIRE_BLOCK_APPLIED = 1, WIRE_BLOCK_DUPLICATE = 2, WIRE_BLOCK_WAITING = 3, WIRE_BLOCK_REFUSED = 4 };

struct wire_block_answer {
    enum wire_block_outcome outcome;
    struct pt_digest block;
    uint64_t height;
    uint64_t expected;  // next sequence that the ledger expects of this gateway
    bool final;
    char error[256];
};
// {"outcome":"applied"|…,"block":HEX,"height":N,"expected":N,"final":true,"error":…}
enum pt_code wire_block_answer_encode(const struct wire_block_answer *answer, struct pt_buf *out, struct pt_error *err) PT_NODISCARD;
enum pt_code wire_block_answer_decode(struct pt_bytes json, struct wire_block_answer *out, struct pt_error *err) PT_NODISCARD;

// --- POST /receipts: CBOR [+ id: bstr .size 32]; the answer CBOR [+ receipt: bstr / null], in the order asked. ---
enum pt_code wire_receipt_request_encode(const struct pt_digest *ids, size_t count, struct pt_buf *out, struct pt_error *err) PT_NODISCARD;
enum pt_code wire_receipt_request_decode(struct pt_bytes cbor, struct pt_digest *ids, size_t most, size_t *count,
                                         struct pt_error *err) PT_NODISCARD;
// receipts[i] with len 0 stands for "not on the ledger yet". Decoded views point into `cbor`.
enum pt_code wire_receipts_encode(const struct pt_bytes *receipts, size_t count, struct pt_buf *out, struct pt_error *err) PT_NODISCARD;
enum pt_code wire_receipts_decode(struct pt_bytes cbor, struct pt_bytes *receipts, size_t count, struct pt_error *err) PT_NODISCARD;

// --- GET /terminal/feed?since=CURSOR: signed statements that terminals and gateways act on, in log order. ---
// Whoever reads them checks the operator's signature itself; the feed only carries. CURSOR 0 is the beginning. `kinds`: only these (numbers of enum wire_feed_kind); the cursor counts all.
enum wire_feed_kind {
    WIRE_FEED_ENROLMENT = 1,
    WIRE_FEED_REVOCATION = 2,
    WIRE_FEED_MASTER = 3,
    WIRE_FEED_RECALL = 4,
    WIRE_FEED_SHIPPING_NOTICE = 5,
};

struct wire_feed_item {
    enum wire_feed_kind kind;
    uint64_t leaf_index;
    struct pt_bytes statement;
};

struct wire_feed {
    uint64_t height;      // of the ledger when it answered
    pt_millis time;       // chain time at that height
    uint64_t cursor;      // give this as `since` next time
    bool more;            // ask again at once
    struct wire_feed_item *items;
    size_t count;
};
// CBOR {1: height, 2: time, 3: cursor, 4: more, 5: [* [kind, leaf index, statement: bstr]]}
enum pt_code wire_feed_encode(const struct wire_feed *feed, struct pt_buf *out, struct pt_error *err) PT_NODISCARD;
// items point into `cbor` and are freed with free(feed->items).
enum pt_code wire_feed_decode(struct pt_bytes cbor, struct wire_feed *out, struct pt_error *err) PT_NODISCARD;

#endif
