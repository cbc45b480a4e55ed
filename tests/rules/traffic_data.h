// What the year of traffic draws from: the rates of traffic/*.json, and the random numbers.
#ifndef PACKTRAIL_TESTS_RULES_TRAFFIC_DATA_H
#define PACKTRAIL_TESTS_RULES_TRAFFIC_DATA_H

#include "common/base/json.h"
#include "ledger/state/alert_record.h"

#define TRAFFIC_LIST_MAX 8u
#define TRAFFIC_CITIES_MAX 16u
#define TRAFFIC_CRIMES_MAX 40u
#define TRAFFIC_REFUSED ALERT_KINDS  // among expected kinds: the statement must not be applied

struct traffic_list {
    int64_t items[TRAFFIC_LIST_MAX];
    size_t count;
};

struct traffic_city {
    char name[24], territory[8];
    int64_t latitude, longitude;  // millionths of a degree
};

// The stories in traffic_crimes.c, in the order of their names there.
struct traffic_crime {
    char name[40];
    int64_t ppm;
    unsigned story;
    unsigned expected[4];  // enum alert_kind or TRAFFIC_REFUSED
    size_t expected_count;
    bool beyond_reach;
};

enum { REGION_CN = 0, REGION_EU = 1, REGIONS = 2 };

struct traffic_data {
    struct traffic_city cities[REGIONS][TRAFFIC_CITIES_MAX];
    size_t city_count[REGIONS];
    struct { int64_t wholesalers, chains, branches, hospitals, terminals, makers, products, cold_percent, eu_countries, spread; } network;
    struct { int64_t cases_least, cases_most, cases_per_pallet, shelf_least, shelf_most; struct traffic_list packs_per_case, content; } lot;
    struct { struct traffic_list to_ship, transit_long, wholesale, transit_short, pharmacy; } days;
    struct { int64_t second_wholesaler, hospital, hub, pallet; } ways;
    struct traffic_list shipment_packs;
    int64_t in_parts, label_told, source_named;
    struct { int64_t undone, trade_return, patient_return, destroyed, sampled, counted, borrowed, stolen, exported, held; } lawful;
    int64_t recalled_lots;
    struct { int64_t minutes, quarter, zone, year; } clock;
    struct { int64_t minute, hours, week; } upload;
    int64_t reordered;
    struct {
        int64_t sent_twice, hand_over, ward, commissioning_twice, part_twice, no_receipt, no_shipment, wrong_neighbour, drop_shipment,
            data_late, caps_lock, german, french, separator, digit, lot_typo, expiry_typo, expiry_announced, case_swap, case_lack,
            spike, wrong_unit, outside, import, undo_late, undo_sibling, return_word, recall_word, stolen_error, correction,
            same_id, wrong_place;
    } mess;
    struct traffic_crime crimes[TRAFFIC_CRIMES_MAX];
    size_t crime_count;
    int64_t aim_found_percent, aim_scans_per_false_alarm;
};

// Ends the program with a word if a file or field is missing.
void traffic_data_load(const char *dir, struct traffic_data *out);

// xorshift128+; never all zero.
struct traffic_random {
    uint64_t a, b;
};
struct traffic_random traffic_random_of(uint64_t seed, uint64_t stream);
uint64_t traffic_hash(uint64_t a, uint64_t b, uint64_t c);
uint64_t traffic_draw(struct traffic_random *random);
int64_t traffic_between(struct traffic_random *random, int64_t least, int64_t most);  // both included
bool traffic_ppm(struct traffic_random *random, int64_t ppm);
bool traffic_percent(struct traffic_random *random, int64_t percent);

_Noreturn void traffic_stop(const char *what, const char *which);
void *traffic_memory(void *memory);  // ends the program if there is none

#endif
