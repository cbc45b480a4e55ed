// A year of ordinary traffic, its mess, and planted crimes, through the contracts in force; what was found, what was
// missed, and the false alarms, by kind (traffic/README.md).
//
//     traffic [--seed N] [--scans M] [--assert] [--why] [--trace LOT THING]
//
// --assert: exit 1 unless the aims of crimes.json are met. --why: false alarms by the mess behind them. --trace: what is
// told of one thing (hexadecimal, as --why names it).
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/identify/pack_id.h"
#include "tests/rules/traffic_story.h"
#include "tests/rules/traffic_tell.h"

#define YEAR_SECONDS ((int64_t)365 * 86400)
#define SCANS_A_HUNDRED_PACKS 345  // a little fewer than there are, so that --scans is reached

struct counts {
    uint64_t scans, events, packs, refused;
    uint64_t false_alarms[ALERT_KINDS], notes[ALERT_KINDS], by_mess[MESS_KINDS][ALERT_KINDS];
};

struct run {
    struct traffic_data data;
    struct world world;
    struct story story;
    struct counts counts;
    bool why;
    uint64_t traced_lot;  // what is told of one thing is printed
    thing traced;
};

// --- Lots ---

static void civil(int64_t seconds, char out[11]) {
    int64_t year;
    unsigned month, day;
    pt_civil_from_days(seconds / DAY_SECONDS, &year, &month, &day);
    snprintf(out, 11, "%04lld-%02u-%02u", (long long)year, month, day);
}

static struct lot *begin_lot(struct run *run, uint64_t number, int64_t made) {
    const struct traffic_data *data = &run->data;
    struct lot *lot = traffic_memory(calloc(1, sizeof *lot));
    lot->arena.ceiling = SIZE_MAX;
    lot->number = number;
    lot->seed = run->world.seed;
    lot->random = traffic_random_of(run->world.seed, number);
    lot->product = &run->world.products[traffic_between(&lot->random, 0, (int64_t)run->world.product_count - 1)];
    lot->made = made;
    lot->cases = (uint32_t)traffic_between(&lot->random, data->lot.cases_least, data->lot.cases_most);
    lot->packs_per_case = (uint32_t)data->lot.packs_per_case.items[traffic_between(&lot->random, 0, (int64_t)data->lot.packs_per_case.count - 1)];
    lot->packs = lot->cases * lot->packs_per_case;
    lot->expiry_seconds = made / DAY_SECONDS * DAY_SECONDS + traffic_between(&lot->random, data->lot.shelf_least, data->lot.shelf_most) * DAY_SECONDS;
    civil(lot->expiry_seconds - DAY_SECONDS, lot->expiry);
    const bool wrong = traffic_ppm(&lot->random, data->mess.expiry_announced);
    civil(lot->expiry_seconds - DAY_SECONDS + (wrong ? 365 * DAY_SECONDS : 0), lot->announced_expiry);
    snprintf(lot->text, sizeof lot->text, "L%05llu", (unsigned long long)(traffic_hash(run->world.seed, number, 3) % 100000u));
    lot->planted = traffic_memory(pt_arena_alloc(&lot->arena, lot->packs + 1, sizeof *lot->planted));
    lot->mess = traffic_memory(pt_arena_alloc(&lot->arena, lot->packs + 1, 1));
    lot->case_of = traffic_memory(pt_arena_alloc(&lot->arena, lot->packs + 1, sizeof *lot->case_of));
    lot->odds = traffic_memory(pt_arena_alloc(&lot->arena, LOT_ODDS_MAX, sizeof *lot->odds));
    if (wrong) memset(lot->mess, MESS_ANNOUNCED_WRONG, lot->packs);
    run->counts.packs += lot->packs;
    const size_t settled = run->story.heap_count;
    lot_story(&run->story, lot);
    heap_settle(&run->story, settled);
    return lot;
}

