// Custody gap: goods with a party that nobody shipped them to. Scans that were forgotten or come in late look the same for
// a while, so a receipt alone accuses nobody that could have bought them; it leaves the pack in doubt, and whoever uses it is asked.
#include "ledger/contracts/detect.h"

#define ZONES_SECONDS ((int64_t)14 * 3600)
#define RETAIL ((1u << MASTER_PHARMACY) | (1u << MASTER_HOSPITAL))

// Whom the goods on their way are awaited by: of the pack, or of the outermost container that was shipped.
static uint64_t awaited_by(const struct sighting *sighting) {
    uint64_t awaited = 0;
    for (size_t i = 0; i < sighting->around->count; i++) {
        const struct pack_record *record = &sighting->around->levels[i].record;
        if (record->state == LIFECYCLE_IN_TRANSIT && record->awaited) awaited = record->awaited;
    }
    return awaited;
}

// Custody begins with the first shipment or receipt: where trade tells only the announcement and the supply (as Europe's
// pharmacies may), nothing is missed between them.
static bool goods(enum lifecycle_state state) {
    return state == LIFECYCLE_IN_STOCK || state == LIFECYCLE_IN_TRANSIT || state == LIFECYCLE_PART_DISPENSED;
}

// Received without having been shipped here.
static enum pt_code received(const struct detect_look *look, bool on_the_way, struct pt_error *err) {
    const struct sighting *sighting = look->sighting;
    bool named, from_holder;
    uint32_t roles = 0;
    enum pt_code code = detect_source(look, sighting->effective->party, &named, &from_holder, err);
    if (code != PT_OK) return code;
    if (from_holder)
        return detect_raise(look, ALERT_CUSTODY_GAP, ALERT_SHADOW, 20,
                            on_the_way ? "received from its holder, who had shipped it to somebody else" : "received from its holder, whose shipment is not known", err);
    code = detect_roles(look, sighting->effective->party, &roles, err);
    if (code != PT_OK) return code;
    if (roles & RETAIL)
        return detect_raise(look, ALERT_CUSTODY_GAP, ALERT_ENFORCE, 75,
                            on_the_way ? "received though a pharmacy had shipped it to somebody else" : "received out of a pharmacy's stock, which nobody shipped", err);
    look->sink->set_flags |= PACK_FLAG_DOUBTFUL | (named ? PACK_FLAG_FALSE_SOURCE : 0);
    return detect_raise(look, ALERT_CUSTODY_GAP, ALERT_SHADOW, named ? 45 : 35,
                        named ? "received from a party that did not hold it" : "received without a source, and nobody had shipped it here", err);
}

// Supplied or shipped by who never received it.
static enum pt_code used_unreceived(const struct detect_look *look, bool on_the_way, uint64_t awaited, struct pt_error *err) {
    const struct sighting *sighting = look->sighting;
    bool passed_on;
    const enum pt_code code = detect_ships_to(look, awaited, &passed_on, err);
    if (code != PT_OK) return code;
    if (passed_on)
        return detect_raise(look, ALERT_CUSTODY_GAP, ALERT_SHADOW, 20, "delivered wrongly, and passed on to whom it was shipped to", err);
    if (sighting->record->flags & PACK_FLAG_OVERTAKEN) {
        look->sink->clear_flags |= PACK_FLAG_OVERTAKEN;
        return detect_raise(look, ALERT_CUSTODY_GAP, ALERT_SHADOW, 20, "its receipt from the holder came with a clock that is off", err);
    }
    // Paper runs ahead of goods and behind them, and both scans of a delivery may be missing: what a trader holds and
    // somebody else uses is only noted. Out of a pharmacy's stock nothing comes that way.
    uint32_t roles;
    const enum pt_code known = detect_roles(look, sighting->effective->party, &roles, err);
    if (known != PT_OK) return known;
    if (!on_the_way && (sighting->operation == OPERATION_SHIP || !(roles & RETAIL)))
        return detect_raise(look, ALERT_CUSTODY_GAP, ALERT_SHADOW, 35, "used by a party that never received it from its holder", err);
    return detect_raise(look, ALERT_CUSTODY_GAP, ALERT_ENFORCE, 70,
                        on_the_way ? "used by a party that it was not shipped to" : "supplied by a party that never received it", err);
}

// Used by who received it in doubt.
static enum pt_code used_in_doubt(const struct detect_look *look, struct pt_error *err) {
    const struct sighting *sighting = look->sighting;
    const int64_t since = look->memo->clock.latest - sighting->record->event_seconds;
    const bool false_source = (sighting->record->flags & PACK_FLAG_FALSE_SOURCE) != 0;
    if (!false_source && sighting->operation == OPERATION_DISPENSE && since < look->memo->custody_seconds)
        return detect_raise(look, ALERT_CUSTODY_GAP, ALERT_SHADOW, 40, "used before anybody said that it was shipped here; that may still come", err);
    look->sink->clear_flags |= PACK_FLAG_DOUBTFUL | PACK_FLAG_FALSE_SOURCE;
    return detect_raise(look, ALERT_CUSTODY_GAP, ALERT_ENFORCE, false_source ? 75 : 60,
                        false_source ? "used by a party that had it from somebody who never held it" : "used by a party that nobody shipped it to", err);
}

// A receipt that is older than what is known changes nothing, so that the holder stays another. By hours, and from that
// holder: a clock or a zone is off.
static enum pt_code received_before(const struct detect_look *look, struct pt_error *err) {
    const struct sighting *sighting = look->sighting;
    bool named, from_holder;
    const enum pt_code code = detect_source(look, sighting->effective->party, &named, &from_holder, err);
    const int64_t older = sighting->record->event_seconds - sighting->facts->event_seconds;
    if (code == PT_OK && from_holder && older < ZONES_SECONDS) look->sink->set_flags |= PACK_FLAG_OVERTAKEN;
    return code;
}

enum pt_code detect_custody(const struct detect_look *look, struct pt_error *err) {
    const struct sighting *sighting = look->sighting;
    const enum lifecycle_operation operation = sighting->operation;
    const bool uses = operation == OPERATION_SHIP || operation == OPERATION_DISPENSE;
    const uint64_t holder = sighting->effective->party;
    // The shipment that was missing has come in, late.
    if (sighting->late && operation == OPERATION_SHIP && (sighting->record->flags & PACK_FLAG_DOUBTFUL))
        look->sink->clear_flags |= PACK_FLAG_DOUBTFUL | PACK_FLAG_FALSE_SOURCE;
    if (sighting->late && operation == OPERATION_RECEIVE && holder != sighting->party) return received_before(look, err);
    if (sighting->late || sighting->party == 0 || (!uses && operation != OPERATION_RECEIVE)) return PT_OK;
    if (sighting->around->count == 0 || holder == 0 || !goods(sighting->effective->state)) return PT_OK;
    if (sighting->around->emptied) return PT_OK;  // it came here in a container, and was not told of since that was emptied
    const bool on_the_way = sighting->effective->state == LIFECYCLE_IN_TRANSIT;
    const uint64_t awaited = on_the_way ? awaited_by(sighting) : 0;
    if (on_the_way && (awaited == 0 || awaited == sighting->party)) return PT_OK;
    if (holder == sighting->party) return uses && (sighting->record->flags & PACK_FLAG_DOUBTFUL) ? used_in_doubt(look, err) : PT_OK;
    return uses ? used_unreceived(look, on_the_way, awaited, err) : received(look, on_the_way, err);
}
