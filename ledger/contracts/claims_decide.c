// Whether a line may be settled, and if not, why: the first thing that does not fit is the reason.
#include <string.h>

#include "common/crypto/digest.h"
#include "common/identify/gs1_check.h"
#include "ledger/contracts/claims_internal.h"
#include "ledger/contracts/master_facts.h"

#define DAY_MILLIS ((pt_millis)86400000)
#define LATE_DAYS 7  // that a terminal may be without network; setting "claims.late_days"

struct case_file {
    struct state_view *view;
    const struct contract_context *context;
    const struct claim_line *line;
    const uint8_t *insurer;
    struct claim_subject *subject;
    struct claim_decision *decision;
    struct pt_error *err;
    uint8_t named[CLAIM_MARK];  // what the line names its dispensing by
    uint64_t asked_place;       // last place that was compared, and what came out: packs are dispensed at few places
    bool place_fits;
    enum pt_code code;  // of a reading that failed: the machine's want, never the line's fault
    struct claim_dispensing *candidates[CLAIM_PARTS_MAX];
    size_t candidate_count;
};

static enum pt_code refuse(struct case_file *file, enum claim_reason reason) {
    file->decision->reason = reason;
    return PT_OK;
}

static enum pt_code suspect(struct case_file *file, enum claim_reason reason, enum alert_kind alert, enum alert_mode mode, unsigned confidence) {
    file->decision->alert = alert;
    file->decision->mode = mode;
    file->decision->confidence = confidence;
    return refuse(file, reason);
}

void claims_declare_decision(const struct claim_line *line, struct access_list *out) {
    if (line->product_kind != CLAIM_INSURANCE_CODE) master_facts_declare(MASTER_PRODUCT, line->product, out);
}

// --- The product ---

// One wrong character, or two neighbours exchanged: how people mistype.
static bool one_slip(const char *a, const char *b) {
    const size_t len = strlen(a);
    size_t wrong = 0, first = 0;
    if (strlen(b) != len) return false;
    for (size_t i = 0; i < len; i++)
        if (a[i] != b[i] && wrong++ == 0) first = i;
    return wrong == 1 || (wrong == 2 && a[first] == b[first + 1] && a[first + 1] == b[first]);
}

static bool gtin_good(const char *gtin) { return gs1_check_digit(pt_bytes_of(gtin, 13)) == gtin[13]; }

// Two different products, or one that is written otherwise; only master records can tell.
static enum pt_code compare_products(struct case_file *file, const char *own, bool same_kind, struct pt_error *err) {
    struct product_facts claimed, packed;
    bool claimed_known, packed_known;
    const struct claim_line *line = file->line;
    enum pt_code code = master_facts_product(file->view, file->context->arena, line->product, MASTER_FACTS_NEWEST, &claimed, &claimed_known, err);
    if (code == PT_OK) code = master_facts_product(file->view, file->context->arena, own, MASTER_FACTS_NEWEST, &packed, &packed_known, err);
    if (code != PT_OK) return code;
    if (claimed_known && packed_known && claimed.id[0] && strcmp(claimed.id, packed.id) == 0) return PT_OK;
    if (!claimed_known && same_kind && one_slip(line->product, own)) return refuse(file, CLAIM_PRODUCT_MISTYPED);
    if (claimed_known && packed_known) return suspect(file, CLAIM_WRONG_PRODUCT, ALERT_WRONG_PRODUCT, ALERT_ENFORCE, 80);
    if (same_kind) return suspect(file, CLAIM_WRONG_PRODUCT, ALERT_WRONG_PRODUCT, ALERT_SHADOW, 50);
    return refuse(file, CLAIM_UNKNOWN_PRODUCT);
}

static enum pt_code check_insurance_code(struct case_file *file, const char *own, struct pt_error *err) {
    struct product_facts packed;
    bool known;
    const enum pt_code code = master_facts_product(file->view, file->context->arena, own, MASTER_FACTS_NEWEST, &packed, &known, err);
    if (code != PT_OK) return code;
    if (!known || !packed.insurance_code[0]) return refuse(file, CLAIM_UNKNOWN_PRODUCT);
    if (strcmp(packed.insurance_code, file->line->product) == 0) return PT_OK;
    if (one_slip(packed.insurance_code, file->line->product)) return refuse(file, CLAIM_PRODUCT_MISTYPED);
    return suspect(file, CLAIM_WRONG_PRODUCT, ALERT_WRONG_PRODUCT, ALERT_ENFORCE, 80);
}

