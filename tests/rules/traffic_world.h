// Who takes part: makers with their products, wholesalers, pharmacies in chains, hospitals; their places and terminals.
#ifndef PACKTRAIL_TESTS_RULES_TRAFFIC_WORLD_H
#define PACKTRAIL_TESTS_RULES_TRAFFIC_WORLD_H

#include "tests/rules/rules_lab.h"
#include "tests/rules/traffic_data.h"

enum site_kind { SITE_MAKER, SITE_WHOLESALER, SITE_PHARMACY, SITE_HOSPITAL };
#define SITE_TERMINALS 2u

// One place with its terminals; branches of a chain share a party and stand beside each other in the list.
struct site {
    enum site_kind kind;
    unsigned region, city;
    int64_t latitude, longitude;
    char territory[8], party[64], place[64];
    uint32_t first_branch, branches;  // of its chain
    const struct actor *terminals[SITE_TERMINALS];
    uint32_t number;
};

struct product {
    unsigned region;
    uint32_t maker;       // site
    char code[15];        // GTIN-14 or drug identifier
    int64_t content;
    bool cold;
    char territories[2][8];
    size_t territory_count;
    uint32_t number;
};

struct world {
    const struct traffic_data *data;
    struct rules_lab *lab;
    const struct actor *operator_actor, *insurer;
    uint64_t seed;
    struct site *sites;
    size_t site_count;
    struct product *products;
    size_t product_count;
    uint32_t first_site[REGIONS][4], site_counts[REGIONS][4];  // by kind; sites of a kind and region stand together
};

void world_new(struct world *world, const struct traffic_data *data, uint64_t seed, size_t records);
void world_free(struct world *world);

// How many seconds a terminal's clock is wrong at a true time; *told: the error bound that it tells of itself, or -1.
int64_t world_clock_error(const struct world *world, const struct site *site, unsigned terminal, int64_t seconds, int64_t *told);

bool world_licensed(const struct product *product, const struct site *site);
int64_t world_kilometres(const struct site *a, const struct site *b);

// A site of a kind where the product is licensed (or not); in `city` if it is not negative and has one.
const struct site *world_pick(const struct world *world, struct traffic_random *random, const struct product *product,
                              enum site_kind kind, int city, bool licensed);
// Another party's site of the same kind and region, licensed for the product, at least so far away.
const struct site *world_far(const struct world *world, struct traffic_random *random, const struct product *product,
                             const struct site *from, enum site_kind kind, int64_t kilometres);

#endif
