// Lists of EPCs in runs that share a head (event.cddl, "EPCs in runs"). Inside of event_cbor*.c.
#ifndef PACKTRAIL_COMMON_EPCIS_EVENT_CBOR_EPCS_H
#define PACKTRAIL_COMMON_EPCIS_EVENT_CBOR_EPCS_H

#include "common/epcis/event.h"
#include "common/epcis/event_cbor_words.h"

#define EVENT_EPCS_MAX 100000u
#define EVENT_EPC_SIZE_MAX 1024u

void event_put_epcs(struct event_writer *writer, const struct epcis_texts *epcs);
void event_get_epcs(struct cbor_reader *reader, struct pt_arena *arena, struct epcis_texts *out);

#endif