static enum pt_code check_product(struct case_file *file, struct pt_error *err) {
    const struct claim_line *line = file->line;
    const char *own = master_facts_product_of(&file->subject->id);
    const bool same_kind = file->subject->id.kind == (line->product_kind == CLAIM_GTIN ? PACK_SGTIN : PACK_CN_TRACE);
    if (line->product_kind == CLAIM_GTIN && !gtin_good(line->product)) return refuse(file, CLAIM_PRODUCT_MISTYPED);
    if (!own) return refuse(file, CLAIM_UNKNOWN_PRODUCT);
    if (line->product_kind == CLAIM_INSURANCE_CODE) return check_insurance_code(file, own, err);
    if (same_kind && strcmp(own, line->product) == 0) return PT_OK;
    return compare_products(file, own, same_kind, err);
}

// --- The dispensing ---

// Keeps the candidates that `fits`; false if none does (then they stay as they were).
static bool narrow(struct case_file *file, bool (*fits)(struct case_file *file, const struct claim_dispensing *dispensing)) {
    size_t kept = 0;
    for (size_t i = 0; i < file->candidate_count; i++) {
        struct claim_dispensing *candidate = file->candidates[i];
        if (!fits(file, candidate)) continue;
        file->candidates[i] = file->candidates[kept];
        file->candidates[kept++] = candidate;
    }
    if (kept == 0) return false;
    file->candidate_count = kept;
    file->decision->dispensing = file->candidates[0];
    return true;
}

static void read_name(struct case_file *file) {
    const struct claim_line *line = file->line;
    struct pt_digest digest = line->statement;
    if (!line->has_statement && line->event_id) digest = sha256(pt_bytes_str(line->event_id));
    memcpy(file->named, digest.bytes, CLAIM_MARK);
}

static bool is_named(struct case_file *file, const struct claim_dispensing *dispensing) {
    const struct claim_line *line = file->line;
    if (line->has_statement) return memcmp(file->named, dispensing->statement, CLAIM_MARK) == 0;
    return !line->event_id || memcmp(file->named, dispensing->event, CLAIM_MARK) == 0;
}

static bool is_there(struct case_file *file, const struct claim_dispensing *dispensing) {
    struct pt_bytes place;
    if (dispensing->place == 0 || file->code != PT_OK) return false;
    if (dispensing->place == file->asked_place) return file->place_fits;
    file->code = state_name_text(file->view, dispensing->place, &place, file->err);
    file->asked_place = dispensing->place;
    file->place_fits = file->code == PT_OK && claim_same_place(place, pt_bytes_str(file->line->place));
    return file->place_fits;
}

// A dispensing on prescription is settled to that prescription; one without to none.
static bool is_prescribed(struct case_file *file, const struct claim_dispensing *dispensing) {
    const struct claim_line *line = file->line;
    if (line->has_prescription != dispensing->has_prescription) return false;
    return !line->has_prescription || memcmp(line->prescription.bytes, dispensing->prescription, sizeof dispensing->prescription) == 0;
}

static bool names_none(struct case_file *file, const struct claim_dispensing *dispensing) {
    (void)file;
    return !dispensing->has_prescription;
}

// Nothing is settled on what could still be rolled back.
static bool is_final(struct case_file *file, const struct claim_dispensing *dispensing) {
    const struct contract_context *context = file->context;
    return context->final_leaves == 0 || dispensing->leaf < context->final_leaves;
}

static bool holds_enough(struct case_file *file, const struct claim_dispensing *dispensing) {
    return claim_dispensing_open(dispensing) >= file->line->units;
}

static bool is_out(struct case_file *file, const struct claim_dispensing *dispensing) {
    return claim_dispensing_net(dispensing) >= file->line->units;
}

static bool gave_enough(struct case_file *file, const struct claim_dispensing *dispensing) {
    return dispensing->granted >= file->line->units;
}

// --- The quantity ---

static void find_other(struct case_file *file, const struct claim_dispensing *dispensing) {
    const struct claim_pack *claims = &file->subject->claims;
    for (size_t i = claims->line_count; i-- > 0 && !file->decision->other;)
        if (!dispensing || claims->lines[i].dispensing == dispensing->leaf) file->decision->other = &claims->lines[i];
}

static bool of_another(const struct case_file *file) {
    return file->decision->other && memcmp(file->decision->other->insurer, file->insurer, CLAIM_MARK) != 0;
}

