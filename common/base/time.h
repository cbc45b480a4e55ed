// Points in time as EPCIS writes them, and the one way to ask what time it is.
#ifndef PACKTRAIL_COMMON_BASE_TIME_H
#define PACKTRAIL_COMMON_BASE_TIME_H

#include "common/base/bytes.h"

// Milliseconds since 1970-01-01T00:00:00Z, without leap seconds. All stored times of ours have this unit.
typedef int64_t pt_millis;

// An xsd:dateTimeStamp: the instant, and the zone that it was written in (for showing it again).
struct pt_instant {
    int64_t seconds;         // since the epoch, UTC
    uint32_t nanos;          // 0 to 999,999,999; further digits of the text are cut
    int16_t offset_minutes;  // -840 to 840
};

// Clock and randomness reach the core through this, so that tests choose both.
struct pt_env {
    pt_millis (*now)(void *ctx);
    enum pt_code (*random)(void *ctx, uint8_t *out, size_t len, struct pt_error *err);
    void *ctx;
};

// The system's clock and random source. Static, never freed.
const struct pt_env *pt_env_system(void);

// Parses YYYY-MM-DDThh:mm:ss[.fraction](Z|±hh:mm), as EPCIS 2.0 requires (a zone must be there; 24:00:00 and
// leap seconds are refused). PT_INVALID says what is wrong, with the position.
enum pt_code pt_instant_parse(struct pt_bytes text, struct pt_instant *out, struct pt_error *err) PT_NODISCARD;

// Parses an EPCIS time zone offset ±hh:mm (00:00 to 14:00) into minutes.
enum pt_code pt_offset_parse(struct pt_bytes text, int16_t *out_minutes, struct pt_error *err) PT_NODISCARD;

// Writes the instant in its own zone, with as many fraction digits (0, 3, 6 or 9) as it needs; at most 36 bytes.
void pt_instant_append(struct pt_buf *out, const struct pt_instant *instant);
void pt_offset_append(struct pt_buf *out, int16_t minutes);  // "+01:00", "-06:00", "+00:00"

// UTC with three decimals, rounded half up at the fourth (the CBV event hash's form): 2020-03-04T10:00:30.000Z
void pt_instant_append_utc_ms(struct pt_buf *out, const struct pt_instant *instant);

pt_millis pt_instant_millis(const struct pt_instant *instant);  // cut, not rounded
struct pt_instant pt_instant_from_millis(pt_millis millis);     // in UTC

// Days since the epoch for a proleptic Gregorian date, and back. month 1 to 12.
int64_t pt_days_from_civil(int64_t year, unsigned month, unsigned day);
void pt_civil_from_days(int64_t days, int64_t *year, unsigned *month, unsigned *day);
unsigned pt_days_in_month(int64_t year, unsigned month);

#endif
