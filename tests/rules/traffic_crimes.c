#include <stdio.h>
#include <string.h>

#include "tests/rules/traffic_story.h"

enum story_kind {
    CLONE_FAR, CLONE_NEAR, AGAIN_AND_AGAIN, CLONE_SEEN, FAKE_SOLD, FAKE_SHIPPED, BACK_IN_TRADE, RETURN_SOLD, EXPIRED_SALE, RELABELLED,
    RECALLED_SALE, STOLEN_SOLD, DESTROYED_SOLD, EXPORTED_SOLD, SAMPLE_SOLD, DIVERTED, LAUNDERED, HIJACKED, COLD_BROKEN, FROZEN,
    WRONG_MAKER, BEYOND_CONTENT, ID_FORGED, ANNOUNCED_TWICE, CLAIM_OTHER, CLAIM_GHOST, CLAIM_TOO_MUCH, LAUNDERED_NAMED, STORIES
};

static const char *const names[STORIES] = {
    "clone_sold_far_away", "clone_sold_in_same_city", "code_sold_again_and_again", "clone_seen_far_away", "fake_serial_sold",
    "fake_serial_shipped", "sold_pack_back_in_trade", "patient_return_sold_again", "expired_sale", "relabelled", "recalled_sale",
    "stolen_sold", "destroyed_sold", "exported_sold_at_home", "sample_sold", "diverted_abroad", "laundered_into_trade",
    "hijacked_on_the_way", "cold_chain_broken", "frozen", "announced_by_wrong_party", "dispensed_beyond_content", "event_id_forged",
    "announced_twice", "claimed_other_product", "claimed_not_sold", "claimed_too_much", "laundered_with_holder_named"};

unsigned traffic_story_named(const char *name) {
    for (unsigned i = 0; i < STORIES; i++)
        if (strcmp(names[i], name) == 0) return i;
    traffic_stop("no story is told of the crime", name);
}

// --- What crimes are made of ---

struct scene {
    const struct counter *at;
    struct story *story;
    struct lot *lot;
    struct traffic_random *dice;
    uint32_t planted;
};

static int64_t later(const struct scene *scene, int64_t least_days, int64_t most_days) {
    return traffic_between(scene->dice, least_days * DAY_SECONDS, most_days * DAY_SECONDS) + traffic_between(scene->dice, 60, 7200);
}

static struct happening *act(const struct scene *scene, const struct site *site, int64_t seconds, enum telling telling, thing one) {
    struct happening *told = tell_one(scene->story, scene->lot, site, seconds, telling, one);
    told->planted_event = true;
    return told;
}

static struct happening *act_sell(const struct scene *scene, const struct site *site, int64_t seconds, thing one) {
    struct happening *told = act(scene, site, seconds, TELL_DISPENSE, one);
    told->label_lot = scene->lot->text;
    told->label_expiry = scene->lot->expiry;
    return told;
}

static void act_move(const struct scene *scene, const struct site *from, const struct site *to, int64_t seconds, int64_t arrives_at, thing one) {
    struct happening *out = act(scene, from, seconds, TELL_SHIP, one);
    out->source = from->party;
    out->destination = to->party;
    struct happening *in = act(scene, to, arrives_at, TELL_RECEIVE, one);
    in->source = from->party;
    in->destination = to->party;
}

static const struct site *another(const struct scene *scene, enum site_kind kind, int64_t kilometres) {
    return world_far(scene->story->world, scene->dice, scene->lot->product, scene->at->pharmacy, kind, kilometres);
}

static const struct site *same_city(const struct scene *scene) {
    for (int tries = 0; tries < 50; tries++) {
        const struct site *site = world_pick(scene->story->world, scene->dice, scene->lot->product, SITE_PHARMACY, (int)scene->at->pharmacy->city, true);
        if (strcmp(site->party, scene->at->pharmacy->party) != 0) return site;
    }
    return NULL;
}

// Nobody, or somebody who never had it.
static const char *false_source(const struct scene *scene) {
    return traffic_percent(scene->dice, 50) ? NULL : another(scene, SITE_WHOLESALER, 0)->party;
}

static thing fake(const struct scene *scene) {
    struct lot *lot = scene->lot;
    char serial[24], uri[128];
    const uint32_t number = 0x800000u + lot->odd_count;
    if (lot->product->region == REGION_EU) pack_serial(lot, number, serial);
    else snprintf(serial, sizeof serial, "%013llu", (unsigned long long)(traffic_hash(lot->seed, lot->number, number) % 10000000000000u));
    uri_of_serial(lot, serial, uri);
    return odd_thing(lot, uri, scene->planted, MESS_NONE);
}

