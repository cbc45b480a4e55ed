// What a contract sees of the state while one statement is applied: only the keys that it declared. Its writes become
// visible to later statements when the statement as a whole is accepted.
#ifndef PACKTRAIL_LEDGER_STATE_STATE_VIEW_H
#define PACKTRAIL_LEDGER_STATE_STATE_VIEW_H

#include "common/base/arena.h"
#include "common/chain/state_change.h"
#include "ledger/state/state_cache.h"
#include "ledger/store/index_store.h"

enum access_mode {
    ACCESS_READ = 1,
    ACCESS_WRITE = 2,      // and read
    ACCESS_ANCESTORS = 4,  // STATE_PACK: also the containers that it lies in, as the records name them
    ACCESS_PREFIX = 8,     // every key that begins so (for writing new keys whose end is not known before)
};

struct access {
    unsigned table;
    unsigned mode;        // of enum access_mode
    struct pt_bytes key;
};

// The declaration; grows in the arena of the statement.
struct access_list {
    struct pt_arena *arena;
    struct access *items;
    size_t count, cap;
    bool failed;  // no memory
};
void access_declare(struct access_list *list, unsigned table, unsigned mode, struct pt_bytes key);

struct state_view;

// PT_OK with *found false when there is no such record. The value lives until the view's next write to this key.
// PT_INTERNAL: the key was not declared.
enum pt_code state_get(struct state_view *view, unsigned table, struct pt_bytes key, struct pt_bytes *value, bool *found,
                       struct pt_error *err) PT_NODISCARD;
enum pt_code state_put(struct state_view *view, unsigned table, struct pt_bytes key, struct pt_bytes value,
                       struct pt_error *err) PT_NODISCARD;
enum pt_code state_delete(struct state_view *view, unsigned table, struct pt_bytes key, struct pt_error *err) PT_NODISCARD;

// Texts that many records share (places, parties, lots, container keys) stand in the records as small numbers, given in
// the order of their first use and kept in STATE_NAME. `kind` keeps the vocabularies apart. The text may be any bytes.
enum name_kind { NAME_PLACE = 1, NAME_PARTY = 2, NAME_LOT = 3, NAME_CONTAINER = 4 };
enum pt_code state_name_of(struct state_view *view, enum name_kind kind, struct pt_bytes text, uint64_t *number,
                           struct pt_error *err) PT_NODISCARD;  // gives a new number if need be
enum pt_code state_name_text(struct state_view *view, uint64_t number, struct pt_bytes *text, struct pt_error *err) PT_NODISCARD;

// A container's key by its name, made readable (and writable, if the pack was declared so): the way from a pack that was
// declared with ACCESS_ANCESTORS outwards. *found false if the pack lies in none. Whether the container has been emptied
// since is not looked at (hierarchy.h).
enum pt_code state_container_of(struct state_view *view, struct pt_bytes pack, struct pt_bytes *container, bool *found,
                                struct pt_error *err) PT_NODISCARD;

// --- For the executor ---

// A view on the cache and, behind it, the index. `committed` tells up to which height the index is known to be; `height`
// is the one under way. One view serves many statements: begin, contracts, then commit or discard.
struct state_view_source {
    struct state_cache *cache;
    struct index_reader *index;
    uint64_t (*committed)(void *ctx);
    void *ctx;
};
// `source` is copied; NULL for a view that is only for trials.
enum pt_code state_view_new(const struct state_view_source *source, struct state_view **out, struct pt_error *err) PT_NODISCARD;
void state_view_free(struct state_view *view);
// `arena` holds what the statement writes and must live until commit or discard.
void state_view_begin(struct state_view *view, uint64_t height, struct pt_arena *arena);
// As state_view_begin for a trial: the cache is looked at and not touched, so that many threads can try at once while
// nobody changes it. PT_UNAVAILABLE from state_name_of: a new name is needed, whose number depends on what comes before.
// What the trial did is taken by state_view_touches; it cannot be committed.
void state_view_try(struct state_view *view, const struct state_view_source *source, uint64_t height, struct pt_arena *arena);
// What the index said of a key at `height`, so that it need not be asked; counts only if the cache does not know better.
// Key and value must outlive the statement.
enum pt_code state_view_expect(struct state_view *view, unsigned table, struct pt_bytes key, bool found, struct pt_bytes value,
                               uint64_t height, struct pt_error *err) PT_NODISCARD;
// What the next contract may touch; replaces the declaration before, keeps the statement's writes.
enum pt_code state_view_declare(struct state_view *view, const struct access_list *list, struct pt_error *err) PT_NODISCARD;
enum pt_code state_view_commit(struct state_view *view, struct pt_error *err) PT_NODISCARD;
void state_view_discard(struct state_view *view);

// What a statement read and wrote of one key.
struct state_touch {
    uint64_t hash;
    struct pt_bytes key;
    unsigned table;
    bool read, found;            // before it wrote
    bool written, deleted;
    struct cached_record *record;  // in the cache; NULL: none, and what was read is of the index, as of `height`
    uint64_t height;
    struct pt_bytes before, after;
};
// All touches of the view's statement, in the arena; in no order.
enum pt_code state_view_touches(const struct state_view *view, struct pt_arena *arena, struct state_touch **out, size_t *count,
                                struct pt_error *err) PT_NODISCARD;
// Whether nothing that was read has been changed from the moment on: then trying again would give the same.
bool state_touches_hold(const struct state_cache *cache, struct state_touch *touches, size_t count, uint64_t moment);
// Right after it: makes a trial's writes count, and keeps what it read beside the cache. false without memory.
bool state_touches_commit(struct state_cache *cache, const struct state_touch *touches, size_t count, uint64_t height);

#endif
