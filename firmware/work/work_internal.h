// Between the files of this folder alone.
#ifndef PACKTRAIL_FIRMWARE_WORK_WORK_INTERNAL_H
#define PACKTRAIL_FIRMWARE_WORK_WORK_INTERNAL_H

#include "common/base/journal.h"
#include "common/epcis/event_hash.h"
#include "firmware/work/remembered.h"
#include "firmware/work/work.h"
#include "firmware/work/work_disk.h"
#include "firmware/work/work_rules.h"
#include "firmware/work/work_table.h"

#define WORK_NOTE_MAX 200u
#define WORK_TAP_MAX 64u
#define WORK_WAITING 16u  // codes that wait for the ledger's answer; as many as a lookup keeps

enum work_item_state { ITEM_OPEN = 0, ITEM_PLANNED, ITEM_SIGNED };

// A pack, case or pallet that counts. Texts lie in the work's arena; "" where there is nothing.
struct work_item {
    struct pt_bytes key;  // pack_id_key
    const char *lot, *expiry;
    const char *insisted;  // words joined by ','
    const char *tap;       // "urn:packtrail:nfc:{uid};{counter}"
    int64_t units, left;   // dispensing in units: of the box before it; what is left behind it once signed; -1 not known
    uint8_t state;         // enum work_item_state
    bool gone;             // taken out again
    bool expected;         // the notice names it
    bool unexpected;
    bool unverified;       // dispensed without the ledger's word so far
};

struct work_exception_item {
    enum work_exception kind;
    struct pt_bytes key;  // no bytes: about a count
    uint64_t quantity;
    const char *note;
    uint8_t state;
};

// The event that is about to be signed: in the journal before it is signed, so that a terminal that dies in between knows
// what to look for in the outbox.
struct work_plan {
    bool pending;
    bool is_exception;
    uint32_t exception;   // index
    uint32_t *items;      // indexes
    size_t count;
    uint64_t sequence;    // that the outbox was about to give
    struct pt_buf payload;
};

// A code that was judged and not taken, or whose answer may still change.
struct work_candidate {
    bool used;
    unsigned findings;  // bits 1 << enum work_finding
    struct work_answer answer;
    char tap[WORK_TAP_MAX];
};

struct work {
    struct work_services services;
    struct work_start start;
    struct shipping_notice notice;
    enum work_class class;
    enum work_profile profile;
    struct pt_arena arena;

    struct work_disk part;
    struct pt_journal *journal;  // NULL: training, or broken
    bool broken;                 // a write failed: the journal is read anew before the next change
    bool begun;                  // replay: a work is there that did not end

    struct work_item *items;
    size_t count, cap;
    struct work_table index;     // hash of the pack; number of the item
    size_t counted, matched, unexpected;
    size_t settled;              // all items below are signed or gone
    bool has_parent;
    struct pack_id parent;
    size_t parent_at;            // how many items there were when the parent was taken

    struct work_exception_item *exceptions;
    size_t exception_count, exception_cap;

    struct pack_id *notice_packs;  // in the arena, room for notice_most
    size_t notice_most;
    struct work_table expected;  // hash of a pack of the notice; its number
    bool open_ended;             // the notice names things that may hold packs of any product
    struct work_plan plan;
    struct work_signed signed_so_far;
    work_told *told;
    void *told_arg;

    struct remembered remembered;
    struct work_candidate waiting[WORK_WAITING];  // dispensing: the ledger has not answered
    size_t next_waiting;
    struct work_candidate asked;  // what work_insist is about
};

// --- work.c ---
pt_millis work_now(const struct work_services *services);        // to sign with
pt_millis work_true_now(const struct work_services *services);   // this clock and its measured error
const char *work_copy(struct work *work, const char *text);      // into the arena; NULL stays NULL
enum pt_code work_ready(struct work *work, struct pt_error *err) PT_NODISCARD;  // after a failed write: reads the journal anew
// Takes what the begin record says (its texts are copied): class, profile, the notice without its packs.
enum pt_code work_adopt(struct work *work, const struct work_start *start, size_t notice_packs, struct pt_error *err) PT_NODISCARD;

