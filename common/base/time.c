#include "common/base/time.h"

#include <errno.h>
#include <sys/random.h>
#include <time.h>

static pt_millis system_now(void *ctx) {
    (void)ctx;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (pt_millis)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static enum pt_code system_random(void *ctx, uint8_t *out, size_t len, struct pt_error *err) {
    (void)ctx;
    while (len > 0) {
        const ssize_t got = getrandom(out, len, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return pt_fail_errno(err, "getrandom", "no random bytes");
        out += got;
        len -= (size_t)got;
    }
    return PT_OK;
}

const struct pt_env *pt_env_system(void) {
    static const struct pt_env env = {system_now, system_random, NULL};
    return &env;
}

// Civil dates after Howard Hinnant's published method: eras of 400 years that begin on 1 March.
int64_t pt_days_from_civil(int64_t year, unsigned month, unsigned day) {
    year -= month <= 2;
    const int64_t era = (year >= 0 ? year : year - 399) / 400;
    const int64_t year_of_era = year - era * 400;
    const int64_t day_of_year = (153 * (int64_t)(month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    const int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

void pt_civil_from_days(int64_t days, int64_t *year, unsigned *month, unsigned *day) {
    days += 719468;
    const int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    const int64_t day_of_era = days - era * 146097;
    const int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const int64_t march_month = (5 * day_of_year + 2) / 153;
    *day = (unsigned)(day_of_year - (153 * march_month + 2) / 5 + 1);
    *month = (unsigned)(march_month < 10 ? march_month + 3 : march_month - 9);
    *year = year_of_era + era * 400 + (*month <= 2);
}

unsigned pt_days_in_month(int64_t year, unsigned month) {
    static const unsigned char days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (month < 1 || month > 12) return 0;
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

struct scanner {
    struct pt_bytes text;
    size_t at;
    bool bad;
};

static unsigned digits(struct scanner *s, size_t count) {
    unsigned value = 0;
    for (size_t i = 0; i < count && !s->bad; i++) {
        const uint8_t c = s->at < s->text.len ? s->text.data[s->at] : 0;
        if (c < '0' || c > '9') s->bad = true;
        else {
            value = value * 10 + (unsigned)(c - '0');
            s->at++;
        }
    }
    return value;
}

static void expect(struct scanner *s, char wanted) {
    if (s->bad) return;
    if (s->at < s->text.len && s->text.data[s->at] == (uint8_t)wanted) s->at++;
    else s->bad = true;
}

static bool next_is(const struct scanner *s, char c) {
    return !s->bad && s->at < s->text.len && s->text.data[s->at] == (uint8_t)c;
}

static uint32_t fraction(struct scanner *s) {
    uint32_t nanos = 0;
    uint32_t unit = 100000000;
    const size_t first = s->at;
    while (!s->bad && s->at < s->text.len && s->text.data[s->at] >= '0' && s->text.data[s->at] <= '9') {
        nanos += unit * (uint32_t)(s->text.data[s->at] - '0');
        unit /= 10;
        s->at++;
    }
    if (s->at == first) s->bad = true;
    return nanos;
}

static int16_t zone_offset(struct scanner *s) {
    const bool negative = next_is(s, '-');
    if (negative) expect(s, '-');
    else expect(s, '+');
    const unsigned hours = digits(s, 2);
    expect(s, ':');
    const unsigned minutes = digits(s, 2);
    if (!s->bad && (minutes > 59 || hours > 14 || (hours == 14 && minutes > 0))) s->bad = true;
    const int total = (int)(hours * 60 + minutes);
    return (int16_t)(negative ? -total : total);
}

enum pt_code pt_offset_parse(struct pt_bytes text, int16_t *out_minutes, struct pt_error *err) {
    struct scanner s = {.text = text};
    const int16_t minutes = zone_offset(&s);
    if (s.bad || s.at != text.len)
        return pt_fail_at(err, PT_INVALID, (long)s.at, NULL, "not a time zone offset (±hh:mm, at most 14:00)");
    *out_minutes = minutes;
    return PT_OK;
}

enum pt_code pt_instant_parse(struct pt_bytes text, struct pt_instant *out, struct pt_error *err) {
    struct scanner s = {.text = text};
    const unsigned year = digits(&s, 4);
    expect(&s, '-');
    const unsigned month = digits(&s, 2);
    expect(&s, '-');
    const unsigned day = digits(&s, 2);
    expect(&s, 'T');
    const unsigned hour = digits(&s, 2);
    expect(&s, ':');
    const unsigned minute = digits(&s, 2);
    expect(&s, ':');
    const unsigned second = digits(&s, 2);
    uint32_t nanos = 0;
    if (next_is(&s, '.')) {
        expect(&s, '.');
        nanos = fraction(&s);
    }
    int16_t offset = 0;
    if (next_is(&s, 'Z')) expect(&s, 'Z');
    else offset = zone_offset(&s);
    if (s.bad || s.at != text.len)
        return pt_fail_at(err, PT_INVALID, (long)s.at, NULL, "not a date and time with zone (2024-05-31T08:15:30.000Z)");
    if (month < 1 || month > 12 || day < 1 || day > pt_days_in_month(year, month))
        return pt_fail(err, PT_INVALID, NULL, "there is no day %04u-%02u-%02u", year, month, day);
    if (hour > 23 || minute > 59 || second > 59)
        return pt_fail(err, PT_INVALID, NULL, "there is no time %02u:%02u:%02u", hour, minute, second);
    const int64_t local = pt_days_from_civil(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
    *out = (struct pt_instant){.seconds = local - (int64_t)offset * 60, .nanos = nanos, .offset_minutes = offset};
    return PT_OK;
}

static void append_civil(struct pt_buf *out, int64_t local_seconds) {
    int64_t days = local_seconds / 86400;
    int64_t rest = local_seconds % 86400;
    if (rest < 0) {
        rest += 86400;
        days--;
    }
    int64_t year;
    unsigned month;
    unsigned day;
    pt_civil_from_days(days, &year, &month, &day);
    pt_buf_printf(out, "%04lld-%02u-%02uT%02d:%02d:%02d", (long long)year, month, day, (int)(rest / 3600),
                  (int)(rest / 60 % 60), (int)(rest % 60));
}

void pt_offset_append(struct pt_buf *out, int16_t minutes) {
    const int size = minutes < 0 ? -minutes : minutes;
    pt_buf_printf(out, "%c%02d:%02d", minutes < 0 ? '-' : '+', size / 60, size % 60);
}

void pt_instant_append(struct pt_buf *out, const struct pt_instant *instant) {
    append_civil(out, instant->seconds + (int64_t)instant->offset_minutes * 60);
    if (instant->nanos % 1000000 == 0) {
        if (instant->nanos) pt_buf_printf(out, ".%03u", instant->nanos / 1000000);
    } else if (instant->nanos % 1000 == 0) {
        pt_buf_printf(out, ".%06u", instant->nanos / 1000);
    } else {
        pt_buf_printf(out, ".%09u", instant->nanos);
    }
    if (instant->offset_minutes == 0) pt_buf_byte(out, 'Z');
    else pt_offset_append(out, instant->offset_minutes);
}

void pt_instant_append_utc_ms(struct pt_buf *out, const struct pt_instant *instant) {
    uint32_t millis = (instant->nanos + 500000) / 1000000;
    int64_t seconds = instant->seconds;
    if (millis == 1000) {
        millis = 0;
        seconds++;
    }
    append_civil(out, seconds);
    pt_buf_printf(out, ".%03uZ", millis);
}

pt_millis pt_instant_millis(const struct pt_instant *instant) {
    return instant->seconds * 1000 + (pt_millis)(instant->nanos / 1000000);
}

struct pt_instant pt_instant_from_millis(pt_millis millis) {
    pt_millis seconds = millis / 1000;
    pt_millis rest = millis % 1000;
    if (rest < 0) {
        rest += 1000;
        seconds--;
    }
    return (struct pt_instant){.seconds = seconds, .nanos = (uint32_t)rest * 1000000};
}
