// The GS1 Application Identifiers: which exist, what their values look like, which belong together.
// Facts of the GS1 General Specifications section 3 and the GS1 Digital Link standard.
#ifndef PACKTRAIL_COMMON_IDENTIFY_GS1_AI_H
#define PACKTRAIL_COMMON_IDENTIFY_GS1_AI_H

#include "common/base/bytes.h"

#define GS1_AI_MAX 4u     // digits of the longest AI
#define GS1_VALUE_MAX 90u // characters of the longest value
#define GS1_COMPONENTS_MAX 5u
#define GS1_CHECKS_MAX 3u

// What the characters of a component must satisfy beyond their set and number (gs1_check.h).
enum gs1_check {
    GS1_UNCHECKED = 0,
    GS1_CHECK_DIGIT,  // last digit, modulo 10 with weights 3 and 1
    GS1_CHECK_PAIR,   // last two characters, modulo 1021
    GS1_PREFIX_AT_1,  // starts with a GS1 Company Prefix
    GS1_PREFIX_AT_2,  // one indicator digit, then a GS1 Company Prefix
    GS1_COUPON,       // North American coupon code, AI (8110)
    GS1_COUPON_OFFER, // positive offer file coupon, AI (8112)
    GS1_HAS_NON_DIGIT,
    GS1_HOUR,
    GS1_HOUR_MINUTE,
    GS1_MINUTE,
    GS1_SECOND,
    GS1_HYPHEN, // a minus sign that follows the number
    GS1_IBAN,
    GS1_IMPORTER, // importer index
    GS1_COUNTRY,  // ISO 3166-1 numeric
    GS1_COUNTRY_OR_999,
    GS1_COUNTRY_ALPHA, // ISO 3166-1 alpha-2
    GS1_CURRENCY,      // ISO 4217 numeric
    GS1_SEX,           // ISO 5218
    GS1_LATITUDE,
    GS1_LONGITUDE,
    GS1_MEDIA, // AIDC media type
    GS1_NON_ZERO,
    GS1_NO_ZERO_PREFIX,
    GS1_PACKAGE, // package type code
    GS1_PERCENT, // percent-encoded text
    GS1_PIECE_OF_TOTAL,
    GS1_POSITION_SLASH, // position/total
    GS1_WINDING,
    GS1_YES_NO,
    GS1_DATE,       // YYMMDD
    GS1_DATE_DAY_0, // YYMMDD, day 00 for the end of the month
    GS1_DATE_4,     // YYYYMMDD
    GS1_ZERO,
    GS1_CHECK_COUNT
};

// One part of a value. charset: 'N' digits, 'X' GS1 character set 82, 'Y' set 39, 'Z' set 64 (base64url).
struct gs1_component {
    char charset;
    uint8_t min;
    uint8_t max;
    bool optional; // only trailing components are
    uint8_t checks[GS1_CHECKS_MAX];
};

#define GS1_PREDEFINED 1u // length is fixed by the first two digits: needs no separator behind it
#define GS1_ATTRIBUTE 2u  // allowed in the query of a Digital Link
#define GS1_KEY 4u        // primary key of a Digital Link
#define GS1_QUALIFIER 8u  // follows a primary key in a Digital Link

struct gs1_ai {
    const char *first; // a lone AI, or the first and last of a range that differs in its last digit
    const char *last;
    unsigned flags;
    struct gs1_component components[GS1_COMPONENTS_MAX]; // ends with charset 0
    const char *needs;      // "01+21,02,35nn": one of these groups must be there; NULL none; n is any digit
    const char *excludes;   // "255,394n": none of these may be there
    const char *qualifiers; // "22,10,21|235": in this order, alternatives that do not mix
    const char *title;      // GS1's data title
};

// The table, in the order of the AIs.
size_t gs1_ai_count(void);
const struct gs1_ai *gs1_ai_at(size_t index);

// The entry for exactly these digits, or NULL.
const struct gs1_ai *gs1_ai_find(struct pt_bytes digits);

// How many digits an AI that begins like `text` has (told by its first two), or 0 when there is none.
size_t gs1_ai_length(struct pt_bytes text);

// Fewest and most characters of a whole value.
size_t gs1_ai_min(const struct gs1_ai *ai);
size_t gs1_ai_max(const struct gs1_ai *ai);

// Whether AI digits fit a pattern such as "01" or "394n".
bool gs1_ai_matches(const char *code, struct pt_bytes pattern);

#endif
