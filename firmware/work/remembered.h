// What a terminal remembers beyond one piece of work: which packs it handled in the last 30 days, which boxes are open, which
// codes and tags are linked. Beside the ledger, which holds all of it: what is damaged here is begun anew.
//
// On the disk one journal that is opened for each writing only, so that a page may ask while work is under way. In memory
// about 20 bytes a pack.
#ifndef PACKTRAIL_FIRMWARE_WORK_REMEMBERED_H
#define PACKTRAIL_FIRMWARE_WORK_REMEMBERED_H

#include "firmware/work/work.h"
#include "firmware/work/work_disk.h"
#include "firmware/work/work_table.h"

#define REMEMBERED_DAYS 30

struct remembered_link {
    uint64_t other, pack;  // hashes
    struct pt_journal_position position;
};

struct remembered_box {
    struct open_box box;
    pt_millis changed;
};

struct remembered {
    struct work_disk disk;
    struct work_table done;  // hash of task and pack; minutes since 1970
    struct remembered_box *boxes;
    size_t box_count, box_cap;
    struct work_table links;  // hash of the other code; index in `link`
    struct remembered_link *link;
    size_t link_count, link_cap;
    uint64_t bytes;
    pt_millis now;
};

// Reads what is on the disk. *out is not to be moved; freed by remembered_free, also after a failure.
enum pt_code remembered_load(const struct pt_disk *disk, pt_millis now, struct remembered *out, struct pt_error *err) PT_NODISCARD;
void remembered_free(struct remembered *remembered);

bool remembered_done(const struct remembered *remembered, const char *task, const struct pack_id *pack, pt_millis now);
// NULL: the box is not open.
const struct remembered_box *remembered_box(const struct remembered *remembered, const struct pack_id *pack);
// The box to take first of all open ones with units left of this product; NULL: none.
const struct open_box *remembered_first_box(const struct remembered *remembered, const char *product);
// Earliest expiry first, then oldest opening; for qsort of struct open_box.
int remembered_box_order(const void *a, const void *b);
// The hash of the pack that a code stands for: its own, or that of the pack that it is linked to.
uint64_t remembered_identity(const struct remembered *remembered, const struct pack_id *pack);
// The pack that a code is linked to; PT_NOT_FOUND: none.
enum pt_code remembered_linked(const struct remembered *remembered, const struct pack_id *other, struct pack_id *out, struct pt_error *err) PT_NODISCARD;

// One thing to remember, written by remembered_note.
struct remembered_change {
    const char *task;             // packs handled by this task …
    const struct pack_id *packs;
    size_t count;
    bool undone;                  // … or not handled after all
    const struct remembered_box *boxes;  // as they are from now on; units_left 0: used up
    size_t box_count;
    const struct pack_id *other, *pack;  // a link
};
// Durable when it returns. Saying the same again changes nothing.
enum pt_code remembered_note(struct remembered *remembered, const struct remembered_change *change, pt_millis now, struct pt_error *err) PT_NODISCARD;

#endif