static void end_lot(struct lot *lot) {
    pt_arena_free(&lot->arena);
    free(lot);
}

// --- Counting ---

static bool expects(const struct traffic_crime *crime, unsigned kind) {
    for (size_t i = 0; i < crime->expected_count; i++)
        if (crime->expected[i] == kind) return true;
    return false;
}

static void credit(struct run *run, uint32_t planted, unsigned kind, bool enforced) {
    struct planted *instance = &run->story.planted[planted - 1];
    if (!expects(&run->data.crimes[instance->crime], kind)) return;
    instance->found = instance->found || enforced;
    instance->noted = true;
}

static bool names(const struct lot *lot, thing what, struct pt_bytes key) {
    uint8_t memory[PACK_KEY_MAX + 1];
    struct pt_buf own = {.data = memory, .cap = sizeof memory, .ceiling = PACK_KEY_MAX};
    struct pack_id id;
    char uri[128];
    thing_uri(lot, what, uri);
    return pack_id_from_uri(pt_bytes_str(uri), &id, NULL) == PT_OK && pack_id_key(&id, &own, NULL) == PT_OK && pt_bytes_equal(pt_buf_bytes(&own), key);
}

// Whose alert it is: 1 + the planted crime, or 0 and the mess that its pack met.
static uint32_t owner(const struct happening *happening, const struct alert_record *alert, uint8_t *mess) {
    const struct lot *lot = happening->lot;
    *mess = MESS_NONE;
    if (happening->planted) return happening->planted;
    for (uint32_t i = 0; i < happening->count; i++) {
        const thing what = happening->things[i];
        if (alert->pack.len > 0 && happening->count > 1 && !names(lot, what, alert->pack)) continue;
        if (THING_CLASS(what) == 0) *mess = lot->mess[what];
        if (THING_CLASS(what) == THING_ODD) *mess = lot->odds[THING_NUMBER(what)].mess;
        if (THING_CLASS(what) == 0) return lot->planted[what];
        return THING_CLASS(what) == THING_ODD ? lot->odds[THING_NUMBER(what)].planted : 0;
    }
    return 0;
}

static bool innocent(const struct happening *happening, thing what) {
    if (happening->planted_event || happening->planted) return false;
    if (THING_CLASS(what) == 0) return happening->lot->planted[what] == 0;
    return THING_CLASS(what) != THING_ODD || happening->lot->odds[THING_NUMBER(what)].planted == 0;
}

static void count_alerts(struct run *run, const struct happening *happening) {
    const struct contract_output *output = &run->world.lab->output;
    for (size_t i = 0; i < output->alert_count; i++) {
        const struct alert_record *alert = &output->alerts[i];
        const bool enforced = alert->mode == ALERT_ENFORCE;
        uint8_t mess;
        const uint32_t planted = owner(happening, alert, &mess);
        if (planted) {
            credit(run, planted, alert->kind, enforced);
            continue;
        }
        uint64_t *counts = enforced ? run->counts.false_alarms : run->counts.notes;
        counts[alert->kind]++;
        if (enforced) run->counts.by_mess[mess][alert->kind]++;
        if (enforced && run->why)
            fprintf(stderr, "%s: %s, %s, lot %llu thing %x, told %u by site %u at %lld, clock %lld\n", mess_names[mess], alert_kind_name(alert->kind), alert->detail,
                    (unsigned long long)happening->lot->number, happening->things[0], happening->telling, happening->site->number,
                    (long long)(happening->seconds - TRAFFIC_START), (long long)(happening->seconds - happening->arrival / 1000));
    }
}