// --- Copies ---

static bool clone_sold(const struct scene *scene, const struct site *other) {
    const struct counter *at = scene->at;
    if (!other) return false;
    act_sell(scene, at->pharmacy, at->sold, at->pack);
    int64_t when = at->sold + later(scene, -2, 30);
    if (when < at->received) when = at->received + 600;
    act_sell(scene, other, when, at->pack);
    return true;
}

static bool again_and_again(const struct scene *scene) {
    const struct counter *at = scene->at;
    int64_t when = at->sold;
    act_sell(scene, at->pharmacy, when, at->pack);
    for (int64_t times = traffic_between(scene->dice, 2, 5); times > 0; times--) {
        when += later(scene, 1, 20);
        act_sell(scene, at->pharmacy, when, at->pack);
    }
    return true;
}

static bool clone_seen(const struct scene *scene) {
    const struct counter *at = scene->at;
    const struct site *other = another(scene, SITE_PHARMACY, 300);
    if (!other) return false;
    const int64_t flight = world_kilometres(at->pharmacy, other) * 4;  // seconds at 900 km/h
    const int64_t when = at->received + flight * traffic_between(scene->dice, 5, 80) / 100;
    act(scene, other, when, TELL_RECEIVE, at->pack)->source = false_source(scene);
    act_sell(scene, at->pharmacy, when > at->sold ? when + DAY_SECONDS : at->sold, at->pack);
    return true;
}

static bool fake_sold(const struct scene *scene) {
    const struct counter *at = scene->at;
    const thing one = fake(scene);
    if (traffic_percent(scene->dice, 50)) act(scene, at->pharmacy, at->received, TELL_RECEIVE, one)->source = false_source(scene);
    act_sell(scene, at->pharmacy, at->sold, one);
    return true;
}

static bool fake_shipped(const struct scene *scene) {
    const struct counter *at = scene->at;
    const thing one = fake(scene);
    act_move(scene, at->wholesaler, at->pharmacy, at->shipped, at->received, one);
    act_sell(scene, at->pharmacy, at->sold, one);
    return true;
}

// --- Sold, and back ---

static void on_to(const struct scene *scene, const struct site *dealer, int64_t when) {
    const struct counter *at = scene->at;
    const struct site *buyer = another(scene, SITE_PHARMACY, 0);
    act_move(scene, dealer, buyer, when + later(scene, 1, 5), when + later(scene, 7, 8), at->pack);
    act_sell(scene, buyer, when + later(scene, 10, 40), at->pack);
}

static bool back_in_trade(const struct scene *scene) {
    const struct counter *at = scene->at;
    const bool wholesale = traffic_percent(scene->dice, 50);
    const struct site *dealer = another(scene, wholesale ? SITE_WHOLESALER : SITE_PHARMACY, 0);
    const int64_t when = at->sold + later(scene, 2, 60);
    act_sell(scene, at->pharmacy, at->sold, at->pack);
    act(scene, dealer, when, TELL_RECEIVE, at->pack)->source = false_source(scene);
    if (wholesale) on_to(scene, dealer, when);
    else act_sell(scene, dealer, when + later(scene, 1, 20), at->pack);
    return true;
}

static bool return_sold(const struct scene *scene) {
    const struct counter *at = scene->at;
    const int64_t back = at->sold + later(scene, 1, 30);
    act_sell(scene, at->pharmacy, at->sold, at->pack);
    act(scene, at->pharmacy, back, TELL_TAKE_BACK, at->pack);
    if (traffic_percent(scene->dice, 50)) act_sell(scene, at->pharmacy, back + later(scene, 1, 10), at->pack);
    else on_to(scene, at->pharmacy, back);
    return true;
}

static bool ended_then_sold(const struct scene *scene, enum telling ended) {
    const struct counter *at = scene->at;
    act(scene, at->pharmacy, at->sold, ended, at->pack);
    act_sell(scene, another(scene, SITE_PHARMACY, 0), at->sold + later(scene, 5, 60), at->pack);
    return true;
}

// --- What should not be sold any more, or not here ---

