// A disk that fails, a power cut at every write, an index that is old, foreign or damaged: after the next start everything
// acknowledged is there, once, and the rest can be sent again.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/store/index_store.h"
#include "tests/support/disk_fake.h"
#include "tests/support/support.h"
#include "tests/unit/ledger/lab.h"

#define BLOCKS 4u

static struct lab lab;
static struct pt_buf blocks[BLOCKS];
static struct ledger_status wanted;

static void make_blocks(void) {
    static const struct lab_event commission = {.action = EPCIS_ADD, .step = "commissioning", .serials = {"1", "2"}, .content = 10};
    static const struct lab_event fill = {.type = EPCIS_AGGREGATION, .action = EPCIS_ADD, .step = "packing", .parent = "C1", .serials = {"1", "2"}, .seconds = 60};
    static const struct lab_event ship = {.step = "shipping", .serials = {"C1"}, .seconds = 120};
    static const struct lab_event sell = {.step = "dispensing", .disposition = "partially_dispensed", .units = 3, .serials = {"1"}, .seconds = 180};
    static const struct lab_event *const events[BLOCKS] = {&commission, &fill, &ship, &sell};
    for (unsigned i = 0; i < BLOCKS; i++) {
        pt_buf_init(&blocks[i], BLOCK_MAX);
        lab_say(&lab, &lab.devices[0], events[i]);
        lab_say(&lab, &lab.devices[1], events[i]);
        lab_seal(&lab, &lab.gateways[0], &blocks[i]);
    }
}

// Submits all; gives how many were acknowledged, one after the other.
static unsigned submit_all(void) {
    unsigned good = 0;
    for (unsigned i = 0; i < BLOCKS; i++) {
        struct lab_answer answer;
        lab_submit(&lab, pt_buf_bytes(&blocks[i]), &answer);
        if (answer.code != PT_OK) return good;
        if (answer.outcome != LEDGER_BLOCK_APPLIED && answer.outcome != LEDGER_BLOCK_DUPLICATE)
            fail_msg("block %u: outcome %d, height %llu, expected %llu: %s", i, (int)answer.outcome, (unsigned long long)answer.height,
                     (unsigned long long)answer.expected, answer.reason);
        good++;
    }
    return good;
}

static void expect_whole(void) {
    struct ledger_status status;
    struct pt_error err;
    struct pt_arena arena = {0};
    ledger_status(lab.ledger, &status);
    assert_int_equal(status.height, wanted.height);
    assert_memory_equal(&status.entry, &wanted.entry, sizeof status.entry);  // and through it every result and change
    assert_memory_equal(&status.tree_root, &wanted.tree_root, sizeof status.tree_root);
    assert_int_equal(lab_look(&lab, "1").quantity_left, 4);
    assert_int_equal(lab_state(&lab, "2"), LIFECYCLE_IN_TRANSIT);
    for (uint64_t leaf = 0; leaf < status.tree_size; leaf++) {
        struct ledger_statement statement;
        struct pt_buf receipt = PT_BUF_INIT(65536);
        struct merkle_path path;
        uint64_t size = 0;
        assert_ok(ledger_statement_by_leaf(lab.ledger, leaf, &arena, &statement, &err), &err);
        assert_ok(ledger_receipt(lab.ledger, &statement.id, &receipt, &err), &err);
        assert_ok(ledger_inclusion(lab.ledger, leaf, &size, &path, &err), &err);
        const struct pt_digest hash = merkle_leaf_hash(pt_bytes_digest(&statement.id));
        assert_ok(merkle_verify_inclusion(&hash, leaf, size, path.nodes, path.count, &status.tree_root, &err), &err);
        pt_buf_free(&receipt);
    }
    pt_arena_free(&arena);
}

static int setup(void **state) {
    (void)state;
    lab_new(&lab, "cn");
    make_blocks();
    return 0;
}

static int teardown(void **state) {
    (void)state;
    for (unsigned i = 0; i < BLOCKS; i++) pt_buf_free(&blocks[i]);
    lab_free(&lab);
    return 0;
}

static void drop_index(void) {
    char path[1024];
    struct pt_error err;
    snprintf(path, sizeof path, "%s/index.sqlite", lab.dir);
    assert_ok(index_sqlite_drop(path, &err), &err);
}

static void undisturbed(void) {
    lab_open(&lab);
    assert_int_equal(submit_all(), BLOCKS);
    ledger_status(lab.ledger, &wanted);
    expect_whole();
}

// Lets the n-th change of one of the disks fail; false when the whole run needs fewer.
static bool fail_at(long n, bool tree, bool power_cut, bool keep_index, uint64_t *seed) {
    struct disk_fake *chain_disk = disk_fake_new(), *tree_disk = disk_fake_new();
    struct disk_fake *bad = tree ? tree_disk : chain_disk;
    struct pt_error err;
    unsigned acknowledged = 0;
    lab.options.chain_disk = disk_fake_disk(chain_disk);
    lab.options.tree_disk = disk_fake_disk(tree_disk);
    drop_index();
    disk_fake_fail_at(bad, n, PT_IO, power_cut ? (size_t)(disk_fake_random(seed) % 700) : 0);
    const enum pt_code opened = ledger_open(lab.dir, &lab.node.signer, &lab.options, &lab.env, &lab.ledger, &err);
    if (opened == PT_OK) acknowledged = submit_all();
    else lab.ledger = NULL;
    const bool all = acknowledged == BLOCKS;
    lab_close(&lab);
    if (power_cut) {
        disk_fake_crash(chain_disk, seed);
        disk_fake_crash(tree_disk, seed);
    }
    disk_fake_fail_at(bad, -1, PT_OK, 0);
    if (!keep_index) drop_index();
    lab_open(&lab);
    struct ledger_status status;
    ledger_status(lab.ledger, &status);
    assert_true(status.height >= acknowledged);
    assert_int_equal(submit_all(), BLOCKS);
    expect_whole();
    lab_close(&lab);
    lab.options.chain_disk = lab.options.tree_disk = NULL;
    disk_fake_free(chain_disk);
    disk_fake_free(tree_disk);
    return !all;
}

