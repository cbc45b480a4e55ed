// The recalls that the terminal knows, read from the feed and kept on its disk, so that staff are warned also while the line
// is down, before an event is signed. Every notice's signature is checked here, when it comes and again at each start: the
// gateway only carries. What the gateway withholds the terminal cannot know: the list tells its age.
//
// Thread-safe: one thread scans, another one reads the feed.
#ifndef PACKTRAIL_FIRMWARE_RECALL_RECALL_LIST_H
#define PACKTRAIL_FIRMWARE_RECALL_RECALL_LIST_H

#include "common/chain/actor.h"
#include "common/identify/pack_id.h"
#include "common/recall/recall_notice.h"
#include "common/wire/wire.h"

struct recall_list;

// `file` is copied; it need not exist. A file that is damaged or another ledger's is put aside (*.bad) and read anew.
enum pt_code recall_list_open(const struct genesis *genesis, const char *file, struct recall_list **out, struct pt_error *err) PT_NODISCARD;
void recall_list_close(struct recall_list *list);

// Where to go on in the feed, and of which kinds items are wanted (the query of GET /terminal/feed behind "?").
uint64_t recall_list_cursor(struct recall_list *list);
#define RECALL_LIST_KINDS "1,2,4"  // enum wire_feed_kind

// Takes in what the feed said. `now`: the terminal's clock. Written to the disk when something changed, and now and then so
// that its age survives. *refused counts items that were not signed by whom they must be.
enum pt_code recall_list_take(struct recall_list *list, const struct wire_feed *feed, pt_millis now, size_t *refused,
                              struct pt_error *err) PT_NODISCARD;

// What staff are told of one pack.
struct recall_warning {
    char id[RECALL_ID_MAX + 1];
    unsigned level;
    bool certain;  // false: may be covered, compare the lot with `lots`
    char reason_zh[RECALL_TEXT_MAX + 1], reason_en[RECALL_TEXT_MAX + 1];  // "" if not said in that language
    char instructions_zh[RECALL_TEXT_MAX + 1], instructions_en[RECALL_TEXT_MAX + 1];
    char lots[512];  // separated by commas, as many as fit
};
// Whether a recall in force covers the pack, or may; the gravest certain one is told. lot: of the label, NULL if it says none.
bool recall_list_covers(struct recall_list *list, const struct pack_id *pack, const char *lot, struct recall_warning *out);

struct recall_list_status {
    size_t in_force;
    pt_millis read;        // the terminal's clock when the feed was last read to its end; 0: never
    pt_millis chain_time;  // of the ledger then
    uint64_t height;
};
void recall_list_status(struct recall_list *list, struct recall_list_status *out);

// Calls `each` for every recall in force, by id.
void recall_list_each(struct recall_list *list, void (*each)(void *arg, const struct recall_notice *notice), void *arg);

#endif
