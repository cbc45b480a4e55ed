#include "tests/rules/traffic_world.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/identify/gs1_check.h"

#define SITES_MAX 4096u
#define WEEK ((int64_t)7 * 86400)

static struct site *add_site(struct world *world, struct traffic_random *random, enum site_kind kind, unsigned region, unsigned city) {
    const struct traffic_city *where = &world->data->cities[region][city];
    const int64_t spread = world->data->network.spread;
    if (world->site_count == SITES_MAX) traffic_stop("too many sites", "network.json");
    struct site *site = &world->sites[world->site_count];
    *site = (struct site){.kind = kind, .region = region, .city = city, .number = (uint32_t)world->site_count++};
    site->latitude = where->latitude + traffic_between(random, -spread, spread);
    site->longitude = where->longitude + traffic_between(random, -spread, spread);
    snprintf(site->territory, sizeof site->territory, "%s", where->territory);
    snprintf(site->place, sizeof site->place, "urn:packtrail:place:t%u", site->number);
    snprintf(site->party, sizeof site->party, "urn:packtrail:party:t%u", site->number);
    site->first_branch = site->number;
    site->branches = 1;
    return site;
}

static void add_sites(struct world *world, struct traffic_random *random, unsigned region, enum site_kind kind) {
    const struct traffic_data *data = world->data;
    const uint32_t first = (uint32_t)world->site_count;
    for (unsigned city = 0; city < data->city_count[region]; city++) {
        int64_t parties = kind == SITE_WHOLESALER ? data->network.wholesalers
                          : kind == SITE_PHARMACY ? data->network.chains
                                                  : data->network.hospitals;
        if (kind == SITE_MAKER) parties = city < (unsigned)data->network.makers ? 1 : 0;
        const int64_t branches = kind == SITE_PHARMACY ? data->network.branches : 1;
        for (int64_t i = 0; i < parties * branches; i++) {
            struct site *site = add_site(world, random, kind, region, city);
            site->first_branch = site->number - (uint32_t)(i % branches);
            site->branches = (uint32_t)branches;
            snprintf(site->party, sizeof site->party, "urn:packtrail:party:t%u", site->first_branch);
        }
    }
    world->first_site[region][kind] = first;
    world->site_counts[region][kind] = (uint32_t)world->site_count - first;
}

static void add_product(struct world *world, struct traffic_random *random, unsigned region, uint32_t maker) {
    const struct traffic_data *data = world->data;
    struct product *product = &world->products[world->product_count];
    *product = (struct product){.region = region, .maker = maker, .number = (uint32_t)world->product_count++};
    product->content = data->lot.content.items[traffic_between(random, 0, (int64_t)data->lot.content.count - 1)];
    product->cold = traffic_percent(random, data->network.cold_percent);
    if (region == REGION_CN) {
        snprintf(product->code, sizeof product->code, "81%05u", product->number);
        snprintf(product->territories[product->territory_count++], 8, "CN");
        return;
    }
    snprintf(product->code, sizeof product->code, "050600%07u", product->number);
    product->code[13] = gs1_check_digit(pt_bytes_of(product->code, 13));
    while (product->territory_count < (size_t)data->network.eu_countries && product->territory_count < 2) {
        const char *country = data->cities[region][traffic_between(random, 0, (int64_t)data->city_count[region] - 1)].territory;
        if (product->territory_count == 0 || strcmp(product->territories[0], country) != 0)
            snprintf(product->territories[product->territory_count++], 8, "%s", country);
    }
}

static void tell(struct world *world, const struct master_record *record) {
    if (rules_lab_master(world->lab, world->operator_actor, record) != RESULT_APPLIED) traffic_stop("a master record is refused", master_id(record));
}

static void tell_site(struct world *world, const struct site *site) {
    static const uint32_t roles[] = {MASTER_MANUFACTURER, MASTER_DISTRIBUTOR, MASTER_PHARMACY, MASTER_HOSPITAL};
    struct master_record party = {.kind = MASTER_PARTY, .version = 1};
    struct master_record place = {.kind = MASTER_PLACE, .version = 1};
    party.party = (struct master_party){.id = site->party, .name = {.en = site->party}, .roles = 1u << roles[site->kind], .territory = site->territory};
    place.place = (struct master_place){.id = site->place, .name = {.en = site->place}, .party = site->party, .territory = site->territory,
                                        .profile = site->region == REGION_CN ? "cn" : "eu", .latitude = {true, site->latitude},
                                        .longitude = {true, site->longitude}};
    if (site->first_branch == site->number) tell(world, &party);
    tell(world, &place);
}

static void tell_product(struct world *world, const struct product *product) {
    char id[64];
    const char *territories[] = {product->territories[0], product->territories[1]};
    struct master_level level = {.level = 1, .units = (uint64_t)product->content};
    struct master_record record = {.kind = MASTER_PRODUCT, .version = 1};
    snprintf(id, sizeof id, "urn:packtrail:product:t%u", product->number);
    if (product->region == REGION_CN) level.drug_identifier = product->code;
    else level.gtin = product->code;
    record.product = (struct master_product){.id = id, .name = {.en = id}, .levels = {&level, 1}, .holder = world->sites[product->maker].party,
                                             .territories = {territories, product->territory_count}, .prescription_only = true};
    if (product->cold) {
        record.product.temperature_min = (struct master_integer){true, 200};
        record.product.temperature_max = (struct master_integer){true, 800};
    }
    tell(world, &record);
}

