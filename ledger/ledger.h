// The ledger of one node as the HTTP layer and the tools see it. Every call is safe from any thread. Answers come from
// the state after one whole height, never from between two; each says which height that was.
//
// Memory that an answer points into belongs to the arena that the caller gave.
#ifndef PACKTRAIL_LEDGER_LEDGER_H
#define PACKTRAIL_LEDGER_LEDGER_H

#include "common/base/disk.h"
#include "common/chain/actor.h"
#include "common/chain/block.h"
#include "common/chain/entry.h"
#include "common/chain/rules_change.h"
#include "common/cose/receipt.h"
#include "common/epcis/event.h"
#include "common/identify/pack_id.h"
#include "common/recall/recall_notice.h"
#include "ledger/state/alert_record.h"
#include "ledger/state/lifecycle_state.h"

struct ledger;

// It makes no difference to what comes out; AUTO tries when threads have nothing else to do.
enum ledger_trials { LEDGER_TRIALS_AUTO = 0, LEDGER_TRIALS_ALWAYS = 1, LEDGER_TRIALS_NEVER = 2 };

// Everything has a default at zero.
struct ledger_options {
    unsigned workers;              // threads that verify; 0: one a core
    unsigned waiting_blocks;       // blocks taken and not yet applied, all gateways together; 0: 64
    unsigned ahead_blocks;         // of them, kept ahead of their turn for one gateway; 0: 8
    uint64_t segment_bytes;        // of the chain's files; 0: 64 MiB
    uint64_t index_cache_bytes;    // of the index writer; 0: 256 MiB
    uint64_t state_cache_records;  // records kept in memory between blocks; 0: 200,000
    enum ledger_trials trials;     // whether statements of a block are tried on several threads at once
    const struct pt_disk *chain_disk;  // NULL: the directory DIR/chain
    const struct pt_disk *tree_disk;   // NULL: the directory DIR/tree
};

// Makes the directory DIR with the genesis and, if key_pem is not empty, the node's key (DIR/node.pem, mode 0600), whose
// thumbprint must be an executor of the genesis. PT_CONFLICT if DIR holds a ledger already.
enum pt_code ledger_init(const char *dir, struct pt_bytes genesis, struct pt_bytes key_pem, struct pt_error *err) PT_NODISCARD;

// Opens DIR; brings the index up to the chain; starts the threads. `signer` (an executor of the genesis) and `env` must
// outlive the ledger. PT_UNVERIFIED: the chain is damaged, with the place; PT_UNAVAILABLE: another process has it open.
enum pt_code ledger_open(const char *dir, const struct signer *signer, const struct ledger_options *options,
                         const struct pt_env *env, struct ledger **out, struct pt_error *err) PT_NODISCARD;
// Applies what was taken already, then stops; callbacks not called yet are called before it returns. NULL is allowed.
void ledger_close(struct ledger *ledger);

// --- Taking blocks and statements ---

enum ledger_block_outcome {
    LEDGER_BLOCK_APPLIED = 1,
    LEDGER_BLOCK_DUPLICATE = 2,  // on the chain already, at `height`
    LEDGER_BLOCK_WAITING = 3,    // ahead of its turn: kept in memory only; the gateway sends `expected` first, this one again
    LEDGER_BLOCK_REFUSED = 4,    // recorded with its reason (height > 0), or ignored (height 0)
};

struct ledger_block_result {
    enum ledger_block_outcome outcome;
    struct pt_digest block;   // all zero when it could not be decoded
    uint64_t height;
    uint64_t expected;        // next sequence of this gateway
    bool final;
    struct pt_bytes results;  // one enum statement_result a statement when applied now; lives during the callback
    enum pt_code code;        // why refused: PT_INVALID, PT_UNVERIFIED, PT_FORBIDDEN, PT_CONFLICT; PT_OK otherwise
    const char *reason;       // for people; "" if none; lives during the callback
};

