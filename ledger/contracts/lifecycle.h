// The lifecycle contract: what an event does to the packs that it names.
#ifndef PACKTRAIL_LEDGER_CONTRACTS_LIFECYCLE_H
#define PACKTRAIL_LEDGER_CONTRACTS_LIFECYCLE_H

#include "ledger/contracts/contract.h"
#include "ledger/contracts/lifecycle_table.h"
#include "ledger/contracts/packs.h"
#include "ledger/state/hierarchy.h"

extern const struct contract lifecycle_contract;

// What the event says that counts for all its packs; read once.
struct lifecycle_facts {
    const char *place;         // bizLocation, else readPoint, else the signer's place; NULL if none is known
    int64_t event_seconds;
    int64_t declared_seconds;  // error declarations: when it was declared; else event_seconds
    int64_t clock_error;       // seconds that the capturing clock may be off
    const char *lot;           // from ilmd; NULL
    uint32_t expiry;           // as in the pack record
    uint64_t content;          // smallest units a pack, from ilmd; 0: not said
    uint64_t units;            // smallest units dispensed or returned of each pack; 0: not said
    bool partial;              // disposition partially_dispensed
    bool container_open;       // disposition container_open
    bool contents_verified;    // disposition completeness_verified: somebody looked through the whole container
    const char *awaited;       // party that the goods are shipped to (destination); NULL: none said
    enum lifecycle_profile profile;  // the ledger's; lifecycle.c sets that of the place once it is known
};
void lifecycle_facts_read(const struct contract_input *input, const struct contract_context *context, struct lifecycle_facts *out);

// A date "YYYY-MM-DD" as the record's expiry; 0 if it is none, or before 2000.
uint32_t lifecycle_expiry(const char *text);
// Whether a pack of this expiry is past its last day at the time. 0: never.
bool lifecycle_expired(uint32_t expiry, int64_t seconds);

#endif
