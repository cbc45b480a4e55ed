// What the state keeps of claims, in STATE_CLAIM. Keys begin with a letter:
//   'p' pack key                         -> the pack's dispensings and settled lines (claim_pack)
//   'l' line key                         -> what became of an insurer's line last (claim_line_record)
//   'b' leaf of the batch, big-endian    -> CBOR [* line-answer], in the batch's order (claim_answer.h)
//   'd' insurer mark, line key           -> pack key, of a settled line whose dispensing was undone or taken back since
#ifndef PACKTRAIL_LEDGER_STATE_CLAIM_RECORD_H
#define PACKTRAIL_LEDGER_STATE_CLAIM_RECORD_H

#include "common/base/arena.h"
#include "common/claim/claim_answer.h"

#define CLAIM_MARK 8u                 // bytes of a hash that tell a pack's few dispensings apart
#define CLAIM_LINE_KEY 16u            // of SHA-256(insurer, NUL, line id)
#define CLAIM_PARTS_MAX 128u          // dispensings of one pack that are kept; and settled lines
#define CLAIM_UNMATCHED_MAX 16u       // returns that came before the dispensing that they take back
#define CLAIM_ALL UINT64_MAX          // of units: everything

// One dispensing of the pack, in chain order.
struct claim_dispensing {
    uint64_t leaf;          // of its statement
    int64_t seconds;        // eventTime
    uint64_t place, party;  // names; 0: not known
    uint64_t asked;         // units that it says; 0: the whole pack, while its content is not known
    uint64_t back;          // of them undone or taken back; CLAIM_ALL: everything
    uint64_t settled;       // units of live lines that rest on it
    unsigned flags;         // of enum claim_flag
    uint8_t statement[CLAIM_MARK], event[CLAIM_MARK];  // start of the statement id, of SHA-256 of the event ID
    bool has_prescription;
    uint8_t prescription[16];  // start of the commitment
    uint64_t granted;       // not stored: units that the content has room for, by claim_pack_grant
};

// A settled line that was not reversed, in the order of settling.
struct claim_settled {
    uint64_t batch;       // leaf of its batch
    uint64_t line;        // its place in there
    uint64_t dispensing;  // leaf
    uint64_t units;
    uint8_t insurer[CLAIM_MARK], key[CLAIM_LINE_KEY];
};

struct claim_unmatched {
    int64_t seconds;
    uint64_t units;  // CLAIM_ALL: whatever there was
};

struct claim_pack {
    struct claim_dispensing *dispensings;
    size_t dispensing_count, dispensing_room;
    struct claim_settled *lines;
    size_t line_count, line_room;
    struct claim_unmatched unmatched[CLAIM_UNMATCHED_MAX];
    size_t unmatched_count;
    bool full;  // dispensings are missing because there were too many
};

// Room for one more, zeroed and counted, in the arena that the record lives in; NULL without memory. The caller keeps to
// CLAIM_PARTS_MAX.
struct claim_dispensing *claim_pack_add_dispensing(struct claim_pack *pack, struct pt_arena *arena);
struct claim_settled *claim_pack_add_line(struct claim_pack *pack, struct pt_arena *arena);
void claim_pack_encode(const struct claim_pack *pack, struct pt_buf *out);
enum pt_code claim_pack_decode(struct pt_bytes bytes, struct pt_arena *arena, struct claim_pack *out, struct pt_error *err) PT_NODISCARD;

enum claim_line_state { CLAIM_LINE_SETTLED = 1, CLAIM_LINE_REVERSED = 2, CLAIM_LINE_REFUSED = 3 };

struct claim_line_record {
    enum claim_line_state state;
    enum claim_reason reason;  // of a refusal
    uint64_t batch, line;      // where it was decided last (a reversal keeps where it was settled)
    uint64_t reversed_by;      // 1 + leaf of the batch that reversed it; 0: none
    uint8_t content[16];       // start of SHA-256 of the line as encoded
    struct pt_bytes pack;      // key
};
void claim_line_record_encode(const struct claim_line_record *record, struct pt_buf *out);
// record->pack views into `bytes`.
enum pt_code claim_line_record_decode(struct pt_bytes bytes, struct claim_line_record *out, struct pt_error *err) PT_NODISCARD;

void claim_line_key(const char *insurer, const char *line, uint8_t out[CLAIM_LINE_KEY]);
void claim_insurer_mark(const char *insurer, uint8_t out[CLAIM_MARK]);

// State keys; appended.
void claim_key_pack(struct pt_bytes pack, struct pt_buf *out);
void claim_key_line(const uint8_t line[CLAIM_LINE_KEY], struct pt_buf *out);
void claim_key_batch(uint64_t leaf, struct pt_buf *out);
void claim_key_due(const uint8_t insurer[CLAIM_MARK], const uint8_t line[CLAIM_LINE_KEY], struct pt_buf *out);

// --- Counting (claim_count.c); the content is known ---

// Settles how many units each dispensing gave: in chain order, each as much as the content has room for beyond what is out
// already. Whole ones get their number. Granted never falls as more is undone, taken back or dispensed.
void claim_pack_grant(struct claim_pack *pack, uint64_t content);
// Of a dispensing: units out and not back; still open to settle.
uint64_t claim_dispensing_net(const struct claim_dispensing *dispensing);
uint64_t claim_dispensing_open(const struct claim_dispensing *dispensing);
uint64_t claim_pack_settled(const struct claim_pack *pack);  // over all insurers
// The dispensing by its leaf; NULL if it is not kept.
struct claim_dispensing *claim_pack_dispensing(const struct claim_pack *pack, uint64_t leaf);
// Whether a live line's units should be reversed because its dispensing was taken back: the newest lines first, as many as
// it takes.
bool claim_pack_reversal_due(const struct claim_pack *pack, size_t line);

#endif