// Called once, on a thread of the ledger, after the chain (fsync) and the index hold the block; must not block and must
// not call ledger_close. `code` other than PT_OK: nothing is known about the block (PT_UNAVAILABLE, PT_IO …): send it again.
typedef void ledger_block_done(void *arg, enum pt_code code, const struct ledger_block_result *result,
                               const struct pt_error *err);

// Takes a copy of the block's bytes. PT_UNAVAILABLE at once (and no callback) when too much waits.
enum pt_code ledger_submit_block(struct ledger *ledger, struct pt_bytes block, ledger_block_done *done, void *arg,
                                 struct pt_error *err) PT_NODISCARD;

// Statements that come to the node itself (an operator's enrolments): sealed into a block of the node's own key. Waits.
// results[i] receives enum statement_result of each; *height that of the block.
enum pt_code ledger_submit_statements(struct ledger *ledger, const struct pt_bytes *statements, size_t count,
                                      uint8_t *results, uint64_t *height, struct pt_error *err) PT_NODISCARD;

// --- Where the ledger stands ---

struct ledger_status {
    uint64_t height;            // applied and indexed
    uint64_t final_height;      // solo: the same
    pt_millis time;             // chain time at that height (the genesis' time at height 0)
    struct pt_digest entry;     // digest of that height's entry; the genesis hash at height 0
    uint64_t tree_size;
    struct pt_digest tree_root;
    struct pt_digest genesis;
    uint64_t rule_version;
    bool failed;                // a write failed; nothing is taken until the ledger is opened again
};
void ledger_status(struct ledger *ledger, struct ledger_status *out);

const struct genesis *ledger_genesis(const struct ledger *ledger);  // lives as long as the ledger
const struct signer *ledger_signer(const struct ledger *ledger);

// For /metrics: monotone counts since the start, and levels.
struct ledger_counters {
    uint64_t blocks_applied, blocks_duplicate, blocks_refused, blocks_ignored;
    uint64_t statements[16];     // by enum statement_result
    uint64_t alerts;
    uint64_t packs_written;      // pack records written to the index
    uint64_t index_rows;         // all that is written to the index: changes of the state and lines of the side tables
    uint64_t chain_bytes, index_bytes;
    uint64_t blocks_waiting;     // level: taken, not yet applied
    uint64_t fsyncs;
    uint64_t trials_stood, trials_repeated;  // statements tried ahead, and those of them that had to be run again
};
void ledger_counters(struct ledger *ledger, struct ledger_counters *out);

// --- Packs ---

// How much the answer about a pack can be trusted, and why. A set of flags; the page turns them into colours.
enum ledger_pack_reason {
    PACK_REASON_UNKNOWN = 1u << 0,         // nothing on the chain names it
    PACK_REASON_INFERRED = 1u << 1,        // place and movement come from a container it lies in
    PACK_REASON_UNCONFIRMED = 1u << 2,     // its container was opened and moved since: scan it
    PACK_REASON_EXPIRED = 1u << 3,         // at the time asked for
    PACK_REASON_RECALLED = 1u << 4,
    PACK_REASON_NO_DATA = 1u << 5,         // seen, but its maker has not announced it: quarantined
    PACK_REASON_ALERT = 1u << 6,           // an alert names it
    PACK_REASON_NOT_DISPENSABLE = 1u << 7, // its state does not allow dispensing (see state)
    PACK_REASON_PART_USED = 1u << 8,       // part of its content is dispensed
    PACK_REASON_LOT_MISMATCH = 1u << 9,    // set by the caller when the label says otherwise
    PACK_REASON_EXPIRY_MISMATCH = 1u << 10,
    PACK_REASON_CORRECTED = 1u << 12,      // an event of its history was declared in error
    PACK_REASON_MAYBE_RECALLED = 1u << 11, // its product is recalled; its lot or place is not known well enough to tell
};

