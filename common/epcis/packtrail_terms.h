// The few extension members that we add to EPCIS events, in one namespace.
#ifndef PACKTRAIL_COMMON_EPCIS_PACKTRAIL_TERMS_H
#define PACKTRAIL_COMMON_EPCIS_PACKTRAIL_TERMS_H

#define PACKTRAIL_TERMS_NAMESPACE "urn:packtrail:terms:"
#define PACKTRAIL_TERMS_PREFIX "packtrail"

// Event level, dispensing and returns: integer, how many smallest units of each pack of the event. Absent: whole packs.
#define PACKTRAIL_TERM_UNITS "units"

// ilmd, commissioning: integer, how many smallest units a pack holds, where its product's master record does not say.
#define PACKTRAIL_TERM_CONTENT "content"

// Event level: integer seconds, how far the capturing clock may be off, as the terminal measured it. Absent: not measured.
#define PACKTRAIL_TERM_CLOCK_ERROR "clockError"

#endif
