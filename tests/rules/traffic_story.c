#include "tests/rules/traffic_story.h"

#include <stdio.h>
#include <string.h>

#define EVENT_PACKS 500u

static struct traffic_random *dice(struct lot *lot) { return &lot->random; }
static int64_t days(struct lot *lot, const struct traffic_list *range) {
    return traffic_between(dice(lot), range->items[0] * DAY_SECONDS + 3600, (range->items[1] + 1) * DAY_SECONDS);
}

static uint32_t case_packs(const struct lot *lot, uint32_t number, thing out[64]) {
    uint32_t count = 0;
    const uint32_t from = number * lot->packs_per_case, to = from + lot->packs_per_case;
    for (uint32_t pack = 0; pack < lot->packs_per_case; pack++)
        if (lot->case_of[from + pack] == number) out[count++] = from + pack;
    // What was swapped lies in a neighbour's case.
    for (uint32_t pack = from >= lot->packs_per_case ? from - lot->packs_per_case : 0; pack < to + lot->packs_per_case && pack < lot->packs; pack++)
        if ((pack < from || pack >= to) && lot->case_of[pack] == number) out[count++] = pack;
    return count;
}

static void mark(struct lot *lot, const thing *things, uint32_t count, enum mess mess) {
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t number = THING_NUMBER(things[i]);
        if (THING_CLASS(things[i]) == 0) lot->mess[number] = (uint8_t)mess;
        if (THING_CLASS(things[i]) == THING_CASE)
            for (uint32_t pack = 0; pack < lot->packs_per_case; pack++) lot->mess[number * lot->packs_per_case + pack] = (uint8_t)mess;
    }
}

static bool plain(const struct lot *lot, const thing *things, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        if (THING_CLASS(things[i]) == 0 && lot->planted[things[i]]) return false;
    return true;
}

// --- Announcing ---

static void announce(struct story *story, struct lot *lot) {
    const struct traffic_data *data = story->world->data;
    const struct site *maker = &story->world->sites[lot->product->maker];
    const bool twice = traffic_ppm(dice(lot), data->mess.commissioning_twice);
    thing things[EVENT_PACKS];
    for (uint32_t from = 0; from < lot->packs; from += EVENT_PACKS) {
        const uint32_t count = lot->packs - from < EVENT_PACKS ? lot->packs - from : EVENT_PACKS;
        for (uint32_t i = 0; i < count; i++) things[i] = from + i;
        struct happening *told = tell(story, lot, maker, lot->made, TELL_COMMISSION, things, count);
        told->at = NULL;
        if (lot->data_at) arrives(told, lot->data_at);
        else arrives(told, lot->made + 30);
        if (twice) tell_again(story, told, traffic_between(dice(lot), 60, 7200))->seconds = told->seconds;
        if (twice) mark(lot, things, count, MESS_COMMISSIONED_TWICE);
        if (lot->data_at) mark(lot, things, count, MESS_DATA_LATE);
    }
    for (uint32_t number = 0; number < lot->cases; number++) {
        for (uint32_t i = 0; i < lot->packs_per_case; i++) things[i] = number * lot->packs_per_case + i;
        struct happening *told = tell(story, lot, maker, lot->made + 3600 + number * 60, TELL_PACK, things, lot->packs_per_case);
        told->parent = THING_CASE | number;
        told->at = NULL;
        arrives(told, (lot->data_at ? lot->data_at : lot->made + 3600) + 60 + number * 60);
    }
}

// Where the packs really lie: not always as told.
static void settle_cases(struct story *story, struct lot *lot) {
    const struct traffic_data *data = story->world->data;
    for (uint32_t pack = 0; pack < lot->packs; pack++) lot->case_of[pack] = pack / lot->packs_per_case;
    for (uint32_t number = 0; number < lot->cases; number++) {
        const uint32_t pack = number * lot->packs_per_case + (uint32_t)traffic_between(dice(lot), 0, lot->packs_per_case - 1);
        if (number + 1 < lot->cases && traffic_ppm(dice(lot), data->mess.case_swap)) {
            const uint32_t other = pack + lot->packs_per_case;
            lot->case_of[pack] = number + 1;
            lot->case_of[other] = number;
            lot->mess[pack] = lot->mess[other] = MESS_CASE;
        } else if (traffic_ppm(dice(lot), data->mess.case_lack)) {
            lot->case_of[pack] = UINT32_MAX;
            lot->mess[pack] = MESS_CASE;
        }
    }
}

