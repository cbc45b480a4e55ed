#include "tests/rules/traffic_lot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/identify/gs1_check.h"

const char *const mess_names[MESS_KINDS] = {
    "none", "sent twice", "hand-over", "ward", "announced twice", "part sent twice", "no receipt", "no shipment", "wrong neighbour",
    "drop shipment", "data late", "misread", "misread digit", "label typo", "expiry announced wrong", "case contents", "logger",
    "individual import", "undo", "return without word", "recalled", "stolen in error", "correction", "borrowed", "patient return",
    "place wrong"};

// --- Things ---

// Letters and digits without those that are easily mistaken, in no order that anybody could guess.
void pack_serial(const struct lot *lot, uint32_t pack, char out[24]) {
    static const char alphabet[] = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ";
    uint64_t bits = traffic_hash(lot->seed, lot->number, pack);
    for (int i = 0; i < 12; i++) {
        out[i] = alphabet[bits % (sizeof alphabet - 1)];
        bits /= sizeof alphabet - 1;
    }
    out[12] = 0;
}

void uri_of_serial(const struct lot *lot, const char *serial, char out[128]) {
    if (lot->product->region == REGION_EU)
        snprintf(out, 128, "https://id.gs1.org/01/%s/21/%s", lot->product->code, serial);
    else
        snprintf(out, 128, "urn:packtrail:cn:trace:%s%s", lot->product->code, serial);
}

static void container_uri(const struct lot *lot, thing what, char out[128]) {
    char sscc[24];
    snprintf(sscc, sizeof sscc, "3060001%08llu%02u", (unsigned long long)(lot->number % 1000000u) * 100 + THING_NUMBER(what) / 10,
             THING_NUMBER(what) % 10 * 2 + (THING_CLASS(what) == THING_PALLET));
    snprintf(out, 128, "https://id.gs1.org/00/%s%c", sscc, gs1_check_digit(pt_bytes_of(sscc, 17)));
}

void thing_uri(const struct lot *lot, thing what, char out[128]) {
    char serial[24];
    switch (THING_CLASS(what)) {
    case THING_CASE:
    case THING_PALLET: container_uri(lot, what, out); return;
    case THING_ODD: snprintf(out, 128, "%s", lot->odds[THING_NUMBER(what)].uri); return;
    default: break;
    }
    if (lot->product->region == REGION_EU) pack_serial(lot, what, serial);
    else snprintf(serial, sizeof serial, "%013llu", (unsigned long long)(traffic_hash(lot->seed, lot->number, what) % 10000000000000u));
    uri_of_serial(lot, serial, out);
}

thing odd_thing(struct lot *lot, const char *uri, uint32_t planted, enum mess mess) {
    if (lot->odd_count == LOT_ODDS_MAX) traffic_stop("too many odd codes", "lot");
    lot->odds[lot->odd_count] = (struct odd){traffic_memory(pt_arena_strdup(&lot->arena, pt_bytes_str(uri))), planted, (uint8_t)mess};
    return THING_ODD | lot->odd_count++;
}

// --- Telling ---

// Most come in at once; some terminals are out of reach for hours, few for a week.
static int64_t upload_delay(struct story *story, struct lot *lot) {
    const struct traffic_data *data = story->world->data;
    const int64_t drawn = traffic_between(&lot->random, 0, 999999);
    int64_t delay;
    if (drawn < data->upload.minute) delay = traffic_between(&lot->random, 1, 60);
    else if (drawn < data->upload.minute + data->upload.hours) delay = traffic_between(&lot->random, 60, 12 * 3600);
    else delay = traffic_between(&lot->random, 12 * 3600, 7 * DAY_SECONDS);
    if (traffic_ppm(&lot->random, data->reordered)) delay += traffic_between(&lot->random, 1, 600);
    return delay;
}

void arrives(struct happening *happening, int64_t seconds) { happening->arrival = seconds * 1000; }

