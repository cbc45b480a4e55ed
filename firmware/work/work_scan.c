// Codes in, and out again: what is taken is in the journal before staff are told.
#include <stdio.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/text.h"
#include "firmware/work/work_internal.h"

static bool has(const struct work_candidate *candidate, enum work_finding finding) { return candidate->findings & 1u << finding; }

static struct pt_bytes key_of(const struct pack_id *pack, struct pt_buf *key) {
    return pack_id_key(pack, key, NULL) == PT_OK ? pt_buf_bytes(key) : pt_bytes_of(NULL, 0);
}

// The words for everything that would have kept the pack out.
static void insisted_words(const struct work *work, const struct work_candidate *candidate, struct pt_buf *out) {
    for (unsigned finding = 0; finding < WORK_FINDINGS; finding++) {
        const char *word = work_finding_word((enum work_finding)finding);
        if (!has(candidate, (enum work_finding)finding) || !word) continue;
        const struct work_rule rule = work_rule_of(work->profile, work->class, (enum work_finding)finding);
        if (!rule.taken) pt_buf_printf(out, "%s%s", out->len ? "," : "", word);
    }
}

// What is left in the box behind this dispensing; -1 if nobody knows how much it holds.
static int64_t left_behind(const struct work *work, const struct work_answer *answer) {
    if (work->class != WORK_DISPENSE || answer->units_left < 0) return -1;
    const int64_t units = work->start.units ? (int64_t)work->start.units : answer->units_left;
    return units < answer->units_left ? answer->units_left - units : 0;
}

enum pt_code work_take(struct work *work, const struct work_candidate *candidate, bool insisted, struct pt_error *err) {
    const struct work_answer *answer = &candidate->answer;
    uint8_t key_bytes[PACK_KEY_MAX + 2], word_bytes[160];
    struct pt_buf key = PT_BUF_OVER(key_bytes), words = PT_BUF_OVER(word_bytes);
    if (insisted) insisted_words(work, candidate, &words);
    const bool listed = work->start.notice && work_table_get(&work->expected, remembered_identity(&work->remembered, &answer->pack), NULL);
    const struct work_item item = {
        .key = key_of(&answer->pack, &key),
        .lot = answer->lot,
        .expiry = answer->expiry,
        .insisted = pt_buf_cstr(&words),
        .tap = candidate->tap,
        .units = answer->units,
        .left = left_behind(work, answer),
        .expected = listed,
        .unexpected = has(candidate, FINDING_UNEXPECTED) || (work->start.notice && has(candidate, FINDING_WRONG_PRODUCT)),
        .unverified = has(candidate, FINDING_NOT_ASKED),
    };
    const enum pt_code code = work_journal_item(work, &item, err);
    return code == PT_OK ? work_items_add(work, &item, err) : code;
}

static enum pt_code take_parent(struct work *work, struct work_answer *answer, struct pt_error *err) {
    const enum pt_code code = work_journal_parent(work, &answer->pack, err);
    if (code != PT_OK) return code;
    work->has_parent = true;
    work->parent = answer->pack;
    work->parent_at = work->count;
    answer->verdict = WORK_PARENT;
    answer->tone = WORK_GOOD;
    answer->taken = true;
    return PT_OK;
}

static void keep_waiting(struct work *work, const struct work_candidate *candidate) {
    work->waiting[work->next_waiting] = *candidate;
    work->next_waiting = (work->next_waiting + 1) % WORK_WAITING;
}

// After judging: takes what may be taken, and remembers what may still be insisted on or verified.
static enum pt_code settle(struct work *work, struct work_candidate *candidate, struct work_answer *answer, struct pt_error *err) {
    enum pt_code code = PT_OK;
    const bool named = candidate->answer.pack.kind != PACK_NONE && !has(candidate, FINDING_DUPLICATE);
    // The first logistic unit scanned at packing is the case, unless one was named before.
    if (named && work->start.task->needs_parent && !work->has_parent && candidate->answer.pack.kind == PACK_SSCC && !has(candidate, FINDING_FAKE_TAG))
        code = take_parent(work, &candidate->answer, err);
    else {
        work_conclude(work, candidate);
        if (candidate->answer.taken) code = work_take(work, candidate, false, err);
        if (code == PT_OK && work->class == WORK_DISPENSE && named) keep_waiting(work, candidate);
    }
    work->asked = *candidate;
    if (code != PT_OK) work->asked.used = candidate->answer.taken = false;
    *answer = candidate->answer;
    return code;
}