static bool relabelled(const struct scene *scene) {
    const struct counter *at = scene->at;
    char lot[8], expiry[16];
    snprintf(lot, sizeof lot, "%06llu", (unsigned long long)(traffic_draw(scene->dice) % 1000000u));
    snprintf(expiry, sizeof expiry, "20%02d-%02d-28", (int)traffic_between(scene->dice, 29, 31), (int)traffic_between(scene->dice, 1, 12));
    struct happening *told = act(scene, at->pharmacy, at->sold, TELL_DISPENSE, at->pack);
    told->label_lot = traffic_memory(pt_arena_strdup(&scene->lot->arena, pt_bytes_str(lot)));
    told->label_expiry = traffic_memory(pt_arena_strdup(&scene->lot->arena, pt_bytes_str(expiry)));
    return true;
}

static bool recalled_sale(const struct scene *scene) {
    const struct counter *at = scene->at;
    const int64_t from = at->received > scene->lot->recalled ? at->received : scene->lot->recalled;
    act_sell(scene, at->pharmacy, from + later(scene, 2, 60), at->pack);
    return true;
}

static bool diverted(const struct scene *scene) {
    const struct counter *at = scene->at;
    const struct world *world = scene->story->world;
    const struct site *trader = world_pick(world, scene->dice, scene->lot->product, SITE_WHOLESALER, -1, false);
    const struct site *buyer = world_pick(world, scene->dice, scene->lot->product, SITE_PHARMACY, -1, false);
    if (world_licensed(scene->lot->product, trader) || world_licensed(scene->lot->product, buyer)) return false;
    const int64_t out = at->received + later(scene, 1, 10);
    act_move(scene, at->pharmacy, trader, out, out + later(scene, 2, 4), at->pack);
    act_move(scene, trader, buyer, out + later(scene, 6, 10), out + later(scene, 12, 14), at->pack);
    act_sell(scene, buyer, out + later(scene, 16, 40), at->pack);
    return true;
}

// --- Custody ---

static bool laundered(const struct scene *scene, bool holder_named) {
    const struct counter *at = scene->at;
    const bool wholesale = traffic_percent(scene->dice, 50);
    const struct site *dealer = another(scene, wholesale ? SITE_WHOLESALER : SITE_PHARMACY, 0);
    const int64_t when = at->received + later(scene, 1, 20);
    act(scene, dealer, when, TELL_RECEIVE, at->pack)->source = holder_named ? at->pharmacy->party : false_source(scene);
    if (wholesale) on_to(scene, dealer, when);
    else act_sell(scene, dealer, when + later(scene, 1, 20), at->pack);
    return true;
}

static bool hijacked(const struct scene *scene) {
    const struct counter *at = scene->at;
    const struct site *meant = same_city(scene), *thief = another(scene, SITE_PHARMACY, 0);
    const int64_t out = at->received + later(scene, 1, 10);
    if (!meant || strcmp(meant->party, thief->party) == 0) return false;
    struct happening *told = act(scene, at->pharmacy, out, TELL_SHIP, at->pack);
    told->source = at->pharmacy->party;
    told->destination = meant->party;
    if (traffic_percent(scene->dice, 50)) act(scene, thief, out + later(scene, 1, 3), TELL_RECEIVE, at->pack)->source = false_source(scene);
    act_sell(scene, thief, out + later(scene, 4, 30), at->pack);
    return true;
}

uint32_t crime_of_delivery(struct story *story, struct lot *lot, enum logger *logger) {
    const struct traffic_data *data = story->world->data;
    for (uint32_t i = 0; i < data->crime_count; i++) {
        const unsigned kind = data->crimes[i].story;
        if (kind != COLD_BROKEN && kind != FROZEN) continue;
        // Of cold products, and once a delivery of about seven packs.
        if (!traffic_ppm(&lot->random, data->crimes[i].ppm * 7 * 100 / data->network.cold_percent)) continue;
        *logger = kind == FROZEN ? LOGGER_FROZEN : LOGGER_WARM;
        return plant(story, i);
    }
    return 0;
}

// --- Announcements, parts, event IDs ---

void crimes_of_lot(struct story *story, struct lot *lot) {
    const struct traffic_data *data = story->world->data;
    for (uint32_t i = 0; i < data->crime_count; i++) {
        if (data->crimes[i].story != WRONG_MAKER) continue;
        const int64_t expected = data->crimes[i].ppm * lot->packs;
        for (int64_t n = expected / 1000000 + traffic_ppm(&lot->random, expected % 1000000); n > 0; n--) {
            const struct world *world = story->world;
            const uint32_t first = world->first_site[lot->product->region][SITE_MAKER], count = world->site_counts[lot->product->region][SITE_MAKER];
            const struct site *other = &world->sites[first + (lot->product->maker - first + 1) % count];
            const struct scene scene = {.story = story, .lot = lot, .dice = &lot->random, .planted = plant(story, i)};
            struct happening *told = act(&scene, other, lot->made + DAY_SECONDS, TELL_COMMISSION, fake(&scene));
            told->planted = scene.planted;
            story->planted[scene.planted - 1].happened = true;
        }
    }
}

