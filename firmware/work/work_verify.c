// The ledger's word on packs of this work, and the open boxes.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "firmware/work/work_internal.h"

static struct work_candidate *waiting_of(struct work *work, const struct pack_id *pack) {
    for (size_t i = 1; i <= WORK_WAITING; i++) {
        struct work_candidate *candidate = &work->waiting[(work->next_waiting + WORK_WAITING - i) % WORK_WAITING];
        if (candidate->used && pack_id_equal(&candidate->answer.pack, pack)) return candidate;
    }
    return NULL;
}

static void set_reason(struct work_candidate *candidate, const struct lookup_answer *verified) {
    const char *reason = verified->reason_en[0] ? verified->reason_en : verified->reason_zh;
    if (reason[0]) pt_fail(&candidate->answer.why, PT_UNVERIFIED, "ledger", "%.380s", reason);
}

// The ledger counts what this terminal's outbox has not brought it yet: of two counts the newer one holds, and where this
// terminal dispensed since then, the smaller one.
static void take_content(struct work *work, struct work_candidate *candidate, const struct lookup_answer *verified) {
    struct work_answer *answer = &candidate->answer;
    const struct remembered_box *box = remembered_box(&work->remembered, &answer->pack);
    if (verified->units >= 0) answer->units = verified->units;
    if (verified->units_left < 0) return;
    const bool newer = box && box->changed > verified->chain_time && box->box.units_left >= 0;
    answer->units_left = newer && box->box.units_left < verified->units_left ? box->box.units_left : verified->units_left;
    candidate->findings &= ~(1u << FINDING_USED_UP);
    const int64_t wanted = work->start.units ? (int64_t)work->start.units : answer->units;
    if (wanted < 0 || wanted <= answer->units_left) return;
    candidate->findings |= 1u << FINDING_USED_UP;
    pt_fail(&answer->why, PT_INVALID, "units", "only %lld units are left in this pack", (long long)answer->units_left);
}

static void remember_box(struct work *work, const struct work_candidate *candidate, const struct lookup_answer *verified) {
    const struct work_answer *answer = &candidate->answer;
    const struct remembered_box *known = remembered_box(&work->remembered, &answer->pack);
    const bool is_open = verified->units_left >= 0 && verified->units_left < verified->units;
    if (work->start.training || (!known && (!is_open || verified->units_left == 0))) return;
    if (known && known->box.units_left == answer->units_left && known->box.units == answer->units) return;
    struct remembered_box box = known ? *known : (struct remembered_box){.box.opened = verified->chain_time};
    box.box.pack = answer->pack;
    box.box.units = answer->units;
    box.box.units_left = answer->units_left;
    if (!box.box.expiry[0]) snprintf(box.box.expiry, sizeof box.box.expiry, "%s", answer->expiry);
    // Its own dispensing keeps its time: what the ledger has not seen of it still counts.
    if (!known || known->changed < verified->chain_time) box.changed = verified->chain_time;
    const struct remembered_change change = {.boxes = &box, .box_count = 1};
    struct pt_error err = {0};
    if (remembered_note(&work->remembered, &change, work_true_now(&work->services), &err) != PT_OK) pt_log_error("open-box-not-written", &err);
}

static void apply_word(struct work *work, struct work_candidate *candidate, const struct lookup_answer *verified) {
    const unsigned open = 1u << FINDING_UNVERIFIED | 1u << FINDING_NOT_ASKED;
    if (verified->colour == LOOKUP_NONE) return;
    candidate->findings &= ~(open | 1u << FINDING_RED | 1u << FINDING_AMBER);
    if (verified->colour == LOOKUP_RED) candidate->findings |= 1u << FINDING_RED;
    if (verified->colour == LOOKUP_AMBER) candidate->findings |= 1u << FINDING_AMBER;
    if (verified->colour != LOOKUP_GREEN) set_reason(candidate, verified);
    if (work->class == WORK_DISPENSE) take_content(work, candidate, verified);
    // The other code of a pack that counts already.
    if (verified->holds_as.kind != PACK_NONE && !pack_id_equal(&verified->holds_as, &candidate->answer.pack) &&
        work_items_find(work, &verified->holds_as, NULL))
        candidate->findings |= 1u << FINDING_DUPLICATE;
}

// No answer: what was CALM while the ledger was asked is said now.
static void tell_unasked(struct work_candidate *candidate, const struct lookup_answer *verified) {
    struct work_answer *answer = &candidate->answer;
    if (answer->tone == WORK_CALM) answer->tone = answer->taken ? WORK_ATTENTION : WORK_STOP;
    pt_fail(&answer->why, PT_UNAVAILABLE, "ledger", "not verified: %.300s", verified->why.what[0] ? verified->why.what : "the ledger was not reached");
}

