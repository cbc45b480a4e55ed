// What one code is: everything that can be known of it at once, here, without the line.
#include <stdio.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "firmware/work/work_internal.h"

#define DAY_MS 86400000

static void find(struct work_candidate *candidate, enum work_finding finding) { candidate->findings |= 1u << finding; }

// The place's local day as YYYY-MM-DD.
static void local_day(const struct work *work, char out[11]) {
    int64_t year;
    unsigned month;
    unsigned day;
    const pt_millis local = work_true_now(&work->services) + (pt_millis)work->services.zone_minutes * 60000;
    pt_civil_from_days(local / DAY_MS, &year, &month, &day);
    const struct gs1_date date = {(int)year, month, day};
    gs1_date_format(&date, out);
}

static void set_names(struct work_answer *answer, const struct master_name *name) {
    snprintf(answer->product_zh, sizeof answer->product_zh, "%s", name->zh ? name->zh : "");
    snprintf(answer->product_en, sizeof answer->product_en, "%s", name->en ? name->en : "");
}

static void set_warning(struct work_answer *answer, const struct identify_warnings *warnings) {
    size_t at = 0;
    for (size_t i = 0; i < warnings->count && at + 1 < sizeof answer->warning; i++)
        at += (size_t)snprintf(answer->warning + at, sizeof answer->warning - at, "%s%s", at ? "; " : "", warnings->text[i]);
}

static bool is_same_product(const struct master_product *product, const char *code, const char *wanted) {
    if (strcmp(code, wanted) == 0) return true;
    return product && (master_level_of(product, wanted) || strcmp(product->id, wanted) == 0);
}

// Whether the notice names a larger pack of the same product: this one may have come in it.
static bool may_lie_in_a_case(const struct work *work, const struct master_product *product, const char *code) {
    const struct master_level *own = product ? master_level_of(product, code) : NULL;
    for (size_t i = 0; own && i < work->notice.count; i++) {
        const struct master_level *other = master_level_of(product, work->notice.packs[i].product);
        if (other && other->level > own->level) return true;
    }
    return false;
}

static bool notice_has_product(const struct work *work, const struct master_product *product, const char *code) {
    for (size_t i = 0; i < work->notice.count; i++)
        if (is_same_product(product, code, work->notice.packs[i].product)) return true;
    return false;
}

static bool names_product(const struct pack_id *pack) { return pack->kind == PACK_SGTIN || pack->kind == PACK_CN_TRACE; }

static void judge_product(const struct work *work, const struct master_product *product, struct work_candidate *candidate) {
    const struct pack_id *pack = &candidate->answer.pack;
    const char *only = work->start.only_product;
    if (only && names_product(pack) && !is_same_product(product, pack->product, only)) find(candidate, FINDING_WRONG_PRODUCT);
    // What stands on no list may still lie in a case that does: only the case's maker knows.
    if (!work->start.notice || work->open_ended || work_table_get(&work->expected, remembered_identity(&work->remembered, pack), NULL)) return;
    if (!names_product(pack)) find(candidate, FINDING_UNEXPECTED);
    else if (!notice_has_product(work, product, pack->product)) find(candidate, FINDING_WRONG_PRODUCT);
    else if (!may_lie_in_a_case(work, product, pack->product)) find(candidate, FINDING_UNEXPECTED);
}

static void used_up(struct work_candidate *candidate, int64_t left) {
    find(candidate, FINDING_USED_UP);
    pt_fail(&candidate->answer.why, PT_INVALID, "units", "only %lld units are left in this pack", (long long)left);
}

