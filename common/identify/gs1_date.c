#include "common/identify/gs1_date.h"

#include <string.h>

#include "common/base/time.h"

static int two(const char *digits) {
    return (digits[0] - '0') * 10 + digits[1] - '0';
}

enum pt_code gs1_date_parse(const char *yymmdd, int current_year, struct gs1_date *out, struct pt_error *err) {
    *out = (struct gs1_date){0};
    if (strspn(yymmdd, "0123456789") < 6) return pt_fail_at(err, PT_INVALID, 0, NULL, "date: not six digits");
    const int ahead = two(yymmdd) - current_year % 100;
    int century = current_year - current_year % 100;
    if (ahead >= 51) century -= 100;
    else if (ahead <= -50) century += 100;
    const int year = century + two(yymmdd);
    const unsigned month = (unsigned)two(yymmdd + 2);
    unsigned day = (unsigned)two(yymmdd + 4);
    if (month < 1 || month > 12) return pt_fail_at(err, PT_INVALID, 2, NULL, "date: there is no month %02u", month);
    const unsigned last = pt_days_in_month(year, month);
    if (day == 0) day = last;
    if (day > last) return pt_fail_at(err, PT_INVALID, 4, NULL, "date: %04d-%02u has no day %02u", year, month, day);
    *out = (struct gs1_date){year, month, day};
    return PT_OK;
}

void gs1_date_format(const struct gs1_date *date, char out[11]) {
    const unsigned parts[3] = {(unsigned)date->year % 10000u, date->month, date->day};
    const size_t widths[3] = {4, 2, 2};
    size_t at = 0;
    for (size_t i = 0; i < 3; i++) {
        unsigned rest = parts[i];
        for (size_t k = widths[i]; k-- > 0; rest /= 10) out[at + k] = (char)('0' + rest % 10);
        at += widths[i];
        out[at++] = i < 2 ? '-' : '\0';
    }
}