// The recall in force that covers a pack (contracts/recall.h).
struct ledger_pack_recall {
    const char *id;
    uint64_t version;
    unsigned level;           // 1 the gravest
    enum recall_depth depth;
    bool certain;             // false: may be covered
    pt_millis since;          // chain time of its beginning
    struct master_name reason, instructions;
    const char **lots;        // what to compare the label with; none: every lot
    size_t lot_count;
};

struct ledger_pack {
    bool found;
    uint64_t height;          // of the state that the answer is from
    pt_millis time;           // chain time of that height
    enum lifecycle_state state;      // effective: through its containers
    enum lifecycle_state own_state;  // what its own record says
    unsigned reasons;         // enum ledger_pack_reason
    const char *place, *party;       // effective, URIs; NULL if not known
    const char *lot;                 // NULL if not known
    int32_t expiry_day;       // days since 1970-01-01; INT32_MIN if not known
    uint64_t content;         // in smallest units; 0 if not known
    uint64_t quantity_left;   // in smallest units, when content is known
    uint64_t quantity_returned;      // brought back by patients: not among those left
    struct pack_id *containers;      // from the nearest outwards
    size_t container_count;
    bool is_container;
    uint64_t last_leaf;       // leaf index of the last statement that touched it itself
    uint64_t alert_count;     // alerts that name it (at most 255 are counted)
    const struct ledger_pack_recall *recall;  // NULL: none that is in force covers it
};

// `at`: the time to judge expiry at. PT_OK with found false when nothing is known.
enum pt_code ledger_pack(struct ledger *ledger, const struct pack_id *id, pt_millis at, struct pt_arena *arena,
                         struct ledger_pack *out, struct pt_error *err) PT_NODISCARD;

// As ledger_pack, with the lot that the pack's label bears (NULL or "": not known), for recalls of a lot.
enum pt_code ledger_pack_labelled(struct ledger *ledger, const struct pack_id *id, const char *lot, pt_millis at,
                                  struct pt_arena *arena, struct ledger_pack *out, struct pt_error *err) PT_NODISCARD;

// What lies directly in a container, by the packs' own way (its last packing and unpacking); at most `most`.
enum pt_code ledger_contents(struct ledger *ledger, const struct pack_id *id, size_t most, struct pt_arena *arena,
                             struct pack_id **out, size_t *count, struct pt_error *err) PT_NODISCARD;

// One step of a pack's way.
struct ledger_step {
    uint64_t leaf_index, height;
    pt_millis time;                      // chain time of that height
    struct pt_digest id;                 // statement id
    struct pt_digest signer;             // kid
    enum statement_result result;
    const struct pack_id *via;           // the container that it happened to; NULL: to the pack itself
    bool declared_in_error;              // a later or earlier step of this way says that it did not happen so
    struct pt_bytes statement;           // whole, as signed
    const struct epcis_event *event;     // decoded
};

// In the order of the log, at most `most` (the newest are kept; *more tells that there were others).
enum pt_code ledger_provenance(struct ledger *ledger, const struct pack_id *id, size_t most, struct pt_arena *arena,
                               struct ledger_step **out, size_t *count, bool *more, struct pt_error *err) PT_NODISCARD;

// --- Statements and proofs ---

struct ledger_statement {
    struct pt_digest id;
    uint64_t leaf_index, height;
    pt_millis time;
    enum statement_result result;
    struct pt_bytes bytes;
};
enum pt_code ledger_statement_by_id(struct ledger *ledger, const struct pt_digest *id, struct pt_arena *arena,
                                    struct ledger_statement *out, struct pt_error *err) PT_NODISCARD;
enum pt_code ledger_statement_by_leaf(struct ledger *ledger, uint64_t leaf_index, struct pt_arena *arena,
                                      struct ledger_statement *out, struct pt_error *err) PT_NODISCARD;

// Appends a COSE receipt over the present tree. PT_NOT_FOUND while the statement is not on the ledger.
enum pt_code ledger_receipt(struct ledger *ledger, const struct pt_digest *id, struct pt_buf *out, struct pt_error *err) PT_NODISCARD;