// --- Deliveries ---

struct delivery {
    const struct site *from, *to;
    int64_t shipped, received;
    const thing *things;
    uint32_t count;
    bool small;  // loose packs for a counter
};

static const char *named_source(struct story *story, struct lot *lot, const struct site *from) {
    return traffic_percent(dice(lot), story->world->data->source_named) ? from->party : NULL;
}

static struct happening *ship(struct story *story, struct lot *lot, const struct delivery *d, const struct site *from, const struct site *to,
                              int64_t seconds) {
    struct happening *told = tell(story, lot, from, seconds, TELL_SHIP, d->things, d->count);
    told->source = from->party;
    told->destination = to->party;
    if (lot->data_at && from->kind == SITE_MAKER) arrives(told, lot->data_at + 7200);
    return told;
}

static struct happening *receive(struct story *story, struct lot *lot, const struct delivery *d, const struct site *from, const struct site *to,
                                 int64_t seconds, const thing *things) {
    struct happening *told = tell(story, lot, to, seconds, TELL_RECEIVE, things, d->count);
    told->source = named_source(story, lot, from);
    told->destination = to->party;
    return told;
}

static void shipping_side(struct story *story, struct lot *lot, const struct delivery *d) {
    const struct traffic_data *data = story->world->data;
    if (traffic_ppm(dice(lot), data->mess.no_shipment)) {
        mark(lot, d->things, d->count, MESS_NO_SHIPMENT);
        return;
    }
    if (traffic_ppm(dice(lot), data->mess.correction)) {
        const struct site *wrong = world_pick(story->world, dice(lot), lot->product, d->to->kind, -1, true);
        struct happening *told = ship(story, lot, d, d->from, wrong, d->shipped - 7200);
        struct happening *taken_back = tell_again(story, told, 0);
        taken_back->declared = told->seconds + 3600;
        taken_back->event_id = told->event_id;
        taken_back->arrival = told->arrival + 3600000;
        mark(lot, d->things, d->count, MESS_CORRECTION);
    }
    struct happening *told = ship(story, lot, d, d->from, d->to, d->shipped);
    if (traffic_ppm(dice(lot), data->mess.same_id) && told->event_id) {
        struct happening *again = tell_again(story, told, 0);
        again->event_id = told->event_id;
        again->arrival += 60000;
    }
}

static const struct site *neighbour_of(struct story *story, struct lot *lot, const struct site *site) {
    for (int tries = 0; tries < 50; tries++) {
        const struct site *other = world_pick(story->world, dice(lot), lot->product, SITE_PHARMACY, (int)site->city, true);
        if (other->city == site->city && strcmp(other->party, site->party) != 0) return other;
    }
    return NULL;
}

// The logger's story of a cold delivery.
static void add_logger(struct story *story, struct lot *lot, struct happening *told, const struct delivery *d) {
    const struct traffic_data *data = story->world->data;
    enum logger logger = LOGGER_GOOD;
    if (!lot->product->cold || !told) return;
    const uint32_t planted = d->small && plain(lot, d->things, d->count) ? crime_of_delivery(story, lot, &logger) : 0;
    if (planted)
        for (uint32_t i = 0; i < d->count; i++) lot->planted[d->things[i]] = planted;
    else if (traffic_ppm(dice(lot), data->mess.spike)) logger = LOGGER_SPIKE;
    else if (traffic_ppm(dice(lot), data->mess.wrong_unit)) logger = LOGGER_WRONG_UNIT;
    else if (traffic_ppm(dice(lot), data->mess.outside)) logger = LOGGER_OUTSIDE;
    if (!planted && logger != LOGGER_GOOD) mark(lot, d->things, d->count, MESS_LOGGER);
    if (planted) story->planted[planted - 1].happened = true;
    told->logger = (uint8_t)logger;
    told->sensors_from = told->seconds - 8 * 3600;
    told->planted = planted;
}

