// The same statements in whatever batches: one state, one log. And the chain replays to the same entries.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/crypto/digest.h"
#include "ledger/ledger_internal.h"
#include "tests/support/disk_fake.h"
#include "tests/support/support.h"
#include "tests/unit/ledger/lab.h"

#define STATEMENTS 48u
#define BATCHINGS 200u

static struct lab lab;
static struct pt_buf said[STATEMENTS];

static void say(struct lab_key *key, struct lab_event event, int64_t seconds) {
    event.seconds = seconds;
    lab_say(&lab, key, &event);
}

// Moves of five packs, two cases and a pallet by four devices and a company; some wrong, some late, some out of order.
static void make_statements(void) {
    static const char *const packs[] = {"1", "2", "3", "4", "5"};
    static const char *const cases[] = {"C1", "C2"};
    uint64_t seed = 7;
    lab_say(&lab, &lab.company, &(struct lab_event){.action = EPCIS_ADD, .step = "commissioning", .serials = {"1", "2", "3", "4"}, .content = 6, .lot = "L1", .expiry = "2026-03-01"});
    while (lab.statement_count < STATEMENTS) {
        struct lab_key *key = &lab.devices[disk_fake_random(&seed) % LAB_DEVICES];
        const char *pack = packs[disk_fake_random(&seed) % 5], *box = cases[disk_fake_random(&seed) % 2];
        const int64_t at = (int64_t)(disk_fake_random(&seed) % 80) * DAY;
        switch (disk_fake_random(&seed) % 9) {
        case 0: say(key, (struct lab_event){.type = EPCIS_AGGREGATION, .action = EPCIS_ADD, .step = "packing", .parent = box, .serials = {pack}}, at); break;
        case 1: say(key, (struct lab_event){.type = EPCIS_AGGREGATION, .action = EPCIS_DELETE, .step = "unpacking", .parent = box, .serials = {pack}}, at); break;
        case 2: say(key, (struct lab_event){.type = EPCIS_AGGREGATION, .action = EPCIS_ADD, .step = "packing", .parent = "L1", .serials = {box}}, at); break;
        case 3: say(key, (struct lab_event){.step = "shipping", .serials = {box}, .destination = "urn:packtrail:party:p1"}, at); break;
        case 4: say(key, (struct lab_event){.step = "receiving", .serials = {"L1"}}, at); break;
        case 5: say(key, (struct lab_event){.step = "dispensing", .disposition = "partially_dispensed", .units = 2, .serials = {pack}}, at); break;
        case 6: say(key, (struct lab_event){.step = "receiving", .serials = {pack}}, at); break;
        case 7: say(key, (struct lab_event){.type = EPCIS_AGGREGATION, .action = EPCIS_DELETE, .step = "unpacking", .parent = box}, at); break;
        default: say(key, (struct lab_event){.step = "dispensing", .error = true, .serials = {pack}}, at); break;
        }
    }
    for (unsigned i = 0; i < STATEMENTS; i++) said[i] = lab.statements[i];
    const struct pt_buf swapped = said[20];  // one that comes before its turn
    said[20] = said[21];
    said[21] = swapped;
    lab.statement_count = 0;
}

static enum pt_code add_row(void *arg, struct pt_bytes key, struct pt_bytes value) {
    struct pt_buf *out = arg;
    pt_buf_printf(out, "%zu %zu:", key.len, value.len);
    pt_buf_append_bytes(out, key);
    pt_buf_append_bytes(out, value);
    return PT_OK;
}