// Appends the signed checkpoint of the present height (signed once a height).
enum pt_code ledger_checkpoint(struct ledger *ledger, struct pt_buf *out, struct pt_error *err) PT_NODISCARD;

// size 0 stands for the present tree's (also given back in *size). PT_INVALID for what makes no sense.
enum pt_code ledger_inclusion(struct ledger *ledger, uint64_t index, uint64_t *size, struct merkle_path *out,
                              struct pt_error *err) PT_NODISCARD;
enum pt_code ledger_consistency(struct ledger *ledger, uint64_t size1, uint64_t *size2, struct merkle_path *out,
                                struct pt_error *err) PT_NODISCARD;

// The chain entry of a height with the node's co-signature; appended.
enum pt_code ledger_entry(struct ledger *ledger, uint64_t height, struct pt_buf *entry, struct pt_buf *co_signature,
                          struct pt_error *err) PT_NODISCARD;

// --- Actors, feed, alerts, master data ---

// *out is freed with actor_free. PT_NOT_FOUND if nobody is enrolled so.
enum pt_code ledger_actor(struct ledger *ledger, const struct pt_digest *kid, struct actor *out, struct pt_error *err) PT_NODISCARD;
enum pt_code ledger_actor_by_tls(struct ledger *ledger, const struct pt_digest *tls, struct actor *out, struct pt_error *err) PT_NODISCARD;

enum ledger_feed_kind {  // the numbers of enum wire_feed_kind
    LEDGER_FEED_ENROLMENT = 1,
    LEDGER_FEED_REVOCATION = 2,
    LEDGER_FEED_MASTER = 3,
    LEDGER_FEED_RECALL = 4,
    LEDGER_FEED_SHIPPING_NOTICE = 5,
};
struct ledger_feed_item {
    enum ledger_feed_kind kind;
    uint64_t leaf_index;
    struct pt_bytes statement;
};
// What an actor of `party` should hear, from cursor `since` on (0: from the beginning): enrolments, revocations, master
// records, recalls, and shipping notices addressed to `party` (NULL or "": none). *cursor for the next call.
enum pt_code ledger_feed(struct ledger *ledger, const char *party, uint64_t since, size_t most, struct pt_arena *arena,
                         struct ledger_feed_item **out, size_t *count, uint64_t *cursor, bool *more,
                         struct pt_error *err) PT_NODISCARD;

// Alerts in the order they were raised, from `since` on (an alert's `number`; 0: from the first); `newest`: the newest
// `most` instead, in descending order, below `since` if that is not 0. `pack`: only those that name it (NULL: all).
enum pt_code ledger_alerts(struct ledger *ledger, const struct pack_id *pack, uint64_t since, bool newest, size_t most,
                           struct pt_arena *arena, struct alert_record **out, size_t *count, struct pt_error *err) PT_NODISCARD;

// The master record in force at `at` as it was signed (its payload), by kind and identifier (common/master).
enum pt_code ledger_master(struct ledger *ledger, unsigned kind, const char *identifier, pt_millis at, struct pt_buf *out,
                           struct pt_error *err) PT_NODISCARD;

// The rules that decide the next height, unless one of the pending changes begins there.
struct ledger_rules {
    uint64_t height;                 // of the state that the answer is from
    uint64_t version;
    struct rules_setting *settings;  // sorted by name
    size_t setting_count;
    struct rules_change *pending;    // by height
    size_t pending_count;
};
enum pt_code ledger_rules(struct ledger *ledger, struct pt_arena *arena, struct ledger_rules *out, struct pt_error *err) PT_NODISCARD;

// Calls `seen` (on a ledger thread, quickly) after every applied height, for pushing to listeners. NULL stops it.
void ledger_watch(struct ledger *ledger, void (*seen)(void *arg, uint64_t height), void *arg);

#endif
