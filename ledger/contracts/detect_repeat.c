// Double scan of a part: the same supply from an opened pack told again within moments. Two patients in a row look the same,
// so that it counts and accuses nobody; it is remembered, and explains a sum that comes out too high later.
#include <stdlib.h>

#include "ledger/contracts/detect.h"

void detect_repeat(const struct detect_look *look) {
    const struct sighting *sighting = look->sighting;
    const struct pack_record *record = sighting->record;
    if (sighting->operation != OPERATION_DISPENSE || sighting->effective->state != LIFECYCLE_PART_DISPENSED) return;
    if (record->place != sighting->place.name || record->party != sighting->party) return;
    const int64_t between = llabs(sighting->facts->event_seconds - record->event_seconds);
    if (between <= look->memo->moment_seconds) look->sink->set_flags |= PACK_FLAG_TOLD_TWICE;
}
