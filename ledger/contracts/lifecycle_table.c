#include "ledger/contracts/lifecycle_table.h"

// The states in short, for the table alone.
#define UNK LIFECYCLE_UNKNOWN
#define COM LIFECYCLE_COMMISSIONED
#define STO LIFECYCLE_IN_STOCK
#define TRA LIFECYCLE_IN_TRANSIT
#define PAR LIFECYCLE_PART_DISPENSED
#define DIS LIFECYCLE_DISPENSED
#define RET LIFECYCLE_RETURNED
#define QUA LIFECYCLE_QUARANTINED
#define REC LIFECYCLE_RECALLED
#define DEC LIFECYCLE_DECOMMISSIONED
#define DES LIFECYCLE_DESTROYED
#define EXP LIFECYCLE_EXPORTED
#define STL LIFECYCLE_STOLEN
#define SAM LIFECYCLE_SAMPLE

// And what happens: to(state) quietly; or with an alert of a kind, in shadow (noted) or enforced, with its confidence.
#define to(state) {.to = (state)}
#define note(state, kind, sure) {.to = (state), .alert = (kind), .mode = ALERT_SHADOW, .confidence = (sure)}
#define warn(state, kind, sure) {.to = (state), .alert = (kind), .mode = ALERT_ENFORCE, .confidence = (sure)}

