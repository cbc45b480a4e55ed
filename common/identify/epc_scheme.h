// How each EPC scheme is made from a GS1 key. One row a scheme, read by the URN parser and the composer.
#ifndef PACKTRAIL_COMMON_IDENTIFY_EPC_SCHEME_H
#define PACKTRAIL_COMMON_IDENTIFY_EPC_SCHEME_H

#include "common/base/bytes.h"

enum epc_form {
    EPC_DIGITS,           // prefix and reference are digits of a fixed total, a check digit follows in the key
    EPC_INDICATOR_DIGITS, // as above; the reference's first digit stands before the prefix in the key
    EPC_TEXT,             // prefix, then a reference of any characters; no check digit
};

enum epc_serial {
    EPC_NO_SERIAL,
    EPC_SERIAL_IN_KEY, // appended to the key's value
    EPC_SERIAL_AI,     // in an AI of its own
};

struct epc_scheme {
    const char *name;
    const char *ai;
    const char *key_lead; // what the key has before the digits ("0" of the GRAI)
    enum epc_form form;
    unsigned digits; // prefix and reference together, without check digit; for EPC_TEXT the most characters
    enum epc_serial serial;
    const char *serial_ai;
    const char *serial_none; // an extension that stands for "none" ("0" of the SGLN)
    bool pieces;             // two fields more: piece and total (ITIP)
};

// By name ("sgtin"), NULL when there is none. The class scheme is "lgtin".
const struct epc_scheme *epc_scheme_named(struct pt_bytes name);

size_t epc_scheme_count(void);
const struct epc_scheme *epc_scheme_at(size_t index);

#endif
