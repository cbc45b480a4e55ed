// What events say about claims: a dispensing is remembered, its undoing and the goods' return take it back. Everything
// else passes without a read or a write.
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/text.h"
#include "common/crypto/digest.h"
#include "common/epcis/event_hash.h"
#include "common/epcis/packtrail_terms.h"
#include "ledger/contracts/claims_internal.h"
#include "ledger/contracts/lifecycle.h"

// What the event says that counts for all its packs.
struct saying {
    struct state_view *view;
    const struct contract_input *input;
    const struct contract_context *context;
    struct lifecycle_facts facts;
    uint64_t place, party;            // names
    uint8_t event[CLAIM_MARK];
    bool has_prescription;
    struct pt_digest prescription;
    struct pt_bytes *flagged;         // keys of packs that were expired, or recalled, when dispensed; sorted
    unsigned *flags;
    size_t flagged_count;
    struct pt_arena arena;            // of one pack
};

// What the event is for claims: OPERATION_DISPENSE, its OPERATION_UNDO, OPERATION_TAKE_BACK; everything else is
// OPERATION_OBSERVE. Undoing an export or a sample is no business of insurers.
static enum lifecycle_operation operation_of(const struct epcis_event *event, enum pack_role role) {
    const enum lifecycle_operation operation = lifecycle_operation_of(event, role);
    if (operation == OPERATION_DISPENSE || operation == OPERATION_TAKE_BACK) return operation;
    if (operation == OPERATION_UNDO && lifecycle_operation_declared(event, role) == OPERATION_DISPENSE) return operation;
    return OPERATION_OBSERVE;
}

void claims_declare_event(const struct contract_input *input, const struct contract_context *context, struct access_list *out) {
    bool takes_back = false;
    (void)context;
    for (size_t i = 0; i < input->pack_count; i++) {
        // All packs of one role mean the same: the first of each role is asked.
        const enum pack_role role = input->packs[i].role;
        const enum lifecycle_operation operation = operation_of(input->event, role);
        if (operation == OPERATION_OBSERVE) {
            while (i + 1 < input->pack_count && input->packs[i + 1].role == role) i++;
            continue;
        }
        takes_back = takes_back || operation != OPERATION_DISPENSE;
        for (;; i++) {
            claim_subject_declare(input->packs[i].key, true, out);
            if (i + 1 == input->pack_count || input->packs[i + 1].role != role) break;
        }
    }
    static const uint8_t due[] = {'d'};
    if (takes_back) access_declare(out, STATE_CLAIM, ACCESS_WRITE | ACCESS_PREFIX, pt_bytes_of(due, 1));
}

// --- The event ---

static bool hex_digest(const char *text, struct pt_digest *out) {
    uint8_t memory[PT_DIGEST_SIZE + 1];
    struct pt_buf bytes = PT_BUF_OVER(memory);
    if (strlen(text) != 2 * PT_DIGEST_SIZE || pt_hex_decode(pt_bytes_str(text), &bytes, NULL) != PT_OK) return false;
    memcpy(out->bytes, memory, PT_DIGEST_SIZE);
    return true;
}

static void read_prescription(struct saying *saying) {
    const struct epcis_references *references = &saying->input->event->biz_transactions;
    const size_t prefix = sizeof PACKTRAIL_PRESCRIPTION_URI - 1;
    for (size_t i = 0; i < references->count && !saying->has_prescription; i++) {
        const struct epcis_reference *reference = &references->items[i];
        if (!reference->type || strcmp(reference->type, PACKTRAIL_TRANSACTION_PRESCRIPTION) != 0) continue;
        if (!reference->id || strncmp(reference->id, PACKTRAIL_PRESCRIPTION_URI, prefix) != 0) continue;
        saying->has_prescription = hex_digest(reference->id + prefix, &saying->prescription);
    }
}

// The event's identity: the ID that its capturer gave, else the CBV hash, which an error declaration does not change.
static enum pt_code mark_event(struct saying *saying, struct pt_error *err) {
    char hash[EPCIS_EVENT_HASH_SIZE];
    const char *id = saying->input->event->event_id;
    if (!id || !id[0]) {
        const enum pt_code code = epcis_event_hash(saying->input->event, NULL, hash, err);
        if (code == PT_NO_MEMORY) return code;
        if (code != PT_OK) return memcpy(saying->event, saying->input->id.bytes, CLAIM_MARK), PT_OK;
        id = hash;
    }
    const struct pt_digest digest = sha256(pt_bytes_str(id));
    memcpy(saying->event, digest.bytes, CLAIM_MARK);
    return PT_OK;
}