static enum pt_code withdraw(struct work *work, uint32_t at, struct work_candidate *candidate, struct pt_error *err) {
    if (work->items[at].state != ITEM_OPEN) {  // too late: staff must know all the same
        candidate->answer.taken = true;
        return PT_OK;
    }
    const enum pt_code code = work_journal_removed(work, at, err);
    if (code == PT_OK) work_items_remove(work, at);
    return code;
}

static enum pt_code dispense_word(struct work *work, struct work_candidate *candidate, const struct lookup_answer *verified, struct pt_error *err) {
    uint32_t at = 0;
    const bool was_taken = work_items_find(work, &candidate->answer.pack, &at);
    apply_word(work, candidate, verified);
    remember_box(work, candidate, verified);
    work_conclude(work, candidate);
    if (verified->colour == LOOKUP_NONE) tell_unasked(candidate, verified);
    if (was_taken && !candidate->answer.taken) {
        // What staff insisted on stays, but for what nobody may insist on.
        if (work->items[at].insisted[0] && candidate->answer.may_insist) candidate->answer.taken = true;
        else return withdraw(work, at, candidate, err);
    }
    if (!was_taken) return candidate->answer.taken ? work_take(work, candidate, false, err) : PT_OK;
    if (verified->colour == LOOKUP_NONE || !work->items[at].unverified) return PT_OK;
    const enum pt_code code = work_journal_verified(work, at, err);
    if (code == PT_OK) work->items[at].unverified = false;
    return code;
}

// Other tasks go on whatever the ledger says; what it says is told.
static bool other_word(struct work *work, const struct lookup_answer *verified, struct work_candidate *candidate) {
    if (verified->colour != LOOKUP_RED && verified->colour != LOOKUP_AMBER) return false;
    *candidate = (struct work_candidate){.used = true, .findings = 1u << (verified->colour == LOOKUP_RED ? FINDING_RED : FINDING_AMBER)};
    candidate->answer.pack = verified->pack;
    candidate->answer.units = candidate->answer.units_left = -1;
    set_reason(candidate, verified);
    work_conclude(work, candidate);
    if (candidate->answer.taken) candidate->answer.verdict = WORK_ADDED;
    candidate->answer.taken = true;
    candidate->answer.may_insist = false;
    return candidate->answer.tone != WORK_GOOD;
}

enum pt_code work_verified(struct work *work, const struct lookup_answer *verified, struct work_answer *answer, bool *changed, struct pt_error *err) {
    *changed = false;
    const enum pt_code ready = work_ready(work, err);
    if (ready != PT_OK) return ready;
    if (work->class != WORK_DISPENSE) {
        struct work_candidate told;
        if (!work_items_find(work, &verified->pack, NULL) || !other_word(work, verified, &told)) return PT_OK;
        *changed = true;
        *answer = told.answer;
        return PT_OK;
    }
    struct work_candidate *candidate = waiting_of(work, &verified->pack);
    if (!candidate) return PT_OK;
    const enum pt_code code = dispense_word(work, candidate, verified, err);
    if (code != PT_OK) return code;
    if (verified->colour != LOOKUP_NONE) candidate->used = candidate->answer.may_insist;
    if (work->asked.used && pack_id_equal(&work->asked.answer.pack, &verified->pack)) {
        work->asked = *candidate;
        work->asked.used = true;
    }
    *changed = true;
    *answer = candidate->answer;
    return PT_OK;
}

// --- Open boxes ---

enum pt_code work_open_boxes(const struct work_services *services, const char *product, struct pt_arena *arena, struct open_box **out,
                             size_t *count, struct pt_error *err) {
    struct remembered remembered;
    *out = NULL;
    *count = 0;
    enum pt_code code = remembered_load(services->disk, work_true_now(services), &remembered, err);
    struct open_box *boxes = code == PT_OK ? pt_arena_alloc(arena, remembered.box_count + 1, sizeof *boxes) : NULL;
    if (code == PT_OK && !boxes) code = pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    if (code == PT_OK) {
        for (size_t i = 0; i < remembered.box_count; i++)
            if (strcmp(remembered.boxes[i].box.pack.product, product) == 0) boxes[(*count)++] = remembered.boxes[i].box;
        if (*count > 1) qsort(boxes, *count, sizeof *boxes, remembered_box_order);
        *out = boxes;
    }
    remembered_free(&remembered);
    return code;
}
