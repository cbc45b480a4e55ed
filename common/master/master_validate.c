#include <stdio.h>
#include <string.h>

#include "common/base/text.h"
#include "common/identify/gs1_check.h"
#include "common/master/master_fields.h"

static const pt_millis LEAST_TIME = -62167219200000;
static const pt_millis MOST_TIME = 253402300799999;

// A pointer below the record: "/levels/1/gtin".
struct place {
    char text[128];
};

static struct place below(const char *parent, const char *name) {
    struct place place;
    snprintf(place.text, sizeof place.text, "%.60s/%.40s", parent, name);
    return place;
}

static struct place at_index(const char *parent, const char *name, size_t index) {
    struct place place;
    snprintf(place.text, sizeof place.text, "%.60s/%.40s/%zu", parent, name, index);
    return place;
}

static bool all_digits(const char *text, size_t count) { return strlen(text) == count && strspn(text, "0123456789") == count; }

static bool is_gtin(const char *text) {
    return all_digits(text, 14) && gs1_check_digit(pt_bytes_of(text, 13)) == text[13];
}

// ISO 3166-1 alpha-2 ("CN"), or ISO 3166-2 ("CN-SX").
static bool is_territory(const char *text) {
    const size_t len = strlen(text);
    if (len < 2 || !gs1_is_country_alpha((const uint8_t *)text)) return false;
    if (len == 2) return true;
    return text[2] == '-' && len >= 4 && len <= 6 && strspn(text + 3, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == len - 3;
}

// A scheme and something behind it, without white space or control characters.
static bool is_uri(const char *text) {
    const size_t scheme = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+.-");
    if (scheme == 0 || text[scheme] != ':' || !text[scheme + 1] || strchr("0123456789+.-", text[0])) return false;
    for (const char *c = text; *c; c++)
        if ((unsigned char)*c <= ' ' || *c == 0x7f) return false;
    return true;
}

static bool is_code(const char *text) {
    for (const char *c = text; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f) return false;
    return text[0] != ' ' && text[strlen(text) - 1] != ' ';
}

static enum pt_code check_text(const char *text, enum master_rule rule, const char *where, struct pt_error *err) {
    const struct pt_bytes bytes = pt_bytes_str(text);
    if (bytes.len == 0) return pt_fail(err, PT_INVALID, where, "must not be empty");
    if (bytes.len > MASTER_TEXT_MAX) return pt_fail(err, PT_LIMIT, where, "more than %d bytes", MASTER_TEXT_MAX);
    if (!pt_utf8_valid(bytes)) return pt_fail(err, PT_INVALID, where, "not UTF-8");
    switch (rule) {
    case RULE_NONE: break;
    case RULE_URI:
        if (!is_uri(text)) return pt_fail(err, PT_INVALID, where, "must be a URI");
        break;
    case RULE_GTIN:
        if (!is_gtin(text)) return pt_fail(err, PT_INVALID, where, "must be a GTIN of 14 digits with its check digit");
        break;
    case RULE_DRUG_IDENTIFIER:
        if (!all_digits(text, 7)) return pt_fail(err, PT_INVALID, where, "must be a drug identifier of 7 digits");
        break;
    case RULE_TERRITORY:
        if (!is_territory(text)) return pt_fail(err, PT_INVALID, where, "must be an ISO 3166 code (CN, CN-SX)");
        break;
    case RULE_CODE:
        if (!is_code(text)) return pt_fail(err, PT_INVALID, where, "must be printable, without white space at its ends");
        break;
    }
    return PT_OK;
}

static enum pt_code check_name(const struct master_name *name, const char *where, struct pt_error *err) {
    enum pt_code code = name->zh ? check_text(name->zh, RULE_NONE, below(where, "zh").text, err) : PT_OK;
    if (code == PT_OK && name->en) code = check_text(name->en, RULE_NONE, below(where, "en").text, err);
    return code;
}

static enum pt_code check_texts(const struct master_texts *texts, const struct master_field *field, const char *parent,
                                struct pt_error *err) {
    if (texts->count > MASTER_LIST_MAX)
        return pt_fail(err, PT_LIMIT, below(parent, field->json).text, "more than %d", MASTER_LIST_MAX);
    for (size_t i = 0; i < texts->count; i++) {
        const struct place where = at_index(parent, field->json, i);
        const enum pt_code code = check_text(texts->items[i], field->rule, where.text, err);
        if (code != PT_OK) return code;
        for (size_t j = 0; j < i; j++)
            if (strcmp(texts->items[i], texts->items[j]) == 0) return pt_fail(err, PT_INVALID, where.text, "stands twice");
    }
    return PT_OK;
}

static enum pt_code check_fields(const struct master_fields *fields, const void *base, const char *parent,
                                 struct pt_error *err);

static enum pt_code check_levels(const struct master_levels *levels, const char *parent, struct pt_error *err) {
    if (levels->count > MASTER_LEVELS_MAX)
        return pt_fail(err, PT_LIMIT, below(parent, "levels").text, "more than %d levels", MASTER_LEVELS_MAX);
    for (size_t i = 0; i < levels->count; i++) {
        const struct master_level *level = &levels->items[i];
        const struct place where = at_index(parent, "levels", i);
        const enum pt_code code = check_fields(&master_level_fields, level, where.text, err);
        if (code != PT_OK) return code;
        if (!level->gtin && !level->drug_identifier)
            return pt_fail(err, PT_INVALID, where.text, "needs a GTIN or a drug identifier");
        if (i > 0 && level->level <= levels->items[i - 1].level)
            return pt_fail(err, PT_INVALID, below(where.text, "level").text, "levels must ascend");
        if (i > 0 && level->units <= levels->items[i - 1].units)
            return pt_fail(err, PT_INVALID, below(where.text, "units").text, "must be more than the level below holds");
        for (size_t j = 0; j < i; j++) {
            // A drug identifier may stand for all levels of a product; a GTIN never does.
            const char *other = levels->items[j].gtin;
            if (level->gtin && other && strcmp(level->gtin, other) == 0)
                return pt_fail(err, PT_INVALID, below(where.text, "gtin").text, "is that of another level");
        }
    }
    return PT_OK;
}

static enum pt_code check_field(const struct master_field *field, const void *base, const char *parent,
                                struct pt_error *err) {
    const void *member = (const char *)base + field->at;
    const struct place where = below(parent, field->json);
    const struct master_integer *integer = member;
    switch (field->kind) {
    case MASTER_TEXT: return check_text(*(const char *const *)member, field->rule, where.text, err);
    case MASTER_COUNT:
        if (*(const uint64_t *)member > (uint64_t)field->most)
            return pt_fail(err, PT_INVALID, where.text, "must be at most %lld", (long long)field->most);
        return PT_OK;
    case MASTER_FLAG: return PT_OK;
    case MASTER_INTEGER:
        if (integer->value < field->least || integer->value > field->most)
            return pt_fail(err, PT_INVALID, where.text, "must be from %lld to %lld", (long long)field->least,
                           (long long)field->most);
        return PT_OK;
    case MASTER_NAME: return check_name(member, where.text, err);
    case MASTER_TEXTS: return check_texts(member, field, parent, err);
    case MASTER_LEVELS: return check_levels(member, parent, err);
    case MASTER_ROLES:
        if (*(const uint32_t *)member & ~((2u << MASTER_ROLES_MAX) - 2u))
            return pt_fail(err, PT_INVALID, where.text, "unknown role");
        return PT_OK;
    }
    return PT_OK;
}

static enum pt_code check_fields(const struct master_fields *fields, const void *base, const char *parent,
                                 struct pt_error *err) {
    for (size_t i = 0; i < fields->count; i++) {
        const struct master_field *field = &fields->items[i];
        enum pt_code code = PT_OK;
        if (master_field_present(field, base)) code = check_field(field, base, parent, err);
        else if (field->required)
            code = pt_fail(err, PT_INVALID, below(parent, field->json).text, "must be there");
        if (code != PT_OK) return code;
    }
    return PT_OK;
}

static enum pt_code check_product(const struct master_product *p, struct pt_error *err) {
    if (p->temperature_min.present && p->temperature_max.present && p->temperature_min.value > p->temperature_max.value)
        return pt_fail(err, PT_INVALID, "/temperatureMaxHundredths", "must not be below the lowest temperature");
    return PT_OK;
}

// A GLN as identifier must be one; other identifiers are our own or a company's.
static enum pt_code check_gln(const char *id, const char *prefix, struct pt_error *err) {
    const size_t len = strlen(prefix);
    if (strncmp(id, prefix, len) != 0) return PT_OK;
    const char *gln = id + len;
    const size_t digits = strspn(gln, "0123456789");
    if (digits != 13 || (gln[13] && strncmp(gln + 13, "/254/", 5) != 0) || gs1_check_digit(pt_bytes_of(gln, 12)) != gln[12])
        return pt_fail(err, PT_INVALID, "/id", "must hold a GLN of 13 digits with its check digit");
    return PT_OK;
}

enum pt_code master_validate(const struct master_record *record, struct pt_error *err) {
    const struct master_fields *fields = master_fields_of(record->kind);
    if (!fields) return pt_fail(err, PT_INVALID, "/kind", "must be product, party or place");
    if (record->version < 1 || record->version > MASTER_COUNT_MAX)
        return pt_fail(err, PT_INVALID, "/version", "must be from 1 to %lld", (long long)MASTER_COUNT_MAX);
    if (record->valid_from < LEAST_TIME || record->valid_from > MOST_TIME)
        return pt_fail(err, PT_INVALID, "/validFrom", "must be in the years 0 to 9999");
    const enum pt_code code = check_fields(fields, master_body_const(record), "", err);
    if (code != PT_OK) return code;
    if (record->kind == MASTER_PRODUCT) return check_product(&record->product, err);
    if (record->kind == MASTER_PARTY) return check_gln(record->party.id, "https://id.gs1.org/417/", err);
    if (record->place.latitude.present != record->place.longitude.present)
        return pt_fail(err, PT_INVALID, record->place.latitude.present ? "/longitudeMillionths" : "/latitudeMillionths",
                       "must be there: a place has both coordinates or none");
    return check_gln(record->place.id, "https://id.gs1.org/414/", err);
}
