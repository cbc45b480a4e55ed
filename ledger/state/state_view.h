// What a contract sees of the state while one statement is applied: only the keys that it declared. Its writes become
// visible to later statements when the statement as a whole is accepted.
#ifndef PACKTRAIL_LEDGER_STATE_STATE_VIEW_H
#define PACKTRAIL_LEDGER_STATE_STATE_VIEW_H

#include "common/base/arena.h"
#include "common/chain/state_change.h"

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

#endif