enum pt_code work_scan(struct work *work, struct pt_bytes code, const char *aim, struct work_answer *answer, struct pt_error *err) {
    struct work_candidate candidate;
    *answer = (struct work_answer){0};
    const enum pt_code ready = work_ready(work, err);
    if (ready != PT_OK) return ready;
    work_judge(work, code, aim, TAG_PROOF_NONE, &candidate);
    return settle(work, &candidate, answer, err);
}

static void uid_uri(struct pt_bytes uid, struct pt_buf *out) {
    pt_buf_str(out, "urn:packtrail:nfc:");
    pt_hex_append(out, uid);
}

enum pt_code work_scan_link(struct work *work, struct pt_bytes link, struct pt_bytes uid, enum tag_proof proof, uint32_t counter,
                            struct work_answer *answer, struct pt_error *err) {
    struct work_candidate candidate;
    *answer = (struct work_answer){0};
    const enum pt_code ready = work_ready(work, err);
    if (ready != PT_OK) return ready;
    work_judge(work, link, NULL, proof, &candidate);
    if (proof == TAG_MESSAGE_GOOD) {
        struct pt_buf tap = {.data = (uint8_t *)candidate.tap, .cap = sizeof candidate.tap, .ceiling = sizeof candidate.tap - 1};
        uid_uri(uid, &tap);
        pt_buf_printf(&tap, ";%u", counter);
        pt_buf_cstr(&tap);
    }
    return settle(work, &candidate, answer, err);
}

enum pt_code work_scan_tag(struct work *work, struct pt_bytes uid, struct work_answer *answer, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf uri = PT_BUF_INIT(256);
    struct work_candidate candidate = {.used = true};
    struct pack_id tag;
    *answer = (struct work_answer){0};
    const enum pt_code ready = work_ready(work, err);
    if (ready != PT_OK) return ready;
    uid_uri(uid, &uri);
    enum pt_code code = pt_buf_check(&uri, err);
    if (code == PT_OK) code = pack_id_from_uri(pt_buf_bytes(&uri), &tag, &candidate.answer.why);
    if (code == PT_OK) code = remembered_linked(&work->remembered, &tag, &candidate.answer.pack, &candidate.answer.why);
    if (code != PT_OK) {
        // Said so because that is what helps: the tag itself is fine.
        if (code == PT_NOT_FOUND) pt_fail(&candidate.answer.why, PT_NOT_FOUND, "tag", "the tag bears no link and is bound to no pack here");
        candidate.findings = 1u << FINDING_UNREADABLE;
        candidate.answer.pack.kind = PACK_NONE;
        return settle(work, &candidate, answer, err);
    }
    PT_CLEANUP(pt_buf_free) struct pt_buf epc = PT_BUF_INIT(PACK_URI_MAX);
    if (pack_id_uri(&candidate.answer.pack, &epc, NULL) == PT_OK) snprintf(candidate.answer.epc, sizeof candidate.answer.epc, "%s", pt_buf_cstr(&epc));
    work_judge_pack(work, &candidate);
    return settle(work, &candidate, answer, err);
}