// Facts are recorded whatever they say; what is over for good (destroyed, exported, stolen …) stays so, because a code
// that turns up again is more likely a copy. A late event looks like one out of order: hence the low confidence there.
static const struct lifecycle_transition table[LIFECYCLE_OPERATIONS][LIFECYCLE_STATES] = {
    [OPERATION_OBSERVE] = {
        [UNK] = note(QUA, ALERT_UNKNOWN_SERIAL, 50), [COM] = to(COM), [STO] = to(STO), [TRA] = to(TRA), [PAR] = to(PAR),
        [DIS] = to(DIS), [RET] = to(RET), [QUA] = to(QUA), [REC] = to(REC), [DEC] = to(DEC), [DES] = to(DES),
        [EXP] = to(EXP), [STL] = warn(STL, ALERT_DEAD_CODE, 80), [SAM] = to(SAM)},
    [OPERATION_COMMISSION] = {
        [UNK] = to(COM), [COM] = warn(COM, ALERT_DUPLICATE_SERIAL, 70), [STO] = warn(STO, ALERT_DUPLICATE_SERIAL, 70),
        [TRA] = warn(TRA, ALERT_DUPLICATE_SERIAL, 70), [PAR] = warn(PAR, ALERT_DUPLICATE_SERIAL, 80),
        [DIS] = warn(DIS, ALERT_DUPLICATE_SERIAL, 80), [RET] = warn(RET, ALERT_DUPLICATE_SERIAL, 80),
        [QUA] = warn(QUA, ALERT_DUPLICATE_SERIAL, 70), [REC] = warn(REC, ALERT_DUPLICATE_SERIAL, 80),
        [DEC] = warn(DEC, ALERT_DUPLICATE_SERIAL, 90), [DES] = warn(DES, ALERT_DUPLICATE_SERIAL, 90),
        [EXP] = warn(EXP, ALERT_DUPLICATE_SERIAL, 90), [STL] = warn(STL, ALERT_DUPLICATE_SERIAL, 90),
        [SAM] = warn(SAM, ALERT_DUPLICATE_SERIAL, 90)},
    [OPERATION_FILL] = {
        [UNK] = to(COM), [COM] = to(COM), [STO] = to(STO), [TRA] = to(STO), [PAR] = note(PAR, ALERT_OUT_OF_ORDER, 30),
        [DIS] = note(DIS, ALERT_OUT_OF_ORDER, 30), [RET] = to(RET), [QUA] = to(QUA), [REC] = to(REC),
        [DEC] = warn(DEC, ALERT_DEAD_CODE, 60), [DES] = warn(DES, ALERT_DEAD_CODE, 80), [EXP] = warn(EXP, ALERT_DEAD_CODE, 60),
        [STL] = warn(STL, ALERT_DEAD_CODE, 80), [SAM] = note(SAM, ALERT_OUT_OF_ORDER, 30)},
    [OPERATION_PACK] = {
        [UNK] = note(QUA, ALERT_PRODUCT_WITHOUT_DATA, 30), [COM] = to(COM), [STO] = to(STO), [TRA] = to(STO),
        [PAR] = note(PAR, ALERT_OUT_OF_ORDER, 30), [DIS] = warn(DIS, ALERT_SOLD_PACK_IN_TRADE, 90), [RET] = to(RET),
        [QUA] = to(QUA), [REC] = to(REC), [DEC] = warn(DEC, ALERT_DEAD_CODE, 80), [DES] = warn(DES, ALERT_DEAD_CODE, 90),
        [EXP] = warn(EXP, ALERT_DEAD_CODE, 70), [STL] = warn(STL, ALERT_DEAD_CODE, 90), [SAM] = note(SAM, ALERT_OUT_OF_ORDER, 30)},
    [OPERATION_EMPTY] = {
        [UNK] = note(QUA, ALERT_UNKNOWN_SERIAL, 30), [COM] = to(COM), [STO] = to(STO), [TRA] = to(STO), [PAR] = to(PAR),
        [DIS] = to(DIS), [RET] = to(RET), [QUA] = to(QUA), [REC] = to(REC), [DEC] = note(DEC, ALERT_OUT_OF_ORDER, 20),
        [DES] = warn(DES, ALERT_DEAD_CODE, 60), [EXP] = to(EXP), [STL] = warn(STL, ALERT_DEAD_CODE, 80), [SAM] = to(SAM)},
    [OPERATION_UNPACK] = {
        [UNK] = note(QUA, ALERT_PRODUCT_WITHOUT_DATA, 30), [COM] = to(COM), [STO] = to(STO), [TRA] = to(STO), [PAR] = to(PAR),
        [DIS] = warn(DIS, ALERT_SOLD_PACK_IN_TRADE, 60), [RET] = to(RET), [QUA] = to(QUA), [REC] = to(REC),
        [DEC] = note(DEC, ALERT_OUT_OF_ORDER, 30), [DES] = warn(DES, ALERT_DEAD_CODE, 80), [EXP] = to(EXP),
        [STL] = warn(STL, ALERT_DEAD_CODE, 80), [SAM] = to(SAM)},
    [OPERATION_SHIP] = {
        [UNK] = warn(QUA, ALERT_UNKNOWN_SERIAL, 60), [COM] = to(TRA), [STO] = to(TRA), [TRA] = to(TRA),
        [PAR] = warn(PAR, ALERT_NOT_SALEABLE, 60), [DIS] = warn(DIS, ALERT_SOLD_PACK_IN_TRADE, 90),
        [RET] = warn(RET, ALERT_SOLD_PACK_IN_TRADE, 90), [QUA] = warn(QUA, ALERT_NOT_SALEABLE, 60),
        [REC] = warn(REC, ALERT_RECALLED, 80), [DEC] = warn(DEC, ALERT_DEAD_CODE, 90), [DES] = warn(DES, ALERT_DEAD_CODE, 95),
        [EXP] = warn(EXP, ALERT_DEAD_CODE, 80), [STL] = warn(STL, ALERT_DEAD_CODE, 95), [SAM] = warn(SAM, ALERT_NOT_SALEABLE, 60)},
    [OPERATION_VOID_SHIP] = {
        [UNK] = note(QUA, ALERT_UNKNOWN_SERIAL, 50), [COM] = to(COM), [STO] = to(STO), [TRA] = to(STO),
        [PAR] = note(PAR, ALERT_OUT_OF_ORDER, 20), [DIS] = note(DIS, ALERT_OUT_OF_ORDER, 20), [RET] = to(RET), [QUA] = to(QUA),
        [REC] = to(REC), [DEC] = note(DEC, ALERT_OUT_OF_ORDER, 20), [DES] = note(DES, ALERT_OUT_OF_ORDER, 20), [EXP] = to(STO),
        [STL] = warn(STL, ALERT_DEAD_CODE, 60), [SAM] = to(SAM)},
    [OPERATION_RECEIVE] = {
        [UNK] = warn(QUA, ALERT_PRODUCT_WITHOUT_DATA, 50), [COM] = to(STO), [STO] = to(STO), [TRA] = to(STO),
        [PAR] = warn(PAR, ALERT_NOT_SALEABLE, 60), [DIS] = warn(DIS, ALERT_SOLD_PACK_IN_TRADE, 90),
        [RET] = warn(RET, ALERT_SOLD_PACK_IN_TRADE, 90), [QUA] = to(QUA), [REC] = warn(REC, ALERT_RECALLED, 70),
        [DEC] = warn(DEC, ALERT_DEAD_CODE, 90), [DES] = warn(DES, ALERT_DEAD_CODE, 95), [EXP] = warn(EXP, ALERT_DEAD_CODE, 70),
        [STL] = warn(STL, ALERT_DEAD_CODE, 95), [SAM] = warn(SAM, ALERT_NOT_SALEABLE, 60)},
    [OPERATION_SEND_BACK] = {
        [UNK] = warn(QUA, ALERT_UNKNOWN_SERIAL, 60), [COM] = to(TRA), [STO] = to(TRA), [TRA] = to(TRA), [PAR] = to(RET),
        [DIS] = to(RET), [RET] = to(RET), [QUA] = to(QUA), [REC] = to(REC), [DEC] = to(DEC),
        [DES] = warn(DES, ALERT_DEAD_CODE, 90), [EXP] = to(TRA), [STL] = warn(STL, ALERT_DEAD_CODE, 90), [SAM] = to(SAM)},
    [OPERATION_TAKE_BACK] = {
        [UNK] = warn(QUA, ALERT_UNKNOWN_SERIAL, 60), [COM] = to(STO), [STO] = to(STO), [TRA] = to(STO), [PAR] = to(RET),
        [DIS] = to(RET), [RET] = to(RET), [QUA] = to(QUA), [REC] = to(REC), [DEC] = to(DEC),
        [DES] = warn(DES, ALERT_DEAD_CODE, 90), [EXP] = to(STO), [STL] = warn(STL, ALERT_DEAD_CODE, 90), [SAM] = to(SAM)},
    [OPERATION_DISPENSE] = {
        [UNK] = warn(DIS, ALERT_UNKNOWN_SERIAL, 60), [COM] = to(DIS), [STO] = to(DIS), [TRA] = to(DIS), [PAR] = to(DIS),
        [DIS] = warn(DIS, ALERT_DOUBLE_DISPENSE, 80), [RET] = warn(DIS, ALERT_NOT_SALEABLE, 90),
        [QUA] = warn(DIS, ALERT_NOT_SALEABLE, 80), [REC] = warn(DIS, ALERT_RECALLED, 90), [DEC] = warn(DEC, ALERT_DEAD_CODE, 90),
        [DES] = warn(DES, ALERT_DEAD_CODE, 95), [EXP] = warn(EXP, ALERT_DEAD_CODE, 80), [STL] = warn(STL, ALERT_DEAD_CODE, 95),
        [SAM] = warn(SAM, ALERT_NOT_SALEABLE, 80)},
    [OPERATION_UNDO_DISPENSE] = {
        [UNK] = note(QUA, ALERT_UNKNOWN_SERIAL, 50), [COM] = note(COM, ALERT_OUT_OF_ORDER, 20), [STO] = note(STO, ALERT_OUT_OF_ORDER, 20),
        [TRA] = note(TRA, ALERT_OUT_OF_ORDER, 20), [PAR] = to(STO), [DIS] = to(STO), [RET] = warn(RET, ALERT_NOT_SALEABLE, 70),
        [QUA] = note(QUA, ALERT_OUT_OF_ORDER, 20), [REC] = note(REC, ALERT_OUT_OF_ORDER, 20), [DEC] = warn(DEC, ALERT_DEAD_CODE, 60),
        [DES] = warn(DES, ALERT_DEAD_CODE, 80), [EXP] = warn(EXP, ALERT_DEAD_CODE, 60), [STL] = warn(STL, ALERT_DEAD_CODE, 80),
        [SAM] = note(SAM, ALERT_OUT_OF_ORDER, 20)},
    [OPERATION_HOLD] = {
        [UNK] = note(QUA, ALERT_UNKNOWN_SERIAL, 50), [COM] = to(QUA), [STO] = to(QUA), [TRA] = to(QUA), [PAR] = to(QUA),
        [DIS] = to(DIS), [RET] = to(RET), [QUA] = to(QUA), [REC] = to(REC), [DEC] = to(DEC),
        [DES] = note(DES, ALERT_OUT_OF_ORDER, 30), [EXP] = to(EXP), [STL] = warn(STL, ALERT_DEAD_CODE, 80), [SAM] = to(SAM)},
    [OPERATION_RELEASE] = {
        [UNK] = warn(QUA, ALERT_PRODUCT_WITHOUT_DATA, 50), [COM] = to(STO), [STO] = to(STO), [TRA] = to(STO), [PAR] = to(PAR),
        [DIS] = warn(DIS, ALERT_SOLD_PACK_IN_TRADE, 70), [RET] = warn(RET, ALERT_SOLD_PACK_IN_TRADE, 90), [QUA] = to(STO),
        [REC] = note(REC, ALERT_RECALLED, 50), [DEC] = warn(DEC, ALERT_DEAD_CODE, 80), [DES] = warn(DES, ALERT_DEAD_CODE, 90),
        [EXP] = warn(EXP, ALERT_DEAD_CODE, 60), [STL] = warn(STL, ALERT_DEAD_CODE, 90), [SAM] = note(SAM, ALERT_NOT_SALEABLE, 40)},
    [OPERATION_RECALL] = {
        [UNK] = to(REC), [COM] = to(REC), [STO] = to(REC), [TRA] = to(REC), [PAR] = to(REC), [DIS] = to(DIS), [RET] = to(RET),
        [QUA] = to(REC), [REC] = to(REC), [DEC] = to(DEC), [DES] = to(DES), [EXP] = to(EXP), [STL] = to(STL), [SAM] = to(SAM)},
    [OPERATION_DECOMMISSION] = {
        [UNK] = note(DEC, ALERT_UNKNOWN_SERIAL, 40), [COM] = to(DEC), [STO] = to(DEC), [TRA] = to(DEC), [PAR] = to(DEC),
        [DIS] = to(DIS), [RET] = to(DEC), [QUA] = to(DEC), [REC] = to(DEC), [DEC] = note(DEC, ALERT_OUT_OF_ORDER, 20),
        [DES] = note(DES, ALERT_OUT_OF_ORDER, 30), [EXP] = to(EXP), [STL] = to(STL), [SAM] = to(DEC)},
    [OPERATION_DESTROY] = {
        [UNK] = note(DES, ALERT_UNKNOWN_SERIAL, 40), [COM] = to(DES), [STO] = to(DES), [TRA] = to(DES), [PAR] = to(DES),
        [DIS] = note(DES, ALERT_OUT_OF_ORDER, 30), [RET] = to(DES), [QUA] = to(DES), [REC] = to(DES), [DEC] = to(DES),
        [DES] = warn(DES, ALERT_DEAD_CODE, 60), [EXP] = note(DES, ALERT_OUT_OF_ORDER, 30), [STL] = warn(DES, ALERT_DEAD_CODE, 50),
        [SAM] = to(DES)},
    [OPERATION_STEAL] = {
        [UNK] = to(STL), [COM] = to(STL), [STO] = to(STL), [TRA] = to(STL), [PAR] = to(STL), [DIS] = warn(DIS, ALERT_OUT_OF_ORDER, 50),
        [RET] = to(STL), [QUA] = to(STL), [REC] = to(STL), [DEC] = to(STL), [DES] = warn(DES, ALERT_OUT_OF_ORDER, 50), [EXP] = to(STL),
        [STL] = to(STL), [SAM] = to(STL)},
    [OPERATION_SAMPLE] = {
        [UNK] = note(SAM, ALERT_UNKNOWN_SERIAL, 50), [COM] = to(SAM), [STO] = to(SAM), [TRA] = to(SAM), [PAR] = to(SAM),
        [DIS] = note(DIS, ALERT_OUT_OF_ORDER, 30), [RET] = to(SAM), [QUA] = to(SAM), [REC] = to(SAM),
        [DEC] = note(DEC, ALERT_OUT_OF_ORDER, 30), [DES] = warn(DES, ALERT_DEAD_CODE, 80), [EXP] = note(SAM, ALERT_OUT_OF_ORDER, 30),
        [STL] = warn(STL, ALERT_DEAD_CODE, 80), [SAM] = to(SAM)},
};

