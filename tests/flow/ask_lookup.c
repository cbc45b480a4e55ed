// Asks about packs as the terminal does, through its gateway, and prints what it learns: a JSON line a code.
//
//   ask-lookup GATEWAY-URL CA CERTIFICATE KEY DEADLINE-MS CODE…
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "common/base/json.h"
#include "common/identify/identification.h"
#include "firmware/lookup/lookup.h"

enum { MOST_WAIT_MS = 20000 };

static int fail(const struct pt_error *err) {
    fprintf(stderr, "ask-lookup: %s (%s)\n", err->what, err->where);
    return pt_exit_status(err->code);
}

static void print_answer(const struct lookup_answer *answer, const char *code, long waited) {
    static const char *const colours[] = {"none", "green", "amber", "red"};
    PT_JSON json_t *object = json_pack("{s:s, s:s, s:b, s:s, s:I, s:I, s:I, s:b, s:s, s:s, s:s, s:i}", "code", code, "colour", colours[answer->colour], "known",
                                       answer->known, "state", answer->state, "units_left", (json_int_t)answer->units_left, "height", (json_int_t)answer->height,
                                       "time", (json_int_t)answer->chain_time, "final", answer->final, "reason", answer->reason_en, "reason_zh",
                                       answer->reason_zh, "why", answer->why.what, "waited_ms", (int)waited);
    char *line = json_dumps(object, JSON_COMPACT);
    if (line) puts(line);
    free(line);
}

static long now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int ask(struct lookup *lookup, const char *code) {
    struct identification found;
    struct pt_error err = {0};
    struct lookup_answer answer;
    if (identify(pt_bytes_str(code), &(struct identify_options){.year = 2026}, &found, &err) != PT_OK) return fail(&err);
    const char *lot = gs1_elements_value(&found.elements, "10");
    char expiry[32] = "";
    if (found.expiry.year) snprintf(expiry, sizeof expiry, "%04d-%02d-%02d", found.expiry.year, found.expiry.month, found.expiry.day);
    const long begun = now_ms();
    const unsigned ticket = lookup_ask(lookup, &found.pack, lot ? lot : "", expiry);
    while (!lookup_take(lookup, &answer)) {
        const struct timespec pause = {0, 2000000};
        if (now_ms() - begun > MOST_WAIT_MS) return fail(&(struct pt_error){.code = PT_UNAVAILABLE, .what = "no answer at all"});
        nanosleep(&pause, NULL);
    }
    if (answer.ticket != ticket) return fail(&(struct pt_error){.code = PT_INTERNAL, .what = "the answer to another question"});
    print_answer(&answer, code, now_ms() - begun);
    return 0;
}

int main(int argc, char **argv) {
    struct lookup *lookup;
    struct pt_error err = {0};
    if (argc < 7) return 2;
    const struct lookup_options options = {
        .gateway_url = argv[1], .client = {.ca_file = argv[2], .certificate_file = argv[3], .key_file = argv[4]}, .deadline_ms = atol(argv[5])};
    if (lookup_start(&options, &lookup, &err) != PT_OK) return fail(&err);
    int status = 0;
    for (int i = 6; i < argc && status == 0; i++) status = ask(lookup, argv[i]);
    lookup_stop(lookup);
    return status;
}
