// A piece of work at the terminal, from choosing the task to the signed events: what is expected against what was counted,
// each code judged at once, undo, interruption and resume, exceptions on the spot. Knows no screen and no reader.
//
// Everything scanned is in a journal before work_scan returns: a terminal that dies resumes where it was. Nothing is
// signed before work_finish (or, for tasks that sign each pack, before the pack is settled).
#ifndef PACKTRAIL_FIRMWARE_WORK_WORK_H
#define PACKTRAIL_FIRMWARE_WORK_WORK_H

#include "common/identify/identification.h"
#include "firmware/clock/clock.h"
#include "firmware/history/history.h"
#include "firmware/input/input.h"
#include "firmware/lookup/lookup.h"
#include "firmware/outbox/outbox.h"
#include "firmware/recall/recall_list.h"
#include "firmware/reference/reference.h"
#include "firmware/task/task.h"

struct work;

// What stays the same over all work of one terminal. All pointers must outlive the work; those marked may be NULL.
struct work_services {
    const char *place, *party, *profile;  // URIs; "cn" or "eu"
    int16_t zone_minutes;
    size_t most_packs;              // in one event
    const struct pt_env *env;
    struct clock_guard *clock;      // may be NULL
    struct outbox *outbox;
    struct history *history;        // may be NULL
    struct recall_list *recalls;    // may be NULL
    struct reference *reference;    // may be NULL
    const struct pt_disk *disk;     // the journal's directory
};

struct work_start {
    const struct task *task;
    const char *source, *destination;                    // URIs, NULL where there is none
    const char *transaction_type, *transaction;          // NULL where there is none
    const struct shipping_notice *notice;                // what is expected; NULL: nothing is known
    const char *only_product;                            // GTIN-14 or drug identifier that is to be handled, NULL: any
    const char *staff;                                   // pseudonym, "" or NULL: nobody logged in
    uint64_t units;                                      // dispensing: smallest units of each pack; 0: whole
    bool training;                                       // nothing is signed for real, and every page says so
    bool allow_unverified;                               // the profile lets staff dispense what could not be verified
};

// Starts new work; PT_CONFLICT while unfinished work waits to be resumed or dropped (work_resume).
enum pt_code work_begin(const struct work_services *services, const struct work_start *start, struct work **out, struct pt_error *err) PT_NODISCARD;
// Picks up what was interrupted; PT_NOT_FOUND if nothing was.
enum pt_code work_resume(const struct work_services *services, struct work **out, struct pt_error *err) PT_NODISCARD;
// Leaves the work; what is unfinished stays to be resumed.
void work_close(struct work *work);

// --- Codes ---

enum work_verdict {
    WORK_ADDED = 1,
    WORK_PARENT,           // taken as the case or pallet
    WORK_REMOVED,          // taken out again by undo
    WORK_DUPLICATE,        // scanned in this work already
    WORK_PRODUCT_CODE,     // names the product, not the pack
    WORK_UNREADABLE,       // breaks a rule of its code; why says which and where
    WORK_RECALLED,         // recall says which
    WORK_MAYBE_RECALLED,   // compare the lot
    WORK_EXPIRED,          // by the label's expiry, at the place's local day
    WORK_UNKNOWN_PRODUCT,  // no master record is known here
    WORK_WRONG_PRODUCT,    // not the product that is to be handled
    WORK_UNEXPECTED,       // the notice does not name it
    WORK_NOT_DISPENSABLE,  // the ledger answered red, or dispensing needs its answer and there is none
    WORK_DONE_BEFORE,      // this terminal signed the same task for this pack already, in the last 30 days
    WORK_FAKE_TAG,         // the tag's message is forged or replayed
};

// How staff are told: colour, sound and vibration follow it.
enum work_tone { WORK_CALM = 0, WORK_GOOD = 1, WORK_ATTENTION = 2, WORK_STOP = 3 };

struct work_answer {
    enum work_verdict verdict;
    enum work_tone tone;
    bool taken;             // it counts
    bool may_insist;        // work_insist takes it all the same; `supervisor` says whose right that is
    bool supervisor;
    struct pack_id pack;
    char epc[PACK_URI_MAX + 1];
    char lot[21], expiry[11];            // of the label, "" if not said
    char product_zh[201], product_en[201];  // "" if not known
    struct recall_warning recall;        // id "" if none
    char warning[256];                   // what the identification noticed (lost separator, keyboard layout), English, "" if nothing
    struct pt_error why;                 // WORK_UNREADABLE and WORK_NOT_DISPENSABLE: the reason; code PT_OK: there is none to tell
    int64_t units, units_left;           // dispensing: of the pack, as far as it is known here; -1 not known
    struct pack_id open_first;           // dispensing: another box of this product is open, take it first; PACK_NONE: none
};

// Judges one code and takes it where it may be taken. An error is a failing disk.
// Dispensing: the answer comes in two steps. Until work_verified tells the ledger's word the tone is WORK_CALM; the pack counts
// already where the profile allows what is unverified (`taken`), else it waits (WORK_NOT_DISPENSABLE, not taken, tone WORK_CALM).
enum pt_code work_scan(struct work *work, struct pt_bytes code, const char *aim, struct work_answer *answer, struct pt_error *err) PT_NODISCARD;
// A tag without a link, by its UID: the pack that it was bound to here (work_link), else WORK_UNREADABLE.
enum pt_code work_scan_tag(struct work *work, struct pt_bytes uid, struct work_answer *answer, struct pt_error *err) PT_NODISCARD;
// A tag that bears a link: the link as a code, and what the tag proved. A forged or replayed message is WORK_FAKE_TAG; a good one is
// told in the event (PACKTRAIL_TERM_TAPS).
enum pt_code work_scan_link(struct work *work, struct pt_bytes link, struct pt_bytes uid, enum tag_proof proof, uint32_t counter,
                            struct work_answer *answer, struct pt_error *err) PT_NODISCARD;
