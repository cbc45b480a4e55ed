#include "ledger/contracts/recall_look.h"

#include <stdio.h>
#include <string.h>

static bool handles_goods(enum lifecycle_operation operation) {
    return operation == OPERATION_SHIP || operation == OPERATION_RECEIVE || operation == OPERATION_DISPENSE;
}

static enum pt_code lot_of(const struct sighting *sighting, struct state_view *view, const char **out, struct pt_error *err) {
    struct pt_bytes text;
    *out = NULL;
    if (sighting->record->lot == 0) return PT_OK;
    const enum pt_code code = state_name_text(view, sighting->record->lot, &text, err);
    if (code != PT_OK) return code;
    *out = pt_arena_strdup(sighting->context->arena, text);
    return *out ? PT_OK : pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
}

enum pt_code recall_look(const struct sighting *sighting, const struct recall_lists *lists, struct state_view *view,
                         struct detector_sink *sink, struct pt_error *err) {
    struct pack_id id;
    struct recall_cover cover;
    char detail[ALERT_DETAIL_MAX + 1];
    if (lists->count == 0 || !handles_goods(sighting->operation)) return PT_OK;
    // Set aside for a recall by an event of its own: the table raises that.
    if (sighting->effective->state == LIFECYCLE_RECALLED) return PT_OK;
    struct recall_pack pack = {.id = &id, .event_time = pt_instant_millis(&sighting->input->event->event_time)};
    enum pt_code code = pack_id_from_key(sighting->key, &id, err);
    if (code == PT_OK) code = lot_of(sighting, view, &pack.lot, err);
    if (code != PT_OK) return code;
    if (sighting->place.facts) pack.territory = sighting->place.facts->territory;
    recall_covers(lists, &pack, &cover);
    if (!cover.covered || cover.doubt) return PT_OK;
    snprintf(detail, sizeof detail, "%s of a pack that recall %s (class %u) covers", lifecycle_operation_name(sighting->operation),
             cover.recall->id, cover.recall->level);
    return sink->raise(sink, ALERT_RECALLED, ALERT_ENFORCE, sighting->operation == OPERATION_DISPENSE ? 90 : 70, detail, err);
}
