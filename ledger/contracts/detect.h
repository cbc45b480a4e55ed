// Inside of the detectors: what they share of one event. Each detector is one file and one suspicion.
#ifndef PACKTRAIL_LEDGER_CONTRACTS_DETECT_H
#define PACKTRAIL_LEDGER_CONTRACTS_DETECT_H

#include "ledger/contracts/detectors.h"

// What the terminal's clock is worth, from what it says of itself and from when its event came in.
struct detect_clock {
    int64_t error;  // seconds that it may be off, at least the consortium's usual bound
    bool wrong;     // it is ahead of the chain, or so far behind that being offline does not explain it
    int64_t latest; // the event's time, but not after it was recorded
};

// Memo of what one event's packs share; in the arena.
struct detect_memo {
    struct detect_clock clock;
    bool has_sensors, has_label;
    int64_t speed;               // settings, read once: kilometres an hour …
    int64_t repeat_seconds;      // … how long the same step at the same place is a hesitation …
    int64_t moment_seconds;      // … within which a part told again may be the same …
    int64_t custody_seconds;     // … and how long a shipment's data may be late
    uint64_t source_holder;      // name of a party that was compared with the event's sources …
    bool source_named, source_is_holder;  // … whether there are any, and whether it is among them
    uint64_t role_party;         // name of a party whose roles were read
    uint32_t roles;
    struct temperature_verdict {  // of the event's readings against the range of the product that was looked at last
        bool known;
        int64_t min, max;
        unsigned confidence;      // 0: nothing to say
        bool enforced;
        const char *detail;
    } temperature;
};

struct detect_look {
    const struct sighting *sighting;
    struct state_view *view;
    struct detector_sink *sink;
    struct detect_memo *memo;
};

// The suspicions. Each raises what it finds.
enum pt_code detect_speed(const struct detect_look *look, struct pt_error *err) PT_NODISCARD;
enum pt_code detect_custody(const struct detect_look *look, struct pt_error *err) PT_NODISCARD;
enum pt_code detect_territory(const struct detect_look *look, struct pt_error *err) PT_NODISCARD;
enum pt_code detect_temperature(const struct detect_look *look, struct pt_error *err) PT_NODISCARD;
void detect_repeat(const struct detect_look *look);
enum pt_code detect_label(const struct detect_look *look, struct pt_error *err) PT_NODISCARD;

// Whether an unknown code is a known pack's, mangled by its reader (detect_misread.c).
void detect_misread_declare(const struct contract_input *input, const struct contract_context *context, struct access_list *out);
enum pt_code detect_misread(const struct detect_look *look, bool *misread, const char **how, struct pt_error *err) PT_NODISCARD;

// Roles of a party by its name's number; 0: not known.
enum pt_code detect_roles(const struct detect_look *look, uint64_t party, uint32_t *roles, struct pt_error *err) PT_NODISCARD;
// Whether the event names sources, and whether this party is among them.
enum pt_code detect_source(const struct detect_look *look, uint64_t party, bool *named, bool *is_party, struct pt_error *err) PT_NODISCARD;

// Whether the event ships to this party.
enum pt_code detect_ships_to(const struct detect_look *look, uint64_t party, bool *yes, struct pt_error *err) PT_NODISCARD;

static inline int64_t detect_setting(const struct contract_context *context, const char *name, int64_t otherwise) {
    return rule_setting(context->settings, name, otherwise);
}

static inline enum pt_code detect_raise(const struct detect_look *look, enum alert_kind kind, enum alert_mode mode, unsigned confidence,
                                        const char *detail, struct pt_error *err) {
    return look->sink->raise(look->sink, kind, mode, confidence, detail, err);
}

#endif