// How much is in the pack, as far as this terminal or its product's record knows, and whether another one is to be taken first.
static void judge_content(const struct work *work, const struct master_product *product, struct work_candidate *candidate) {
    struct work_answer *answer = &candidate->answer;
    const struct remembered_box *box = remembered_box(&work->remembered, &answer->pack);
    const struct master_level *level = product ? master_level_of(product, answer->pack.product) : NULL;
    if (level && level->units > 0 && level->units <= INT64_MAX) answer->units = answer->units_left = (int64_t)level->units;
    if (box) {
        if (box->box.units >= 0) answer->units = box->box.units;
        answer->units_left = box->box.units_left;
    }
    const uint64_t wanted = work->start.units;
    if (answer->units_left >= 0 && wanted > (uint64_t)answer->units_left) used_up(candidate, answer->units_left);
    if (wanted == 0 && box && answer->units_left >= 0 && answer->units_left < answer->units) used_up(candidate, answer->units_left);
    const struct open_box *first = wanted ? remembered_first_box(&work->remembered, answer->pack.product) : NULL;
    if (!first || pack_id_equal(&first->pack, &answer->pack)) return;
    // Only an older or equal end of use makes the other one come first.
    struct open_box own = {.pack = answer->pack, .units_left = answer->units_left, .opened = box ? box->box.opened : INT64_MAX};
    snprintf(own.expiry, sizeof own.expiry, "%s", box && box->box.expiry[0] ? box->box.expiry : answer->expiry);
    if (box && remembered_box_order(first, &own) > 0) return;
    answer->open_first = first->pack;
    find(candidate, FINDING_OTHER_BOX);
}

static bool was_done(const struct work *work, const struct work_candidate *candidate) {
    const struct work_answer *answer = &candidate->answer;
    // Parts of an open box are dispensed one after another.
    if (work->class == WORK_DISPENSE && work->start.units && remembered_box(&work->remembered, &answer->pack)) return false;
    return remembered_done(&work->remembered, work->start.task->name, &answer->pack, work_true_now(&work->services));
}

// The product's record, if there is one.
static const struct master_product *product_of(const struct work *work, struct work_candidate *candidate, struct pt_arena *arena,
                                               struct master_record *record) {
    struct reference_status status;
    if (!work->services.reference || !names_product(&candidate->answer.pack)) return NULL;
    if (reference_product(work->services.reference, &candidate->answer.pack, work_true_now(&work->services), arena, record, NULL) == PT_OK) {
        set_names(&candidate->answer, &record->product.name);
        return &record->product;
    }
    reference_status(work->services.reference, &status);
    // A terminal that was never told of any product cannot call one unknown.
    if (status.products > 0) find(candidate, FINDING_UNKNOWN_PRODUCT);
    return NULL;
}

void work_judge_pack(struct work *work, struct work_candidate *candidate) {
    struct work_answer *answer = &candidate->answer;
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    struct master_record record;
    char today[11];
    answer->units = answer->units_left = -1;
    candidate->used = true;
    const struct master_product *product = product_of(work, candidate, &arena, &record);
    if (work_items_find(work, &answer->pack, NULL) || (work->has_parent && pack_id_equal(&work->parent, &answer->pack))) {
        find(candidate, FINDING_DUPLICATE);
        return;
    }
    if (work->services.recalls && recall_list_covers(work->services.recalls, &answer->pack, answer->lot[0] ? answer->lot : NULL, &answer->recall))
        find(candidate, answer->recall.certain ? FINDING_RECALLED : FINDING_MAYBE_RECALLED);
    local_day(work, today);
    if (answer->expiry[0] && strcmp(answer->expiry, today) < 0) find(candidate, FINDING_EXPIRED);
    judge_product(work, product, candidate);
    if (was_done(work, candidate)) find(candidate, FINDING_DONE_BEFORE);
    if (work->class != WORK_DISPENSE) return;
    judge_content(work, product, candidate);
    find(candidate, work->start.allow_unverified ? FINDING_NOT_ASKED : FINDING_UNVERIFIED);
}

static enum pt_code read_code(const struct work *work, struct pt_bytes code, const char *aim, struct identification *found, struct work_candidate *out) {
    struct work_answer *answer = &out->answer;
    int64_t year;
    unsigned month;
    unsigned day;
    pt_civil_from_days(work_true_now(&work->services) / DAY_MS, &year, &month, &day);
    const struct identify_options options = {.symbology = aim, .year = (int)year};
    const enum pt_code read = identify(code, &options, found, &answer->why);
    if (read != PT_OK) {
        find(out, FINDING_UNREADABLE);
        return read;
    }
    set_warning(answer, &found->warnings);
    if (found->pack.kind != PACK_NONE) return PT_OK;
    // A product's code is no fault of the label: the pack bears another code, too.
    find(out, found->gtin[0] || found->scheme == IDENTIFY_PRODUCT_CODE ? FINDING_PRODUCT_CODE : FINDING_UNREADABLE);
    if (found->scheme != IDENTIFY_PRODUCT_CODE)
        pt_fail(&answer->why, PT_INVALID, NULL, "the code names no single pack (its serial number is missing)");
    return PT_INVALID;
}

