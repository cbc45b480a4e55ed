// The inside of struct ledger, for the files that make it up.
#ifndef PACKTRAIL_LEDGER_LEDGER_INTERNAL_H
#define PACKTRAIL_LEDGER_LEDGER_INTERNAL_H

#include <pthread.h>

#include "ledger/apply/committer.h"
#include "ledger/ledger.h"

#define LEDGER_CHAIN_DIR "chain"
#define LEDGER_TREE_DIR "tree"
#define LEDGER_INDEX_FILE "index.sqlite"
#define LEDGER_GENESIS_FILE "genesis.cbor"
#define LEDGER_KEY_FILE "node.pem"

// What was opened of a ledger's directory: enough to read, replay and check it.
struct ledger_files {
    char *dir;
    struct genesis genesis;
    struct pt_disk chain_disk, tree_disk;
    bool own_chain_disk, own_tree_disk;
    struct chain_store *chain;
    struct tree_store *tree;
    struct index_store index;
    struct statement_store *statements;
    struct key_ring *keys;
    struct committer committer;
};

// Opens the directory; index and tree may lag behind the chain. rebuild: the index is dropped first.
enum pt_code ledger_files_open(const char *dir, const struct ledger_options *options, const struct pt_env *env, bool rebuild,
                               struct ledger_files *out, struct pt_error *err) PT_NODISCARD;
void ledger_files_close(struct ledger_files *files);
// Brings index and tree up to the chain; an index that does not fit it is dropped and rebuilt.
enum pt_code ledger_files_catch_up(struct ledger_files *files, const struct ledger_options *options, const struct pt_env *env,
                                   struct pt_error *err) PT_NODISCARD;

// What the executor has to say about a block, on its way through the committer to whoever asked.
struct outcome {
    struct outcome *next;
    struct block_job *job;
    struct sealed_height *sealed;  // NULL: nothing to write
    struct ledger_block_result result;
    char reason[384];
};

struct worker_context {
    struct index_reader index;
    struct job_context job;
};

struct ahead {
    struct ahead *next;
    struct block_job *job;
};

struct idle_reader {
    struct idle_reader *next;
    struct index_reader reader;
};

struct ledger {
    struct ledger_files files;
    const struct signer *signer;
    const struct pt_env *env;
    struct ledger_options options;
    unsigned worker_count;
    struct worker_context *workers;
    void **worker_pointers;
    struct worker_pool *pool;
    struct index_reader exec_index;
    struct executor *executor;
    pthread_t exec_thread, commit_thread;
    bool exec_running, commit_running;

    pthread_mutex_t mutex;  // guards all below
    pthread_cond_t job_ready, to_commit, written;
    struct block_job *first_job, **last_job;
    struct block_job *current_job;
    struct outcome *first_outcome, **last_outcome;
    size_t outcome_count;
    struct ahead *ahead;            // by the executor's thread alone
    bool stopping, executed_all, failed;
    struct pt_error failure;
    struct ledger_status status;
    struct ledger_counters counters;
    uint64_t own_sequence;          // of the node's own blocks
    struct pt_digest own_head;
    pthread_mutex_t own_mutex;      // one own block at a time
    struct idle_reader *idle;
    struct pt_buf checkpoint;       // of checkpoint_height
    uint64_t checkpoint_height;
    void (*watch)(void *arg, uint64_t height);
    void *watch_arg;
};

// --- pipeline.c ---
enum pt_code ledger_pipeline_start(struct ledger *ledger, struct pt_error *err) PT_NODISCARD;
void ledger_pipeline_stop(struct ledger *ledger);

// --- readers: a view of one height for a query ---
enum pt_code ledger_view_begin(struct ledger *ledger, struct idle_reader **out, struct pt_error *err) PT_NODISCARD;
void ledger_view_end(struct ledger *ledger, struct idle_reader *view);

#endif
