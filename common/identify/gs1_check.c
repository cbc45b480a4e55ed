#include "common/identify/gs1_check.h"

#include <string.h>

#include "common/base/time.h"

// The shortest GS1 Company Prefix ever issued. Which prefixes exist and how long each is, is not public.
#define COMPANY_PREFIX_MIN 4u

static bool is_digit(uint8_t c) {
    return c >= '0' && c <= '9';
}

static unsigned number(const uint8_t *digits, size_t len) {
    unsigned value = 0;
    for (size_t i = 0; i < len; i++) value = value * 10 + (unsigned)(digits[i] - '0');
    return value;
}

char gs1_check_digit(struct pt_bytes digits) {
    unsigned sum = 0;
    for (size_t i = 0; i < digits.len; i++)
        sum += (unsigned)(digits.data[digits.len - 1 - i] - '0') * (i % 2 == 0 ? 3u : 1u);
    return (char)('0' + (10 - sum % 10) % 10);
}

static const char *check_digit(struct pt_bytes text, size_t *wrong_at) {
    *wrong_at = text.len - 1;
    const char right = gs1_check_digit(pt_bytes_of(text.data, text.len - 1));
    return (char)text.data[text.len - 1] == right ? NULL : "has a wrong check digit";
}

// GS1 General Specifications section 7.9.5: character values in set 82, primes from the right, modulo 1021.
static const char *check_pair(struct pt_bytes text, size_t *wrong_at) {
    static const char set82[] = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";
    static const char set32[] = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
    static const unsigned primes[] = {2,  3,  5,  7,  11, 13, 17, 19, 23, 29, 31, 37,
                                      41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83};
    *wrong_at = 0;
    if (text.len < 3) return "is too short for its check character pair";
    const size_t data_len = text.len - 2;
    if (data_len > sizeof primes / sizeof *primes) return "is too long for its check character pair";
    unsigned sum = 0;
    for (size_t i = 0; i < data_len; i++) {
        const char *found = strchr(set82, text.data[i]);
        if (found) sum += (unsigned)(found - set82) * primes[data_len - 1 - i];
    }
    sum %= 1021;
    *wrong_at = data_len;
    if ((char)text.data[data_len] == set32[sum >> 5] && (char)text.data[data_len + 1] == set32[sum & 31]) return NULL;
    return "has a wrong check character pair";
}

static const char *company_prefix(struct pt_bytes text, size_t from, size_t *wrong_at) {
    for (size_t i = from; i < from + COMPANY_PREFIX_MIN; i++) {
        *wrong_at = i;
        if (i >= text.len) return "is too short to start with a GS1 Company Prefix";
        if (!is_digit(text.data[i])) return "does not start with a GS1 Company Prefix";
    }
    return NULL;
}

static const char *check_date(int64_t year, const uint8_t *mmdd, bool day_0, size_t at, size_t *wrong_at) {
    const unsigned month = number(mmdd, 2);
    const unsigned day = number(mmdd + 2, 2);
    *wrong_at = at;
    if (month < 1 || month > 12) return "has a month that does not exist";
    *wrong_at = at + 2;
    if (day == 0) return day_0 ? NULL : "has day 00, which is not allowed here";
    return day <= pt_days_in_month(year, month) ? NULL : "has a day that the month does not have";
}

// Two-digit years: any century will do, as the leap years of 1950 to 2150 that matter are every fourth; 00 may be
// 2000 or 2100, and the meaning is decided where the century is (gs1_date.h).
static const char *check_date_6(struct pt_bytes text, bool day_0, size_t *wrong_at) {
    return check_date(2000 + (int64_t)number(text.data, 2), text.data + 2, day_0, 2, wrong_at);
}

static const char *at_most(struct pt_bytes text, unsigned limit, const char *why, size_t *wrong_at) {
    *wrong_at = 0;
    return number(text.data, text.len) <= limit ? NULL : why;
}

static const char *hour_minute(struct pt_bytes text, size_t *wrong_at) {
    *wrong_at = 0;
    if (number(text.data, 2) > 23) return "has an hour above 23";
    *wrong_at = 2;
    return number(text.data + 2, 2) > 59 ? "has a minute above 59" : NULL;
}

// ISO 13616: the country's letters, two check digits, then the account; modulo 97 over all of it must be 1.
static const char *iban(struct pt_bytes text, size_t *wrong_at) {
    *wrong_at = 0;
    if (text.len <= 10) return "is too short for an IBAN";
    if (!gs1_is_country_alpha(text.data)) return "does not start with an ISO 3166 country";
    unsigned rest = 0;
    for (size_t i = 0; i < text.len; i++) {
        *wrong_at = (i + 4) % text.len;
        const uint8_t c = text.data[*wrong_at];
        if (is_digit(c)) rest = rest * 10 + (unsigned)(c - '0');
        else if (c >= 'A' && c <= 'Z') rest = rest * 100 + (unsigned)(c - 'A') + 10;
        else return "has a character that an IBAN does not have";
        rest %= 97;
    }
    *wrong_at = 2;
    return rest == 1 ? NULL : "has wrong IBAN check digits";
}