// All that the state says, but for what names blocks: the gateways' own chains.
static struct pt_digest state_of(struct pt_digest *root) {
    static const unsigned tables[] = {STATE_PACK, STATE_ACTOR, STATE_MASTER, STATE_RULES, STATE_ALERT, STATE_HELD, STATE_NAME,
                                      INDEX_STATEMENT, INDEX_SEQUENCE, INDEX_LINKS, INDEX_FEED, INDEX_PACK_ALERT, INDEX_TLS};
    struct pt_buf all = PT_BUF_INIT((size_t)64 * 1024 * 1024);
    struct ledger_status status;
    struct idle_reader *view;
    struct pt_error err;
    assert_ok(ledger_view_begin(lab.ledger, &view, &err), &err);
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        pt_buf_printf(&all, "table %u\n", tables[i]);
        assert_ok(view->reader.range(&view->reader, tables[i], (struct pt_bytes){0}, (struct pt_bytes){0}, false, add_row, &all, &err), &err);
    }
    const struct lab_key *keys[LAB_DEVICES + 1] = {&lab.company};
    for (size_t i = 0; i < LAB_DEVICES; i++) keys[i + 1] = &lab.devices[i];
    for (size_t i = 0; i < LAB_DEVICES + 1; i++)
        assert_ok(view->reader.get(&view->reader, STATE_CHAIN, pt_bytes_digest(&keys[i]->kid), &all, &err), &err);
    ledger_view_end(lab.ledger, view);
    ledger_status(lab.ledger, &status);
    *root = status.tree_root;
    assert_false(all.failed);
    const struct pt_digest digest = sha256(pt_buf_bytes(&all));
    pt_buf_free(&all);
    return digest;
}

static void forget_ledger(void) {
    struct pt_error err;
    lab_close(&lab);
    test_scratch_remove(lab.dir);
    test_scratch(lab.dir);
    assert_ok(ledger_init(lab.dir, pt_buf_bytes(&lab.genesis_bytes), (struct pt_bytes){0}, &err), &err);
    for (unsigned i = 0; i < LAB_GATEWAYS; i++) {
        lab.gateways[i].next = 0;
        memset(&lab.gateways[i].previous, 0, sizeof lab.gateways[i].previous);
    }
}

// most: statements a block.
static struct pt_digest run(uint64_t *seed, unsigned most, struct pt_digest *root) {
    lab_open(&lab);
    for (unsigned i = 0; i < STATEMENTS;) {
        struct lab_answer answer;
        struct pt_buf block = PT_BUF_INIT(BLOCK_MAX);
        const unsigned count = 1 + (unsigned)(disk_fake_random(seed) % most);
        for (unsigned taken = 0; taken < count && i < STATEMENTS; taken++, i++) {
            struct pt_buf *copy = &lab.statements[lab.statement_count++];
            pt_buf_init(copy, STATEMENT_MAX);
            pt_buf_append_bytes(copy, pt_buf_bytes(&said[i]));
        }
        lab_seal(&lab, &lab.gateways[disk_fake_random(seed) % LAB_GATEWAYS], &block);
        lab_submit(&lab, pt_buf_bytes(&block), &answer);
        assert_int_equal(answer.outcome, LEDGER_BLOCK_APPLIED);
        pt_buf_free(&block);
        if (disk_fake_random(seed) % 16 == 0) {  // and whatever is forgotten in between
            lab_close(&lab);
            lab_open(&lab);
        }
    }
    return state_of(root);
}

static void batches_make_no_difference(void **state) {
    (void)state;
    uint64_t seed = 42;
    struct pt_digest root, first_root;
    lab_new(&lab, "cn");
    make_statements();
    const struct pt_digest first = run(&seed, 1, &first_root);
    for (unsigned i = 0; i < BATCHINGS; i++) {
        forget_ledger();
        lab.options.workers = 1 + i % 3;
        lab.options.state_cache_records = i % 2 ? 4 : 0;  // a memory that keeps nothing, and one that keeps all
        const struct pt_digest digest = run(&seed, i < 10 ? STATEMENTS : 1 + i % 24, &root);
        assert_memory_equal(&root, &first_root, sizeof root);
        if (!pt_digest_equal(&digest, &first)) fail_msg("batching %u gives another state", i);
    }
    // From the chain alone: the same once more (every entry is compared on the way).
    struct pt_error err;
    char path[1024];
    lab_close(&lab);
    snprintf(path, sizeof path, "%s/index.sqlite", lab.dir);
    assert_ok(index_sqlite_drop(path, &err), &err);
    lab_open(&lab);
    const struct pt_digest again = state_of(&root);
    assert_memory_equal(&again, &first, sizeof again);
    for (unsigned i = 0; i < STATEMENTS; i++) pt_buf_free(&said[i]);
    lab_free(&lab);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(batches_make_no_difference)};
    return cmocka_run_group_tests_name("ledger batching", tests, NULL, NULL);
}
