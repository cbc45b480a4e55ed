// The fields of master records as data: CBOR, JSON and validation walk the same tables. Inside of common/master.
#ifndef PACKTRAIL_COMMON_MASTER_MASTER_FIELDS_H
#define PACKTRAIL_COMMON_MASTER_MASTER_FIELDS_H

#include "common/master/master.h"

enum master_field_kind {
    MASTER_TEXT,     // const char *
    MASTER_COUNT,    // uint64_t, 0: absent
    MASTER_FLAG,     // bool, false: absent
    MASTER_INTEGER,  // struct master_integer
    MASTER_NAME,     // struct master_name
    MASTER_TEXTS,    // struct master_texts
    MASTER_LEVELS,   // struct master_levels
    MASTER_ROLES,    // uint32_t of bits
};

enum master_rule { RULE_NONE, RULE_URI, RULE_GTIN, RULE_DRUG_IDENTIFIER, RULE_TERRITORY, RULE_CODE };

struct master_field {
    uint8_t key;
    const char *json;
    enum master_field_kind kind;
    uint16_t at;
    enum master_rule rule;
    bool required;
    int64_t least, most;  // MASTER_INTEGER; MASTER_COUNT: most
};

struct master_fields {
    const struct master_field *items;
    size_t count;
};

enum { MASTER_TEXT_MAX = 1000, MASTER_LEVELS_MAX = 16, MASTER_LIST_MAX = 300, MASTER_ROLES_MAX = MASTER_CARRIER };
#define MASTER_COUNT_MAX 9007199254740991  // the greatest integer that every JSON reader keeps

extern const struct master_fields master_level_fields;

// The table of a kind and the struct it describes within the record; NULL for MASTER_NONE.
const struct master_fields *master_fields_of(enum master_kind kind);
void *master_body(struct master_record *record);
const void *master_body_const(const struct master_record *record);

bool master_field_present(const struct master_field *field, const void *base);

#endif
