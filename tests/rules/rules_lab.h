// The contracts in force run on statements in memory: no signatures, blocks or disk, one to three microseconds an event.
// What it decides is what a ledger decides, because the same contracts see the same kind of state.
//
//     struct rules_lab *lab = rules_lab_new("cn", RULE_VERSION_NEWEST, 0);
//     const struct actor *till = rules_lab_enrol(lab, ACTOR_DEVICE, "urn:packtrail:party:p1", "urn:packtrail:place:p1");
//     lab->chain_time = …;
//     if (rules_lab_event(lab, till, &event) == RESULT_ALERTED) … lab->output.alerts[0].kind …
//
// A contract that breaks an invariant, and want of memory, end the program: a test needs no branches for them.
#ifndef PACKTRAIL_TESTS_RULES_RULES_LAB_H
#define PACKTRAIL_TESTS_RULES_RULES_LAB_H

#include "ledger/contracts/contract.h"
#include "ledger/state/hierarchy.h"

struct rules_lab_inside;

struct rules_lab {
    // To be set at will between statements.
    pt_millis chain_time;           // from the start 2026-01-01T00:00:00Z
    uint64_t height;                // from 1; rules_lab_next_block counts on
    uint64_t rule_version;
    bool forget_alerts;             // alerts are told in `output` alone, not kept in the state (many millions of events)
    // To be read.
    const char *profile;
    uint64_t statements;            // so many were applied; the leaf index of the next one
    uint64_t alerts;                // so many were raised
    struct contract_output output;  // of the last statement; lives until the next one
    struct rules_lab_inside *inside;
};

#define RULES_LAB_START ((pt_millis)1767225600000)  // 2026-01-01T00:00:00Z

// profile: "cn", "eu"; static. records: how many state records are expected (packs, names, …); 0: few.
struct rules_lab *rules_lab_new(const char *profile, uint64_t rule_version, size_t records);
void rules_lab_free(struct rules_lab *lab);  // NULL is allowed

// A signer, known under a kid of its own; place may be NULL. Lives as long as the lab, whatever is restored.
const struct actor *rules_lab_enrol(struct rules_lab *lab, enum actor_role role, const char *party, const char *place);

// A setting of the consortium, in force at once.
void rules_lab_set(struct rules_lab *lab, const char *name, int64_t value);

// The next height begins; a change of the rules that waits for it (KIND_RULES) takes force.
void rules_lab_next_block(struct rules_lab *lab);

// One statement. `input` needs no id: each gets one of its own. RESULT_APPLIED and RESULT_ALERTED have changed the state.
enum statement_result rules_lab_apply(struct rules_lab *lab, const struct actor *signer, const struct contract_input *input);
// An event; *event is as epcis_event_validate wants it (not looked at). RESULT_MALFORMED if an EPC names no single thing.
enum statement_result rules_lab_event(struct rules_lab *lab, const struct actor *signer, const struct epcis_event *event);
// A master record, encoded and applied.
enum statement_result rules_lab_master(struct rules_lab *lab, const struct actor *signer, const struct master_record *record);

// Alerts of the last statement: whether one of this kind is among them, and how many there are of it.
size_t rules_lab_alerted(const struct rules_lab *lab, enum alert_kind kind);

// The state, by whatever key. The value lives until the next statement. False: not there.
bool rules_lab_get(struct rules_lab *lab, unsigned table, struct pt_bytes key, struct pt_bytes *value);
// A pack's own record, by EPCIS URI; all zero and false if it is not known.
bool rules_lab_pack(struct rules_lab *lab, const char *uri, struct pack_record *out);
bool rules_lab_pack_by_key(struct rules_lab *lab, struct pt_bytes key, struct pack_record *out);
// Puts a record in its place, for a state that no event leads to.
void rules_lab_plant(struct rules_lab *lab, const char *uri, const struct pack_record *record);
// What counts for it, through the containers that it lies in; the hierarchy if wanted (views live until the next statement).
struct effective rules_lab_effective(struct rules_lab *lab, const char *uri, struct hierarchy *out);
struct effective rules_lab_effective_by_key(struct rules_lab *lab, struct pt_bytes key, struct hierarchy *out);
// The text behind a number of the name table: a place's, a party's, a lot's, a container's key.
struct pt_bytes rules_lab_text(struct rules_lab *lab, uint64_t name);

// Over the whole state in canonical order (table, key).
struct pt_digest rules_lab_digest(struct rules_lab *lab);

// State, settings, time and counters, to go back to as often as wanted.
struct rules_lab_snapshot;
struct rules_lab_snapshot *rules_lab_save(struct rules_lab *lab);
void rules_lab_restore(struct rules_lab *lab, const struct rules_lab_snapshot *snapshot);
void rules_lab_snapshot_free(struct rules_lab_snapshot *snapshot);

#endif