static enum pt_code check_quantity(struct case_file *file) {
    const struct claim_subject *subject = file->subject;
    const uint64_t settled = claim_pack_settled(&subject->claims);
    const uint64_t room = subject->content > settled ? subject->content - settled : 0;
    if (file->line->units > room) {
        find_other(file, NULL);
        if (!file->decision->other)  // more than a whole pack: units or packs mistaken for one another
            return suspect(file, CLAIM_OVER_CONTENT, ALERT_OVERCLAIMED, ALERT_SHADOW, 30);
        return suspect(file, CLAIM_OVER_CONTENT, ALERT_OVERCLAIMED, ALERT_ENFORCE, of_another(file) ? 80 : 60);
    }
    if (narrow(file, holds_enough))
        return subject->claims.line_count < CLAIM_PARTS_MAX ? PT_OK : refuse(file, CLAIM_TOO_MANY_PARTS);
    if (narrow(file, is_out)) {  // others have settled it
        find_other(file, file->decision->dispensing);
        return of_another(file) ? suspect(file, CLAIM_OVER_DISPENSED, ALERT_OVERCLAIMED, ALERT_ENFORCE, 75)
                                : suspect(file, CLAIM_OVER_DISPENSED, ALERT_OVERCLAIMED, ALERT_SHADOW, 40);
    }
    if (narrow(file, gave_enough)) return suspect(file, CLAIM_TAKEN_BACK, ALERT_CLAIMED_NOT_DISPENSED, ALERT_SHADOW, 40);
    return suspect(file, CLAIM_OVER_DISPENSED, ALERT_OVERCLAIMED, ALERT_SHADOW, 40);
}

static enum pt_code check_dispensing(struct case_file *file) {
    const struct claim_pack *claims = &file->subject->claims;
    const enum claim_reason missing = claims->full ? CLAIM_TOO_MANY_PARTS : CLAIM_OTHER_DISPENSING;
    read_name(file);
    for (size_t i = 0; i < claims->dispensing_count; i++) file->candidates[file->candidate_count++] = &claims->dispensings[i];
    if (!narrow(file, is_named)) return refuse(file, missing);
    const bool there = narrow(file, is_there);
    if (file->code != PT_OK) return file->code;
    if (!there) return suspect(file, CLAIM_OTHER_PLACE, ALERT_CLAIMED_NOT_DISPENSED, ALERT_SHADOW, 40);
    if (!narrow(file, is_prescribed)) {
        if (narrow(file, names_none)) return refuse(file, CLAIM_NO_PRESCRIPTION);
        return suspect(file, CLAIM_WRONG_PRESCRIPTION, ALERT_CLAIMED_NOT_DISPENSED, ALERT_SHADOW, 50);
    }
    if (!narrow(file, is_final)) return refuse(file, CLAIM_NOT_FINAL);
    return file->subject->content ? check_quantity(file) : refuse(file, CLAIM_CONTENT_UNKNOWN);
}

// What a terminal without network dispensed may come days later: until then nobody is accused.
static enum pt_code not_dispensed(struct case_file *file) {
    const int64_t days = rule_setting(file->context->settings, "claims.late_days", LATE_DAYS);
    const bool late = file->context->chain_time - file->line->event_time < days * DAY_MILLIS;
    return late ? suspect(file, CLAIM_NOT_DISPENSED, ALERT_CLAIMED_NOT_DISPENSED, ALERT_SHADOW, 30)
                : suspect(file, CLAIM_NOT_DISPENSED, ALERT_CLAIMED_NOT_DISPENSED, ALERT_ENFORCE, 80);
}

enum pt_code claims_decide(struct state_view *view, const struct contract_context *context, const struct claim_line *line,
                           const uint8_t insurer[CLAIM_MARK], struct claim_subject *subject, struct claim_decision *out,
                           struct pt_error *err) {
    struct case_file file = {.view = view, .context = context, .line = line, .insurer = insurer, .subject = subject, .decision = out, .err = err};
    *out = (struct claim_decision){0};
    if (subject->known && (subject->record.flags & PACK_FLAG_CONTAINER)) return refuse(&file, CLAIM_CONTAINER);
    const enum pt_code code = check_product(&file, err);
    if (code != PT_OK) return code;
    if (subject->claims.dispensing_count > 0) out->dispensing = &subject->claims.dispensings[0];
    if (out->reason != CLAIM_REASON_NONE) return PT_OK;
    if (!subject->known) return suspect(&file, CLAIM_UNKNOWN_PACK, ALERT_CLAIMED_NOT_DISPENSED, ALERT_SHADOW, 30);
    return subject->claims.dispensing_count > 0 ? check_dispensing(&file) : not_dispensed(&file);
}
