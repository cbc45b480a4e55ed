// A consortium in small for tests of the ledger: keys, genesis, devices that sign, gateways that seal.
#ifndef PACKTRAIL_TESTS_UNIT_LEDGER_LAB_H
#define PACKTRAIL_TESTS_UNIT_LEDGER_LAB_H

#include "common/chain/block.h"
#include "ledger/ledger.h"

#define LAB_DEVICES 4u
#define LAB_GATEWAYS 2u
#define LAB_START ((pt_millis)1767225600000)  // 2026-01-01T00:00:00Z
#define DAY ((int64_t)86400)

struct lab_key {
    struct signer signer;
    struct pt_digest kid;
    uint64_t next;             // sequence of its next statement or block
    struct pt_digest previous;
};

struct lab {
    char dir[256];
    struct lab_key node, operator, company;
    struct lab_key devices[LAB_DEVICES];   // places: urn:packtrail:place:p0 …, parties urn:packtrail:party:p0 …
    struct lab_key gateways[LAB_GATEWAYS];
    struct lab_key stranger;               // not enrolled
    struct pt_buf genesis_bytes;
    struct genesis genesis;
    struct pt_env env;
    pt_millis now;                         // what the ledger's clock says
    bool follow;                           // it follows the events that are said
    struct ledger_options options;
    struct ledger *ledger;
    struct pt_buf statements[256];         // collected for the next block
    size_t statement_count;
};

void lab_new(struct lab *lab, const char *profile);  // under the newest rule version
void lab_new_version(struct lab *lab, const char *profile, uint64_t rule_version);
void lab_free(struct lab *lab);
void lab_open(struct lab *lab);
void lab_close(struct lab *lab);

// An event about `count` things: https://id.gs1.org/01/…/21/SERIAL or /00/SSCC. Serial "C…" and "L…" are cases and pallets.
struct lab_event {
    enum epcis_event_type type;     // default: object
    enum epcis_action action;       // default: OBSERVE
    const char *step, *disposition;
    const char *parent;             // serial
    const char *serials[520];
    size_t count;                   // counted up to the first NULL if 0
    int64_t seconds;                // since LAB_START
    const char *place;              // URI; NULL: none
    const char *lot, *expiry;
    int64_t content, units;
    const char *destination;
    bool error;                     // with an error declaration
    int64_t declared;               // its time, seconds since LAB_START; 0: the event's
    const char *id;                 // eventID
    const char *corrective[4];      // IDs in the error declaration
    int64_t clock_error;            // seconds
    const char *document;           // business transaction of China's documents (URI)
};

// The URI of a serial; static memory of the last 8.
const char *lab_uri(const char *serial);
struct pack_id lab_id(const char *serial);

// Signs the event by the key at its next sequence and keeps it for the next block. Gives its place among them.
size_t lab_say(struct lab *lab, struct lab_key *key, const struct lab_event *event);
// As lab_say, for any payload and an explicit place in the chain.
size_t lab_say_raw(struct lab *lab, struct lab_key *key, const char *content_type, struct pt_bytes payload, uint64_t sequence,
                   const struct pt_digest *previous);
void lab_encode(const struct lab_event *event, struct pt_buf *out);

// Seals what was kept into a block of the gateway and forgets it.
void lab_seal(struct lab *lab, struct lab_key *gateway, struct pt_buf *out);

// Submits and waits; results into `results` (as many as there are).
struct lab_answer {
    enum pt_code code;
    enum ledger_block_outcome outcome;
    uint64_t height, expected;
    enum pt_code why;
    uint8_t results[1024];
    size_t result_count;
    char reason[400];
};
void lab_submit(struct lab *lab, struct pt_bytes block, struct lab_answer *answer);

// Seal by gateway 0, submit, expect applied; answers the results.
void lab_apply(struct lab *lab, struct lab_answer *answer);

// One event in a block of its own; its result.
enum statement_result lab_do(struct lab *lab, struct lab_key *key, const struct lab_event *event);

struct ledger_pack lab_look(struct lab *lab, const char *serial);  // texts live until the next call
enum lifecycle_state lab_state(struct lab *lab, const char *serial);
size_t lab_alerts(struct lab *lab, const char *serial, enum alert_kind *last);

#endif
