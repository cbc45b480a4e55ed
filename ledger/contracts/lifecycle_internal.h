// Between the files of the lifecycle contract alone.
#ifndef PACKTRAIL_LEDGER_CONTRACTS_LIFECYCLE_INTERNAL_H
#define PACKTRAIL_LEDGER_CONTRACTS_LIFECYCLE_INTERNAL_H

#include "ledger/contracts/detectors.h"
#include "ledger/contracts/lifecycle.h"
#include "ledger/contracts/recall_look.h"
#include "ledger/state/event_record.h"

// What kind of event this is beside what it says.
enum event_standing {
    EVENT_NEW,        // nothing to mind
    EVENT_WITHDRAWN,  // declared in error before it came: it joins the histories and changes nothing
    EVENT_AGAIN,      // the same ID and content once more: nothing happens
    EVENT_DECLARES,   // an error declaration
};

// One event under way.
struct work {
    struct state_view *view;
    const struct contract_input *input;
    const struct contract_context *context;
    struct contract_output *output;
    struct lifecycle_facts facts;
    enum lifecycle_operation operations[PACK_ROLE_OUTPUT + 1];  // by role; of a declaration: what the declared event was
    uint64_t place, party, lot, awaited;  // names; 0: none
    // Hierarchy.
    struct hierarchy parent;     // of an aggregation: the container and what it lies in
    uint64_t parent_name;
    uint64_t asked_container;    // last container that was looked for among the event's packs …
    bool container_is_named;     // … and whether it is there
    const struct event_pack **by_key;  // the packs sorted by key, once a container was looked for
    // Places, products, detectors.
    struct sighting_place here, there;  // of the event; of the sighting before of the pack looked at last
    struct place_facts here_facts, there_facts;
    struct product_memo products;
    struct detector_sink detectors;
    struct recall_lists recalls;        // of the event's products, in force
    struct item *looked_at;
    struct sighting sighting;     // how it was shown to the detectors …
    struct pack_record sighted;   // … with its record before the event
    bool detecting;               // what is raised is theirs
    // Corrections.
    enum event_standing standing;
    bool privileged;                // signed by an operator or a regulator
    struct event_record declared;   // of a declaration with an ID: the event; leaf 0: it has not come
    struct event_record corrective; // of its corrective events the one that came before it; leaf 0: none
};

// One pack under way.
struct item {
    struct pt_bytes key;
    enum pack_role role;
    enum lifecycle_operation operation;
    struct hierarchy around;
    struct effective effective;
    struct pack_record record;            // as it becomes
    const struct product_facts *product;  // NULL: not known
    bool late;
};

// lifecycle_alerts.c. `detail` NULL: "OPERATION of a pack that is STATE", in the EU with the NMVS's code.
enum pt_code lifecycle_raise(struct work *work, struct item *item, const struct lifecycle_transition *why, const char *detail,
                             struct pt_error *err) PT_NODISCARD;
enum pt_code lifecycle_raise_kind(struct work *work, struct item *item, enum alert_kind kind, enum alert_mode mode, unsigned confidence,
                                  const char *detail, struct pt_error *err) PT_NODISCARD;
enum pt_code lifecycle_look(struct work *work, struct item *item, struct pt_error *err) PT_NODISCARD;  // shows it to the detectors

// lifecycle_containers.c: what the event says about where the pack lies. *inside: it stays in its container.
enum pt_code lifecycle_settle_hierarchy(struct work *work, struct item *item, bool *inside, struct pt_error *err) PT_NODISCARD;
enum pt_code lifecycle_pack_into_parent(struct work *work, struct item *item, struct pt_error *err) PT_NODISCARD;
void lifecycle_container_flags(const struct work *work, struct item *item);

// lifecycle_pack.c: the event changes the pack. Reads item->around, item->effective, item->operation.
enum pt_code lifecycle_change(struct work *work, struct item *item, struct pt_error *err) PT_NODISCARD;

// Whether the event is older than the last change that counts for the pack, clocks considered.
bool lifecycle_is_older(const struct work *work, const struct item *item);

// lifecycle_for_good.c, before a transition is made: what no way through other states leads around (taken as a sample and
// given back, supplied against the rules and taken back, set aside and released).
void lifecycle_for_good(struct pack_record *record, struct lifecycle_transition *transition);
// The states that no taking back leads out of.
bool lifecycle_is_for_good(enum lifecycle_state state);

// lifecycle_correction.c.
void lifecycle_declare_events(const struct contract_input *input, const struct contract_context *context, struct access_list *out);
// Reads and writes what is known of the event's ID; sets work->standing. RESULT_NOT_ALLOWED in the output ends the event.
enum pt_code lifecycle_identify_event(struct work *work, struct pt_error *err) PT_NODISCARD;
// A declaration takes back what the declared event did to the pack.
enum pt_code lifecycle_correct(struct work *work, struct item *item, struct pt_error *err) PT_NODISCARD;

// lifecycle_quantity.c: why a supply, export … may not be taken back; NULL: it may.
enum undo_refusal { UNDO_ALLOWED = 0, UNDO_LATE, UNDO_ELSEWHERE, UNDO_EXPIRED, UNDO_OPENED, UNDO_SOLD_AGAIN };
enum undo_refusal lifecycle_undo_refused(const struct work *work, const struct item *item);
const char *lifecycle_undo_refusal_text(enum undo_refusal refusal);
void lifecycle_dispense(const struct lifecycle_facts *facts, const struct product_facts *product, enum lifecycle_state from,
                        struct pack_record *record, struct lifecycle_transition *transition);
void lifecycle_take_back(const struct lifecycle_facts *facts, enum lifecycle_state from, struct pack_record *record,
                         struct lifecycle_transition *transition);
// Units that were not supplied after all (0: all) are in the pack again; those that patients brought back never are.
void lifecycle_give_back(struct pack_record *record, uint64_t units);
void lifecycle_undo(struct work *work, struct item *item, struct lifecycle_transition *transition);

#endif