static bool beyond_content(const struct scene *scene) {
    const struct counter *at = scene->at;
    int64_t used = 0, when = at->sold;
    const int64_t content = scene->lot->product->content, each = content / 3 + 1;
    while (used <= content) {
        struct happening *told = act(scene, at->pharmacy, when, TELL_DISPENSE_PART, at->pack);
        told->units = (uint32_t)each;
        used += each;
        when += later(scene, 1, 9);
    }
    return true;
}

static bool id_forged(const struct scene *scene) {
    const struct counter *at = scene->at;
    struct happening *sale = act_sell(scene, at->pharmacy, at->sold, at->pack);
    sale->event_id = traffic_draw(scene->dice) | 1;
    struct happening *forged = act(scene, another(scene, SITE_PHARMACY, 0), at->sold + later(scene, 1, 9), TELL_COUNT, at->pack);
    forged->event_id = sale->event_id;
    forged->planted = scene->planted;
    return true;
}

static bool announced_twice(const struct scene *scene) {
    const struct counter *at = scene->at;
    struct happening *told = act(scene, &scene->story->world->sites[scene->lot->product->maker], at->received + later(scene, 1, 20), TELL_COMMISSION, at->pack);
    told->lot_text = "X99999";
    act_sell(scene, at->pharmacy, at->sold, at->pack);
    return true;
}

// --- Which ---

int64_t crime_weight(const struct counter *at, unsigned story) {
    const bool china = at->lot->product->region == REGION_CN;
    switch (story) {
    case COLD_BROKEN:
    case FROZEN:
    case WRONG_MAKER: return 0;  // of deliveries, of lots
    case DIVERTED: return china ? 0 : 2;
    case BEYOND_CONTENT: return china ? 2 : 0;
    case CLAIM_OTHER:
    case CLAIM_GHOST:
    case CLAIM_TOO_MUCH: return 0;
    case RECALLED_SALE: return at->lot->recalled ? 1000000 / at->story->world->data->recalled_lots : 0;
    default: return 1;
    }
}

static bool play(const struct scene *scene, unsigned story) {
    const struct counter *at = scene->at;
    switch (story) {
    case CLONE_FAR: return clone_sold(scene, another(scene, SITE_PHARMACY, 300));
    case CLONE_NEAR: return clone_sold(scene, same_city(scene));
    case AGAIN_AND_AGAIN: return again_and_again(scene);
    case CLONE_SEEN: return clone_seen(scene);
    case FAKE_SOLD: return fake_sold(scene);
    case FAKE_SHIPPED: return fake_shipped(scene);
    case BACK_IN_TRADE: return back_in_trade(scene);
    case RETURN_SOLD: return return_sold(scene);
    case EXPIRED_SALE: return act_sell(scene, at->pharmacy, scene->lot->expiry_seconds + later(scene, 2, 200), at->pack) != NULL;
    case RELABELLED: return relabelled(scene);
    case RECALLED_SALE: return recalled_sale(scene);
    case STOLEN_SOLD: return ended_then_sold(scene, TELL_STEAL);
    case DESTROYED_SOLD: return ended_then_sold(scene, TELL_DESTROY);
    case EXPORTED_SOLD: return ended_then_sold(scene, TELL_EXPORT);
    case SAMPLE_SOLD: return ended_then_sold(scene, TELL_SAMPLE);
    case DIVERTED: return diverted(scene);
    case LAUNDERED: return laundered(scene, false);
    case LAUNDERED_NAMED: return laundered(scene, true);
    case HIJACKED: return hijacked(scene);
    case BEYOND_CONTENT: return beyond_content(scene);
    case ID_FORGED: return id_forged(scene);
    case ANNOUNCED_TWICE: return announced_twice(scene);
    default: return false;
    }
}

bool crime_story(const struct counter *at, uint32_t crime) {
    struct story *story = at->story;
    struct scene scene = {.at = at, .story = story, .lot = at->lot, .dice = &at->lot->random, .planted = plant(story, crime)};
    at->lot->planted[at->pack] = scene.planted;
    if (play(&scene, story->world->data->crimes[crime].story)) {
        story->planted[scene.planted - 1].happened = true;
        return true;
    }
    at->lot->planted[at->pack] = 0;
    return false;
}