// Takes a notice without its packs, of which `most` will follow one by one.
enum pt_code work_expect_notice(struct work *work, const struct shipping_notice *notice, size_t most, struct pt_error *err) PT_NODISCARD;
enum pt_code work_expect_pack(struct work *work, const struct pack_id *pack, struct pt_error *err) PT_NODISCARD;

// --- work_items.c: what is in memory ---
enum pt_code work_items_add(struct work *work, const struct work_item *item, struct pt_error *err) PT_NODISCARD;  // texts are copied
bool work_items_find(const struct work *work, const struct pack_id *pack, uint32_t *at);  // among those that count
void work_items_remove(struct work *work, uint32_t at);
enum pt_code work_items_except(struct work *work, const struct work_exception_item *item, struct pt_error *err) PT_NODISCARD;
enum pt_code work_items_pack(const struct work_item *item, struct pack_id *out, struct pt_error *err) PT_NODISCARD;
void work_items_clear(struct work *work);  // everything but services
bool work_items_newest(const struct work *work, uint32_t *at);  // that counts

// --- work_journal.c: what is on the disk; in training nothing is written. Durable on return unless said otherwise ---
enum pt_code work_journal_open(struct work *work, struct pt_error *err) PT_NODISCARD;  // replays into the work
enum pt_code work_journal_begin(struct work *work, struct pt_error *err) PT_NODISCARD;
enum pt_code work_journal_item(struct work *work, const struct work_item *item, struct pt_error *err) PT_NODISCARD;
enum pt_code work_journal_parent(struct work *work, const struct pack_id *parent, struct pt_error *err) PT_NODISCARD;  // NULL: taken out
enum pt_code work_journal_removed(struct work *work, uint32_t at, struct pt_error *err) PT_NODISCARD;
enum pt_code work_journal_verified(struct work *work, uint32_t at, struct pt_error *err) PT_NODISCARD;  // with the next record
enum pt_code work_journal_exception(struct work *work, const struct work_exception_item *item, struct pt_error *err) PT_NODISCARD;
enum pt_code work_journal_plan(struct work *work, const struct work_plan *plan, struct pt_error *err) PT_NODISCARD;
enum pt_code work_journal_signed(struct work *work, uint64_t sequence, struct pt_error *err) PT_NODISCARD;  // with the next record
enum pt_code work_journal_end(struct work *work, struct pt_error *err) PT_NODISCARD;
enum pt_code work_journal_void(struct work *work, struct pt_error *err) PT_NODISCARD;
void work_plan_made(struct work *work);                        // plan is filled in and in the journal
void work_plan_settled(struct work *work, uint64_t sequence);  // the pending plan was signed
void work_plan_void(struct work *work);                        // it was not, and will not be

// --- work_judge.c ---
// Fills findings and answer; what is wrong with the code itself is in the answer, too.
void work_judge(struct work *work, struct pt_bytes code, const char *aim, enum tag_proof proof, struct work_candidate *out);
// Judges a pack that is known already (a tag's).
void work_judge_pack(struct work *work, struct work_candidate *candidate);
// What the findings amount to: verdict, tone, taken, may_insist, supervisor.
void work_conclude(const struct work *work, struct work_candidate *candidate);

// --- work_scan.c ---
enum pt_code work_take(struct work *work, const struct work_candidate *candidate, bool insisted, struct pt_error *err) PT_NODISCARD;

// --- work_event.c ---
// The event of packs (plan->items) or of the exception, encoded into plan->payload.
enum pt_code work_event_build(struct work *work, struct work_plan *plan, struct pt_error *err) PT_NODISCARD;
enum pt_code work_event_exception(struct work *work, const struct work_exception_item *item, struct pt_arena *arena, struct epcis_event *out,
                                  struct pt_error *err) PT_NODISCARD;
// The CBV hash of an encoded event.
enum pt_code work_event_id(struct pt_bytes payload, char out[EPCIS_EVENT_HASH_SIZE], struct pt_error *err) PT_NODISCARD;
// Validates and encodes; what the payload held is forgotten.
enum pt_code work_event_encode(const struct epcis_event *event, struct pt_buf *payload, struct pt_error *err) PT_NODISCARD;

#endif
