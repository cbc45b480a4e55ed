// The gateway's spool: statements from the moment they are acknowledged until their block is final on the ledger.
//
// One journal holds four kinds of records: a statement; a sealed block (its signed header, covering all statements
// up to a record number); a finished block. Whatever is sent to the ledger was durable here before, so a restart
// sends the same bytes again and never two blocks with one sequence.
//
// Thread-safe.
#ifndef PACKTRAIL_GATEWAY_SPOOL_SPOOL_H
#define PACKTRAIL_GATEWAY_SPOOL_SPOOL_H

#include "common/base/journal.h"
#include "common/chain/block.h"

struct spool;

// When a block is sealed: as soon as one of the three is reached.
struct spool_limits {
    uint32_t block_statements;  // at most BLOCK_MAX_STATEMENTS
    size_t block_bytes;         // at most BLOCK_MAX, of statements together
    pt_millis block_age;        // of the oldest statement not yet in a block
    uint64_t most_bytes;        // of the whole spool; above it statements are answered `later`
};

struct spool_options {
    struct spool_limits limits;
    struct pt_digest genesis;
    const struct signer *gateway;  // seals; must outlive the spool
};

// `disk` must outlive the spool.
enum pt_code spool_open(const struct pt_disk *disk, const struct spool_options *options, struct spool **out,
                        struct pt_error *err) PT_NODISCARD;
void spool_close(struct spool *spool);

enum spool_added { SPOOL_ADDED, SPOOL_KNOWN };

// Writes a verified statement; it is durable, and may be acknowledged, after the next spool_sync. SPOOL_KNOWN: the
// same bytes are in the spool (they may also still need that sync). PT_UNAVAILABLE when the spool is full.
enum pt_code spool_add(struct spool *spool, struct pt_bytes statement, const struct pt_digest *id, pt_millis now,
                       enum spool_added *added, struct pt_error *err) PT_NODISCARD;
enum pt_code spool_sync(struct spool *spool, struct pt_error *err) PT_NODISCARD;

// Calls `each` with every statement that is not final, in the order of their arrival; stops at the first error. The spool is
// locked meanwhile.
enum pt_code spool_each(struct spool *spool,
                        enum pt_code (*each)(void *arg, const struct pt_digest *id, struct pt_bytes statement, struct pt_error *err),
                        void *arg, struct pt_error *err) PT_NODISCARD;

// Seals every block that is due at `now` (or all there is, if `flush`). *sealed counts them.
enum pt_code spool_seal_due(struct spool *spool, pt_millis now, bool flush, size_t *sealed, struct pt_error *err) PT_NODISCARD;

// Milliseconds until spool_seal_due has work by age alone; -1 if nothing waits.
pt_millis spool_next_due(struct spool *spool, pt_millis now);

// The bytes of the sealed block with this sequence. PT_NOT_FOUND: not sealed yet, or finished and forgotten.
enum pt_code spool_block(struct spool *spool, uint64_t sequence, struct pt_buf *out, struct pt_digest *digest,
                         struct pt_error *err) PT_NODISCARD;

// The ledger holds all blocks up to and including `sequence` for good: their bodies are forgotten.
enum pt_code spool_finished(struct spool *spool, uint64_t sequence, struct pt_error *err) PT_NODISCARD;

struct spool_status {
    uint64_t first_unfinished;  // sequence of the oldest block that is not final; equals next_sequence if there is none
    uint64_t next_sequence;
    struct pt_digest head;      // digest of the last sealed block
    size_t waiting;             // statements not in a block yet
    size_t unfinished;          // statements in blocks that are not final
    uint64_t bytes;             // on disk
    pt_millis oldest;           // arrival of the oldest statement that is not final; 0 if none
};
void spool_status(struct spool *spool, struct spool_status *out);

#endif
