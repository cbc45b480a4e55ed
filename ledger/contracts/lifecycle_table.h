// The pack's state machine: what each kind of event does in each state. Read lifecycle.table.
#ifndef PACKTRAIL_LEDGER_CONTRACTS_LIFECYCLE_TABLE_H
#define PACKTRAIL_LEDGER_CONTRACTS_LIFECYCLE_TABLE_H

#include "common/epcis/event.h"
#include "ledger/contracts/contract.h"
#include "ledger/state/lifecycle_state.h"

// What an event means for one of the things it names. Numbers are stored: never reused.
enum lifecycle_operation {
    OPERATION_OBSERVE = 0,       // seen, nothing else
    OPERATION_COMMISSION = 1,    // its maker announces it
    OPERATION_FILL = 2,          // things are packed into it
    OPERATION_PACK = 3,          // it is packed into something
    OPERATION_EMPTY = 4,         // things are taken out of it
    OPERATION_UNPACK = 5,        // it is taken out of something
    OPERATION_SHIP = 6,
    OPERATION_VOID_SHIP = 7,     // a shipment that did not happen
    OPERATION_RECEIVE = 8,
    OPERATION_SEND_BACK = 9,     // shipped as a return
    OPERATION_TAKE_BACK = 10,    // received as a return, from the trade or from the public
    OPERATION_DISPENSE = 11,     // supplied to the public, whole or in part
    OPERATION_UNDO = 12,         // a supply, export, check-out, sample or lock is taken back
    OPERATION_HOLD = 13,         // set aside
    OPERATION_RELEASE = 14,      // found good
    OPERATION_RECALL = 15,
    OPERATION_DECOMMISSION = 16,
    OPERATION_DESTROY = 17,
    OPERATION_STEAL = 18,        // missed, reported stolen
    OPERATION_SAMPLE = 19,       // taken for tests
    OPERATION_EXPORT = 20,       // leaves the territory
    OPERATION_CHECK_OUT = 21,    // taken out of the system for work on it
    OPERATION_FREE_SAMPLE = 22,  // given away as a free sample
    OPERATION_LOCK = 23,         // blocked while it is investigated
    OPERATION_WITHDRAW = 24,     // its product is withdrawn from the market
};
#define LIFECYCLE_OPERATIONS 25u

enum lifecycle_profile { PROFILE_CN = 0, PROFILE_EU = 1 };
#define LIFECYCLE_PROFILES 2u

// "cn", "eu"; an empty or unknown name gives `otherwise`.
enum lifecycle_profile lifecycle_profile_of(const char *name, enum lifecycle_profile otherwise);

// Whether its law holds in a territory (ISO 3166 code).
bool lifecycle_profile_covers(enum lifecycle_profile profile, const char *territory);

// "ship", …; static.
const char *lifecycle_operation_name(enum lifecycle_operation operation);

// From the event's type, action, words and kind of document, and the thing's role in it (lifecycle_operation.c).
enum lifecycle_operation lifecycle_operation_of(const struct epcis_event *event, enum pack_role role);

// What taking an operation back is, where nothing better is known than its kind; OPERATION_OBSERVE: nothing.
enum lifecycle_operation lifecycle_operation_taking_back(enum lifecycle_operation declared);
// Of an error declaration: what the declared event was. Else as above.
enum lifecycle_operation lifecycle_operation_declared(const struct epcis_event *event, enum pack_role role);

struct lifecycle_transition {
    enum lifecycle_state to;
    enum alert_kind alert;   // 0: none
    enum alert_mode mode;
    unsigned confidence;
};

// Every pair is there. What depends on more than the pair (quantities, dates, missing data) is in lifecycle.c.
const struct lifecycle_transition *lifecycle_transition(enum lifecycle_profile profile, enum lifecycle_operation operation,
                                                        enum lifecycle_state from);

// Whether the operation takes a thing out of the container it lies in when the container is not part of the event.
bool lifecycle_operation_parts(enum lifecycle_operation operation);

// Whether the operation is about goods that may still be sold.
bool lifecycle_operation_trades(enum lifecycle_operation operation);

// The table for people, as it is in force.
void lifecycle_table_print(enum lifecycle_profile profile, struct pt_buf *out);

// From lifecycle.table.
extern const struct lifecycle_transition lifecycle_cells[LIFECYCLE_PROFILES][LIFECYCLE_OPERATIONS][LIFECYCLE_STATES];
extern const char *const lifecycle_operation_texts[LIFECYCLE_OPERATIONS];
extern const char *const lifecycle_state_shorts[LIFECYCLE_STATES];

#endif