static int by_key(const void *a, const void *b) { return pt_bytes_compare(*(const struct pt_bytes *)a, *(const struct pt_bytes *)b); }

// Which packs the contracts before this one found expired or recalled.
static enum pt_code read_flags(struct saying *saying, const struct contract_output *output, struct pt_error *err) {
    size_t count = 0;
    if (output->alert_count == 0) return PT_OK;
    saying->flagged = pt_arena_alloc(saying->context->arena, output->alert_count, sizeof *saying->flagged);
    saying->flags = pt_arena_alloc(saying->context->arena, output->alert_count, sizeof *saying->flags);
    if (!saying->flagged || !saying->flags) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    for (size_t i = 0; i < output->alert_count; i++)
        if (output->alerts[i].kind == ALERT_EXPIRED || output->alerts[i].kind == ALERT_RECALLED) saying->flagged[count++] = output->alerts[i].pack;
    if (count == 0) return PT_OK;
    qsort(saying->flagged, count, sizeof *saying->flagged, by_key);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || !pt_bytes_equal(saying->flagged[i], saying->flagged[saying->flagged_count - 1]))
            saying->flagged[saying->flagged_count++] = saying->flagged[i];
    for (size_t i = 0; i < output->alert_count; i++) {
        const struct alert_record *alert = &output->alerts[i];
        if (alert->kind != ALERT_EXPIRED && alert->kind != ALERT_RECALLED) continue;
        const struct pt_bytes *found = bsearch(&alert->pack, saying->flagged, saying->flagged_count, sizeof *found, by_key);
        saying->flags[found - saying->flagged] |= alert->kind == ALERT_EXPIRED ? CLAIM_FLAG_EXPIRED : CLAIM_FLAG_RECALLED;
    }
    return PT_OK;
}

static unsigned flags_of(const struct saying *saying, struct pt_bytes pack) {
    const struct pt_bytes *found =
        saying->flagged_count ? bsearch(&pack, saying->flagged, saying->flagged_count, sizeof *found, by_key) : NULL;
    return found ? saying->flags[found - saying->flagged] : 0;
}

static enum pt_code prepare(struct saying *saying, const struct contract_output *output, struct pt_error *err) {
    enum pt_code code = PT_OK;
    lifecycle_facts_read(saying->input, saying->context, &saying->facts);
    read_prescription(saying);
    if (saying->facts.place) code = state_name_of(saying->view, NAME_PLACE, pt_bytes_str(saying->facts.place), &saying->place, err);
    const char *party = saying->context->signer->party;
    if (code == PT_OK && party[0]) code = state_name_of(saying->view, NAME_PARTY, pt_bytes_str(party), &saying->party, err);
    if (code == PT_OK) code = mark_event(saying, err);
    return code == PT_OK ? read_flags(saying, output, err) : code;
}

// --- Dispensing ---

// Nothing of it can be claimed or is claimed: it explains a refusal, and makes room when room is short.
static bool forgettable(const struct claim_dispensing *dispensing) {
    return dispensing->asked > 0 && dispensing->settled == 0 && claim_dispensing_net(dispensing) == 0;
}

static bool make_room(struct claim_subject *subject) {
    struct claim_pack *claims = &subject->claims;
    if (claims->dispensing_count < CLAIM_PARTS_MAX) return true;
    for (size_t i = 0; subject->content > 0 && i < claims->dispensing_count; i++) {
        if (!forgettable(&claims->dispensings[i])) continue;
        memmove(&claims->dispensings[i], &claims->dispensings[i + 1], (claims->dispensing_count - i - 1) * sizeof claims->dispensings[0]);
        claims->dispensing_count--;
        return true;
    }
    subject->changed = subject->changed || !claims->full;
    claims->full = true;
    return false;
}

// Takes back of one dispensing as much as there is; gives what it took, CLAIM_ALL if that is not known.
static uint64_t take_back(struct claim_dispensing *dispensing, uint64_t units) {
    if (dispensing->back == CLAIM_ALL) return 0;
    if (dispensing->asked == 0) {  // nobody knows how much it was
        const uint64_t sum = units == CLAIM_ALL ? CLAIM_ALL : dispensing->back + units;
        dispensing->back = sum < dispensing->back ? CLAIM_ALL : sum;
        return units;
    }
    const uint64_t left = dispensing->asked > dispensing->back ? dispensing->asked - dispensing->back : 0;
    const uint64_t taken = units < left ? units : left;
    dispensing->back += taken;
    return taken;
}

