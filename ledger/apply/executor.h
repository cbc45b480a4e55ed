// Applies blocks one after the other: order, replay, device chains, contracts, log tree, entry. Deterministic: the same
// blocks and times give the same entries. One thread's alone; reading ahead, writing and signing keys are around it.
#ifndef PACKTRAIL_LEDGER_APPLY_EXECUTOR_H
#define PACKTRAIL_LEDGER_APPLY_EXECUTOR_H

#include "ledger/apply/block_job.h"
#include "ledger/store/statement_store.h"

struct executor;

// Statements that wait for one before them are given up for missing, and applied, after this much chain time. Part of
// rule version 1.
#define DEVICE_GAP_MILLIS ((pt_millis)15 * 60 * 1000)
// And at most so many of one key wait: one more, and the gap is given up at once. Part of rule version 1 as well.
#define DEVICE_HELD_MOST 1024u

// Why a block's entry has block_result other than 0. Part of the entry: values never change their meaning.
enum block_refusal {
    BLOCK_TAKEN = 0,
    BLOCK_WRONG_PREVIOUS = 1,  // does not name the gateway's block before: its statements are not looked at
};

struct executor_parts {
    const struct genesis *genesis;
    struct index_reader *index;            // the executor's own
    struct statement_store *statements;
    struct key_ring *keys;
    const struct signer *signer;           // NULL: nothing is co-signed (replay)
    const struct pt_env *env;
    size_t cache_records;
    struct worker_pool *pool;              // to try statements on, its contexts struct job_context; NULL: one after the other
    enum ledger_trials trials;
    // Up to which height the index holds everything: from any thread. And the wait for it: from the executor's own.
    uint64_t (*committed)(void *ctx);
    enum pt_code (*wait_committed)(void *ctx, uint64_t height, struct pt_error *err);
    void *ctx;
};

// A height that is decided: what goes to chain, tree and index.
struct sealed_height {
    uint64_t height;
    pt_millis time;
    struct pt_arena arena;
    struct pt_buf entry, co_signature;
    struct pt_digest entry_digest;
    struct state_change *changes;      // sorted; state, then side tables
    size_t change_count, state_count;  // state_count: those that the entry's hash covers
    struct state_change *side;         // further side tables, sorted
    size_t side_count;
    struct pt_digest *leaves;
    size_t leaf_count;
    uint64_t first_leaf, tree_size;
    struct pt_digest tree_root;
    uint64_t block_result;
    uint8_t *results;
    size_t result_count;
    size_t alert_count, pack_count;
    uint64_t rule_version;
    uint64_t trials_stood, trials_repeated;
};
void sealed_height_free(struct sealed_height *sealed);  // NULL is allowed

enum block_verdict {
    VERDICT_SEALED,     // *sealed; block_result says whether it was refused on record
    VERDICT_DUPLICATE,  // on the chain at `height`
    VERDICT_AHEAD,      // its turn comes after `expected`
    VERDICT_IGNORED,    // refused without a record: code and reason
};

struct executor_answer {
    enum block_verdict verdict;
    uint64_t height, expected;
    enum pt_code code;
    char reason[384];
};

// The genesis as height 0; what an empty index must hold first.
enum pt_code executor_genesis(const struct genesis *genesis, struct sealed_height **out, struct pt_error *err) PT_NODISCARD;

// An executor at the height that the index has reached; `tree`: the log there.
enum pt_code executor_new(const struct executor_parts *parts, const struct merkle_frontier *tree, struct executor **out,
                          struct pt_error *err) PT_NODISCARD;
void executor_free(struct executor *executor);

// Whether this program can decide the next height. PT_UNAVAILABLE: a rule version that it lacks takes force there; the
// word is for whoever runs it.
enum pt_code executor_ready(struct executor *executor, struct pt_error *err) PT_NODISCARD;

// Decides one block that block_job_* has looked at. now: the clock; chain time never falls. expected: on replay the
// entry that it must come out as (PT_UNVERIFIED if it does not), else NULL. PT_UNAVAILABLE: see executor_ready, and all decided
// before is in the index. Any other error ends this executor's life: what it holds in memory is ahead of what was written.
enum pt_code executor_take(struct executor *executor, struct block_job *job, pt_millis now, struct pt_bytes expected,
                           struct executor_answer *answer, struct sealed_height **sealed, struct pt_error *err) PT_NODISCARD;

// Forgets what can be read again from the index, if there is too much. snapshot: the lowest of all jobs under way.
void executor_trim(struct executor *executor, uint64_t snapshot);

struct pt_digest executor_member_set(const struct genesis *genesis);

#endif
