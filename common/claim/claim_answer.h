// What the ledger answers to a batch of claims, line by line, and the evidence that anybody can check (claim.cddl).
#ifndef PACKTRAIL_COMMON_CLAIM_CLAIM_ANSWER_H
#define PACKTRAIL_COMMON_CLAIM_CLAIM_ANSWER_H

#include "common/base/arena.h"
#include "common/base/time.h"
#include "common/cose/sealed.h"

#define CLAIM_ANSWER_CONTENT_TYPE "application/vnd.packtrail.claim-answer+cbor"
#define CLAIM_EVIDENCE_CONTENT_TYPE "application/vnd.packtrail.claim-evidence+cbor"
#define CLAIM_ANSWER_MAX ((size_t)256 * 1024)
#define CLAIM_EVIDENCE_MAX ((size_t)48 * 1024 * 1024)
#define CLAIM_EVIDENCE_ITEMS 8192u
#define CLAIM_EVIDENCE_KEYS 1024u

// Numbers are stored: never reused.
enum claim_outcome { CLAIM_SETTLED = 1, CLAIM_REVERSED = 2, CLAIM_DUPLICATE = 3, CLAIM_REFUSED = 4 };

enum claim_reason {
    CLAIM_REASON_NONE = 0,
    CLAIM_NOT_DISPENSED = 1,          // no dispensing of this pack is known (空刷, or late data)
    CLAIM_WRONG_PRODUCT = 2,          // the pack is not the product claimed (串换)
    CLAIM_OVER_CONTENT = 3,           // more than the pack's content would be settled
    CLAIM_ALREADY_SETTLED = 4,        // this insurer's line is settled with other content
    CLAIM_OTHER_PLACE = 5,            // dispensed, but not at the place claimed
    CLAIM_WRONG_PRESCRIPTION = 6,     // dispensed to another prescription
    CLAIM_UNKNOWN_PACK = 7,           // nothing on the chain names the pack
    CLAIM_NOT_YOUR_LINE = 8,          // no settled line of this insurer to reverse, or of another pack
    CLAIM_UNREADABLE_CODE = 9,        // the pack's code is none
    CLAIM_PRODUCT_MISTYPED = 10,      // the product's code has a wrong check digit or is one slip from the right one
    CLAIM_UNKNOWN_PRODUCT = 11,       // no master record tells whether pack and claimed product are the same
    CLAIM_CONTENT_UNKNOWN = 12,       // neither its maker nor a master record says how much the pack holds
    CLAIM_TAKEN_BACK = 13,            // the dispensing was undone or the goods came back
    CLAIM_NOT_FINAL = 14,             // the dispensing is not final yet
    CLAIM_OTHER_DISPENSING = 15,      // the event or statement named is no dispensing of this pack
    CLAIM_NO_PRESCRIPTION = 16,       // the dispensing names no prescription
    CLAIM_CONTAINER = 17,             // the code is that of a case or pallet
    CLAIM_ALREADY_REVERSED = 18,      // the line was settled and reversed: a new claim needs a new line id
    CLAIM_TOO_MANY_PARTS = 19,        // of this pack more dispensings or lines than are kept
    CLAIM_OVER_DISPENSED = 20,        // more than that dispensing gave and others have not settled
};
#define CLAIM_REASONS 21u

enum claim_flag {
    CLAIM_FLAG_EXPIRED = 1,   // the pack was past its expiry when it was dispensed
    CLAIM_FLAG_RECALLED = 2,  // it was recalled when it was dispensed
};

const char *claim_outcome_name(enum claim_outcome outcome);  // "settled"; "unknown"
const char *claim_reason_name(enum claim_reason reason);     // "not_dispensed"; "" for none
const char *claim_reason_text(enum claim_reason reason, bool chinese);  // a sentence for people; "" for none

struct claim_line_answer {
    enum claim_outcome outcome;
    enum claim_reason reason;
    unsigned flags;       // of enum claim_flag
    uint64_t settled;     // units of the pack, over all insurers, after this line
    uint64_t content;     // units that it holds; 0: not known
    uint64_t dispensing;  // 1 + leaf index; 0: none
    uint64_t other;       // 1 + leaf index of the claim statement in the way, repeated or taken back; 0: none
};

// One line's answer as a CBOR array: also how the ledger keeps it.
struct cbor_reader;
void claim_line_answer_put(const struct claim_line_answer *line, struct pt_buf *out);
void claim_line_answer_get(struct cbor_reader *reader, struct claim_line_answer *out);

struct claim_answer {
    struct pt_digest statement;
    uint64_t leaf_index, height;
    pt_millis time;
    struct claim_line_answer *lines;
    size_t line_count;
};

enum pt_code claim_answer_encode(const struct claim_answer *answer, struct pt_buf *out, struct pt_error *err) PT_NODISCARD;
enum pt_code claim_answer_decode(struct pt_bytes bytes, struct pt_arena *arena, struct claim_answer *out,
                                 struct pt_error *err) PT_NODISCARD;

struct claim_evidence_item {
    struct pt_bytes statement, receipt;
};

// Views into whatever was decoded.
struct claim_evidence {
    struct pt_bytes answer;      // sealed
    struct claim_evidence_item *items;
    size_t item_count;
    struct pt_bytes *keys;       // COSE_Key
    size_t key_count;
    struct pt_bytes checkpoint;  // sealed
};

enum pt_code claim_evidence_encode(const struct claim_evidence *evidence, struct pt_buf *out, struct pt_error *err) PT_NODISCARD;
enum pt_code claim_evidence_decode(struct pt_bytes bytes, struct pt_arena *arena, struct claim_evidence *out,
                                   struct pt_error *err) PT_NODISCARD;

#endif
