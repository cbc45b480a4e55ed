// What the table finds suspicious, looked at again: people scan twice, terminals are offline, clocks are wrong, goods go
// back without the word. What explains an alert makes it a note and says so; nothing is left out.
#include "ledger/contracts/detect.h"

#define MINUTE ((int64_t)60)
#define DAY ((int64_t)86400)
#define BURST (10 * MINUTE)  // a terminal that sends again, a hand that scans again

struct judging {
    struct detect_look look;
    struct lifecycle_transition *why;
    const char **detail;
};

static enum pt_code soften(const struct judging *judging, enum alert_kind kind, unsigned confidence, const char *detail) {
    judging->why->alert = kind;
    judging->why->mode = ALERT_SHADOW;
    judging->why->confidence = confidence;
    if (!*judging->detail) *judging->detail = detail;  // what the rule itself said is more precise
    return PT_OK;
}

static int64_t absolute(int64_t value) { return value < 0 ? -value : value; }

static bool same_counter(const struct sighting *sighting) {
    return sighting->party && sighting->record->party == sighting->party && sighting->record->place == sighting->place.name;
}

// A second supply at the counter of the first is a hesitation for some days, once; within minutes, however often. In a
// hospital goods are taken out when they come in and scanned again on the ward.
static enum pt_code judge_second_supply(const struct judging *judging, struct pt_error *err) {
    const struct sighting *sighting = judging->look.sighting;
    const struct pack_record *record = sighting->record;
    const int64_t between = absolute(sighting->facts->event_seconds - record->event_seconds);
    const int64_t hospital_days = detect_setting(sighting->context, "alert.double_scan.hospital_days", 30);
    uint32_t roles;
    // Parts of it come to more than it holds, and one of them was told twice before (detect_repeat.c).
    const bool opened = sighting->effective->state == LIFECYCLE_PART_DISPENSED || sighting->facts->partial;
    if (opened && same_counter(sighting) && (record->flags & PACK_FLAG_TOLD_TWICE))
        return soften(judging, ALERT_DOUBLE_DISPENSE, 35, "beyond its content, but a part of it was told twice before");
    if (!same_counter(sighting) || sighting->effective->state != LIFECYCLE_DISPENSED) return PT_OK;
    if (between <= BURST) return soften(judging, ALERT_DOUBLE_DISPENSE, 5, "the same supply told again within minutes");
    if (!(record->flags & PACK_FLAG_SCANNED_AGAIN) && between <= judging->look.memo->repeat_seconds) {
        judging->look.sink->set_flags |= PACK_FLAG_SCANNED_AGAIN;
        return soften(judging, ALERT_DOUBLE_DISPENSE, 25, "scanned again at the counter that supplied it");
    }
    if (between > hospital_days * DAY) return PT_OK;
    const enum pt_code code = detect_roles(&judging->look, sighting->party, &roles, err);
    if (code == PT_OK && (roles & (1u << MASTER_HOSPITAL)))
        return soften(judging, ALERT_DOUBLE_DISPENSE, 20, "scanned again in the hospital that took it out");
    return code;
}

// Before its data the pack is set aside, and a supply of it raises what it must; receiving it accuses nobody.
static enum pt_code judge_unknown(const struct judging *judging, struct pt_error *err) {
    const struct sighting *sighting = judging->look.sighting;
    bool misread;
    const char *how = NULL;
    const enum pt_code code = detect_misread(&judging->look, &misread, &how, err);
    if (code != PT_OK) return code;
    if (misread) return soften(judging, ALERT_LABEL_MISREAD, 10, how);
    if (sighting->operation == OPERATION_DISPENSE) return PT_OK;
    if (sighting->operation != OPERATION_SHIP)
        return soften(judging, judging->why->alert, 30, "its maker's data have not come: it stays set aside until they do");
    if (!sighting->product) return soften(judging, judging->why->alert, 20, "a container that nobody has filled yet");
    const char *party = sighting->context->signer->party;
    for (int i = 0; i < 2; i++) {
        const char *maker = i ? sighting->product->holder : sighting->product->manufacturer;
        const char *at = party;
        while (*maker && *maker == *at) maker++, at++;
        if (*maker == 0 && *at == 0 && at != party)
            return soften(judging, judging->why->alert, 20, "shipped by its maker before its data: they overtook each other");
    }
    return PT_OK;
}

