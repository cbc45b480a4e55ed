#include "ledger/contracts/detectors.h"

#include "ledger/contracts/detect.h"

#define MINUTE ((int64_t)60)
#define DAY ((int64_t)86400)

void detectors_declare(const struct contract_input *input, const struct contract_context *context, struct access_list *out) {
    static const uint8_t parties[1] = {MASTER_PARTY};
    access_declare(out, STATE_FACTS, ACCESS_READ | ACCESS_PREFIX, pt_bytes_of(parties, 1));
    detect_misread_declare(input, context, out);
}

bool detectors_sees(enum lifecycle_operation operation) {
    switch (operation) {
    case OPERATION_VOID_SHIP:
    case OPERATION_UNDO:
    case OPERATION_HOLD:
    case OPERATION_RELEASE:
    case OPERATION_RECALL:
    case OPERATION_DECOMMISSION:
    case OPERATION_STEAL:
    case OPERATION_LOCK:
    case OPERATION_WITHDRAW: return false;
    default: return true;
    }
}

static struct detect_clock clock_of(const struct sighting *sighting) {
    const struct contract_context *context = sighting->context;
    const int64_t usual = detect_setting(context, "alert.clock.seconds", 5 * MINUTE);
    const int64_t offline = detect_setting(context, "alert.clock.offline_days", 10) * DAY;
    const int64_t recorded = context->chain_time / 1000, event = sighting->input->event->event_time.seconds;
    struct detect_clock clock = {.error = sighting->facts->clock_error > usual ? sighting->facts->clock_error : usual};
    clock.wrong = event > recorded + clock.error || event < recorded - offline - clock.error;
    clock.latest = event < recorded ? event : recorded;
    return clock;
}

static bool has_label(const struct epcis_event *event) {
    return event->extensions.count > 0;
}

static enum pt_code remember(const struct sighting *sighting, struct detector_sink *sink, struct pt_error *err) {
    const struct contract_context *context = sighting->context;
    struct detect_memo *memo = pt_arena_alloc(context->arena, 1, sizeof *memo);
    if (!memo) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    sink->memo = memo;
    memo->clock = clock_of(sighting);
    memo->has_sensors = sighting->input->event->sensor_element_count > 0;
    memo->has_label = has_label(sighting->input->event);
    memo->speed = detect_setting(context, "alert.too_fast.kmh", 900);
    memo->repeat_seconds = detect_setting(context, "alert.double_scan.days", 3) * DAY;
    memo->moment_seconds = detect_setting(context, "alert.double_scan.part_seconds", 120);
    memo->custody_seconds = detect_setting(context, "alert.custody_gap.days", 8) * DAY;
    return PT_OK;
}

enum pt_code detectors_look(const struct sighting *sighting, struct state_view *view, struct detector_sink *sink,
                            struct pt_error *err) {
    enum pt_code code = PT_OK;
    if (!sink->memo) code = remember(sighting, sink, err);
    sink->set_flags = sink->clear_flags = 0;
    if (code != PT_OK) return code;
    struct detect_memo *memo = sink->memo;
    const struct detect_look look = {sighting, view, sink, memo};
    // What is declared in error did not happen as told; who declares it need not have the thing at hand.
    if (code != PT_OK || sighting->input->event->error_declaration.present) return code;
    if (detectors_sees(sighting->operation)) code = detect_speed(&look, err);
    if (code == PT_OK) code = detect_custody(&look, err);
    if (code == PT_OK && sighting->product) code = detect_territory(&look, err);
    if (code == PT_OK && memo->has_sensors && sighting->product) code = detect_temperature(&look, err);
    detect_repeat(&look);
    if (code == PT_OK && memo->has_label) code = detect_label(&look, err);
    return code;
}

enum pt_code detect_roles(const struct detect_look *look, uint64_t party, uint32_t *roles, struct pt_error *err) {
    struct detect_memo *memo = look->memo;
    struct pt_bytes text;
    struct party_facts facts;
    bool found;
    *roles = party && memo->role_party == party ? memo->roles : 0;
    if (party == 0 || memo->role_party == party) return PT_OK;
    enum pt_code code = state_name_text(look->view, party, &text, err);
    if (code != PT_OK) return code;
    const char *id = pt_arena_strdup(look->sighting->context->arena, text);
    if (!id) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    code = master_facts_party(look->view, look->sighting->context->arena, id, look->memo->clock.latest * 1000, &facts, &found, err);
    if (code != PT_OK) return code;
    memo->role_party = party;
    memo->roles = *roles = found ? facts.roles : 0;
    return PT_OK;
}

enum pt_code detect_source(const struct detect_look *look, uint64_t party, bool *named, bool *is_party, struct pt_error *err) {
    struct detect_memo *memo = look->memo;
    const struct epcis_references *sources = &look->sighting->input->event->sources;
    struct pt_bytes text = {0};
    if (party == 0 || memo->source_holder != party) {
        const enum pt_code code = party ? state_name_text(look->view, party, &text, err) : PT_OK;
        if (code != PT_OK) return code;
        memo->source_holder = party;
        memo->source_named = memo->source_is_holder = false;
        for (size_t i = 0; i < sources->count; i++) {
            if (!sources->items[i].id) continue;
            memo->source_named = true;
            if (party && pt_bytes_equal(pt_bytes_str(sources->items[i].id), text)) memo->source_is_holder = true;
        }
    }
    *named = memo->source_named;
    *is_party = memo->source_is_holder;
    return PT_OK;
}

enum pt_code detect_ships_to(const struct detect_look *look, uint64_t party, bool *yes, struct pt_error *err) {
    const struct sighting *sighting = look->sighting;
    struct pt_bytes text;
    *yes = false;
    if (party == 0 || sighting->operation != OPERATION_SHIP || !sighting->facts->awaited) return PT_OK;
    const enum pt_code code = state_name_text(look->view, party, &text, err);
    *yes = code == PT_OK && pt_bytes_equal(text, pt_bytes_str(sighting->facts->awaited));
    return code;
}
