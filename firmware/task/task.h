// What staff do with packs, and the EPCIS event that each task becomes. One readable table in task.c.
#ifndef PACKTRAIL_FIRMWARE_TASK_TASK_H
#define PACKTRAIL_FIRMWARE_TASK_TASK_H

#include "common/epcis/event.h"
#include "common/identify/pack_id.h"

// A row of the table. CBV 2.0 words.
struct task {
    const char *name;  // as the command line and the configuration say it
    enum epcis_event_type type;
    enum epcis_action action;
    const char *biz_step;
    const char *disposition;  // NULL: none
    bool needs_parent;        // an aggregation: the case or pallet is scanned, too
    bool makes_packs;         // lot and expiry go into the ilmd
    const char *summary;
    bool stops_recalled;      // a pack that is surely recalled is not taken unless staff insist
};

const struct task *task_by_name(const char *name);  // NULL if there is none
const struct task *task_list(size_t *count);

// Packs that go into one event; grown as they are scanned.
struct task_pack {
    struct pack_id id;
    char lot[21];     // AI (10), "" if not known
    char expiry[11];  // YYYY-MM-DD, "" if not known
};

struct task_input {
    const struct task *task;
    const struct task_pack *packs;
    size_t count;
    const struct pack_id *parent;  // for aggregations
    const char *place;             // URI: read point and business location
    const char *destination;       // URI of the possessing party at the other end, or NULL
    const char *source;            // likewise, where it comes from, or NULL
    const char *biz_transaction;   // URI of an order, despatch advice or prescription commitment, or NULL
    const char *biz_transaction_type;  // CBV word, or NULL
    uint64_t units;                // dispensing: smallest units of each pack; 0: the whole pack
    pt_millis now;
    int16_t zone_minutes;          // local time's offset
    int64_t clock_error_s;         // how far the clock may be off, whole seconds; negative: not measured
    const char *staff;             // pseudonym of whoever worked; NULL or "": nobody logged in
    const char *const *taps;       // PACKTRAIL_TERM_TAPS
    size_t tap_count;
    const char *const *insisted;   // PACKTRAIL_TERM_INSISTED
    size_t insisted_count;
};

// Builds the event; all packs must share lot and expiry where the task makes packs (task_same_lot). Memory from
// `arena`. PT_INVALID says what the input lacks.
enum pt_code task_event(const struct task_input *input, struct pt_arena *arena, struct epcis_event *out,
                        struct pt_error *err) PT_NODISCARD;

// What every event of this terminal says of who and by which clock: staff (NULL or "": nobody) and clock_error_s (negative: not
// measured) join the event's extensions.
enum pt_code task_capture(struct epcis_event *event, struct pt_arena *arena, const char *staff, int64_t clock_error_s,
                          struct pt_error *err) PT_NODISCARD;
// One more extension member of the event, in our namespace.
enum pt_code task_add_term(struct epcis_event *event, struct pt_arena *arena, const char *term, struct epcis_value value,
                           struct pt_error *err) PT_NODISCARD;
// The text is copied; "" adds nothing.
enum pt_code task_add_text(struct epcis_event *event, struct pt_arena *arena, const char *term, const char *text, struct pt_error *err) PT_NODISCARD;
enum pt_code task_add_integer(struct epcis_event *event, struct pt_arena *arena, const char *term, int64_t integer, struct pt_error *err) PT_NODISCARD;

// Whether two packs may stand in one event of a task that makes packs.
bool task_same_lot(const struct task_pack *a, const struct task_pack *b);

#endif