static enum pt_code judge_expired(const struct judging *judging) {
    const struct sighting *sighting = judging->look.sighting;
    if (!lifecycle_expired(sighting->record->expiry, judging->look.memo->clock.latest) && sighting->record->expiry)
        return soften(judging, ALERT_EXPIRED, 10, "expired by a clock that is ahead; not when it was recorded");
    if (sighting->operation == OPERATION_SHIP) return soften(judging, ALERT_EXPIRED, 40, "shipped past its expiry, perhaps to be destroyed");
    return PT_OK;
}

// Recalled goods travel back; what was supplied before the recall may be told after it.
static enum pt_code judge_recalled(const struct judging *judging) {
    const struct sighting *sighting = judging->look.sighting;
    if (sighting->operation != OPERATION_DISPENSE)
        return soften(judging, ALERT_RECALLED, 40, "recalled goods under way, perhaps back");
    for (size_t i = 0; i < sighting->around->count; i++) {
        const struct pack_record *record = &sighting->around->levels[i].record;
        const bool here = record->state == LIFECYCLE_RECALLED || record->state == LIFECYCLE_WITHDRAWN;
        if (here && sighting->facts->event_seconds <= record->event_seconds + judging->look.memo->clock.error)
            return soften(judging, ALERT_RECALLED, 15, "supplied before the recall, told after it");
    }
    return PT_OK;
}

// The same announcement again, by the same maker: an upload that was repeated.
static enum pt_code judge_announcement(const struct judging *judging, struct pt_error *err) {
    const struct sighting *sighting = judging->look.sighting;
    const struct pack_record *record = sighting->record;
    struct pt_bytes lot = {0};
    if (record->lot) {
        const enum pt_code code = state_name_text(judging->look.view, record->lot, &lot, err);
        if (code != PT_OK) return code;
    }
    if (!pt_bytes_equal(lot, pt_bytes_str(sighting->facts->lot)) || record->expiry != sighting->facts->expiry) return PT_OK;
    if (lot.len == 0 && record->expiry == 0) return PT_OK;
    return soften(judging, ALERT_DUPLICATE_SERIAL, 15, "the same announcement again, with the same lot and expiry");
}

// A pack that was sold, and goods that go back without the word that says so.
static enum pt_code judge_sold(const struct judging *judging) {
    const struct sighting *sighting = judging->look.sighting;
    const struct pack_record *record = sighting->record;
    const bool older = sighting->facts->event_seconds <= record->event_seconds + judging->look.memo->clock.error;
    if (older && same_counter(sighting)) return soften(judging, ALERT_SOLD_PACK_IN_TRADE, 10, "told after the supply that followed it");
    return PT_OK;
}

// A pack that was missed and is found by who missed it.
static enum pt_code judge_dead(const struct judging *judging) {
    const struct sighting *sighting = judging->look.sighting;
    if (sighting->operation == OPERATION_OBSERVE && same_counter(sighting))
        return soften(judging, ALERT_DEAD_CODE, 30, "seen where it was reported missing");
    return PT_OK;
}

static enum pt_code judge(const struct judging *judging, struct pt_error *err) {
    switch (judging->why->alert) {
    case ALERT_DOUBLE_DISPENSE: return judge_second_supply(judging, err);
    case ALERT_UNKNOWN_SERIAL:
    case ALERT_PRODUCT_WITHOUT_DATA: return judge_unknown(judging, err);
    case ALERT_EXPIRED: return judge_expired(judging);
    case ALERT_RECALLED: return judge_recalled(judging);
    case ALERT_DUPLICATE_SERIAL: return judge_announcement(judging, err);
    case ALERT_SOLD_PACK_IN_TRADE: return judge_sold(judging);
    case ALERT_DEAD_CODE: return judge_dead(judging);
    default: break;
    }
    if (judging->why->alert == ALERT_NOT_SALEABLE && judging->look.sighting->operation == OPERATION_UNDO)
        return soften(judging, ALERT_NOT_SALEABLE, 30, "taking back was refused; the pack stays supplied");
    return PT_OK;
}

enum pt_code detectors_judge(const struct sighting *sighting, struct state_view *view, struct detector_sink *sink,
                             struct lifecycle_transition *why, const char **detail, struct pt_error *err) {
    if (!sink->memo) return PT_OK;
    const struct judging judging = {{sighting, view, sink, sink->memo}, why, detail};
    return judge(&judging, err);
}
