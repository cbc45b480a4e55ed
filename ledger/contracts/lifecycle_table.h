// The pack's state machine: what each kind of event does in each state. Read lifecycle_table.c.
#ifndef PACKTRAIL_LEDGER_CONTRACTS_LIFECYCLE_TABLE_H
#define PACKTRAIL_LEDGER_CONTRACTS_LIFECYCLE_TABLE_H

#include "common/epcis/event.h"
#include "ledger/contracts/contract.h"
#include "ledger/state/lifecycle_state.h"

// What an event means for one of the things it names.
enum lifecycle_operation {
    OPERATION_OBSERVE = 0,   // seen, nothing else
    OPERATION_COMMISSION,    // its maker announces it
    OPERATION_FILL,          // things are packed into it
    OPERATION_PACK,          // it is packed into something
    OPERATION_EMPTY,         // things are taken out of it
    OPERATION_UNPACK,        // it is taken out of something
    OPERATION_SHIP,
    OPERATION_VOID_SHIP,     // a shipment that did not happen
    OPERATION_RECEIVE,
    OPERATION_SEND_BACK,     // shipped as a return
    OPERATION_TAKE_BACK,     // received as a return, from the trade or from the public
    OPERATION_DISPENSE,      // supplied to the public, whole or in part
    OPERATION_UNDO_DISPENSE,
    OPERATION_HOLD,          // set aside
    OPERATION_RELEASE,       // found good
    OPERATION_RECALL,
    OPERATION_DECOMMISSION,
    OPERATION_DESTROY,
    OPERATION_STEAL,         // missed, reported stolen
    OPERATION_SAMPLE,        // taken for tests
};
#define LIFECYCLE_OPERATIONS 20u

// "ship", …; static.
const char *lifecycle_operation_name(enum lifecycle_operation operation);

// From the event's type, action, business step and disposition, and the thing's role in it.
enum lifecycle_operation lifecycle_operation_of(const struct epcis_event *event, enum pack_role role);

struct lifecycle_transition {
    enum lifecycle_state to;
    enum alert_kind alert;   // 0: none
    enum alert_mode mode;
    unsigned confidence;
};

// Every pair is there. What depends on more than the pair (quantities, dates, missing data) is in lifecycle.c.
const struct lifecycle_transition *lifecycle_transition(enum lifecycle_operation operation, enum lifecycle_state from);

// Whether the operation takes a thing out of the container it lies in when the container is not part of the event.
bool lifecycle_operation_parts(enum lifecycle_operation operation);

// Whether the operation is about goods that may still be sold.
bool lifecycle_operation_trades(enum lifecycle_operation operation);

#endif
