// A block on its way: what many threads can do with it before its turn (decode, check signatures, read what its events
// will need), and what the executor then finds.
#ifndef PACKTRAIL_LEDGER_APPLY_BLOCK_JOB_H
#define PACKTRAIL_LEDGER_APPLY_BLOCK_JOB_H

#include <stdatomic.h>

#include "common/chain/block.h"
#include "ledger/apply/key_ring.h"
#include "ledger/apply/statement_input.h"
#include "ledger/apply/worker_pool.h"
#include "ledger/ledger.h"
#include "ledger/store/index_store.h"

enum signature_state { SIGNATURE_UNCHECKED, SIGNATURE_GOOD, SIGNATURE_BAD };

struct job_statement {
    bool decoded;                     // as a statement
    struct statement statement;
    enum signature_state signature;   // unchecked: the signer was not known when it was looked at
    enum pt_code input_code;          // of decoding the payload: PT_OK or PT_INVALID
    struct statement_input input;
    struct job_value *before;         // for each of the input's packs what the index had, or NULL
    struct pt_digest leaf;
};

struct job_value {
    bool found;
    struct pt_bytes value;
};

struct block_job {
    struct pt_buf bytes;
    struct block block;
    enum signature_state gateway_signature;
    enum pt_code code;                // why the block cannot be taken at all; PT_OK
    struct pt_error error;
    struct job_statement *statements;
    struct pt_arena *arenas;          // one a chunk
    size_t chunk_count;
    struct pt_buf compressed;
    uint64_t snapshot;                // height that the index had reached before anything was read
    bool trusted;                     // from our own chain: signatures were checked when it was first applied
    // The pipeline's:
    _Atomic unsigned remaining;
    bool ready;
    struct block_job *next;
    ledger_block_done *done;
    void *done_arg;
};

// What a thread needs to look at jobs.
struct job_context {
    struct index_reader *index;
    struct key_ring *keys;
    const struct pt_digest *genesis;
    struct state_view *view;  // to try statements on; NULL: this thread tries none
};

// A job with a copy of the bytes. Freed by block_job_free (NULL allowed).
enum pt_code block_job_new(struct pt_bytes bytes, uint64_t snapshot, struct block_job **out, struct pt_error *err) PT_NODISCARD;
void block_job_free(struct block_job *job);

// First step: decode, gateway's signature. Fills job->code; afterwards job->chunk_count parts can be looked at.
void block_job_open(struct block_job *job, struct job_context *context);
// Second step, any order, any thread: statements of one chunk.
void block_job_chunk(struct block_job *job, struct job_context *context, size_t chunk);
// And the block's compression, beside them.
void block_job_compress(struct block_job *job);

// All steps at once, in this thread.
void block_job_check(struct block_job *job, struct job_context *context);

#endif
