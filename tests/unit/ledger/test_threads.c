// Many at once: gateways that submit, people who ask. Each answer is from one whole height.
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/support.h"
#include "tests/unit/ledger/lab.h"

#define ROUNDS 40u
#define SUBMITTERS LAB_GATEWAYS
#define READERS 3u

static struct lab lab;
static struct pt_buf blocks[SUBMITTERS][ROUNDS];
static struct pt_digest ids[SUBMITTERS];  // of each gateway's first statement
static struct pack_id one, two;
static atomic_bool done;
static atomic_uint wrong, asked;

static void *submit(void *arg) {
    const size_t gateway = (size_t)(uintptr_t)arg;
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct lab_answer answer;
        do lab_submit(&lab, pt_buf_bytes(&blocks[gateway][i]), &answer);
        while (answer.code == PT_UNAVAILABLE);
        if (answer.code != PT_OK || answer.outcome != LEDGER_BLOCK_APPLIED) atomic_fetch_add(&wrong, 1);
    }
    return NULL;
}

static void *ask(void *arg) {
    uint64_t last = 0;
    struct pt_arena arena = {0};
    (void)arg;
    while (!atomic_load(&done)) {
        struct ledger_pack first, second;
        struct ledger_step *steps;
        struct ledger_status status;
        struct ledger_counters counters;
        struct pt_error err;
        size_t count;
        bool more;
        struct pt_buf receipt = PT_BUF_INIT(65536);
        pt_arena_reset(&arena);
        enum pt_code code = ledger_pack(lab.ledger, &one, LAB_START, &arena, &first, &err);
        if (code == PT_OK) code = ledger_pack(lab.ledger, &two, LAB_START, &arena, &second, &err);
        // Heights never fall, and a pack that was announced stays known.
        if (code != PT_OK || second.height < first.height || first.height < last) atomic_fetch_add(&wrong, 1);
        last = second.height;
        if (ledger_provenance(lab.ledger, &one, 100, &arena, &steps, &count, &more, &err) != PT_OK) atomic_fetch_add(&wrong, 1);
        for (size_t i = 0; i < SUBMITTERS; i++) {
            pt_buf_clear(&receipt);
            code = ledger_receipt(lab.ledger, &ids[i], &receipt, &err);
            if (code != PT_OK && code != PT_NOT_FOUND) atomic_fetch_add(&wrong, 1);
        }
        pt_buf_clear(&receipt);
        if (ledger_checkpoint(lab.ledger, &receipt, &err) != PT_OK) atomic_fetch_add(&wrong, 1);
        ledger_status(lab.ledger, &status);
        ledger_counters(lab.ledger, &counters);
        pt_buf_free(&receipt);
        atomic_fetch_add(&asked, 1);
    }
    pt_arena_free(&arena);
    return NULL;
}

static void make_blocks(void) {
    static char serials[SUBMITTERS][ROUNDS][3][16];
    for (unsigned g = 0; g < SUBMITTERS; g++)
        for (unsigned i = 0; i < ROUNDS; i++) {
            struct lab_event fresh = {.action = EPCIS_ADD, .step = "commissioning"};
            for (unsigned n = 0; n < 3; n++) {
                snprintf(serials[g][i][n], sizeof serials[g][i][n], "%u", 1000 + g * 1000 + i * 3 + n);
                fresh.serials[n] = serials[g][i][n];
            }
            if (i == 0) fresh.serials[0] = g ? "2" : "1";
            const struct lab_event count = {.step = "cycle_counting", .serials = {g ? "2" : "1"}, .seconds = i};
            const size_t at = lab_say(&lab, &lab.devices[g], &fresh);
            if (i == 0) ids[g] = statement_id(pt_buf_bytes(&lab.statements[at]));
            lab_say(&lab, &lab.devices[g], &count);
            pt_buf_init(&blocks[g][i], BLOCK_MAX);
            lab_seal(&lab, &lab.gateways[g], &blocks[g][i]);
        }
}

static void gateways_and_readers_at_once(void **state) {
    pthread_t submitters[SUBMITTERS], readers[READERS];
    struct ledger_status status;
    (void)state;
    lab_new(&lab, "cn");
    make_blocks();
    one = lab_id("1");
    two = lab_id("2");
    lab_open(&lab);
    for (size_t i = 0; i < READERS; i++) assert_int_equal(pthread_create(&readers[i], NULL, ask, NULL), 0);
    for (size_t i = 0; i < SUBMITTERS; i++) assert_int_equal(pthread_create(&submitters[i], NULL, submit, (void *)(uintptr_t)i), 0);
    for (size_t i = 0; i < SUBMITTERS; i++) pthread_join(submitters[i], NULL);
    atomic_store(&done, true);
    for (size_t i = 0; i < READERS; i++) pthread_join(readers[i], NULL);
    assert_int_equal(atomic_load(&wrong), 0);
    assert_true(atomic_load(&asked) > 0);
    ledger_status(lab.ledger, &status);
    assert_int_equal(status.height, SUBMITTERS * ROUNDS);
    assert_int_equal(status.tree_size, SUBMITTERS * ROUNDS * 2);
    for (unsigned g = 0; g < SUBMITTERS; g++)
        for (unsigned i = 0; i < ROUNDS; i++) pt_buf_free(&blocks[g][i]);
    lab_free(&lab);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(gateways_and_readers_at_once)};
    return cmocka_run_group_tests_name("ledger threads", tests, NULL, NULL);
}
