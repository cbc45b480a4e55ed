// Too fast: two sightings whose places are farther apart than anything travels in the time between. A copy of a code is
// seen where the pack is not. Clocks that are off look the same: hence their error bounds, and the low confidence where
// the goods were announced to come here.
#include <stdio.h>
#include <stdlib.h>

#include "ledger/contracts/detect.h"
#include "ledger/contracts/distance.h"

#define NEAR_METRES ((int64_t)50000)  // within a town and its surroundings coordinates prove nothing

// Whether the thing was on its way to the party that tells of it.
static bool announced(const struct sighting *sighting) {
    for (size_t i = 0; i < sighting->around->count; i++)
        if (sighting->around->levels[i].record.awaited == sighting->party && sighting->party) return true;
    return false;
}

enum pt_code detect_speed(const struct detect_look *look, struct pt_error *err) {
    const struct sighting *sighting = look->sighting;
    const struct place_facts *here = sighting->place.facts, *there = sighting->previous_place.facts;
    if (!here || !there || !here->located || !there->located || sighting->place.name == sighting->previous_place.name) return PT_OK;
    if (sighting->previous_seconds == 0) return PT_OK;
    const int64_t between = llabs(sighting->facts->event_seconds - sighting->previous_seconds);
    const int64_t seconds = between + 2 * look->memo->clock.error;  // the other clock was no better
    // A day is enough for half the earth's circumference at this speed.
    if (seconds > 20100 * (int64_t)3600 / look->memo->speed) return PT_OK;
    const int64_t metres = distance_metres(here->latitude, here->longitude, there->latitude, there->longitude);
    if (metres < NEAR_METRES || metres * 3600 <= look->memo->speed * 1000 * seconds) return PT_OK;
    char detail[ALERT_DETAIL_MAX + 1];
    const bool own = sighting->effective->party == sighting->party;
    bool named, from_holder, to_holder;
    enum pt_code code = detect_source(look, sighting->effective->party, &named, &from_holder, err);
    if (code == PT_OK) code = detect_ships_to(look, sighting->effective->party, &to_holder, err);
    if (code != PT_OK) return code;
    const bool expected = announced(sighting) || from_holder || to_holder;
    const bool clocks = look->memo->clock.wrong || sighting->previous_seconds > sighting->context->chain_time / 1000 + look->memo->clock.error;
    const char *doubt = clocks ? "; a clock is wrong" : own ? "; both times with the same party" : expected ? "; it was announced to come here" : "";
    snprintf(detail, sizeof detail, "%lld km in %lld minutes%s", (long long)(metres / 1000), (long long)(between / 60), doubt);
    if (clocks || own || expected) return detect_raise(look, ALERT_TOO_FAST, ALERT_SHADOW, clocks ? 10 : 25, detail, err);
    return detect_raise(look, ALERT_TOO_FAST, ALERT_ENFORCE, 80, detail, err);
}
