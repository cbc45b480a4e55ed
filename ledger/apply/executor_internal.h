// The executor's inside, shared by its files alone.
#ifndef PACKTRAIL_LEDGER_APPLY_EXECUTOR_INTERNAL_H
#define PACKTRAIL_LEDGER_APPLY_EXECUTOR_INTERNAL_H

#include "ledger/apply/executor.h"
#include "ledger/apply/trials.h"
#include "ledger/state/key_chain.h"
#include "ledger/state/state_cache.h"
#include "ledger/state/state_view.h"

struct held_entry {
    struct pt_digest kid;
    uint64_t sequence;
    struct held_record record;
};

struct roster;

struct executor {
    struct executor_parts parts;
    struct job_context jobs;       // for what the workers could not know yet
    struct state_cache *cache;
    struct state_view *view, *trial_view;
    struct trials *trials;         // NULL: every statement runs in its turn alone
    struct roster *roster;
    struct merkle_frontier tree;
    uint64_t height;
    pt_millis time;
    struct pt_digest head;         // digest of the last entry
    struct pt_digest member_set;
    struct rules_in_force rules;
    struct held_entry *held;       // STATE_HELD in memory, by kid and sequence
    size_t held_count, held_cap;
    struct pt_arena scratch;       // of one statement
    struct pt_buf buffer;
    // The height under way:
    struct block_job *job;
    struct sealed_height *sealed;
    pt_millis now;
    struct pt_bytes expected_results;  // on replay
    uint32_t *leaf_items;          // leaf - first_leaf -> number of the statement in the block
    size_t side_cap;
    struct due_statement *due;     // in their order; their contracts have not run yet
    size_t due_count, due_cap;
};

// --- executor_state.c: the executor's own reading and writing, beyond the contracts' views ---
enum pt_code executor_get(struct executor *executor, unsigned table, struct pt_bytes key, struct pt_bytes *value, bool *found,
                          struct pt_error *err) PT_NODISCARD;
enum pt_code executor_put(struct executor *executor, unsigned table, struct pt_bytes key, struct pt_bytes value,
                          struct pt_error *err) PT_NODISCARD;
enum pt_code executor_delete(struct executor *executor, unsigned table, struct pt_bytes key, struct pt_error *err) PT_NODISCARD;
// A line for a side table that nobody reads before it is in the index; key and value are copied.
enum pt_code executor_side(struct executor *executor, unsigned table, struct pt_bytes key, struct pt_bytes value,
                           struct pt_error *err) PT_NODISCARD;
enum pt_code executor_chain(struct executor *executor, const struct pt_digest *kid, struct key_chain *out,
                            struct pt_error *err) PT_NODISCARD;
enum pt_code executor_set_chain(struct executor *executor, const struct pt_digest *kid, const struct key_chain *record,
                                struct pt_error *err) PT_NODISCARD;

// --- executor_rules.c ---
// Takes what waits for the height under way into force.
enum pt_code executor_take_rules(struct executor *executor, struct pt_error *err) PT_NODISCARD;

// --- roster.c: actors, decoded ---
enum pt_code roster_new(const struct pt_env *env, struct roster **out, struct pt_error *err) PT_NODISCARD;
void roster_free(struct roster *roster);
// Forgets all when there are too many; between blocks only.
void roster_trim(struct roster *roster);
// *out NULL: not enrolled. Lives until the actor is forgotten.
enum pt_code executor_actor(struct executor *executor, const struct pt_digest *kid, const struct actor **out,
                            struct pt_error *err) PT_NODISCARD;
void executor_forget_actor(struct executor *executor, const struct pt_digest *kid);

// --- executor_statement.c ---
enum pt_code executor_statement(struct executor *executor, size_t index, struct pt_error *err) PT_NODISCARD;

// --- executor_contracts.c ---
// The statement's turn has come: its contracts run at the next settling, after those before it, and what was said of it
// is no longer to be changed. What `due` points to must live until then.
enum pt_code executor_apply(struct executor *executor, const struct due_statement *due, struct pt_error *err) PT_NODISCARD;
// Runs the contracts of all that is due. Before anything that depends on what they do: what is signed by a key that they
// enrol, the number of an alert.
enum pt_code executor_settle(struct executor *executor, struct pt_error *err) PT_NODISCARD;
// An alert about a key.
enum pt_code executor_alert_key(struct executor *executor, const struct actor *signer, enum alert_kind kind, unsigned confidence,
                                const uint64_t *evidence, size_t evidence_count, const char *detail, struct pt_error *err) PT_NODISCARD;

// --- executor_held.c ---
bool executor_holds(const struct executor *executor, const struct pt_digest *kid, uint64_t sequence, struct held_record *out);
enum pt_code executor_hold(struct executor *executor, const struct pt_digest *kid, uint64_t sequence, uint64_t leaf,
                           struct pt_error *err) PT_NODISCARD;
// Applies what waits right behind chain->next.
enum pt_code executor_release(struct executor *executor, const struct pt_digest *kid, struct key_chain *chain,
                              struct pt_error *err) PT_NODISCARD;
enum pt_code executor_time_out_gaps(struct executor *executor, struct pt_error *err) PT_NODISCARD;
enum pt_code executor_load_held(struct executor *executor, struct pt_error *err) PT_NODISCARD;

// A logged statement's bytes, from this block or from the chain.
enum pt_code executor_logged(struct executor *executor, uint64_t leaf, struct pt_arena *arena, struct pt_bytes *bytes,
                             struct pt_digest *id, struct pt_error *err) PT_NODISCARD;

#endif