// Returns that came before it and happened after it.
static void settle_unmatched(struct claim_pack *claims, struct claim_dispensing *dispensing) {
    size_t kept = 0;
    for (size_t i = 0; i < claims->unmatched_count; i++) {
        struct claim_unmatched unmatched = claims->unmatched[i];
        if (unmatched.seconds >= dispensing->seconds) {
            const uint64_t taken = take_back(dispensing, unmatched.units);
            if (unmatched.units != CLAIM_ALL) unmatched.units -= taken < unmatched.units ? taken : unmatched.units;
        }
        if (unmatched.units > 0) claims->unmatched[kept++] = unmatched;
    }
    claims->unmatched_count = kept;
}

static enum pt_code dispense(struct saying *saying, struct claim_subject *subject, struct pt_error *err) {
    struct claim_pack *claims = &subject->claims;
    const struct lifecycle_facts *facts = &saying->facts;
    for (size_t i = 0; i < claims->dispensing_count; i++)  // the same event again, perhaps signed by another device
        if (memcmp(claims->dispensings[i].event, saying->event, CLAIM_MARK) == 0 && claims->dispensings[i].party == saying->party) return PT_OK;
    if (!make_room(subject)) return PT_OK;
    struct claim_dispensing *dispensing = claim_pack_add_dispensing(claims, &saying->arena);
    if (!dispensing) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    dispensing->leaf = saying->context->leaf_index;
    dispensing->seconds = facts->event_seconds;
    dispensing->place = saying->place;
    dispensing->party = saying->party;
    // A part of which nobody says how much it was is at least one unit, and no more is proved.
    dispensing->asked = facts->units > 0 ? facts->units : facts->partial ? 1 : 0;
    dispensing->flags = flags_of(saying, subject->key);
    memcpy(dispensing->statement, saying->input->id.bytes, CLAIM_MARK);
    memcpy(dispensing->event, saying->event, CLAIM_MARK);
    dispensing->has_prescription = saying->has_prescription;
    if (saying->has_prescription) memcpy(dispensing->prescription, saying->prescription.bytes, sizeof dispensing->prescription);
    settle_unmatched(claims, dispensing);
    // It came late: the patient had brought the pack back before anybody heard that it was sold.
    if (!subject->has_claims && subject->record.state == LIFECYCLE_RETURNED && subject->record.event_seconds > facts->event_seconds)
        dispensing->back = CLAIM_ALL;
    if (subject->content > 0) claim_pack_grant(claims, subject->content);
    subject->changed = true;
    return PT_OK;
}

// --- Undoing and returning ---

// An event that did not happen takes itself back; told under another ID, what the same party dispensed at that time, else
// the newest that it dispensed. Nobody undoes what another party said.
static void undo(const struct saying *saying, struct claim_subject *subject) {
    struct claim_pack *claims = &subject->claims;
    struct claim_dispensing *same_time = NULL, *newest = NULL;
    for (size_t i = 0; i < claims->dispensing_count; i++) {
        struct claim_dispensing *dispensing = &claims->dispensings[i];
        if (dispensing->party != saying->party) continue;
        if (memcmp(dispensing->event, saying->event, CLAIM_MARK) == 0) {
            subject->changed = take_back(dispensing, CLAIM_ALL) > 0;
            return;
        }
        const bool open = dispensing->back != CLAIM_ALL && (dispensing->asked == 0 || dispensing->asked > dispensing->back);
        if (open && dispensing->seconds == saying->facts.event_seconds) same_time = dispensing;
        if (open) newest = dispensing;
    }
    struct claim_dispensing *chosen = same_time ? same_time : newest;
    if (chosen) subject->changed = take_back(chosen, saying->facts.units ? saying->facts.units : CLAIM_ALL) > 0;
}

static void keep_unmatched(struct claim_pack *claims, int64_t seconds, uint64_t units) {
    for (size_t i = 0; units == CLAIM_ALL && i < claims->unmatched_count; i++) {
        if (claims->unmatched[i].units != CLAIM_ALL) continue;
        if (claims->unmatched[i].seconds < seconds) claims->unmatched[i].seconds = seconds;
        return;
    }
    if (claims->unmatched_count == CLAIM_UNMATCHED_MAX) {
        memmove(&claims->unmatched[0], &claims->unmatched[1], (CLAIM_UNMATCHED_MAX - 1) * sizeof claims->unmatched[0]);
        claims->unmatched_count--;
    }
    claims->unmatched[claims->unmatched_count++] = (struct claim_unmatched){seconds, units};
}