void world_new(struct world *world, const struct traffic_data *data, uint64_t seed, size_t records) {
    struct traffic_random random = traffic_random_of(seed, UINT64_MAX);
    *world = (struct world){.data = data, .seed = seed};
    world->lab = rules_lab_new("cn", RULE_VERSION_NEWEST, records);
    world->lab->forget_alerts = true;
    world->operator_actor = rules_lab_enrol(world->lab, ACTOR_OPERATOR, "urn:packtrail:party:operator", NULL);
    world->insurer = rules_lab_enrol(world->lab, ACTOR_COMPANY, "urn:packtrail:party:insurer", NULL);
    world->sites = traffic_memory(calloc(SITES_MAX, sizeof *world->sites));
    for (unsigned region = 0; region < REGIONS; region++)
        for (enum site_kind kind = SITE_MAKER; kind <= SITE_HOSPITAL; kind++) add_sites(world, &random, region, kind);
    world->products = traffic_memory(calloc((size_t)(REGIONS * data->network.makers * data->network.products), sizeof *world->products));
    for (unsigned region = 0; region < REGIONS; region++)
        for (uint32_t maker = 0; maker < world->site_counts[region][SITE_MAKER]; maker++)
            for (int64_t i = 0; i < data->network.products; i++) add_product(world, &random, region, world->first_site[region][SITE_MAKER] + maker);
    for (size_t i = 0; i < world->site_count; i++) {
        struct site *site = &world->sites[i];
        tell_site(world, site);
        for (unsigned terminal = 0; terminal < SITE_TERMINALS; terminal++)
            site->terminals[terminal] = rules_lab_enrol(world->lab, site->kind == SITE_MAKER ? ACTOR_COMPANY : ACTOR_DEVICE, site->party, site->place);
    }
    for (size_t i = 0; i < world->product_count; i++) tell_product(world, &world->products[i]);
}

void world_free(struct world *world) {
    rules_lab_free(world->lab);
    free(world->sites);
    free(world->products);
}

// A clock goes wrong for a week at a time; a company's servers keep good time.
int64_t world_clock_error(const struct world *world, const struct site *site, unsigned terminal, int64_t seconds, int64_t *told) {
    const int64_t minutes = world->data->clock.minutes, quarter = minutes + world->data->clock.quarter,
                  zone = quarter + world->data->clock.zone, year = zone + world->data->clock.year;
    *told = -1;
    if (site->kind == SITE_MAKER) return 0;
    struct traffic_random random = traffic_random_of(world->seed ^ 0x636c6f636bu, (uint64_t)site->number * 2 + terminal + ((uint64_t)(seconds / WEEK) << 32));
    const int64_t drawn = traffic_between(&random, 0, 999999);
    if (drawn >= year) return traffic_between(&random, -5, 5);
    const bool knows = traffic_between(&random, 0, 2) == 0;
    int64_t error;
    if (drawn < minutes) error = traffic_between(&random, -180, 180);
    else if (drawn < quarter) error = traffic_between(&random, -900, 900);
    else if (drawn < zone) error = 3600 * traffic_between(&random, -8, 8);
    else error = traffic_percent(&random, 50) ? -traffic_between(&random, 300, 9000) * 86400 : traffic_between(&random, 300, 3000) * 86400;
    if (knows) *told = llabs(error) + 60;
    return error;
}

bool world_licensed(const struct product *product, const struct site *site) {
    for (size_t i = 0; i < product->territory_count; i++)
        if (strncmp(site->territory, product->territories[i], 2) == 0) return true;
    return false;
}

int64_t world_kilometres(const struct site *a, const struct site *b) {
    const double radian = 3.14159265358979 / 180e6;
    const double x = (double)(b->longitude - a->longitude) * radian * cos((double)(a->latitude + b->latitude) / 2 * radian);
    const double y = (double)(b->latitude - a->latitude) * radian;
    return (int64_t)(sqrt(x * x + y * y) * 6371);
}

const struct site *world_pick(const struct world *world, struct traffic_random *random, const struct product *product,
                              enum site_kind kind, int city, bool licensed) {
    const uint32_t first = world->first_site[product->region][kind], count = world->site_counts[product->region][kind];
    const struct site *site = NULL;
    for (int tries = 0; tries < 400; tries++) {
        site = &world->sites[first + (uint32_t)traffic_between(random, 0, count - 1)];
        if (world_licensed(product, site) != licensed) continue;
        if (city < 0 || site->city == (unsigned)city || tries > 100) return site;
    }
    return site;
}

const struct site *world_far(const struct world *world, struct traffic_random *random, const struct product *product,
                             const struct site *from, enum site_kind kind, int64_t kilometres) {
    const struct site *site = NULL;
    for (int tries = 0; tries < 200; tries++) {
        site = world_pick(world, random, product, kind, -1, true);
        if (strcmp(site->party, from->party) != 0 && world_kilometres(site, from) >= kilometres) return site;
    }
    return strcmp(site->party, from->party) != 0 ? site : NULL;
}
