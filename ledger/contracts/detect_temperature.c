// Temperature: readings of a logger outside the product's range for long enough to matter. A spike, a door that stood
// open, a logger that lay outside the box for minutes and a wrong unit are told apart and only noted.
#include <stdio.h>
#include <string.h>

#include "common/epcis/cbv.h"
#include "ledger/contracts/detect.h"

#define NOT_KNOWN INT64_MIN
#define READING_MOST ((int64_t)1000000)  // hundredths of a degree; beyond is no temperature
#define LONG_SECONDS ((int64_t)7 * 86400)

// A double as hundredths, rounded half away from zero, by its bits: no machine's arithmetic has a say.
static int64_t hundredths(const struct epcis_number *number) {
    uint64_t bits;
    if (!number->present) return NOT_KNOWN;
    if (number->is_integer) return number->integer > READING_MOST / 100 || number->integer < -READING_MOST / 100 ? NOT_KNOWN : number->integer * 100;
    _Static_assert(sizeof bits == sizeof number->real, "IEEE 754 double");
    memcpy(&bits, &number->real, sizeof bits);
    const int exponent = (int)((bits >> 52) & 0x7ff) - 1075;
    const uint64_t mantissa = ((bits & (((uint64_t)1 << 52) - 1)) | ((uint64_t)1 << 52)) * 100;  // below 2^60
    if (exponent > -1 || exponent < -120) return exponent < 0 ? 0 : NOT_KNOWN;
    const int shift = -exponent;
    const uint64_t value = shift > 62 ? 0 : (mantissa + ((uint64_t)1 << (shift - 1))) >> shift;
    if (value > (uint64_t)READING_MOST) return NOT_KNOWN;
    return bits >> 63 ? -(int64_t)value : (int64_t)value;
}

// UN/CEFACT Recommendation 20: CEL, FAH, KEL.
static int64_t celsius(int64_t value, const char *uom) {
    if (value == NOT_KNOWN || !uom || strcmp(uom, "CEL") == 0) return value;
    if (strcmp(uom, "FAH") == 0) return (value - 3200) * 5 / 9;
    return strcmp(uom, "KEL") == 0 ? value - 27315 : NOT_KNOWN;
}

static bool is_temperature(const struct epcis_sensor_report *report) {
    const char *type = report->type ? cbv_word(CBV_MEASUREMENT, report->type) : NULL;
    const char *broken = report->exception ? cbv_word(CBV_SENSOR_ALERT, report->exception) : NULL;
    return type && strcmp(type, "Temperature") == 0 && !(broken && strcmp(broken, "ERROR_CONDITION") == 0);
}

// What the readings come to, against one range.
struct sum {
    int64_t min, max, tolerance;
    int64_t outside, below_zero;  // seconds between readings that were both outside; both below zero
    int64_t furthest;             // hundredths beyond the range
    size_t readings, out, fahrenheit;
    bool mean_outside;
    int64_t last_seconds;
    bool last_out, last_frozen, has_last;
};

static int64_t beyond(const struct sum *sum, int64_t value) {
    if (value < sum->min - sum->tolerance) return sum->min - value;
    return value > sum->max + sum->tolerance ? value - sum->max : 0;
}

static void add_reading(struct sum *sum, int64_t value, const int64_t *seconds) {
    const int64_t by = beyond(sum, value);
    const bool frozen = value < 0 && sum->min >= 0 && by > 0;
    sum->readings++;
    sum->out += by > 0;
    if (by > sum->furthest) sum->furthest = by;
    if (beyond(sum, (value - 3200) * 5 / 9) == 0) sum->fahrenheit++;
    if (!seconds) return;
    const int64_t between = sum->has_last ? *seconds - sum->last_seconds : 0;
    if (between > 0 && between < LONG_SECONDS) {
        if (sum->last_out && by > 0) sum->outside += between;
        if (sum->last_frozen && frozen) sum->below_zero += between;
    }
    sum->has_last = true;
    sum->last_seconds = *seconds;
    sum->last_out = by > 0;
    sum->last_frozen = frozen;
}

static void add_report(struct sum *sum, const struct epcis_sensor_report *report, const struct epcis_sensor_metadata *metadata) {
    const int64_t value = celsius(hundredths(&report->value), report->uom), mean = celsius(hundredths(&report->mean_value), report->uom),
                  least = celsius(hundredths(&report->min_value), report->uom), most = celsius(hundredths(&report->max_value), report->uom);
    const struct pt_instant *time = report->has_time ? &report->time : metadata->has_time ? &metadata->time : NULL;
    if (value != NOT_KNOWN) add_reading(sum, value, time ? &time->seconds : NULL);
    if (least != NOT_KNOWN) add_reading(sum, least, NULL);
    if (most != NOT_KNOWN) add_reading(sum, most, NULL);
    if (mean == NOT_KNOWN) return;
    add_reading(sum, mean, NULL);
    if (beyond(sum, mean) > 0) sum->mean_outside = true;
}

static struct temperature_verdict verdict(const struct detect_look *look, const struct sum *sum) {
    const struct contract_context *context = look->sighting->context;
    struct temperature_verdict out = {.known = true, .min = sum->min, .max = sum->max};
    if (sum->out == 0) return out;
    if (sum->fahrenheit == sum->readings) {
        out.confidence = 15;
        out.detail = "readings fit the range as Fahrenheit: the unit may be wrong";
    } else if (sum->below_zero >= 60 * detect_setting(context, "alert.temperature.frozen_minutes", 15)) {
        out.confidence = 90;
        out.detail = "frozen on the way";
    } else if (sum->outside >= 60 * detect_setting(context, "alert.temperature.minutes", 30)) {
        out.confidence = 85;
        out.detail = "outside the product's range for long";
    } else if (sum->mean_outside) {
        out.confidence = 80;
        out.detail = "outside the product's range on the mean";
    } else {
        out.confidence = 20;
        out.detail = "a short excursion, or one reading alone";
    }
    out.enforced = out.confidence >= 50;
    return out;
}

enum pt_code detect_temperature(const struct detect_look *look, struct pt_error *err) {
    const struct product_facts *product = look->sighting->product;
    const struct epcis_event *event = look->sighting->input->event;
    struct temperature_verdict *judged = &look->memo->temperature;
    if (!product->has_temperature_min && !product->has_temperature_max) return PT_OK;
    struct sum sum = {.min = product->has_temperature_min ? product->temperature_min : -27315,
                      .max = product->has_temperature_max ? product->temperature_max : READING_MOST,
                      .tolerance = detect_setting(look->sighting->context, "alert.temperature.tolerance", 50)};
    if (!judged->known || judged->min != sum.min || judged->max != sum.max) {
        for (size_t i = 0; i < event->sensor_element_count; i++) {
            const struct epcis_sensor_element *element = &event->sensor_elements[i];
            sum.has_last = false;  // another logger
            for (size_t j = 0; j < element->report_count; j++)
                if (is_temperature(&element->reports[j])) add_report(&sum, &element->reports[j], &element->metadata);
        }
        *judged = verdict(look, &sum);
    }
    if (judged->confidence == 0) return PT_OK;
    return detect_raise(look, ALERT_TEMPERATURE, judged->enforced ? ALERT_ENFORCE : ALERT_SHADOW, judged->confidence, judged->detail, err);
}