static void trace(const struct run *run, const struct happening *happening, enum statement_result result) {
    bool named = happening->parent == run->traced;
    for (uint32_t i = 0; i < happening->count && !named; i++) named = happening->things[i] == run->traced;
    if (!named || happening->lot->number != run->traced_lot) return;
    fprintf(stderr, "  in at %10lld, happened %10lld, told %10lld: %2u by site %u (%s), parent %x, result %d\n",
            (long long)(happening->arrival / 1000 - TRAFFIC_START), (long long)(happening->happened - TRAFFIC_START),
            (long long)(happening->seconds - TRAFFIC_START), happening->telling, happening->site->number, happening->site->party, happening->parent, (int)result);
    for (size_t i = 0; i < run->world.lab->output.alert_count; i++)
        fprintf(stderr, "      %s: %s\n", alert_kind_name(run->world.lab->output.alerts[i].kind), run->world.lab->output.alerts[i].detail);
}

static void happen(struct run *run, const struct happening *happening) {
    const enum statement_result result = traffic_apply(&run->world, happening);
    const bool scanned = happening->site->kind != SITE_MAKER || happening->telling == TELL_SHIP;
    run->counts.events++;
    if (run->traced != THING_NONE) trace(run, happening, result);
    for (uint32_t i = 0; i < happening->count && scanned; i++) run->counts.scans += innocent(happening, happening->things[i]);
    run->counts.scans += scanned && happening->parent != THING_NONE;
    if (result == RESULT_NOT_ALLOWED && happening->planted) credit(run, happening->planted, TRAFFIC_REFUSED, true);
    else if (result != RESULT_APPLIED && result != RESULT_ALERTED) run->counts.refused++;
    if (result == RESULT_ALERTED) count_alerts(run, happening);
}

// --- The year ---

static void year(struct run *run, uint64_t scans) {
    const struct traffic_data *data = &run->data;
    int64_t per_case = 0;
    for (size_t i = 0; i < data->lot.packs_per_case.count; i++) per_case += data->lot.packs_per_case.items[i];
    per_case /= (int64_t)data->lot.packs_per_case.count;
    const uint64_t packs_a_lot = (uint64_t)((data->lot.cases_least + data->lot.cases_most) / 2 * per_case);
    const uint64_t lots = scans * 100 / (packs_a_lot * SCANS_A_HUNDRED_PACKS) + 1;
    for (uint64_t lot = 0; lot < lots || run->story.heap_count > 0;) {
        const int64_t made = TRAFFIC_START + (int64_t)((uint64_t)YEAR_SECONDS * lot / lots);
        if (lot < lots && (run->story.heap_count == 0 || made * 1000 <= run->story.heap[0]->arrival)) {
            begin_lot(run, lot++, made);
            continue;
        }
        struct happening *next = heap_pop(&run->story);
        struct lot *of = next->lot;
        happen(run, next);
        if (--of->open == 0) end_lot(of);
    }
}

// --- The table ---

struct tally { uint64_t planted, found, noted; };

static struct tally tally(const struct run *run, uint32_t crime) {
    struct tally sum = {0};
    for (uint32_t i = 0; i < run->story.planted_count; i++) {
        const struct planted *instance = &run->story.planted[i];
        if (instance->crime != crime || !instance->happened) continue;
        sum.planted++;
        sum.found += instance->found;
        sum.noted += instance->noted && !instance->found;
    }
    return sum;
}

static struct tally print_crimes(const struct run *run) {
    struct tally all = {0};
    printf("%-30s %9s %9s %9s %9s\n", "planted", "stories", "found", "noted", "missed");
    for (uint32_t i = 0; i < run->data.crime_count; i++) {
        const struct traffic_crime *crime = &run->data.crimes[i];
        const struct tally one = tally(run, i);
        printf("%-30s %9llu %9llu %9llu %9llu%s\n", crime->name, (unsigned long long)one.planted, (unsigned long long)one.found,
               (unsigned long long)one.noted, (unsigned long long)(one.planted - one.found - one.noted), crime->beyond_reach ? "   (beyond reach)" : "");
        if (crime->beyond_reach) continue;
        all.planted += one.planted;
        all.found += one.found;
        all.noted += one.noted;
    }
    return all;
}

