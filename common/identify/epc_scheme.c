#include "common/identify/epc_scheme.h"

// Of two schemes on one key the one whose serial AI is there is used; rows are in that order of preference.
static const struct epc_scheme schemes[] = {
    {"sgtin", "01", "", EPC_INDICATOR_DIGITS, 13, EPC_SERIAL_AI, "21", NULL, false},
    {"upui", "01", "", EPC_INDICATOR_DIGITS, 13, EPC_SERIAL_AI, "235", NULL, false},
    {"lgtin", "01", "", EPC_INDICATOR_DIGITS, 13, EPC_SERIAL_AI, "10", NULL, false},
    {"itip", "8006", "", EPC_INDICATOR_DIGITS, 13, EPC_SERIAL_AI, "21", NULL, true},
    {"sscc", "00", "", EPC_INDICATOR_DIGITS, 17, EPC_NO_SERIAL, NULL, NULL, false},
    {"sgln", "414", "", EPC_DIGITS, 12, EPC_SERIAL_AI, "254", "0", false},
    {"pgln", "417", "", EPC_DIGITS, 12, EPC_NO_SERIAL, NULL, NULL, false},
    {"grai", "8003", "0", EPC_DIGITS, 12, EPC_SERIAL_IN_KEY, NULL, NULL, false},
    {"gdti", "253", "", EPC_DIGITS, 12, EPC_SERIAL_IN_KEY, NULL, NULL, false},
    {"sgcn", "255", "", EPC_DIGITS, 12, EPC_SERIAL_IN_KEY, NULL, NULL, false},
    {"gsrn", "8018", "", EPC_DIGITS, 17, EPC_NO_SERIAL, NULL, NULL, false},
    {"gsrnp", "8017", "", EPC_DIGITS, 17, EPC_NO_SERIAL, NULL, NULL, false},
    {"gsin", "402", "", EPC_DIGITS, 16, EPC_NO_SERIAL, NULL, NULL, false},
    {"giai", "8004", "", EPC_TEXT, 30, EPC_NO_SERIAL, NULL, NULL, false},
    {"ginc", "401", "", EPC_TEXT, 30, EPC_NO_SERIAL, NULL, NULL, false},
    {"cpi", "8010", "", EPC_TEXT, 30, EPC_SERIAL_AI, "8011", NULL, false},
};

size_t epc_scheme_count(void) {
    return sizeof schemes / sizeof *schemes;
}

const struct epc_scheme *epc_scheme_at(size_t index) {
    return &schemes[index];
}

const struct epc_scheme *epc_scheme_named(struct pt_bytes name) {
    for (size_t i = 0; i < epc_scheme_count(); i++)
        if (pt_bytes_equal(name, pt_bytes_str(schemes[i].name))) return &schemes[i];
    return NULL;
}
