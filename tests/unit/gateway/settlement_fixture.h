// What the settlement's tests share: the shipped mapping, events and statements, and a little knowledge to derive from.
#ifndef PACKTRAIL_TESTS_UNIT_GATEWAY_SETTLEMENT_FIXTURE_H
#define PACKTRAIL_TESTS_UNIT_GATEWAY_SETTLEMENT_FIXTURE_H

#include "gateway/settlement/derive.h"
#include "tests/support/support.h"

#define TRACE_CODE "81234560000000014321"
#define TRACE_URI "urn:packtrail:cn:trace:" TRACE_CODE
#define SGTIN_URI "https://id.gs1.org/01/09506000134352/21/S1"

json_t *fixture_mapping_json(void);             // the shipped example, to be changed; a new reference
void fixture_mapping(struct mapping *out);      // parsed

// One event as JSON-LD: `inner` are further members, each with a comma before it.
const char *fixture_event_text(const char *epcs, const char *inner);  // static, overwritten by the next call
struct epcis_event *fixture_event(struct pt_arena *arena, const char *epcs, const char *inner);

#define DISPENSED ",\"bizStep\":\"dispensing\",\"disposition\":\"dispensed\""
#define SOLD(token) DISPENSED ",\"bizTransactionList\":[{\"type\":\"urn:packtrail:btt:sale\",\"bizTransaction\":\"urn:packtrail:sale:" token "\"}]"
#define UNDONE ",\"errorDeclaration\":{\"declarationTime\":\"2026-06-01T12:00:00.000Z\",\"reason\":\"did_not_occur\"}"

// A product with GTIN 09506000134352, drug identifier 8123456 (24 units) and 8123457 for the middle pack (240 units).
const struct master_product *fixture_product(void);

// Signs a statement about an event's JSON text; the same text and number give the same bytes.
void fixture_sign(const char *event, uint64_t sequence, struct pt_buf *out);

#endif