static void set_product_names(const struct work *work, const char *gtin, struct work_answer *answer) {
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    struct master_record record;
    if (!work->services.reference || !gtin[0]) return;
    if (reference_record(work->services.reference, MASTER_PRODUCT, gtin, work_true_now(&work->services), &arena, &record, NULL) == PT_OK)
        set_names(answer, &record.product.name);
}

void work_judge(struct work *work, struct pt_bytes code, const char *aim, enum tag_proof proof, struct work_candidate *out) {
    PT_FREE struct identification *found = calloc(1, sizeof *found);
    *out = (struct work_candidate){.used = true};
    struct work_answer *answer = &out->answer;
    if (!found) {
        pt_fail(&answer->why, PT_NO_MEMORY, NULL, "out of memory");
        find(out, FINDING_UNREADABLE);
        return;
    }
    answer->units = answer->units_left = -1;
    if (read_code(work, code, aim, found, out) != PT_OK) {
        set_product_names(work, found->gtin, answer);
        return;
    }
    answer->pack = found->pack;
    snprintf(answer->epc, sizeof answer->epc, "%s", found->epc);
    const char *lot = gs1_elements_value(&found->elements, "10");
    snprintf(answer->lot, sizeof answer->lot, "%s", lot ? lot : "");
    if (found->expiry.year) gs1_date_format(&found->expiry, answer->expiry);
    if (proof == TAG_MESSAGE_REPLAYED || proof == TAG_MESSAGE_FORGED) {
        find(out, FINDING_FAKE_TAG);
        pt_fail(&answer->why, PT_UNVERIFIED, "tag", proof == TAG_MESSAGE_FORGED ? "the tag's message is forged" : "the tag's message was used before: it is a copy");
    }
    if (proof == TAG_CHIP_DOUBTFUL) find(out, FINDING_DOUBTFUL_CHIP);
    work_judge_pack(work, out);
}

// Told is the most restrictive: what stops for good before what can be insisted on, before what is only said.
static int gravity(const struct work_rule *rule) {
    if (!rule->taken) return rule->may_insist ? (rule->supervisor ? 5 : 4) : 6;
    return rule->tone == WORK_STOP ? 3 : rule->tone == WORK_ATTENTION ? 2 : 1;
}

void work_conclude(const struct work *work, struct work_candidate *candidate) {
    struct work_answer *answer = &candidate->answer;
    struct work_rule worst = {.taken = true, .tone = WORK_GOOD};
    int found_tone = WORK_GOOD;
    answer->verdict = WORK_ADDED;
    for (unsigned finding = 0; finding < WORK_FINDINGS; finding++) {
        if (!(candidate->findings & 1u << finding)) continue;
        const struct work_rule rule = work_rule_of(work->profile, work->class, (enum work_finding)finding);
        if ((int)rule.tone > found_tone) found_tone = (int)rule.tone;
        if (gravity(&rule) <= gravity(&worst)) continue;
        worst = rule;
        answer->verdict = work_verdict_of((enum work_finding)finding);
    }
    answer->taken = worst.taken;
    answer->may_insist = worst.may_insist;
    answer->supervisor = worst.supervisor;
    answer->tone = worst.taken ? (enum work_tone)found_tone : worst.tone;
    // The ledger's word is under way: no sound yet, unless there is something else to say.
    const unsigned open = 1u << FINDING_UNVERIFIED | 1u << FINDING_NOT_ASKED;
    if (!(candidate->findings & open) || work->class != WORK_DISPENSE) return;
    struct work_candidate rest = *candidate;
    rest.findings &= ~open;
    work_conclude(work, &rest);
    if (rest.answer.taken && (candidate->findings & 1u << FINDING_UNVERIFIED)) answer->tone = WORK_CALM;
    else if (rest.answer.taken && rest.answer.tone == WORK_GOOD) answer->tone = WORK_CALM;
    else if (!rest.answer.taken) {
        answer->verdict = rest.answer.verdict;
        answer->tone = rest.answer.tone;
    }
}
