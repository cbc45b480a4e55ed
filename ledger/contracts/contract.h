// A contract: a pure function (state, statement, context) -> (state changes, alerts). No I/O, no clock, no memory of its
// own. What it may read and write it declares first; the view refuses everything else.
//
// A contract's behaviour at a version never changes: a change is a new version, switched on at a height, and the old one
// stays in the table so that old chains replay.
#ifndef PACKTRAIL_LEDGER_CONTRACTS_CONTRACT_H
#define PACKTRAIL_LEDGER_CONTRACTS_CONTRACT_H

#include "common/chain/actor.h"
#include "common/chain/entry.h"
#include "common/epcis/event.h"
#include "common/master/master.h"
#include "ledger/state/alert_record.h"
#include "ledger/state/rule_settings.h"
#include "ledger/state/state_view.h"

struct alert_finding;
struct claim_batch;
struct recall_notice;
struct rules_change;

// How an event names a thing.
enum pack_role { PACK_ROLE_OBJECT = 1, PACK_ROLE_PARENT = 2, PACK_ROLE_CHILD = 3, PACK_ROLE_INPUT = 4, PACK_ROLE_OUTPUT = 5 };

struct event_pack {
    struct pt_bytes key;  // pack_id key
    enum pack_role role;
};

// A statement with its payload decoded; just what its kind names is there.
enum statement_kind {
    KIND_EVENT = 1,
    KIND_ENROLMENT = 2,
    KIND_REVOCATION = 4,
    KIND_MASTER = 8,
    KIND_RULES = 16,
    KIND_RECALL = 32,
    KIND_CLAIM = 64,
    KIND_FINDING = 128,
};

struct contract_input {
    enum statement_kind kind;
    const struct epcis_event *event;
    const struct event_pack *packs;   // of the event, in its order, each key once (event_packs.h)
    size_t pack_count;
    const struct actor *actor;        // enrolment
    const struct revocation *revocation;
    const struct master_record *master;
    const struct rules_change *rules;
    const struct recall_notice *recall;
    const struct claim_batch *claims;
    const struct alert_finding *finding;
    struct pt_bytes payload;          // as signed
    struct pt_digest id;              // statement id
};

// What surrounds the statement; the same on every executor.
struct contract_context {
    const struct actor *signer;
    uint64_t leaf_index;     // of the statement in the log
    uint64_t height;         // under way
    uint64_t final_leaves;   // so many leaves of the log are final when the statement is decided; 0: all that are there,
                             // because a ledger of one member (solo) is final as soon as it has decided
    pt_millis chain_time;
    const char *profile;     // "cn", "eu": of the ledger; a place's master record may name another (master_facts.h)
    const struct rule_settings *settings;
    uint64_t rule_version;
    struct pt_arena *arena;  // lives until the statement is done
};

// What a contract gives back beside the writes.
struct contract_output {
    enum statement_result result;  // RESULT_APPLIED, RESULT_ALERTED, RESULT_NOT_ALLOWED or RESULT_MALFORMED
    struct alert_record *alerts;   // in the arena
    size_t alert_count;
    // For each pack of the input what its record's `last` was, if the event became part of their history; else NULL.
    uint64_t *previous;
    unsigned feed_kind;            // enum ledger_feed_kind; 0: nothing for the feed
    const char **feed_audience;    // parties (URIs) that it is addressed to; none: everyone
    size_t feed_audience_count;
};

struct contract {
    const char *name;
    unsigned version;
    unsigned kinds;        // of enum statement_kind
    const char *profiles;  // words separated by spaces; NULL: all
    // Declares reads and writes of this input.
    void (*declare)(const struct contract_input *input, const struct contract_context *context, struct access_list *out);
    // An error is a broken invariant or lack of memory, never the input's fault: that is output->result.
    enum pt_code (*apply)(struct state_view *view, const struct contract_input *input,
                          const struct contract_context *context, struct contract_output *output, struct pt_error *err);
};

// The contracts in force under a rule version, in the order they run; NULL-terminated, static. NULL: unknown version.
const struct contract *const *contracts_in_force(uint64_t rule_version);
#define RULE_VERSION_NEWEST 2u

// Whether a contract hears this input under this profile.
bool contract_hears(const struct contract *contract, const struct contract_input *input, const struct contract_context *context);

// Whether any of them takes statements of this kind, under whatever profile. One that none takes is malformed: its kind
// came with a later version.
bool contracts_know(const struct contract *const *contracts, enum statement_kind kind);

// Whether what the contracts wrote counts.
static inline bool contract_output_counts(const struct contract_output *output) {
    return output->result == RESULT_APPLIED || output->result == RESULT_ALERTED;
}

// Runs the contracts in force on one statement that state_view_begin has begun, until one refuses it. output->result says
// how it went; the view holds what is to be kept if it is RESULT_APPLIED or RESULT_ALERTED. PT_INTERNAL: unknown version.
enum pt_code contracts_run(struct state_view *view, const struct contract_input *input, const struct contract_context *context,
                           struct contract_output *output, struct pt_error *err) PT_NODISCARD;

// Adds an alert (copied into the arena, number and signer filled in); sets the result to RESULT_ALERTED. The setting
// "alert.KIND.mode" (enum alert_mode) stands above the alert's own mode. Beyond a number of alerts a statement only the
// result is set.
enum pt_code contract_raise(const struct contract_context *context, struct contract_output *output,
                            const struct alert_record *alert, struct pt_error *err) PT_NODISCARD;

#endif
