// Events for the tests of hash and CBOR: one with every field set, and those of the hot path.
#ifndef PACKTRAIL_TESTS_UNIT_EPCIS_EVENT_SAMPLES_H
#define PACKTRAIL_TESTS_UNIT_EPCIS_EVENT_SAMPLES_H

#include "common/epcis/event.h"

// Every member of struct epcis_event and below is set. Not a valid event: no event type has all of them.
struct epcis_event sample_with_every_field(void);

// A pharmacy's terminal dispenses `packs` packs of one product with random serials of 12 digits. Memory from `arena`.
struct epcis_event sample_dispensing(struct pt_arena *arena, size_t packs, unsigned seed);

#endif
