// What the lifecycle says about what it finds suspicious, and what it shows the detectors.
#include <stdio.h>
#include <string.h>

#include "ledger/contracts/lifecycle_internal.h"

#define ALERTS_MAX_COUNTED 255u

// The European verification systems' alert codes, for those who compare; NULL: they have none for it.
static const char *nmvs_code(const struct item *item, enum alert_kind kind) {
    const enum lifecycle_state from = item->effective.state;
    if (kind == ALERT_UNKNOWN_SERIAL || kind == ALERT_PRODUCT_WITHOUT_DATA) return "NMVS_NC_PC_02";
    switch (item->operation) {
    case OPERATION_UNDO: return "NMVS_NC_PCK_06";
    case OPERATION_EXPORT:
    case OPERATION_CHECK_OUT:
        if (from == LIFECYCLE_EXPORTED || from == LIFECYCLE_CHECKED_OUT) return "NMVS_NC_PCK_19";
        return "NMVS_NC_PCK_27";
    case OPERATION_DISPENSE:
    case OPERATION_DECOMMISSION:
    case OPERATION_DESTROY:
    case OPERATION_SAMPLE:
    case OPERATION_FREE_SAMPLE:
    case OPERATION_LOCK: return lifecycle_state_dispensable(from) ? NULL : "NMVS_NC_PCK_22";
    default: return NULL;
    }
}

enum pt_code lifecycle_raise(struct work *work, struct item *item, const struct lifecycle_transition *why, const char *detail,
                             struct pt_error *err) {
    struct lifecycle_transition judged = *why;
    if (!work->detecting && work->looked_at == item) {
        const enum pt_code code = detectors_judge(&work->sighting, work->view, &work->detectors, &judged, &detail, err);
        if (code != PT_OK) return code;
        item->record.flags |= work->detectors.set_flags;
    }
    struct alert_record alert = {
        .kind = judged.alert,
        .mode = judged.mode,
        .confidence = judged.confidence,
        .pack = item->key,
        .evidence = {work->context->leaf_index},
        .evidence_count = 1,
        .event_time = pt_instant_millis(&work->input->event->event_time),
    };
    if (item->record.last > 0 && item->record.last - 1 != work->context->leaf_index)
        alert.evidence[alert.evidence_count++] = item->record.last - 1;
    const char *code = work->facts.profile == PROFILE_EU && !detail ? nmvs_code(item, why->alert) : NULL;
    if (detail)
        snprintf(alert.detail, sizeof alert.detail, "%s", detail);
    else
        snprintf(alert.detail, sizeof alert.detail, "%s of a pack that is %s%s%s%s", lifecycle_operation_name(item->operation),
                 lifecycle_state_name(item->effective.state), code ? " (" : "", code ? code : "", code ? ")" : "");
    if (item->record.alerts < ALERTS_MAX_COUNTED) item->record.alerts++;
    return contract_raise(work->context, work->output, &alert, err);
}

enum pt_code lifecycle_raise_kind(struct work *work, struct item *item, enum alert_kind kind, enum alert_mode mode, unsigned confidence,
                                  const char *detail, struct pt_error *err) {
    const struct lifecycle_transition why = {.alert = kind, .mode = mode, .confidence = confidence};
    return lifecycle_raise(work, item, &why, detail, err);
}

static enum pt_code raise_from_detector(struct detector_sink *sink, enum alert_kind kind, enum alert_mode mode, unsigned confidence,
                                        const char *detail, struct pt_error *err) {
    struct work *work = sink->ctx;
    return lifecycle_raise_kind(work, work->looked_at, kind, mode, confidence, detail, err);
}

// Neighbours mostly come from one place.
static enum pt_code place_before(struct work *work, uint64_t name, struct sighting_place *out, struct pt_error *err) {
    struct pt_bytes text;
    bool found;
    *out = name == work->here.name ? work->here : work->there;
    if (name == out->name) return PT_OK;
    work->there = *out = (struct sighting_place){.name = name};
    if (name == 0) return PT_OK;
    enum pt_code code = state_name_text(work->view, name, &text, err);
    char *id = code == PT_OK ? pt_arena_alloc(work->context->arena, 1, text.len + 1) : NULL;
    if (code == PT_OK && !id) code = pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    if (code != PT_OK) return code;
    if (text.len > 0) memcpy(id, text.data, text.len);
    code = master_facts_place(work->view, work->context->arena, id, work->products.at, &work->there_facts, &found, err);
    if (code == PT_OK && found) work->there.facts = &work->there_facts;
    *out = work->there;
    return code;
}

enum pt_code lifecycle_look(struct work *work, struct item *item, struct pt_error *err) {
    uint64_t place = 0;
    work->sighted = item->record;  // counting its alerts changes the item's own
    work->sighting = (struct sighting){
        .input = work->input,
        .context = work->context,
        .facts = &work->facts,
        .key = item->key,
        .role = item->role,
        .operation = item->operation,
        .around = &item->around,
        .effective = &item->effective,
        .record = &work->sighted,
        .late = item->late,
        .product = item->product,
        .place = work->here,
        .party = work->party,
    };
    struct sighting *sighting = &work->sighting;
    for (size_t i = 0; i < item->around.count; i++) {
        const struct pack_record *record = &item->around.levels[i].record;
        if (sighting->previous_seconds && record->seen_seconds <= sighting->previous_seconds) continue;
        sighting->previous_seconds = record->seen_seconds;
        place = record->seen_place;
    }
    enum pt_code code = place_before(work, place, &sighting->previous_place, err);
    if (code != PT_OK) return code;
    work->looked_at = item;
    work->detectors.raise = raise_from_detector;
    work->detecting = true;
    code = detectors_look(sighting, work->view, &work->detectors, err);
    work->detecting = false;
    item->record.flags = (item->record.flags | work->detectors.set_flags) & ~work->detectors.clear_flags;
    return code != PT_OK ? code : recall_look(sighting, &work->recalls, work->view, &work->detectors, err);
}
