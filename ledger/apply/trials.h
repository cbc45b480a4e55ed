// Statements of one height tried at once, on several threads, before they are settled one after the other.
//
// Optimistic, because what a statement touches is not all known before it runs: a pack's containers are found through the
// records themselves. Each trial runs the contracts on the state as it was before all of them, and notes what it read.
// Settling goes in the order of the log: a trial none of whose reads has been changed since is what running it now
// would give, since contracts are pure; any other is run again, alone. So the result is that of one thread, byte for
// byte, whatever the threads did. Statements that need a new name (its number depends on those before) are not tried to
// the end.
#ifndef PACKTRAIL_LEDGER_APPLY_TRIALS_H
#define PACKTRAIL_LEDGER_APPLY_TRIALS_H

#include "ledger/apply/block_job.h"
#include "ledger/apply/rules_in_force.h"

// What surrounds a height's statements.
struct contract_scene {
    const char *profile;  // of the ledger
    const struct rules_in_force *rules;
    uint64_t height;
    pt_millis time;       // chain time
};

// A statement whose turn has come.
struct due_statement {
    const struct contract_input *input;
    enum pt_code input_code;
    const struct job_value *before;  // what the index had at `snapshot` of the input's packs; may be NULL
    uint64_t snapshot;
    uint64_t leaf;
    const struct actor *signer;
    const char *chain_alert;         // what is wrong with its device chain, or NULL
    uint8_t *result;                 // enum statement_result goes there
    struct {
        bool done;
        struct contract_output output;
        struct state_touch *touches;
        size_t touch_count;
    } trial;
};

struct trials;

// `pool` runs with struct job_context as its threads' contexts; `own` is the calling thread's.
enum pt_code trials_new(struct worker_pool *pool, struct job_context *own, enum ledger_trials when, struct trials **out,
                        struct pt_error *err) PT_NODISCARD;
void trials_free(struct trials *trials);

// Tries as many as is worth while. `source` says where the state is; nobody may change its cache meanwhile. The trials live until
// trials_clear.
void trials_run(struct trials *trials, const struct contract_scene *scene, const struct state_view_source *source,
                struct due_statement *due, size_t count);
// Afterwards: how many stood and how many had to be run again.
void trials_clear(struct trials *trials, size_t stood, size_t repeated);

// Runs the contracts in force on a statement that the view has begun with this arena.
enum pt_code due_statement_run(const struct due_statement *due, const struct contract_scene *scene, struct state_view *view,
                               struct pt_arena *arena, struct contract_output *output, struct pt_error *err) PT_NODISCARD;

#endif
