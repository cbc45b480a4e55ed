#include "tests/rules/traffic_data.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/rules/traffic_story.h"

#define FILE_MAX ((size_t)1024 * 1024)

void traffic_stop(const char *what, const char *which) {
    fprintf(stderr, "traffic: %s: %s\n", what, which);
    exit(3);
}

void *traffic_memory(void *memory) {
    if (!memory) traffic_stop("out of memory", "");
    return memory;
}

// --- Random numbers: the same on every machine ---

static uint64_t mix(uint64_t x) {
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

uint64_t traffic_hash(uint64_t a, uint64_t b, uint64_t c) { return mix(mix(mix(a) ^ b) ^ c); }

struct traffic_random traffic_random_of(uint64_t seed, uint64_t stream) {
    return (struct traffic_random){traffic_hash(seed, stream, 1) | 1, traffic_hash(seed, stream, 2)};
}

uint64_t traffic_draw(struct traffic_random *random) {
    uint64_t a = random->a;
    const uint64_t b = random->b;
    random->a = b;
    a ^= a << 23;
    random->b = a ^ b ^ (a >> 18) ^ (b >> 5);
    return random->b + b;
}

int64_t traffic_between(struct traffic_random *random, int64_t least, int64_t most) {
    return most <= least ? least : least + (int64_t)((traffic_draw(random) >> 11) % (uint64_t)(most - least + 1));
}

bool traffic_ppm(struct traffic_random *random, int64_t ppm) { return traffic_between(random, 0, 999999) < ppm; }
bool traffic_percent(struct traffic_random *random, int64_t percent) { return traffic_between(random, 0, 99) < percent; }

// --- The files ---

static json_t *load(const char *dir, const char *name) {
    char path[512];
    struct pt_error err;
    json_t *value;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *file = fopen(path, "rb");
    if (!file) traffic_stop("cannot be opened", path);
    char *text = traffic_memory(malloc(FILE_MAX));
    const size_t len = fread(text, 1, FILE_MAX, file);
    fclose(file);
    if (pt_json_parse(pt_bytes_of(text, len), FILE_MAX, &value, &err) != PT_OK) traffic_stop(err.what, path);
    free(text);
    return value;
}

static const json_t *at(const json_t *root, const char *group, const char *name) {
    const json_t *object = group[0] ? json_object_get(root, group) : root;
    const json_t *value = json_object_get(object, name);
    if (!value) traffic_stop("a rate is missing", name);
    return value;
}

struct field {
    const char *group, *name;
    size_t offset;
    bool list;
};
#define NUMBER(group, name, member) {group, name, offsetof(struct traffic_data, member), false}
#define LIST(group, name, member) {group, name, offsetof(struct traffic_data, member), true}

static const struct field network_fields[] = {
    NUMBER("per_city", "wholesalers", network.wholesalers), NUMBER("per_city", "pharmacy_chains", network.chains),
    NUMBER("per_city", "branches_per_chain", network.branches), NUMBER("per_city", "hospitals", network.hospitals),
    NUMBER("", "terminals_per_place", network.terminals), NUMBER("", "makers_per_region", network.makers),
    NUMBER("", "products_per_maker", network.products), NUMBER("", "cold_products_percent", network.cold_percent),
    NUMBER("", "eu_product_countries", network.eu_countries), NUMBER("", "city_spread_millionths", network.spread),
};

static const struct field traffic_fields[] = {
    NUMBER("lot", "cases_least", lot.cases_least), NUMBER("lot", "cases_most", lot.cases_most),
    LIST("lot", "packs_per_case", lot.packs_per_case), NUMBER("lot", "cases_per_pallet", lot.cases_per_pallet),
    LIST("lot", "content", lot.content), NUMBER("lot", "shelf_life_days_least", lot.shelf_least),
    NUMBER("lot", "shelf_life_days_most", lot.shelf_most), LIST("days", "commission_to_ship", days.to_ship),
    LIST("days", "transit_long", days.transit_long), LIST("days", "wholesale_stock", days.wholesale),
    LIST("days", "transit_short", days.transit_short), LIST("days", "pharmacy_stock", days.pharmacy),
    NUMBER("ways_percent", "second_wholesaler", ways.second_wholesaler), NUMBER("ways_percent", "hospital", ways.hospital),
    NUMBER("ways_percent", "hub_abroad_eu", ways.hub), NUMBER("ways_percent", "pallet", ways.pallet),
    LIST("", "shipment_packs", shipment_packs), NUMBER("dispensing_percent", "cn_in_parts", in_parts),
    NUMBER("", "label_told_percent", label_told), NUMBER("", "source_named_percent", source_named),
    NUMBER("lawful_ppm_of_packs", "undone", lawful.undone), NUMBER("lawful_ppm_of_packs", "returned_by_trade", lawful.trade_return),
    NUMBER("lawful_ppm_of_packs", "returned_by_patient", lawful.patient_return), NUMBER("lawful_ppm_of_packs", "destroyed", lawful.destroyed),
    NUMBER("lawful_ppm_of_packs", "sampled", lawful.sampled), NUMBER("lawful_ppm_of_packs", "stock_taken", lawful.counted),
    NUMBER("lawful_ppm_of_packs", "borrowed_by_branch", lawful.borrowed), NUMBER("lawful_ppm_of_packs", "stolen_not_sold", lawful.stolen),
    NUMBER("lawful_ppm_of_packs", "exported", lawful.exported), NUMBER("lawful_ppm_of_packs", "held_and_released", lawful.held),
    NUMBER("lawful_ppm_of_lots", "recalled", recalled_lots), NUMBER("clock_ppm_of_terminals", "minutes", clock.minutes),
    NUMBER("clock_ppm_of_terminals", "quarter_hour", clock.quarter), NUMBER("clock_ppm_of_terminals", "wrong_zone", clock.zone),
    NUMBER("clock_ppm_of_terminals", "wrong_year", clock.year), NUMBER("upload_ppm_of_events", "within_minute", upload.minute),
    NUMBER("upload_ppm_of_events", "within_hours", upload.hours), NUMBER("upload_ppm_of_events", "within_week", upload.week),
    NUMBER("", "reordered_ppm_of_events", reordered),
#define MESS(name, member) NUMBER("mess_ppm", name, mess.member)
    MESS("dispense_sent_twice", sent_twice), MESS("dispense_scanned_again_at_hand_over", hand_over), MESS("ward_scans_again", ward),
    MESS("commissioning_sent_twice_lots", commissioning_twice), MESS("part_sent_twice", part_twice),
    MESS("receipt_not_scanned_shipments", no_receipt), MESS("shipment_not_scanned", no_shipment),
    MESS("delivered_to_wrong_neighbour", wrong_neighbour), MESS("drop_shipment", drop_shipment), MESS("data_late_lots", data_late),
    MESS("misread_caps_lock", caps_lock), MESS("misread_german_layout", german), MESS("misread_french_layout", french),
    MESS("misread_lost_separator", separator), MESS("misread_digit", digit), MESS("label_lot_typo", lot_typo),
    MESS("label_expiry_typo", expiry_typo), MESS("announced_expiry_wrong_lots", expiry_announced), MESS("case_swaps_a_pack", case_swap),
    MESS("case_lacks_a_pack", case_lack), MESS("logger_spike_shipments", spike), MESS("logger_wrong_unit_shipments", wrong_unit),
    MESS("logger_left_outside_shipments", outside), MESS("individual_import", import), MESS("undo_too_late", undo_late),
    MESS("undo_at_sibling", undo_sibling), MESS("return_without_word", return_word), MESS("recall_returned_without_word", recall_word),
    MESS("stolen_in_error", stolen_error), MESS("correction_of_shipment", correction), MESS("event_sent_twice_same_id", same_id),
    MESS("place_of_terminal_wrong", wrong_place),
};

static void read_fields(const json_t *root, const struct field *fields, size_t count, struct traffic_data *out) {
    for (size_t i = 0; i < count; i++) {
        const json_t *value = at(root, fields[i].group, fields[i].name);
        void *place = (char *)out + fields[i].offset;
        if (!fields[i].list) {
            *(int64_t *)place = json_integer_value(value);
            continue;
        }
        struct traffic_list *list = place;
        for (list->count = 0; list->count < json_array_size(value) && list->count < TRAFFIC_LIST_MAX; list->count++)
            list->items[list->count] = json_integer_value(json_array_get(value, list->count));
    }
}

static void read_cities(const json_t *root, const char *region, struct traffic_city *out, size_t *count) {
    const json_t *list = at(root, "cities", region);
    for (*count = 0; *count < json_array_size(list) && *count < TRAFFIC_CITIES_MAX; (*count)++) {
        const json_t *item = json_array_get(list, *count);
        struct traffic_city *city = &out[*count];
        snprintf(city->name, sizeof city->name, "%s", json_string_value(json_array_get(item, 0)));
        city->latitude = json_integer_value(json_array_get(item, 1));
        city->longitude = json_integer_value(json_array_get(item, 2));
        snprintf(city->territory, sizeof city->territory, "%s", json_string_value(json_array_get(item, 3)));
    }
}

static unsigned kind_of(const char *name) {
    if (strcmp(name, "refused") == 0) return TRAFFIC_REFUSED;
    for (unsigned kind = 1; kind < ALERT_KINDS; kind++)
        if (strcmp(alert_kind_name((enum alert_kind)kind), name) == 0) return kind;
    traffic_stop("no such kind of alert", name);
}

static void read_crimes(const json_t *list, bool beyond_reach, struct traffic_data *out) {
    for (size_t i = 0; i < json_array_size(list) && out->crime_count < TRAFFIC_CRIMES_MAX; i++) {
        const json_t *item = json_array_get(list, i), *expected = at(item, "", "expect");
        struct traffic_crime *crime = &out->crimes[out->crime_count++];
        snprintf(crime->name, sizeof crime->name, "%s", json_string_value(at(item, "", "name")));
        crime->ppm = json_integer_value(at(item, "", "ppm"));
        crime->beyond_reach = beyond_reach;
        crime->story = traffic_story_named(crime->name);
        for (size_t j = 0; j < json_array_size(expected) && j < 4; j++)
            crime->expected[crime->expected_count++] = kind_of(json_string_value(json_array_get(expected, j)));
    }
}

void traffic_data_load(const char *dir, struct traffic_data *out) {
    *out = (struct traffic_data){0};
    PT_JSON json_t *network = load(dir, "network.json");
    PT_JSON json_t *traffic = load(dir, "traffic.json");
    PT_JSON json_t *crimes = load(dir, "crimes.json");
    read_fields(network, network_fields, sizeof network_fields / sizeof network_fields[0], out);
    read_fields(traffic, traffic_fields, sizeof traffic_fields / sizeof traffic_fields[0], out);
    read_cities(network, "cn", out->cities[REGION_CN], &out->city_count[REGION_CN]);
    read_cities(network, "eu", out->cities[REGION_EU], &out->city_count[REGION_EU]);
    read_crimes(at(crimes, "", "crimes"), false, out);
    read_crimes(at(crimes, "", "beyond_reach"), true, out);
    out->aim_found_percent = json_integer_value(at(crimes, "aim", "found_percent"));
    out->aim_scans_per_false_alarm = json_integer_value(at(crimes, "aim", "ordinary_scans_per_false_alarm"));
}
