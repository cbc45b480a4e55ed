#include "common/identify/gs1_check.h"

#include <string.h>

// North American Coupon Application Guideline (AI 8110) and GS1 AI (8112) Coupon Data Specification: fields whose
// length an earlier digit tells, read one after the other.
struct reader {
    struct pt_bytes text;
    size_t at;
    const char *why; // the first thing wrong; nothing is read after it
};

static bool more(const struct reader *r) {
    return !r->why && r->at < r->text.len;
}

static void wrong(struct reader *r, const char *why) {
    if (!r->why) r->why = why;
}

static const uint8_t *take(struct reader *r, size_t len, const char *why_short) {
    static const uint8_t none[1] = {0};
    if (r->why) return none;
    if (r->text.len - r->at < len) {
        wrong(r, why_short);
        return none;
    }
    const uint8_t *found = r->text.data + r->at;
    r->at += len;
    return found;
}

// A digit that must be one of `allowed`.
static uint8_t take_code(struct reader *r, const char *allowed, const char *why) {
    if (r->why) return 0;
    const uint8_t c = r->at < r->text.len ? r->text.data[r->at] : 0;
    if (c == 0 || !strchr(allowed, c)) {
        wrong(r, why);
        return 0;
    }
    r->at++;
    return c;
}

// A length digit followed by that many digits more than `base`; '9' in `allowed` with base 6 stands for none.
static void take_sized(struct reader *r, const char *allowed, unsigned base, bool nine_is_none, const char *why) {
    const uint8_t digit = take_code(r, allowed, why);
    if (r->why || (nine_is_none && digit == '9')) return;
    (void)take(r, (size_t)(digit - '0') + base, why);
}

static bool starts_field(struct reader *r, char mark) {
    if (!more(r) || (char)r->text.data[r->at] != mark) return false;
    r->at++;
    return true;
}

static void take_requirement(struct reader *r, const char *why) {
    take_sized(r, "12345", 0, false, why);
    (void)take_code(r, "012349", "has an invalid purchase requirement code");
    (void)take(r, 3, "has a truncated family code");
}

static const uint8_t *take_date(struct reader *r, const char *why) {
    const size_t from = r->at;
    const uint8_t *date = take(r, 6, why);
    size_t wrong_at = 0;
    if (!r->why && gs1_check_content(GS1_DATE, pt_bytes_of(date, 6), &wrong_at)) {
        wrong(r, why);
        r->at = from + wrong_at;
    }
    return date;
}

static bool all_digits(struct pt_bytes text, size_t *wrong_at) {
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] < '0' || text.data[i] > '9') {
            *wrong_at = i;
            return false;
        }
    return true;
}

static void read_optional_fields(struct reader *r) {
    if (starts_field(r, '1')) {
        (void)take_code(r, "0123", "has an invalid additional purchase rules code");
        take_requirement(r, "has an invalid second purchase requirement");
        take_sized(r, "01234569", 6, true, "has an invalid second company prefix");
    }
    if (starts_field(r, '2')) {
        take_requirement(r, "has an invalid third purchase requirement");
        take_sized(r, "01234569", 6, true, "has an invalid third company prefix");
    }
    const uint8_t *expiry = starts_field(r, '3') ? take_date(r, "has an invalid expiration date") : NULL;
    if (starts_field(r, '4')) {
        const uint8_t *start = take_date(r, "has an invalid start date");
        if (!r->why && expiry && memcmp(start, expiry, 6) > 0) wrong(r, "expires before it starts");
    }
    if (starts_field(r, '5')) take_sized(r, "0123456789", 6, false, "has an invalid serial number");
    if (starts_field(r, '6')) take_sized(r, "1234567", 6, false, "has an invalid retailer prefix or GLN");
    if (starts_field(r, '9')) {
        (void)take_code(r, "01256", "has an invalid save value code");
        (void)take_code(r, "012", "has an invalid 'save value applies to' code");
        (void)take_code(r, "0123456789", "lacks the store coupon flag");
        (void)take_code(r, "01", "has an invalid don't-multiply flag");
    }
}

static const char *finish(struct reader *r, size_t *wrong_at) {
    if (more(r)) wrong(r, "has excess data");
    *wrong_at = r->at;
    return r->why;
}

const char *gs1_check_coupon(struct pt_bytes text, size_t *wrong_at) {
    struct reader r = {.text = text};
    if (!all_digits(text, wrong_at)) return "must be digits";
    take_sized(&r, "0123456", 6, false, "has an invalid company prefix");
    (void)take(&r, 6, "has a truncated offer code");
    take_sized(&r, "12345", 0, false, "has an invalid save value");
    take_requirement(&r, "has an invalid purchase requirement");
    read_optional_fields(&r);
    return finish(&r, wrong_at);
}

const char *gs1_check_coupon_offer(struct pt_bytes text, size_t *wrong_at) {
    struct reader r = {.text = text};
    if (!all_digits(text, wrong_at)) return "must be digits";
    (void)take_code(&r, "01", "has an invalid coupon format");
    take_sized(&r, "0123456", 6, false, "has an invalid funder");
    (void)take(&r, 6, "has a truncated offer code");
    take_sized(&r, "0123456789", 6, false, "has an invalid serial number");
    return finish(&r, wrong_at);
}