// The newest of what was dispensed before, still out: by the time that events say, not by the order in which they came.
static struct claim_dispensing *newest_out(const struct claim_pack *claims, int64_t until) {
    struct claim_dispensing *newest = NULL;
    for (size_t i = 0; i < claims->dispensing_count; i++) {
        struct claim_dispensing *dispensing = &claims->dispensings[i];
        const bool out = dispensing->back != CLAIM_ALL && (dispensing->asked == 0 || dispensing->asked > dispensing->back);
        if (out && dispensing->seconds <= until && (!newest || dispensing->seconds >= newest->seconds)) newest = dispensing;
    }
    return newest;
}

static void goods_came_back(const struct saying *saying, struct claim_subject *subject) {
    struct claim_pack *claims = &subject->claims;
    const int64_t seconds = saying->facts.event_seconds;
    uint64_t units = saying->facts.units ? saying->facts.units : CLAIM_ALL;
    for (struct claim_dispensing *dispensing; units > 0 && (dispensing = newest_out(claims, seconds));) {
        const uint64_t taken = take_back(dispensing, units);
        if (units != CLAIM_ALL) units -= taken < units ? taken : units;
    }
    if (units > 0) keep_unmatched(claims, seconds, units);
    subject->changed = true;
}

// Lines that stand on what was taken back: their insurers are told when they ask.
static enum pt_code mark_due(const struct saying *saying, struct claim_subject *subject, struct pt_error *err) {
    struct claim_pack *claims = &subject->claims;
    if (subject->content == 0 || claims->line_count == 0) return PT_OK;
    claim_pack_grant(claims, subject->content);
    for (size_t i = 0; i < claims->line_count; i++) {
        uint8_t memory[CLAIM_MARK + CLAIM_LINE_KEY + 2];
        struct pt_buf key = PT_BUF_OVER(memory);
        if (!claim_pack_reversal_due(claims, i)) continue;
        claim_key_due(claims->lines[i].insurer, claims->lines[i].key, &key);
        const enum pt_code code = state_put(saying->view, STATE_CLAIM, pt_buf_bytes(&key), subject->key, err);
        if (code != PT_OK) return code;
    }
    return PT_OK;
}

static enum pt_code apply_to(struct saying *saying, struct pt_bytes key, enum lifecycle_operation operation, struct pt_error *err) {
    struct claim_subject subject;
    pt_arena_reset(&saying->arena);
    enum pt_code code = claim_subject_read(saying->view, saying->context, key, &saying->arena, &subject, err);
    if (code != PT_OK) return code;
    if (operation == OPERATION_DISPENSE) code = dispense(saying, &subject, err);
    else if (!subject.has_claims) return PT_OK;  // never dispensed, as far as anybody knows: nothing to take back
    else if (operation == OPERATION_UNDO) undo(saying, &subject);
    else goods_came_back(saying, &subject);
    if (code == PT_OK && subject.changed && operation != OPERATION_DISPENSE) code = mark_due(saying, &subject, err);
    return code == PT_OK && subject.changed ? claim_subject_write(saying->view, &subject, err) : code;
}

enum pt_code claims_apply_event(struct state_view *view, const struct contract_input *input, const struct contract_context *context,
                                struct contract_output *output, struct pt_error *err) {
    struct saying saying = {.view = view, .input = input, .context = context};
    enum lifecycle_operation operations[PACK_ROLE_OUTPUT + 1] = {0};
    bool any = false;
    for (size_t i = 0; i < input->pack_count; i++) {
        const enum pack_role role = input->packs[i].role;
        if (i > 0 && input->packs[i - 1].role == role) continue;
        operations[role] = operation_of(input->event, role);
        any = any || operations[role] != OPERATION_OBSERVE;
    }
    if (!any) return PT_OK;
    enum pt_code code = prepare(&saying, output, err);
    for (size_t i = 0; code == PT_OK && i < input->pack_count; i++)
        if (operations[input->packs[i].role] != OPERATION_OBSERVE)
            code = apply_to(&saying, input->packs[i].key, operations[input->packs[i].role], err);
    pt_arena_free(&saying.arena);
    return code;
}
