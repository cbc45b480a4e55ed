#include <string.h>

#include "common/master/master_fields.h"

const char *master_id(const struct master_record *record) {
    switch (record->kind) {
    case MASTER_PRODUCT: return record->product.id;
    case MASTER_PARTY: return record->party.id;
    case MASTER_PLACE: return record->place.id;
    case MASTER_NONE: break;
    }
    return NULL;
}

// The product's codes in their order: those of the levels, then the other GTINs. NULL behind the last.
static const char *product_code(const struct master_product *product, size_t index) {
    if (index < 2 * product->levels.count) {
        const struct master_level *level = &product->levels.items[index / 2];
        const char *code = index % 2 == 0 ? level->gtin : level->drug_identifier;
        return code ? code : "";
    }
    index -= 2 * product->levels.count;
    return index < product->other_gtins.count ? product->other_gtins.items[index] : NULL;
}

static bool stood_before(const struct master_product *product, size_t index) {
    for (size_t i = 0; i < index; i++)
        if (strcmp(product_code(product, i), product_code(product, index)) == 0) return true;
    return false;
}

enum pt_code master_each_identifier(const struct master_record *record,
                                    enum pt_code (*each)(void *arg, const char *identifier, struct pt_error *err),
                                    void *arg, struct pt_error *err) {
    const char *id = master_id(record);
    if (!id) return pt_fail(err, PT_INVALID, "/id", "must be there");
    enum pt_code code = each(arg, id, err);
    if (record->kind != MASTER_PRODUCT) return code;
    const char *identifier;
    for (size_t i = 0; code == PT_OK && (identifier = product_code(&record->product, i)); i++)
        if (identifier[0] && !stood_before(&record->product, i)) code = each(arg, identifier, err);
    return code;
}

// Big-endian with the sign bit turned, so that bytes sort as the numbers do.
static void append_ordered(struct pt_buf *out, uint64_t value) {
    uint8_t bytes[8];
    for (int i = 7; i >= 0; i--, value >>= 8) bytes[i] = (uint8_t)value;
    pt_buf_append(out, bytes, sizeof bytes);
}

void master_key(enum master_kind kind, const char *identifier, pt_millis valid_from, uint64_t version,
                struct pt_buf *out) {
    pt_buf_byte(out, (uint8_t)kind);
    pt_buf_append(out, identifier, strlen(identifier) + 1);
    append_ordered(out, (uint64_t)valid_from ^ (uint64_t)1 << 63);
    append_ordered(out, version);
}

const struct master_record *master_in_force(const struct master_record *const *records, size_t count, pt_millis at) {
    const struct master_record *found = NULL;
    for (size_t i = 0; i < count; i++) {
        const struct master_record *r = records[i];
        if (r->valid_from > at) continue;
        if (!found || r->valid_from > found->valid_from || (r->valid_from == found->valid_from && r->version > found->version))
            found = r;
    }
    return found && !found->withdrawn ? found : NULL;
}

const struct master_level *master_level_of(const struct master_product *product, const char *code) {
    for (size_t i = 0; i < product->levels.count; i++) {
        const struct master_level *level = &product->levels.items[i];
        if ((level->gtin && strcmp(level->gtin, code) == 0) ||
            (level->drug_identifier && strcmp(level->drug_identifier, code) == 0))
            return level;
    }
    return NULL;
}

bool master_expiry(const struct master_product *product, pt_millis made, int64_t *year, unsigned *month, unsigned *day) {
    if (product->shelf_life_months == 0 && product->shelf_life_days == 0) return false;
    int64_t days = made / 86400000 - (made % 86400000 < 0);
    pt_civil_from_days(days, year, month, day);
    const int64_t months = *year * 12 + (*month - 1) + (int64_t)product->shelf_life_months;
    *year = months / 12 - (months % 12 < 0);
    *month = (unsigned)(months - *year * 12) + 1;
    const unsigned last = pt_days_in_month(*year, *month);
    if (*day > last) *day = last;
    // Made on 10 January and good for a month: the last day is 9 February.
    days = pt_days_from_civil(*year, *month, *day) + (int64_t)product->shelf_life_days - 1;
    pt_civil_from_days(days, year, month, day);
    return true;
}

bool master_allows_territory(const struct master_product *product, const char *territory) {
    for (size_t i = 0; i < product->territories.count; i++) {
        const char *allowed = product->territories.items[i];
        const size_t len = strlen(allowed);
        // A country's code stands for all of its parts.
        if (strncmp(allowed, territory, len) == 0 && (territory[len] == 0 || territory[len] == '-')) return true;
    }
    return product->territories.count == 0;
}

bool master_allows_temperature(const struct master_product *product, int64_t hundredths) {
    return !(product->temperature_min.present && hundredths < product->temperature_min.value) &&
           !(product->temperature_max.present && hundredths > product->temperature_max.value);
}
