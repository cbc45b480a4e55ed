// The lifecycle contract: what an event does to the packs that it names.
#ifndef PACKTRAIL_LEDGER_CONTRACTS_LIFECYCLE_H
#define PACKTRAIL_LEDGER_CONTRACTS_LIFECYCLE_H

#include "ledger/contracts/contract.h"
#include "ledger/contracts/lifecycle_table.h"
#include "ledger/state/hierarchy.h"

extern const struct contract lifecycle_contract;

// What the event says that counts for all its packs; read once.
struct lifecycle_facts {
    const char *place;         // bizLocation, else readPoint, else the signer's place; NULL if none is known
    int64_t event_seconds;
    const char *lot;           // from ilmd; NULL
    uint32_t expiry;           // as in the pack record
    uint64_t content;          // smallest units a pack; 0: not said
    uint64_t units;            // smallest units dispensed of each pack; 0: not said
    bool partial;              // disposition partially_dispensed
    bool china;                // profile cn: parts are counted; else opening ends the pack
};
void lifecycle_facts_read(const struct contract_input *input, const struct contract_context *context, struct lifecycle_facts *out);

// A date "YYYY-MM-DD" as the record's expiry; 0 if it is none, or before 2000.
uint32_t lifecycle_expiry(const char *text);
// Whether a pack of this expiry is past its last day at the time. 0: never.
bool lifecycle_expired(uint32_t expiry, int64_t seconds);

// Dispensing and its undoing count quantities; they change `record` and, where the rules say otherwise than the table,
// *transition.
void lifecycle_dispense(const struct lifecycle_facts *facts, enum lifecycle_state from, struct pack_record *record,
                        struct lifecycle_transition *transition);
void lifecycle_undo(const struct lifecycle_facts *facts, enum lifecycle_state from, bool same_place, struct pack_record *record,
                    struct lifecycle_transition *transition);

#endif