static bool mangle(struct story *story, struct lot *lot, uint32_t pack, char out[128]) {
    const struct traffic_data *data = story->world->data;
    char serial[24], text[48];
    bool changed = false;
    if (lot->product->region != REGION_EU) return false;
    pack_serial(lot, pack, serial);
    const int64_t drawn = traffic_between(dice(lot), 0, 999999);
    const int64_t german = data->mess.caps_lock + data->mess.german, french = german + data->mess.french, lost = french + data->mess.separator;
    snprintf(text, sizeof text, "%s", serial);
    if (drawn >= lost) return false;
    if (drawn >= french) {
        snprintf(text, sizeof text, "%s10%s", serial, lot->text);
        changed = true;
    }
    for (char *c = text; *c && drawn < french; c++) {
        static const char from[] = "1345680", to[] = "&\"'(-_@";
        const char before = *c;
        if (drawn < data->mess.caps_lock) *c = (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
        else if (drawn < german) *c = (char)(*c == 'Y' ? 'Z' : *c == 'Z' ? 'Y' : *c);
        else if (*c >= '0' && *c <= '9') {
            const char *place = strchr(from, *c);
            if (!place || *place == '0') return false;  // gives letters that no serial may have: the terminal refuses
            *c = to[place - from];
        }
        changed = changed || before != *c;
    }
    char escaped[96];
    size_t len = 0;
    for (const char *c = text; *c && len < sizeof escaped - 4; c++) {
        if ((*c >= '0' && *c <= '9') || (*c >= 'A' && *c <= 'Z') || (*c >= 'a' && *c <= 'z') || *c == '-' || *c == '_') escaped[len++] = *c;
        else len += (size_t)snprintf(escaped + len, 4, "%%%02X", (unsigned)(unsigned char)*c);
    }
    escaped[len] = 0;
    uri_of_serial(lot, escaped, out);
    return changed;
}

static bool wrong_digit(struct story *story, struct lot *lot, uint32_t pack, char out[128]) {
    if (!traffic_ppm(dice(lot), story->world->data->mess.digit)) return false;
    thing_uri(lot, pack, out);
    char *digit = out + strlen(out) - (size_t)traffic_between(dice(lot), 1, 9);
    *digit = *digit == '7' ? '1' : '7';
    return true;
}

// Codes that arrive mangled are put in their place, and read again rightly two minutes later.
static void receiving_side(struct story *story, struct lot *lot, const struct delivery *d) {
    const struct traffic_data *data = story->world->data;
    thing read[64];
    char uri[128];
    if (traffic_ppm(dice(lot), data->mess.no_receipt)) {
        mark(lot, d->things, d->count, MESS_NO_RECEIPT);
        return;
    }
    memcpy(read, d->things, d->count * sizeof(thing));
    for (uint32_t i = 0; i < d->count && d->small; i++) {
        const thing one = d->things[i];
        if (lot->planted[one]) continue;
        const bool mangled = mangle(story, lot, one, uri);
        if (!mangled && !wrong_digit(story, lot, one, uri)) continue;
        lot->mess[one] = mangled ? MESS_MISREAD : MESS_DIGIT;
        read[i] = odd_thing(lot, uri, 0, mangled ? MESS_MISREAD : MESS_DIGIT);
        struct delivery again = *d;
        again.count = 1;
        receive(story, lot, &again, d->from, d->to, d->received + 120, &one);
    }
    add_logger(story, lot, receive(story, lot, d, d->from, d->to, d->received, read), d);
}

static void deliver(struct story *story, struct lot *lot, const struct delivery *d) {
    const struct traffic_data *data = story->world->data;
    if (d->small && traffic_ppm(dice(lot), data->mess.drop_shipment)) {
        const struct site *paper = world_far(story->world, dice(lot), lot->product, d->from, SITE_WHOLESALER, 0);
        if (paper) {
            ship(story, lot, d, d->from, paper, d->shipped);
            receive(story, lot, d, d->from, paper, d->shipped + 600, d->things);
            ship(story, lot, d, paper, d->to, d->shipped + 1200);
            mark(lot, d->things, d->count, MESS_DROP);
            receiving_side(story, lot, &(struct delivery){paper, d->to, d->shipped, d->received, d->things, d->count, d->small});
            return;
        }
    }
    const struct site *wrong = d->small && traffic_ppm(dice(lot), data->mess.wrong_neighbour) ? neighbour_of(story, lot, d->to) : NULL;
    shipping_side(story, lot, d);
    if (wrong) {
        receive(story, lot, d, d->from, wrong, d->received - 7200, d->things);
        ship(story, lot, d, wrong, d->to, d->received - 3600);
        mark(lot, d->things, d->count, MESS_NEIGHBOUR);
    }
    receiving_side(story, lot, d);
}

// --- The counter ---

static void label(struct story *story, struct lot *lot, struct happening *told, uint32_t pack) {
    const struct traffic_data *data = story->world->data;
    if (!traffic_percent(dice(lot), data->label_told)) return;
    char *text = traffic_memory(pt_arena_strdup(&lot->arena, pt_bytes_str(lot->text)));
    char *expiry = traffic_memory(pt_arena_strdup(&lot->arena, pt_bytes_str(lot->expiry)));
    if (traffic_ppm(dice(lot), data->mess.lot_typo)) {
        char *c = text + traffic_between(dice(lot), 0, 5);
        *c = *c == '8' ? '3' : '8';
        lot->mess[pack] = MESS_TYPO;
    }
    if (traffic_ppm(dice(lot), data->mess.expiry_typo)) {
        static const uint8_t places[] = {3, 6, 9};
        char *c = expiry + places[traffic_between(dice(lot), 0, 2)];
        *c = *c == '1' ? '2' : '1';
        lot->mess[pack] = MESS_TYPO;
    }
    told->label_lot = text;
    told->label_expiry = expiry;
}

static bool saleable(const struct lot *lot, int64_t seconds) {
    return seconds < lot->expiry_seconds && (lot->recalled == 0 || seconds < lot->recalled);
}

static struct happening *sell_parts(const struct counter *at, const struct site *pharmacy, int64_t seconds) {
    struct lot *lot = at->lot;
    const struct traffic_data *data = at->story->world->data;
    int64_t left = lot->product->content;
    struct happening *told = NULL;
    const int64_t parts = traffic_between(dice(lot), 2, 5);
    for (int64_t i = 0; i < parts && left > 0 && (saleable(lot, seconds) || !told); i++) {
        const int64_t units = i == parts - 1 && traffic_percent(dice(lot), 80) ? left : traffic_between(dice(lot), 1, left < 4 ? left : left / 2);
        told = tell_one(at->story, lot, pharmacy, seconds, TELL_DISPENSE_PART, at->pack);
        told->units = (uint32_t)units;
        left -= units;
        if (!lot->planted[at->pack] && traffic_ppm(dice(lot), data->mess.part_twice)) {
            tell_again(at->story, told, traffic_between(dice(lot), 2, 120));
            lot->mess[at->pack] = MESS_PART_TWICE;
        }
        seconds += traffic_between(dice(lot), 3600, 5 * DAY_SECONDS);
    }
    return told;
}

struct happening *sell(const struct counter *at, const struct site *pharmacy, int64_t seconds) {
    struct lot *lot = at->lot;
    const struct traffic_data *data = at->story->world->data;
    char uri[128];
    if (!lot->planted[at->pack] && lot->product->region == REGION_CN && traffic_percent(dice(lot), data->in_parts)) return sell_parts(at, pharmacy, seconds);
    if (!lot->planted[at->pack]) {
        const bool mangled = mangle(at->story, lot, at->pack, uri);
        if (mangled || wrong_digit(at->story, lot, at->pack, uri)) {
            lot->mess[at->pack] = mangled ? MESS_MISREAD : MESS_DIGIT;
            tell_one(at->story, lot, pharmacy, seconds - 20, TELL_DISPENSE, odd_thing(lot, uri, 0, lot->mess[at->pack]));
        }
    }
    struct happening *told = tell_one(at->story, lot, pharmacy, seconds, TELL_DISPENSE, at->pack);
    label(at->story, lot, told, at->pack);
    if (!lot->planted[at->pack] && traffic_ppm(dice(lot), data->mess.sent_twice)) {
        tell_again(at->story, told, traffic_between(dice(lot), 2, 120));
        lot->mess[at->pack] = MESS_SENT_TWICE;
    } else if (!lot->planted[at->pack] && traffic_ppm(dice(lot), data->mess.hand_over)) {
        tell_again(at->story, told, traffic_between(dice(lot), 600, 3 * DAY_SECONDS));
        lot->mess[at->pack] = MESS_HAND_OVER;
    }
    return told;
}

// Goods sent back: with the word that says so, or without.
static void send_back(const struct counter *at, int64_t seconds, bool word, bool recalled) {
    struct lot *lot = at->lot;
    const struct delivery d = {at->pharmacy, at->wholesaler, seconds, seconds + DAY_SECONDS, &at->pack, 1, false};
    if (!word) {
        ship(at->story, lot, &d, d.from, d.to, d.shipped);
        receive(at->story, lot, &d, d.from, d.to, d.received, d.things);
        lot->mess[at->pack] = MESS_RETURN;
        return;
    }
    struct happening *out = tell_one(at->story, lot, d.from, d.shipped, recalled ? TELL_RECALL : TELL_SEND_BACK, at->pack);
    out->destination = d.to->party;
    struct happening *in = tell_one(at->story, lot, d.to, d.received, recalled ? TELL_RECALL : TELL_TAKE_BACK, at->pack);
    in->source = d.from->party;
}

static void undone(const struct counter *at, bool late, bool sibling) {
    struct lot *lot = at->lot;
    const struct happening *sale = sell(at, at->pharmacy, at->sold);
    const struct site *where = at->pharmacy;
    const int64_t when = sale->happened + (late ? traffic_between(dice(lot), 11 * DAY_SECONDS, 40 * DAY_SECONDS) : traffic_between(dice(lot), 7200, 5 * DAY_SECONDS));
    if (sibling) where = &at->story->world->sites[where->first_branch + (where->number - where->first_branch + 1) % where->branches];
    struct happening *undo = tell_again(at->story, sale, 0);
    undo->site = where;
    undo->at = sale->at ? sale->at : sale->site;
    undo->event_id = sale->event_id;
    undo->declared = when;
    arrives(undo, when + traffic_between(dice(lot), 1, 600));
    lot->mess[at->pack] = MESS_UNDO;
    const int64_t again = when + traffic_between(dice(lot), DAY_SECONDS, 20 * DAY_SECONDS);
    if (late || sibling || !saleable(lot, again)) return;
    if (sale->units) tell_one(at->story, lot, at->pharmacy, again, TELL_DISPENSE_PART, at->pack)->units = sale->units;
    else sell(at, at->pharmacy, again);
}

static void traded_back(const struct counter *at, bool word) {
    struct lot *lot = at->lot;
    const struct site *other = world_pick(at->story->world, dice(lot), lot->product, SITE_PHARMACY, (int)at->wholesaler->city, true);
    send_back(at, at->sold, word, false);
    struct counter there = *at;
    there.pharmacy = other;
    there.shipped = at->sold + 3 * DAY_SECONDS;
    there.received = there.shipped + DAY_SECONDS;
    there.sold = there.received + days(lot, &at->story->world->data->days.pharmacy);
    deliver(at->story, lot, &(struct delivery){at->wholesaler, other, there.shipped, there.received, &at->pack, 1, true});
    if (!lot->planted[at->pack] && saleable(lot, there.sold)) sell(&there, other, there.sold);
}

static void brought_back(const struct counter *at, bool word) {
    const struct happening *sale = sell(at, at->pharmacy, at->sold);
    const int64_t back = sale->happened + traffic_between(dice(at->lot), DAY_SECONDS, 30 * DAY_SECONDS);
    at->lot->mess[at->pack] = MESS_PATIENT_RETURN;
    tell_one(at->story, at->lot, at->pharmacy, back, TELL_TAKE_BACK, at->pack);
    if (traffic_percent(dice(at->lot), 50)) send_back(at, back + DAY_SECONDS, word, false);
    else tell_one(at->story, at->lot, at->pharmacy, back + 5 * DAY_SECONDS, TELL_DESTROY, at->pack);
}

// What lawfully becomes of a pack beside being sold. False: nothing of it, it is sold.
static bool lawful_other(const struct counter *at) {
    const struct traffic_data *data = at->story->world->data;
    struct lot *lot = at->lot;
    int64_t drawn = traffic_between(dice(lot), 0, 999999);
#define SHARE(ppm) (drawn -= (ppm), drawn < 0)
    if (SHARE(data->lawful.undone)) return undone(at, false, false), true;
    if (SHARE(data->mess.undo_late)) return undone(at, true, false), true;
    if (SHARE(data->mess.undo_sibling)) return undone(at, false, true), true;
    if (SHARE(data->lawful.trade_return)) return traded_back(at, !traffic_ppm(dice(lot), data->mess.return_word)), true;
    if (SHARE(data->lawful.patient_return)) return brought_back(at, !traffic_ppm(dice(lot), data->mess.return_word)), true;
    if (SHARE(data->lawful.destroyed)) return tell_one(at->story, lot, at->pharmacy, at->sold, TELL_DESTROY, at->pack), true;
    if (SHARE(data->lawful.sampled)) return tell_one(at->story, lot, at->pharmacy, at->sold, TELL_SAMPLE, at->pack), true;
    if (SHARE(data->lawful.stolen)) return tell_one(at->story, lot, at->pharmacy, at->sold, TELL_STEAL, at->pack), true;
    if (SHARE(data->lawful.exported)) return tell_one(at->story, lot, at->pharmacy, at->sold, TELL_EXPORT, at->pack), true;
    if (SHARE(data->lawful.counted)) return tell_one(at->story, lot, at->pharmacy, (at->received + at->sold) / 2, TELL_COUNT, at->pack), false;
    if (SHARE(data->lawful.held)) {
        tell_one(at->story, lot, at->pharmacy, at->received + (at->sold - at->received) / 4, TELL_HOLD, at->pack);
        tell_one(at->story, lot, at->pharmacy, at->received + (at->sold - at->received) / 2, TELL_RELEASE, at->pack);
        return false;
    }
    if (SHARE(data->lawful.borrowed)) {
        const struct site *own = at->pharmacy;
        sell(at, &at->story->world->sites[own->first_branch + (own->number - own->first_branch + 1) % own->branches], at->sold);
        lot->mess[at->pack] = MESS_BORROWED;
        return true;
    }
    if (SHARE(data->mess.stolen_error)) {
        tell_one(at->story, lot, at->pharmacy, at->received + 3600, TELL_STEAL, at->pack);
        tell_one(at->story, lot, at->pharmacy, at->received + 7200, TELL_COUNT, at->pack);
        lot->mess[at->pack] = MESS_STOLEN_ERROR;
        return false;
    }
#undef SHARE
    return false;
}

// Crimes that need something of the lot are drawn the more often where it has it, so that the rate holds over all.
static bool drawn_crime(const struct counter *at) {
    const struct traffic_data *data = at->story->world->data;
    int64_t drawn = traffic_between(dice(at->lot), 0, 999999);
    for (uint32_t i = 0; i < data->crime_count; i++) {
        const int64_t ppm = data->crimes[i].ppm * crime_weight(at, data->crimes[i].story);
        if (drawn < ppm) return crime_story(at, i);
        drawn -= ppm;
    }
    return false;
}

static void at_counter(struct counter *at) {
    struct lot *lot = at->lot;
    const struct traffic_data *data = at->story->world->data;
    if (lot->planted[at->pack]) {  // its crime was the delivery's
        sell(at, at->pharmacy, at->sold);
        return;
    }
    if (drawn_crime(at)) return;
    if (lot->recalled && at->sold > lot->recalled) {
        lot->mess[at->pack] = MESS_RECALLED;
        const int64_t when = (at->received > lot->recalled ? at->received : lot->recalled) + days(lot, &data->days.to_ship);
        send_back(at, when, !traffic_ppm(dice(lot), data->mess.recall_word), true);
        return;
    }
    if (at->sold >= lot->expiry_seconds) {
        tell_one(at->story, lot, at->pharmacy, at->sold, TELL_DESTROY, at->pack);
        return;
    }
    if (!lawful_other(at)) sell(at, at->pharmacy, at->sold);
}

// --- The way of a case ---

static int64_t dwell(struct lot *lot, const struct traffic_list *range) {
    const int64_t most = (range->items[1] - range->items[0]) * DAY_SECONDS, drawn = traffic_between(dice(lot), 0, 1000);
    return range->items[0] * DAY_SECONDS + 1800 + most * drawn / 1000 * drawn / 1000;
}

static void to_pharmacies(struct story *story, struct lot *lot, const struct site *wholesaler, const thing *packs, uint32_t count, int64_t from) {
    const struct traffic_data *data = story->world->data;
    for (uint32_t done = 0; done < count;) {
        const uint32_t most = (uint32_t)traffic_between(dice(lot), data->shipment_packs.items[0], data->shipment_packs.items[1]);
        const uint32_t loose = count - done < most ? count - done : most;
        const bool import = traffic_ppm(dice(lot), data->mess.import * loose) && lot->product->region == REGION_EU;
        const uint32_t now = import ? 1 : loose;  // for one patient
        const struct site *pharmacy = world_pick(story->world, dice(lot), lot->product, SITE_PHARMACY,
                                                 traffic_percent(dice(lot), 80) ? (int)wholesaler->city : -1, !import);
        struct counter at = {.story = story, .lot = lot, .wholesaler = wholesaler, .pharmacy = pharmacy, .shipped = from + days(lot, &data->days.wholesale)};
        at.received = at.shipped + dwell(lot, &data->days.transit_short) + world_kilometres(wholesaler, pharmacy) * 60;
        deliver(story, lot, &(struct delivery){wholesaler, pharmacy, at.shipped, at.received, packs + done, now, true});
        if (import) mark(lot, packs + done, now, MESS_IMPORT);
        for (uint32_t i = 0; i < now; i++) {
            at.pack = packs[done + i];
            at.sold = at.received + dwell(lot, &data->days.pharmacy);
            at_counter(&at);
        }
        done += now;
    }
}

static void to_hospital(struct story *story, struct lot *lot, const struct site *wholesaler, thing one, const thing *packs, uint32_t count, int64_t from) {
    const struct traffic_data *data = story->world->data;
    const struct site *hospital = world_pick(story->world, dice(lot), lot->product, SITE_HOSPITAL, (int)wholesaler->city, true);
    struct delivery d = {wholesaler, hospital, from + days(lot, &data->days.wholesale), 0, &one, 1, false};
    d.received = d.shipped + days(lot, &data->days.transit_short) + world_kilometres(wholesaler, hospital) * 60;
    deliver(story, lot, &d);
    const int64_t opened = d.received + traffic_between(dice(lot), 7200, 3 * DAY_SECONDS);
    tell(story, lot, hospital, opened, TELL_UNPACK, NULL, 0)->parent = one;
    const int64_t taken_out = opened + 3600;
    if ((lot->recalled && taken_out > lot->recalled) || taken_out >= lot->expiry_seconds) {
        tell(story, lot, hospital, taken_out, TELL_DESTROY, packs, count);
        return;
    }
    tell(story, lot, hospital, taken_out, TELL_DISPENSE, packs, count);
    for (uint32_t i = 0; i < count; i++) {
        if (!traffic_ppm(dice(lot), data->mess.ward)) continue;
        lot->mess[packs[i]] = MESS_WARD;
        tell_one(story, lot, hospital, taken_out + traffic_between(dice(lot), 3600, 14 * DAY_SECONDS), TELL_DISPENSE, packs[i]);
    }
}

static void case_story(struct story *story, struct lot *lot, const struct site *wholesaler, uint32_t number, int64_t from) {
    const struct traffic_data *data = story->world->data;
    const thing one = THING_CASE | number;
    thing packs[64];
    if (traffic_percent(dice(lot), data->ways.second_wholesaler) || !world_licensed(lot->product, wholesaler)) {
        const struct site *second = world_far(story->world, dice(lot), lot->product, wholesaler, SITE_WHOLESALER, 0);
        if (second) {
            struct delivery d = {wholesaler, second, from + days(lot, &data->days.wholesale), 0, &one, 1, false};
            d.received = d.shipped + days(lot, &data->days.transit_long) + world_kilometres(wholesaler, second) * 60;
            deliver(story, lot, &d);
            wholesaler = second;
            from = d.received;
        }
    }
    const uint32_t count = case_packs(lot, number, packs);
    if (traffic_percent(dice(lot), data->ways.hospital)) {
        to_hospital(story, lot, wholesaler, one, packs, count, from);
        return;
    }
    tell(story, lot, wholesaler, from + 7200, TELL_UNPACK, packs, count)->parent = one;
    to_pharmacies(story, lot, wholesaler, packs, count, from + 2 * 7200);
}

static void group_story(struct story *story, struct lot *lot, uint32_t first, uint32_t count) {
    const struct traffic_data *data = story->world->data;
    const struct site *maker = &story->world->sites[lot->product->maker];
    const bool hub = lot->product->region == REGION_EU && traffic_percent(dice(lot), data->ways.hub);
    const struct site *wholesaler = world_pick(story->world, dice(lot), lot->product, SITE_WHOLESALER, -1, !hub);
    const bool pallet = count > 1 && traffic_percent(dice(lot), data->ways.pallet);
    const thing whole = THING_PALLET | first / (uint32_t)data->lot.cases_per_pallet;
    thing cases[32];
    for (uint32_t i = 0; i < count; i++) cases[i] = THING_CASE | (first + i);
    const int64_t shipped = lot->made + 2 * DAY_SECONDS + (lot->data_at ? 0 : days(lot, &data->days.to_ship));
    struct delivery d = {maker, wholesaler, shipped, 0, pallet ? &whole : cases, pallet ? 1 : count, false};
    d.received = shipped + days(lot, &data->days.transit_long) + world_kilometres(maker, wholesaler) * 60;
    if (lot->data_at) d.received = lot->data_at - traffic_between(dice(lot), 3600, 20 * 3600);
    if (pallet) {
        struct happening *told = tell(story, lot, maker, shipped - 7200, TELL_PACK, cases, count);
        told->parent = whole;
        if (lot->data_at) arrives(told, lot->data_at + 3600);
    }
    deliver(story, lot, &d);
    const int64_t from = (lot->data_at > d.received ? lot->data_at + 4 * 3600 : d.received) + 3600;
    if (pallet) tell(story, lot, wholesaler, from, TELL_UNPACK, NULL, 0)->parent = whole;
    for (uint32_t i = 0; i < count; i++) case_story(story, lot, wholesaler, first + i, from + 600);
}

void lot_story(struct story *story, struct lot *lot) {
    const struct traffic_data *data = story->world->data;
    if (traffic_ppm(dice(lot), data->mess.data_late)) lot->data_at = lot->made + 4 * DAY_SECONDS + traffic_between(dice(lot), 3600, 72 * 3600);
    if (traffic_ppm(dice(lot), data->recalled_lots)) lot->recalled = lot->made + traffic_between(dice(lot), 20, 60) * DAY_SECONDS;
    settle_cases(story, lot);
    announce(story, lot);
    crimes_of_lot(story, lot);
    const uint32_t group = (uint32_t)data->lot.cases_per_pallet;
    for (uint32_t first = 0; first < lot->cases; first += group) group_story(story, lot, first, lot->cases - first < group ? lot->cases - first : group);
    for (uint32_t from = 0; from < lot->packs && lot->recalled; from += EVENT_PACKS) {
        thing things[EVENT_PACKS];
        const uint32_t count = lot->packs - from < EVENT_PACKS ? lot->packs - from : EVENT_PACKS;
        for (uint32_t i = 0; i < count; i++) things[i] = from + i;
        struct happening *told = tell(story, lot, &story->world->sites[lot->product->maker], lot->recalled, TELL_RECALL, things, count);
        told->at = NULL;
        arrives(told, lot->recalled + 30);
    }
}