static uint64_t print_alarms(const struct run *run) {
    uint64_t false_alarms = 0, notes = 0;
    printf("\n%-30s %12s %12s\n", "on innocent packs", "false alarms", "notes");
    for (unsigned kind = 1; kind < ALERT_KINDS; kind++) {
        false_alarms += run->counts.false_alarms[kind];
        notes += run->counts.notes[kind];
        if (run->counts.false_alarms[kind] + run->counts.notes[kind] > 0)
            printf("%-30s %12llu %12llu\n", alert_kind_name((enum alert_kind)kind), (unsigned long long)run->counts.false_alarms[kind],
                   (unsigned long long)run->counts.notes[kind]);
    }
    printf("%-30s %12llu %12llu\n", "all", (unsigned long long)false_alarms, (unsigned long long)notes);
    for (unsigned mess = 0; mess < MESS_KINDS && run->why; mess++)
        for (unsigned kind = 1; kind < ALERT_KINDS; kind++)
            if (run->counts.by_mess[mess][kind])
                printf("  because of %-22s %-24s %6llu\n", mess_names[mess], alert_kind_name((enum alert_kind)kind),
                       (unsigned long long)run->counts.by_mess[mess][kind]);
    return false_alarms;
}

static bool print(const struct run *run, double seconds) {
    const struct tally all = print_crimes(run);
    const uint64_t false_alarms = print_alarms(run);
    const double found = all.planted ? 100.0 * (double)all.found / (double)all.planted : 100;
    const bool met = found >= (double)run->data.aim_found_percent &&
                     false_alarms * (uint64_t)run->data.aim_scans_per_false_alarm <= run->counts.scans;
    printf("\n{\"seed\":%llu,\"scans\":%llu,\"events\":%llu,\"packs\":%llu,\"refused\":%llu,\"planted\":%llu,\"found\":%llu,\"found_percent\":%.3f,"
           "\"false_alarms\":%llu,\"scans_per_false_alarm\":%.0f,\"seconds\":%.1f,\"aims_met\":%s}\n",
           (unsigned long long)run->world.seed, (unsigned long long)run->counts.scans, (unsigned long long)run->counts.events,
           (unsigned long long)run->counts.packs, (unsigned long long)run->counts.refused, (unsigned long long)all.planted,
           (unsigned long long)all.found, found, (unsigned long long)false_alarms,
           (double)run->counts.scans / (double)(false_alarms ? false_alarms : 1), seconds, met ? "true" : "false");
    return met;
}

int main(int argc, char **argv) {
    static struct run run;
    uint64_t seed = 1, scans = 200000;
    bool must = false;
    run.traced = THING_NONE;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--assert") == 0) must = true;
        else if (strcmp(argv[i], "--why") == 0) run.why = true;
        else if (strcmp(argv[i], "--trace") == 0 && i + 2 < argc) {
            run.traced_lot = strtoull(argv[++i], NULL, 10);
            run.traced = (thing)strtoul(argv[++i], NULL, 16);
        } else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc) seed = strtoull(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--scans") == 0 && i + 1 < argc) scans = strtoull(argv[++i], NULL, 10);
        else {
            fprintf(stderr, "usage: traffic [--seed N] [--scans M] [--assert] [--why] [--trace LOT THING]\n");
            return 2;
        }
    }
    traffic_data_load(TRAFFIC_DATA, &run.data);
    world_new(&run.world, &run.data, seed, scans / 3);
    run.story.world = &run.world;
    const clock_t from = clock();
    year(&run, scans);
    const bool met = print(&run, (double)(clock() - from) / CLOCKS_PER_SEC);
    if (must) printf("1..1\n%sok 1 - a year of seed %llu keeps the aims\n", met ? "" : "not ", (unsigned long long)seed);
    free(run.story.planted);
    free(run.story.heap);
    world_free(&run.world);
    return must && !met;
}
