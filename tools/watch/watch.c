#include "tools/watch/watch.h"

#include <stdio.h>


#define WHY 160

const char *watch_state_name(enum watch_state state) {
    static const char *const names[] = {"ok", "stalled", "forked", "rolled-back"};
    return names[state];
}

bool watch_needs_proof(const struct watch_memory *memory, const struct checkpoint *next) {
    return memory->known && memory->last.tree_size > 0 && next->tree_size > memory->last.tree_size;
}

// NULL if `next` continues what is known, else why not.
static const char *contradiction(const struct checkpoint *known, const struct checkpoint *next, const struct watch_proof *proof) {
    const bool same_root = pt_digest_equal(&known->tree_root, &next->tree_root);
    if (next->height == known->height && !pt_digest_equal(&known->entry, &next->entry)) return "one height has two entries";
    if (next->tree_size < known->tree_size) return "the log has become shorter while the chain grew";
    if (next->tree_size == known->tree_size && !same_root) return "one size of the log has two roots";
    if (next->time < known->time) return "chain time goes back";
    if (next->tree_size == known->tree_size || known->tree_size == 0) return NULL;
    if (!proof || proof->size1 != known->tree_size || proof->size2 != next->tree_size) return "no proof that the log only grew was given";
    if (merkle_verify_consistency(known->tree_size, &known->tree_root, next->tree_size, &next->tree_root, proof->path.nodes,
                                  proof->path.count, NULL) != PT_OK)
        return "the log is not the one seen before with more at its end";
    return NULL;
}

enum watch_state watch_judge(struct watch_memory *memory, const struct checkpoint *next, const struct watch_proof *proof, pt_millis now,
                             pt_millis stale_after, char *why) {
    why[0] = 0;
    if (memory->known && next->height < memory->last.height) {
        snprintf(why, WHY, "height %llu was signed before, now %llu is the newest", (unsigned long long)memory->last.height,
                 (unsigned long long)next->height);
        return WATCH_ROLLED_BACK;
    }
    const char *wrong = memory->known ? contradiction(&memory->last, next, proof) : NULL;
    if (wrong) {
        snprintf(why, WHY, "%s", wrong);
        return WATCH_FORKED;
    }
    const bool grown = !memory->known || next->height > memory->last.height;
    if (grown) *memory = (struct watch_memory){.known = true, .last = *next, .advanced = now};
    const enum watch_state state = watch_silence(memory, now, stale_after);
    if (state == WATCH_STALLED)
        snprintf(why, WHY, "no new height for %lld s", (long long)((now - memory->advanced) / 1000));
    return state;
}

bool watch_agree(const struct checkpoint *smaller, const struct checkpoint *larger, const struct watch_proof *proof, char *why) {
    why[0] = 0;
    const char *wrong = NULL;
    if (smaller->height == larger->height && !pt_digest_equal(&smaller->entry, &larger->entry)) wrong = "one height has two entries at two nodes";
    else if (smaller->tree_size == larger->tree_size && !pt_digest_equal(&smaller->tree_root, &larger->tree_root))
        wrong = "one size of the log has two roots at two nodes";
    else if (smaller->tree_size > 0 && smaller->tree_size < larger->tree_size &&
             (!proof || merkle_verify_consistency(smaller->tree_size, &smaller->tree_root, larger->tree_size, &larger->tree_root, proof->path.nodes,
                                                  proof->path.count, NULL) != PT_OK))
        wrong = "one node's log is not a beginning of the other's";
    if (wrong) snprintf(why, WHY, "%s", wrong);
    return !wrong;
}

enum watch_state watch_silence(const struct watch_memory *memory, pt_millis now, pt_millis stale_after) {
    return !memory->known || now - memory->advanced > stale_after ? WATCH_STALLED : WATCH_OK;
}
