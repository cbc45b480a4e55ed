// Six-digit dates of AIs, with the century that the current year implies.
#ifndef PACKTRAIL_COMMON_IDENTIFY_GS1_DATE_H
#define PACKTRAIL_COMMON_IDENTIFY_GS1_DATE_H

#include "common/base/bytes.h"

struct gs1_date {
    int year;
    unsigned month;
    unsigned day; // the month's last where the code says 00
};

// yymmdd: at least six digits. The century is the one of GS1 General Specifications section 7.12: a year 51 to 99
// ahead of the current one lies in the previous century, one 50 to 99 behind in the next. PT_INVALID when the month
// has no such day.
enum pt_code gs1_date_parse(const char *yymmdd, int current_year, struct gs1_date *out,
                            struct pt_error *err) PT_NODISCARD;

// Writes YYYY-MM-DD and a NUL.
void gs1_date_format(const struct gs1_date *date, char out[11]);

#endif