struct happening *tell(struct story *story, struct lot *lot, const struct site *site, int64_t seconds, enum telling telling,
                       const thing *things, uint32_t count) {
    struct happening *happening = traffic_memory(pt_arena_alloc(&lot->arena, 1, sizeof *happening));
    happening->lot = lot;
    happening->site = site;
    happening->terminal = (uint8_t)traffic_between(&lot->random, 0, SITE_TERMINALS - 1);
    happening->telling = (uint8_t)telling;
    happening->happened = seconds;
    happening->seconds = seconds + world_clock_error(story->world, site, happening->terminal, seconds, &happening->told_error);
    happening->parent = THING_NONE;
    happening->count = count;
    happening->things = traffic_memory(pt_arena_alloc(&lot->arena, count + 1, sizeof(thing)));
    if (count > 0) memcpy(happening->things, things, count * sizeof(thing));
    happening->event_id = traffic_percent(&lot->random, 90) ? traffic_draw(&lot->random) | 1 : 0;
    arrives(happening, seconds + upload_delay(story, lot));
    if (traffic_ppm(&lot->random, story->world->data->mess.wrong_place)) {
        happening->at = &story->world->sites[story->world->first_site[site->region][site->kind] +
                                             (uint32_t)traffic_between(&lot->random, 0, story->world->site_counts[site->region][site->kind] - 1)];
        for (uint32_t i = 0; i < count; i++)
            if (THING_CLASS(things[i]) == 0) lot->mess[things[i]] = MESS_WRONG_PLACE;
    }
    heap_push(story, happening);
    return happening;
}

struct happening *tell_one(struct story *story, struct lot *lot, const struct site *site, int64_t seconds, enum telling telling, thing one) {
    return tell(story, lot, site, seconds, telling, &one, 1);
}

struct happening *tell_again(struct story *story, const struct happening *happening, int64_t seconds_later) {
    struct happening *again = traffic_memory(pt_arena_alloc(&happening->lot->arena, 1, sizeof *again));
    *again = *happening;
    again->seconds += seconds_later;
    again->happened += seconds_later;
    again->arrival += seconds_later * 1000;
    again->event_id = traffic_draw(&happening->lot->random) | 1;
    heap_push(story, again);
    return again;
}

uint32_t plant(struct story *story, uint32_t crime) {
    if (story->planted_count == story->planted_cap) {
        story->planted_cap = story->planted_cap ? story->planted_cap * 2 : 1024;
        story->planted = traffic_memory(realloc(story->planted, story->planted_cap * sizeof *story->planted));
    }
    story->planted[story->planted_count] = (struct planted){.crime = crime};
    return ++story->planted_count;
}

// --- The heap ---

static bool before(const struct happening *a, const struct happening *b) {
    return a->arrival != b->arrival ? a->arrival < b->arrival : a->order < b->order;
}

void heap_push(struct story *story, struct happening *happening) {
    if (story->heap_count == story->heap_cap) {
        story->heap_cap = story->heap_cap ? story->heap_cap * 2 : 65536;
        story->heap = traffic_memory(realloc(story->heap, story->heap_cap * sizeof(struct happening *)));
    }
    happening->order = ++story->orders;
    happening->lot->open++;
    story->heap[story->heap_count++] = happening;
}

static void sift_down(struct happening **heap, size_t count, size_t at) {
    struct happening *item = heap[at];
    for (size_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && before(heap[child + 1], heap[child])) child++;
        if (!before(heap[child], item)) break;
        heap[at] = heap[child];
    }
    heap[at] = item;
}

void heap_settle(struct story *story, size_t from) {
    struct happening **heap = story->heap;
    for (size_t i = from; i < story->heap_count; i++) {
        struct happening *item = heap[i];
        size_t at = i;
        for (; at > 0 && before(item, heap[(at - 1) / 2]); at = (at - 1) / 2) heap[at] = heap[(at - 1) / 2];
        heap[at] = item;
    }
}

struct happening *heap_pop(struct story *story) {
    struct happening **heap = story->heap, *first = heap[0];
    heap[0] = heap[--story->heap_count];
    if (story->heap_count > 0) sift_down(heap, story->heap_count, 0);
    return first;
}
