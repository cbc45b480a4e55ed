// From element strings to the one thing that they name.
#ifndef PACKTRAIL_COMMON_IDENTIFY_GS1_PACK_H
#define PACKTRAIL_COMMON_IDENTIFY_GS1_PACK_H

#include "common/identify/gs1_element.h"
#include "common/identify/pack_id.h"

// Whether the elements name a single thing (a serial, an asset, a place, a party, a shipment), not a class of things.
bool gs1_names_instance(const struct gs1_elements *elements);

// The pack_id: GTIN with serial number first, then SSCC, then any other key at its finest level.
// PT_NOT_FOUND when only a class is named, as by a GTIN alone.
enum pt_code pack_id_from_elements(const struct gs1_elements *elements, struct pack_id *out,
                                   struct pt_error *err) PT_NODISCARD;

#endif
