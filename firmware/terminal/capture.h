// A piece of work at the terminal: codes come in from any reader, packs are collected, and become signed events.
#ifndef PACKTRAIL_FIRMWARE_TERMINAL_CAPTURE_H
#define PACKTRAIL_FIRMWARE_TERMINAL_CAPTURE_H

#include "common/identify/identification.h"
#include "firmware/history/history.h"
#include "firmware/outbox/outbox.h"
#include "firmware/recall/recall_list.h"
#include "firmware/task/task.h"

struct capture;

struct capture_options {
    const struct task *task;
    const char *place, *source, *destination;      // URIs, NULL where there is none
    const char *biz_transaction_type, *biz_transaction;
    uint64_t units;              // dispensing: smallest units of each pack; 0: whole
    size_t most_packs;           // in one event; then a further event is begun
    bool each;                   // an event of its own for every pack, at once
    int16_t zone_minutes;
    const struct pt_env *env;
    struct outbox *outbox;
    struct recall_list *recalls; // NULL: none are known
    bool despite_recall;         // staff insist: recalled packs are taken by every task
    struct history *history;     // where what was signed is noted
};

enum capture_outcome {
    CAPTURE_ADDED = 1,
    CAPTURE_PARENT = 2,        // taken as the case or pallet
    CAPTURE_DUPLICATE = 3,     // scanned in this work already
    CAPTURE_PRODUCT_CODE = 4,  // names the product, not the pack
    CAPTURE_REJECTED = 5,      // err says which rule it breaks
    CAPTURE_RECALLED = 6,      // not taken: the pack is recalled (capture_recall), and the task would put it into trade
};

// All pointers must outlive the capture.
enum pt_code capture_new(const struct capture_options *options, struct capture **out, struct pt_error *err) PT_NODISCARD;
void capture_free(struct capture *capture);

// The case or pallet, from a code as scanned or an EPCIS URI.
enum pt_code capture_set_parent(struct capture *capture, struct pt_bytes code, struct pt_error *err) PT_NODISCARD;

// Takes one code in. `aim`: AIM symbology identifier or NULL. *found is filled in for the caller to show. Nothing is
// signed yet. An error is a failing disk; CAPTURE_REJECTED is none, and *why tells its reason.
enum pt_code capture_code(struct capture *capture, struct pt_bytes code, const char *aim, enum capture_outcome *outcome,
                          struct identification *found, struct pt_error *why, struct pt_error *err) PT_NODISCARD;

// After staff were told of the code: with `each`, signs its event.
enum pt_code capture_settle(struct capture *capture, struct pt_error *err) PT_NODISCARD;

// The recall that covers the last code's pack, or may, whether it was taken or not; NULL if none does. Known before
// anything is signed. Lives until the next code.
const struct recall_warning *capture_recall(const struct capture *capture);

// A signed event, told as soon as it is durable.
struct captured_event {
    struct pt_digest id;
    uint64_t sequence;
    size_t packs;
};
typedef void capture_signed(void *arg, const struct captured_event *event);
void capture_on_signed(struct capture *capture, capture_signed *told, void *arg);

// Signs what has been collected, an event a lot where the task makes packs. PT_INVALID if a parent is needed and
// missing; nothing is signed then.
enum pt_code capture_finish(struct capture *capture, struct pt_error *err) PT_NODISCARD;

size_t capture_count(const struct capture *capture);  // packs collected and not yet signed

#endif