static const char *const names[LIFECYCLE_OPERATIONS] = {
    "observe", "commission", "fill", "pack", "empty", "unpack", "ship", "void_ship", "receive", "send_back", "take_back",
    "dispense", "undo_dispense", "hold", "release", "recall", "decommission", "destroy", "steal", "sample"};

const char *lifecycle_operation_name(enum lifecycle_operation operation) {
    return (unsigned)operation < LIFECYCLE_OPERATIONS ? names[operation] : "observe";
}

const struct lifecycle_transition *lifecycle_transition(enum lifecycle_operation operation, enum lifecycle_state from) {
    return &table[(unsigned)operation < LIFECYCLE_OPERATIONS ? operation : 0][(unsigned)from < LIFECYCLE_STATES ? from : 0];
}

bool lifecycle_operation_parts(enum lifecycle_operation operation) {
    switch (operation) {
    case OPERATION_SHIP:
    case OPERATION_RECEIVE:
    case OPERATION_SEND_BACK:
    case OPERATION_TAKE_BACK:
    case OPERATION_DISPENSE:
    case OPERATION_DECOMMISSION:
    case OPERATION_DESTROY:
    case OPERATION_SAMPLE:
    case OPERATION_UNPACK: return true;
    default: return false;
    }
}

bool lifecycle_operation_trades(enum lifecycle_operation operation) {
    return operation == OPERATION_SHIP || operation == OPERATION_DISPENSE;
}