static const char *importer(struct pt_bytes text, size_t *wrong_at) {
    *wrong_at = 0;
    const uint8_t c = text.data[0];
    const bool ok = is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '_';
    return ok ? NULL : "has an importer index other than a letter, a digit, '-' or '_'";
}

// Ten digits, degrees times ten million, counted up from the south pole or from 180° west.
static const char *degrees(struct pt_bytes text, uint64_t limit, const char *why, size_t *wrong_at) {
    uint64_t value = 0;
    for (size_t i = 0; i < text.len; i++) value = value * 10 + (uint64_t)(text.data[i] - '0');
    *wrong_at = 0;
    return value <= limit ? NULL : why;
}

// 01 to 10 are assigned by ICCBBA, 80 to 99 are for local use; the rest is reserved.
static const char *media(struct pt_bytes text, size_t *wrong_at) {
    const unsigned value = number(text.data, 2);
    *wrong_at = 0;
    return (value >= 1 && value <= 10) || value >= 80 ? NULL : "is no AIDC media type";
}

static const char *non_zero(struct pt_bytes text, size_t *wrong_at) {
    *wrong_at = 0;
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] != '0') return NULL;
    return "must not be zero";
}

static bool is_hex(uint8_t c) {
    return is_digit(c) || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');
}

static const char *percent(struct pt_bytes text, size_t *wrong_at) {
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] != '%') continue;
        *wrong_at = i;
        if (i + 2 >= text.len || !is_hex(text.data[i + 1]) || !is_hex(text.data[i + 2]))
            return "has a % without two hex digits";
        i += 2;
    }
    return NULL;
}

static const char *piece_of_total(struct pt_bytes text, size_t *wrong_at) {
    const size_t half = text.len / 2;
    const unsigned piece = number(text.data, half);
    const unsigned total = number(text.data + half, half);
    *wrong_at = 0;
    if (piece == 0) return "has piece number 0";
    if (piece > total && total != 0) return "has a piece number above the total";
    *wrong_at = half;
    return total == 0 ? "has a total of 0 pieces" : NULL;
}

static const char *position_slash(struct pt_bytes text, size_t *wrong_at) {
    const uint8_t *slash = memchr(text.data, '/', text.len);
    *wrong_at = 0;
    const size_t left = slash ? (size_t)(slash - text.data) : 0;
    const size_t right = slash ? text.len - left - 1 : 0;
    if (left == 0 || right == 0) return "is not of the form position/total";
    for (size_t i = 0; i < text.len; i++) {
        *wrong_at = i;
        if (i != left && !is_digit(text.data[i])) return "is not of the form position/total";
    }
    *wrong_at = 0;
    if (text.data[0] == '0') return "has a position that is zero or starts with zero";
    *wrong_at = left + 1;
    if (slash[1] == '0') return "has a total that is zero or starts with zero";
    *wrong_at = 0;
    return number(text.data, left) <= number(slash + 1, right) ? NULL : "has a position above the total";
}

static const char *one_of(struct pt_bytes text, const char *allowed, const char *why, size_t *wrong_at) {
    *wrong_at = 0;
    for (size_t i = 0; i < text.len; i++)
        if (!strchr(allowed, text.data[i])) {
            *wrong_at = i;
            return why;
        }
    return NULL;
}

static const char *has_non_digit(struct pt_bytes text, size_t *wrong_at) {
    *wrong_at = 0;
    for (size_t i = 0; i < text.len; i++)
        if (!is_digit(text.data[i])) return NULL;
    return "must have a character that is not a digit";
}

static const char *country(struct pt_bytes text, bool also_999, size_t *wrong_at) {
    const unsigned value = number(text.data, 3);
    *wrong_at = 0;
    return gs1_is_country(value) || (also_999 && value == 999) ? NULL : "is no ISO 3166 country number";
}

static const char *zero_prefix(struct pt_bytes text, size_t *wrong_at) {
    *wrong_at = 0;
    return text.len > 1 && text.data[0] == '0' ? "must not start with zero" : NULL;
}