static void every_write_may_fail(void **state) {
    (void)state;
    undisturbed();
    lab_close(&lab);
    uint64_t seed = 1;
    long runs = 0;
    for (unsigned kind = 0; kind < 8; kind++) {
        long n = 0;
        // The tree's files are closed with a sync behind the last acknowledgement: a few steps more.
        for (int spare = 3; spare > 0; n++, runs++)
            if (!fail_at(n, kind & 1, kind & 2, kind & 4, &seed)) spare--;
    }
    assert_true(runs > 50);
}

static void a_dropped_index_is_rebuilt(void **state) {
    (void)state;
    undisturbed();
    lab_close(&lab);
    drop_index();
    lab_open(&lab);
    expect_whole();
    assert_int_equal(submit_all(), BLOCKS);
}

static void write_index(const struct pt_buf *content) {
    char path[1024];
    struct pt_error err;
    drop_index();
    snprintf(path, sizeof path, "%s/index.sqlite", lab.dir);
    assert_ok(pt_file_replace(path, pt_buf_bytes(content), 0600, &err), &err);
}

static void read_index(struct pt_buf *out) {
    char path[1024];
    struct pt_error err;
    pt_buf_init(out, (size_t)64 * 1024 * 1024);
    snprintf(path, sizeof path, "%s/index.sqlite", lab.dir);
    assert_ok(pt_file_read(path, out, &err), &err);
}

static void put_row(unsigned table, struct pt_bytes key, uint64_t height) {
    struct index_store index;
    struct pt_error err;
    char path[1024];
    const struct state_change row = {.table = (enum state_table)table, .key = key, .value = pt_bytes_str("planted")};
    snprintf(path, sizeof path, "%s/index.sqlite", lab.dir);
    assert_ok(index_sqlite_open(path, 1024 * 1024, &index, &err), &err);
    assert_ok(index.begin(&index, &err), &err);
    assert_ok(index.put(&index, &row, 1, &err), &err);
    assert_ok(index.commit(&index, height, &err), &err);
    index.close(&index);
}

static void an_old_index_catches_up(void **state) {
    (void)state;
    struct pt_buf old;
    struct lab_answer answer;
    lab_open(&lab);
    lab_submit(&lab, pt_buf_bytes(&blocks[0]), &answer);
    lab_close(&lab);
    read_index(&old);
    undisturbed();
    lab_close(&lab);
    write_index(&old);
    lab_open(&lab);
    expect_whole();
    lab_close(&lab);
    // Old and damaged: the replay notices, and the index is blamed, not the chain.
    write_index(&old);
    put_row(STATE_CHAIN, pt_bytes_digest(&lab.gateways[0].kid), 1);
    lab_open(&lab);
    expect_whole();
    pt_buf_free(&old);
}

static void an_index_of_another_ledger_is_dropped(void **state) {
    (void)state;
    struct pt_buf foreign, empty;
    static struct lab other;
    undisturbed();
    lab_close(&lab);
    struct pt_buf own;
    read_index(&own);
    lab_new(&other, "cn");
    lab_open(&other);
    lab_close(&other);
    const struct lab kept = lab;
    lab = other;
    read_index(&empty);
    lab_open(&lab);
    static const struct lab_event commission = {.action = EPCIS_ADD, .step = "commissioning", .serials = {"9"}};
    lab_do(&lab, &lab.devices[0], &commission);
    lab_close(&lab);
    read_index(&foreign);
    other = lab;
    lab = kept;
    write_index(&foreign);
    lab_open(&lab);
    expect_whole();
    lab_close(&lab);
    write_index(&empty);  // holds nothing but the other genesis
    lab_open(&lab);
    expect_whole();
    assert_int_equal(lab_state(&lab, "9"), LIFECYCLE_UNKNOWN);
    lab_free(&other);
    pt_buf_free(&foreign);
    pt_buf_free(&empty);
    pt_buf_free(&own);
}

static void damaged_tree_files_heal(void **state) {
    (void)state;
    struct pt_error err;
    struct pt_buf whole = PT_BUF_INIT(65536);
    char path[1024];
    undisturbed();
    lab_close(&lab);
    snprintf(path, sizeof path, "%s/tree/level-00", lab.dir);
    assert_ok(pt_file_read(path, &whole, &err), &err);
    for (size_t at = 0; at < whole.len; at += 32) {
        whole.data[at] ^= 1;
        assert_ok(pt_file_replace(path, pt_buf_bytes(&whole), 0600, &err), &err);
        whole.data[at] ^= 1;
        lab_open(&lab);
        expect_whole();
        lab_close(&lab);
    }
    assert_ok(pt_file_replace(path, pt_bytes_of(whole.data, 40), 0600, &err), &err);
    lab_open(&lab);
    expect_whole();
    pt_buf_free(&whole);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(every_write_may_fail),
        CASE(a_dropped_index_is_rebuilt),
        CASE(an_old_index_catches_up),
        CASE(an_index_of_another_ledger_is_dropped),
        CASE(damaged_tree_files_heal),
    };
    return cmocka_run_group_tests_name("ledger recovery", tests, NULL, NULL);
}
