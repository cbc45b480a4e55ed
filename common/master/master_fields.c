#include "common/master/master_fields.h"

#define FIELDS(list) {list, sizeof(list) / sizeof *(list)}
#define ANY_COUNT .most = MASTER_COUNT_MAX

#define L(member) offsetof(struct master_level, member)
static const struct master_field level_fields[] = {
    {1, "level", MASTER_COUNT, L(level), .required = true, .most = MASTER_LEVELS_MAX},
    {2, "units", MASTER_COUNT, L(units), .required = true, ANY_COUNT},
    {3, "gtin", MASTER_TEXT, L(gtin), RULE_GTIN},
    {4, "drugIdentifier", MASTER_TEXT, L(drug_identifier), RULE_DRUG_IDENTIFIER},
};
const struct master_fields master_level_fields = FIELDS(level_fields);

#define P(member) offsetof(struct master_product, member)
static const struct master_field product_fields[] = {
    {1, "id", MASTER_TEXT, P(id), RULE_URI, .required = true},
    {2, "name", MASTER_NAME, P(name), .required = true},
    {3, "levels", MASTER_LEVELS, P(levels), .required = true},
    {4, "approvalNumber", MASTER_TEXT, P(approval_number), RULE_CODE},
    {5, "insuranceCode", MASTER_TEXT, P(insurance_code), RULE_CODE},
    {6, "holder", MASTER_TEXT, P(holder), RULE_URI},
    {7, "manufacturer", MASTER_TEXT, P(manufacturer), RULE_URI},
    {8, "form", MASTER_NAME, P(form)},
    {9, "strength", MASTER_TEXT, P(strength)},
    {10, "smallestUnit", MASTER_NAME, P(smallest_unit)},
    {11, "shelfLifeMonths", MASTER_COUNT, P(shelf_life_months), .most = 1200},
    {12, "shelfLifeDays", MASTER_COUNT, P(shelf_life_days), .most = 36600},
    {13, "temperatureMinHundredths", MASTER_INTEGER, P(temperature_min), .least = -27315, .most = 100000},
    {14, "temperatureMaxHundredths", MASTER_INTEGER, P(temperature_max), .least = -27315, .most = 100000},
    {15, "territories", MASTER_TEXTS, P(territories), RULE_TERRITORY},
    {16, "prescriptionOnly", MASTER_FLAG, P(prescription_only)},
    {17, "splitExempt", MASTER_FLAG, P(split_exempt)},
    {18, "otherGtins", MASTER_TEXTS, P(other_gtins), RULE_GTIN},
};

#define Y(member) offsetof(struct master_party, member)
static const struct master_field party_fields[] = {
    {1, "id", MASTER_TEXT, Y(id), RULE_URI, .required = true},
    {2, "name", MASTER_NAME, Y(name), .required = true},
    {3, "licence", MASTER_TEXT, Y(licence), RULE_CODE},
    {4, "institutionCode", MASTER_TEXT, Y(institution_code), RULE_CODE},
    {5, "roles", MASTER_ROLES, Y(roles)},
    {6, "territory", MASTER_TEXT, Y(territory), RULE_TERRITORY},
    {7, "address", MASTER_NAME, Y(address)},
};

#define C(member) offsetof(struct master_place, member)
static const struct master_field place_fields[] = {
    {1, "id", MASTER_TEXT, C(id), RULE_URI, .required = true},
    {2, "name", MASTER_NAME, C(name), .required = true},
    {3, "party", MASTER_TEXT, C(party), RULE_URI},
    {4, "territory", MASTER_TEXT, C(territory), RULE_TERRITORY},
    {5, "profile", MASTER_TEXT, C(profile), RULE_CODE},
    {6, "latitudeMillionths", MASTER_INTEGER, C(latitude), .least = -90000000, .most = 90000000},
    {7, "longitudeMillionths", MASTER_INTEGER, C(longitude), .least = -180000000, .most = 180000000},
    {8, "address", MASTER_NAME, C(address)},
};

static const struct master_fields tables[] = {
    [MASTER_PRODUCT] = FIELDS(product_fields),
    [MASTER_PARTY] = FIELDS(party_fields),
    [MASTER_PLACE] = FIELDS(place_fields),
};

const struct master_fields *master_fields_of(enum master_kind kind) {
    return kind >= MASTER_PRODUCT && kind <= MASTER_PLACE ? &tables[kind] : NULL;
}

const void *master_body_const(const struct master_record *record) {
    switch (record->kind) {
    case MASTER_PRODUCT: return &record->product;
    case MASTER_PARTY: return &record->party;
    case MASTER_PLACE: return &record->place;
    case MASTER_NONE: break;
    }
    return NULL;
}

void *master_body(struct master_record *record) {
    switch (record->kind) {
    case MASTER_PRODUCT: return &record->product;
    case MASTER_PARTY: return &record->party;
    case MASTER_PLACE: return &record->place;
    case MASTER_NONE: break;
    }
    return NULL;
}

bool master_field_present(const struct master_field *field, const void *base) {
    const void *member = (const char *)base + field->at;
    const struct master_name *name = member;
    switch (field->kind) {
    case MASTER_TEXT: return *(const char *const *)member != NULL;
    case MASTER_COUNT: return *(const uint64_t *)member > 0;
    case MASTER_FLAG: return *(const bool *)member;
    case MASTER_INTEGER: return ((const struct master_integer *)member)->present;
    case MASTER_NAME: return name->zh || name->en;
    case MASTER_TEXTS: return ((const struct master_texts *)member)->count > 0;
    case MASTER_LEVELS: return ((const struct master_levels *)member)->count > 0;
    case MASTER_ROLES: return *(const uint32_t *)member != 0;
    }
    return false;
}

static const char *const kind_names[] = {[MASTER_PRODUCT] = "product", [MASTER_PARTY] = "party", [MASTER_PLACE] = "place"};

const char *master_kind_name(enum master_kind kind) { return master_fields_of(kind) ? kind_names[kind] : NULL; }

static const char *const role_names[] = {
    [MASTER_MANUFACTURER] = "manufacturer", [MASTER_HOLDER] = "holder",       [MASTER_DISTRIBUTOR] = "distributor",
    [MASTER_PHARMACY] = "pharmacy",         [MASTER_HOSPITAL] = "hospital",   [MASTER_INSURER] = "insurer",
    [MASTER_REGULATOR] = "regulator",       [MASTER_SPONSOR] = "sponsor",     [MASTER_CARRIER] = "carrier",
};

const char *master_role_name(enum master_role role) {
    return role >= MASTER_MANUFACTURER && role <= MASTER_CARRIER ? role_names[role] : NULL;
}