const char *gs1_check_name(enum gs1_check check) {
    static const char *const names[GS1_CHECK_COUNT] = {
        [GS1_CHECK_DIGIT] = "csum",
        [GS1_CHECK_PAIR] = "csumalpha",
        [GS1_PREFIX_AT_1] = "gcppos1",
        [GS1_PREFIX_AT_2] = "gcppos2",
        [GS1_COUPON] = "couponcode",
        [GS1_COUPON_OFFER] = "couponposoffer",
        [GS1_HAS_NON_DIGIT] = "hasnondigit",
        [GS1_HOUR] = "hh",
        [GS1_HOUR_MINUTE] = "hhmi",
        [GS1_MINUTE] = "mi",
        [GS1_SECOND] = "ss",
        [GS1_HYPHEN] = "hyphen",
        [GS1_IBAN] = "iban",
        [GS1_IMPORTER] = "importeridx",
        [GS1_COUNTRY] = "iso3166",
        [GS1_COUNTRY_OR_999] = "iso3166999",
        [GS1_COUNTRY_ALPHA] = "iso3166alpha2",
        [GS1_CURRENCY] = "iso4217",
        [GS1_SEX] = "iso5218",
        [GS1_LATITUDE] = "latitude",
        [GS1_LONGITUDE] = "longitude",
        [GS1_MEDIA] = "mediatype",
        [GS1_NON_ZERO] = "nonzero",
        [GS1_NO_ZERO_PREFIX] = "nozeroprefix",
        [GS1_PACKAGE] = "packagetype",
        [GS1_PERCENT] = "pcenc",
        [GS1_PIECE_OF_TOTAL] = "pieceoftotal",
        [GS1_POSITION_SLASH] = "posinseqslash",
        [GS1_WINDING] = "winding",
        [GS1_YES_NO] = "yesno",
        [GS1_DATE] = "yymmdd",
        [GS1_DATE_DAY_0] = "yymmd0",
        [GS1_DATE_4] = "yyyymmdd",
        [GS1_ZERO] = "zero",
    };
    return check < GS1_CHECK_COUNT && names[check] ? names[check] : "";
}

const char *gs1_check_content(enum gs1_check check, struct pt_bytes text, size_t *wrong_at) {
    *wrong_at = 0;
    switch (check) {
    case GS1_CHECK_DIGIT: return check_digit(text, wrong_at);
    case GS1_CHECK_PAIR: return check_pair(text, wrong_at);
    case GS1_PREFIX_AT_1: return company_prefix(text, 0, wrong_at);
    case GS1_PREFIX_AT_2: return company_prefix(text, 1, wrong_at);
    case GS1_COUPON: return gs1_check_coupon(text, wrong_at);
    case GS1_COUPON_OFFER: return gs1_check_coupon_offer(text, wrong_at);
    case GS1_HAS_NON_DIGIT: return has_non_digit(text, wrong_at);
    case GS1_HOUR: return at_most(text, 23, "has an hour above 23", wrong_at);
    case GS1_HOUR_MINUTE: return hour_minute(text, wrong_at);
    case GS1_MINUTE: return at_most(text, 59, "has a minute above 59", wrong_at);
    case GS1_SECOND: return at_most(text, 59, "has a second above 59", wrong_at);
    case GS1_HYPHEN: return one_of(text, "-", "may be followed by a minus sign only", wrong_at);
    case GS1_IBAN: return iban(text, wrong_at);
    case GS1_IMPORTER: return importer(text, wrong_at);
    case GS1_COUNTRY: return country(text, false, wrong_at);
    case GS1_COUNTRY_OR_999: return country(text, true, wrong_at);
    case GS1_COUNTRY_ALPHA: return gs1_is_country_alpha(text.data) ? NULL : "is no ISO 3166 country code";
    case GS1_CURRENCY: return gs1_is_currency(number(text.data, 3)) ? NULL : "is no ISO 4217 currency number";
    case GS1_SEX: return one_of(text, "0129", "is none of 0, 1, 2, 9 of ISO 5218", wrong_at);
    case GS1_LATITUDE: return degrees(text, 1800000000u, "is above 180 degrees", wrong_at);
    case GS1_LONGITUDE: return degrees(text, 3600000000u, "is above 360 degrees", wrong_at);
    case GS1_MEDIA: return media(text, wrong_at);
    case GS1_NON_ZERO: return non_zero(text, wrong_at);
    case GS1_NO_ZERO_PREFIX: return zero_prefix(text, wrong_at);
    case GS1_PACKAGE: return gs1_is_package_type(text) ? NULL : "is no package type code";
    case GS1_PERCENT: return percent(text, wrong_at);
    case GS1_PIECE_OF_TOTAL: return piece_of_total(text, wrong_at);
    case GS1_POSITION_SLASH: return position_slash(text, wrong_at);
    case GS1_WINDING: return one_of(text, "019", "is none of 0, 1, 9", wrong_at);
    case GS1_YES_NO: return one_of(text, "01", "is neither 0 nor 1", wrong_at);
    case GS1_DATE: return check_date_6(text, false, wrong_at);
    case GS1_DATE_DAY_0: return check_date_6(text, true, wrong_at);
    case GS1_DATE_4: return check_date((int64_t)number(text.data, 4), text.data + 4, false, 4, wrong_at);
    case GS1_ZERO: return one_of(text, "0", "must be 0", wrong_at);
    case GS1_UNCHECKED:
    case GS1_CHECK_COUNT: break;
    }
    return NULL;
}