// Takes the code as the case or pallet, whatever kind it is; tasks without one refuse it (PT_INVALID).
enum pt_code work_scan_parent(struct work *work, struct pt_bytes code, const char *aim, struct work_answer *answer, struct pt_error *err) PT_NODISCARD;
// Takes the code of the last answer in spite of what was said; noted in the event. PT_INVALID where may_insist is false.
enum pt_code work_insist(struct work *work, struct work_answer *answer, struct pt_error *err) PT_NODISCARD;
// Takes the newest code out again; answer.verdict WORK_REMOVED. PT_NOT_FOUND: nothing is left.
enum pt_code work_undo(struct work *work, struct work_answer *answer, struct pt_error *err) PT_NODISCARD;
// The ledger's word on a pack of this work, whenever it comes; *changed: the last answer to staff must be shown anew. With a
// red answer a pack that was taken for dispensing is taken out again.
enum pt_code work_verified(struct work *work, const struct lookup_answer *verified, struct work_answer *answer, bool *changed, struct pt_error *err) PT_NODISCARD;

// --- Counting ---

struct work_counts {
    size_t counted;          // packs, cases, pallets taken
    size_t expected;         // by the notice; 0: nothing is known
    size_t matched;          // of the expected ones
    size_t unexpected;       // counted, not expected
    size_t exceptions;
    bool has_parent;
    struct pack_id parent;
};
void work_counts(const struct work *work, struct work_counts *out);
const struct task *work_task(const struct work *work);
const struct work_start *work_started(const struct work *work);
// By product, for the list that staff see: how many were expected and counted of each. Sorted: wrong ones first.
struct work_line {
    char product[PACK_PRODUCT_MAX + 1];
    char name_zh[201], name_en[201];
    size_t expected, counted;
};
enum pt_code work_lines(const struct work *work, struct pt_arena *arena, struct work_line **out, size_t *count, struct pt_error *err) PT_NODISCARD;

// --- Exceptions, told on the spot ---

enum work_exception {
    WORK_TOO_MANY = 1,
    WORK_TOO_FEW = 2,
    WORK_DAMAGED = 3,
    WORK_NO_DATA = 4,      // product without data
    WORK_NO_PRODUCT = 5,   // data without product
    WORK_OTHER = 6,
};
// pack: the one concerned, NULL for a count; quantity: how many; note: of staff, at most 200 bytes, NULL for none. Signed with the
// work as an event of its own.
enum pt_code work_except(struct work *work, enum work_exception kind, const struct pack_id *pack, uint64_t quantity, const char *note, struct pt_error *err) PT_NODISCARD;

// --- The end ---

struct work_signed { size_t events, packs; uint64_t last_sequence; };
// Signs everything; the journal is emptied only after the last event is durable, and a repeated call after a crash signs nothing
// twice. PT_INVALID: something is missing (the case's code), nothing is signed. PT_UNAVAILABLE: the outbox is full; the work stays.
enum pt_code work_finish(struct work *work, struct work_signed *out, struct pt_error *err) PT_NODISCARD;
// Signs what is there so far and goes on with the work: an event of its own for every pack, say.
enum pt_code work_settle(struct work *work, struct work_signed *out, struct pt_error *err) PT_NODISCARD;
// Told of each event as soon as it is signed and durable; NULL: nobody is. Not in training.
typedef void work_told(void *arg, const struct pt_digest *id, uint64_t sequence, size_t packs);
void work_on_signed(struct work *work, work_told *told, void *arg);
// Drops everything that is not signed.
enum pt_code work_drop(struct work *work, struct pt_error *err) PT_NODISCARD;

// --- Split packs ---

// Open boxes of a product at this place, the one to take first (earliest expiry, then oldest opening) at the front; from this
// terminal's own dispensing and what the ledger answered since.
struct open_box {
    struct pack_id pack;
    char expiry[11];
    int64_t units, units_left;
    pt_millis opened;
};
enum pt_code work_open_boxes(const struct work_services *services, const char *product, struct pt_arena *arena, struct open_box **out, size_t *count, struct pt_error *err) PT_NODISCARD;

// An event that this terminal signed was taken back by an error declaration: its packs count as not handled, and its units as not
// dispensed. payload: the event as signed (EPCIS CBOR).
enum pt_code work_undone(const struct work_services *services, struct pt_bytes payload, struct pt_error *err) PT_NODISCARD;

// --- Links: two codes on one pack, or a tag's UID bound to a pack (PACKTRAIL_STEP_LINKING) ---
// Signs at once. other: a code's identity; of a tag PACK_OTHER_EPC "urn:packtrail:nfc:{uid}".
enum pt_code work_link(const struct work_services *services, const struct pack_id *pack, const struct pack_id *other, const char *staff, struct work_signed *out, struct pt_error *err) PT_NODISCARD;

#endif
