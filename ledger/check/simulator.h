// What the contracts would say to a statement: run on a copy of the state. The ledger's directory is only read, also while
// its node runs; nothing is written anywhere.
#ifndef PACKTRAIL_LEDGER_CHECK_SIMULATOR_H
#define PACKTRAIL_LEDGER_CHECK_SIMULATOR_H

#include "ledger/apply/statement_input.h"
#include "ledger/contracts/lifecycle_table.h"

struct simulator;

struct simulator_options {
    pt_millis time;         // chain time of the statement; never below the state's
    uint64_t rule_version;  // 0: what is in force at the next height
};

// Where a simulated statement would stand, were it the next block's only one.
struct simulator_standing {
    uint64_t height, leaf;
    pt_millis time;
    uint64_t rule_version;
    const char *profile;
    struct pt_digest genesis;
};

// Opens a ledger node's directory. PT_NOT_FOUND: there is no index, the node has to be started once. PT_INVALID: this
// program does not know the rule version.
enum pt_code simulator_open(const char *dir, const struct simulator_options *options, const struct pt_env *env,
                            struct simulator **out, struct pt_error *err) PT_NODISCARD;
void simulator_close(struct simulator *simulator);  // NULL is allowed
static inline void simulator_cleanup(struct simulator **simulator) { simulator_close(*simulator); }
struct simulator_standing simulator_standing(const struct simulator *simulator);

// Somebody enrolled, by kid in hex, name, or party's URI: PT_NOT_FOUND if there is none, PT_CONFLICT if there are several.
// *out is freed with actor_free.
enum pt_code simulator_actor(struct simulator *simulator, const char *as, struct actor *out, struct pt_error *err) PT_NODISCARD;
enum pt_code simulator_actor_by_kid(struct simulator *simulator, const struct pt_digest *kid, struct actor *out,
                                    struct pt_error *err) PT_NODISCARD;

// A contract that heard the statement.
struct simulated_contract {
    const struct contract *contract;
    struct access_list declared;
    enum statement_result result;   // what it left behind
    size_t alerts_from, alerts_to;  // those that it raised
};

// What the transition table says to a thing of the event, in the state that it was found in.
struct simulated_pack {
    struct pt_bytes key;
    enum pack_role role;
    enum lifecycle_operation operation;
    enum lifecycle_state from;  // effective: through its containers
    const struct lifecycle_transition *transition;
};

// Memory is the arena's.
struct simulation {
    struct statement_input input;
    enum pt_code input_code;          // PT_OK, or why it cannot be read: then only input_error is there
    struct pt_error input_error;
    struct contract_output output;
    struct simulated_contract *contracts;
    size_t contract_count;
    struct simulated_pack *packs;     // of an event
    size_t pack_count;
    struct state_touch *touches;      // by table and key; `before` and `found` also of what was written without reading
    size_t touch_count;
    uint64_t leaf;
};

// Runs a payload as signed by somebody, and keeps what it changes for the next run. `out` is freed by simulation_free.
enum pt_code simulator_run(struct simulator *simulator, const struct actor *as, struct pt_bytes content_type,
                           struct pt_bytes payload, struct pt_arena *arena, struct simulation *out, struct pt_error *err) PT_NODISCARD;
void simulation_free(struct simulation *simulation);

// The text behind a name, as far as the runs have come; in the arena. No bytes for a name that is none.
struct pt_bytes simulator_name(struct simulator *simulator, uint64_t number, struct pt_arena *arena);

#endif