enum pt_code work_scan_parent(struct work *work, struct pt_bytes code, const char *aim, struct work_answer *answer, struct pt_error *err) {
    struct work_candidate candidate;
    *answer = (struct work_answer){0};
    const enum pt_code ready = work_ready(work, err);
    if (ready != PT_OK) return ready;
    if (!work->start.task->needs_parent) return pt_fail(err, PT_INVALID, "parent", "this task has no case");
    if (work->has_parent) return pt_fail(err, PT_CONFLICT, "parent", "the case was scanned already");
    work_judge(work, code, aim, TAG_PROOF_NONE, &candidate);
    work_conclude(work, &candidate);
    work->asked.used = false;
    if (candidate.answer.pack.kind == PACK_NONE || has(&candidate, FINDING_DUPLICATE)) {
        *answer = candidate.answer;
        return PT_OK;
    }
    const enum pt_code taken = take_parent(work, &candidate.answer, err);
    if (taken != PT_OK) candidate.answer.taken = false;
    *answer = candidate.answer;
    return taken;
}

enum pt_code work_insist(struct work *work, struct work_answer *answer, struct pt_error *err) {
    const enum pt_code ready = work_ready(work, err);
    if (ready != PT_OK) return ready;
    struct work_candidate *asked = &work->asked;
    if (!asked->used || asked->answer.taken || !asked->answer.may_insist) return pt_fail(err, PT_INVALID, NULL, "there is nothing to insist on");
    if (work_items_find(work, &asked->answer.pack, NULL)) return pt_fail(err, PT_INVALID, NULL, "the pack counts already");
    const enum pt_code code = work_take(work, asked, true, err);
    if (code != PT_OK) return code;
    asked->answer.taken = true;
    asked->answer.may_insist = asked->answer.supervisor = false;
    asked->answer.tone = WORK_ATTENTION;
    *answer = asked->answer;
    return PT_OK;
}

static enum pt_code undo_parent(struct work *work, struct work_answer *answer, struct pt_error *err) {
    for (size_t i = 0; i < work->count; i++)
        if (work->items[i].state != ITEM_OPEN && !work->items[i].gone) return pt_fail(err, PT_CONFLICT, "parent", "packs in this case are signed already");
    const enum pt_code code = work_journal_parent(work, NULL, err);
    if (code != PT_OK) return code;
    answer->pack = work->parent;
    work->has_parent = false;
    return PT_OK;
}

static enum pt_code undo_item(struct work *work, uint32_t at, struct work_answer *answer, struct pt_error *err) {
    struct work_item *item = &work->items[at];
    if (item->state == ITEM_SIGNED) return pt_fail(err, PT_NOT_FOUND, NULL, "everything that is left is signed already");
    if (item->state == ITEM_PLANNED) return pt_fail(err, PT_CONFLICT, NULL, "this pack is being signed: finish the work first");
    enum pt_code code = work_items_pack(item, &answer->pack, err);
    if (code == PT_OK) code = work_journal_removed(work, at, err);
    if (code != PT_OK) return code;
    snprintf(answer->lot, sizeof answer->lot, "%s", item->lot);
    snprintf(answer->expiry, sizeof answer->expiry, "%s", item->expiry);
    work_items_remove(work, at);
    return PT_OK;
}

enum pt_code work_undo(struct work *work, struct work_answer *answer, struct pt_error *err) {
    *answer = (struct work_answer){.verdict = WORK_REMOVED, .units = -1, .units_left = -1};
    enum pt_code code = work_ready(work, err);
    if (code != PT_OK) return code;
    uint32_t at = 0;
    const bool any = work_items_newest(work, &at);
    if (!any && !work->has_parent) return pt_fail(err, PT_NOT_FOUND, NULL, "nothing is left to take out");
    work->asked.used = false;
    code = work->has_parent && (!any || work->parent_at > at) ? undo_parent(work, answer, err) : undo_item(work, at, answer, err);
    if (code != PT_OK) return code;
    PT_CLEANUP(pt_buf_free) struct pt_buf epc = PT_BUF_INIT(PACK_URI_MAX);
    if (pack_id_uri(&answer->pack, &epc, NULL) == PT_OK) snprintf(answer->epc, sizeof answer->epc, "%s", pt_buf_cstr(&epc));
    answer->tone = WORK_GOOD;
    for (size_t i = 0; i < WORK_WAITING; i++)
        if (work->waiting[i].used && pack_id_equal(&work->waiting[i].answer.pack, &answer->pack)) work->waiting[i].used = false;
    return PT_OK;
}
