// Whatever is damaged in a ledger's directory is found, named, and does no harm; a sound one is sound.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ledger/check/fsck.h"
#include "ledger/store/chain_store.h"
#include "ledger/store/index_store.h"
#include "tests/support/support.h"
#include "tests/unit/ledger/lab.h"

static struct lab lab;

// A small trade: every table of the index holds something.
static void trade(void) {
    struct lab_answer answer;
    static const struct lab_event commission = {.action = EPCIS_ADD, .step = "commissioning", .serials = {"1", "2", "3"}, .lot = "L1", .content = 10};
    static const struct lab_event fill = {.type = EPCIS_AGGREGATION, .action = EPCIS_ADD, .step = "packing", .parent = "C1", .serials = {"1", "2"}, .seconds = 60};
    static const struct lab_event ship = {.step = "shipping", .serials = {"C1"}, .seconds = 120, .destination = "urn:packtrail:party:p1"};
    static const struct lab_event sell = {.step = "dispensing", .serials = {"1"}, .seconds = 180};
    lab_do(&lab, &lab.company, &commission);
    lab_do(&lab, &lab.devices[0], &fill);
    lab_do(&lab, &lab.devices[0], &ship);
    lab_do(&lab, &lab.devices[1], &sell);
    lab_do(&lab, &lab.devices[1], &sell);  // an alert
    lab.devices[2].next++;                 // a gap: the next one waits
    lab_do(&lab, &lab.devices[2], &ship);
    for (unsigned i = 0; i < 30; i++) {    // enough leaves for the tree's second row
        struct lab_event count = {.step = "cycle_counting", .serials = {"3"}, .seconds = 200 + i};
        lab_say(&lab, &lab.devices[3], &count);
    }
    lab_apply(&lab, &answer);
}

static int setup(void **state) {
    (void)state;
    lab_new(&lab, "cn");
    lab_open(&lab);
    trade();
    lab_close(&lab);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    lab_free(&lab);
    return 0;
}

struct told {
    char text[4096];
    size_t count;
};

static void tell(void *arg, const char *where, uint64_t height, const char *what) {
    struct told *told = arg;
    const size_t used = strlen(told->text);
    snprintf(told->text + used, sizeof told->text - used, "[%s %llu: %s]", where, (unsigned long long)height, what);
    told->count++;
}

static struct told check(void) {
    struct told told = {0};
    struct fsck_report report;
    struct pt_error err;
    assert_ok(ledger_fsck(lab.dir, &lab.env, tell, &told, &report, &err), &err);
    assert_int_equal(report.problems, told.count);
    return told;
}

static void expect(const char *word) {
    const struct told told = check();
    if (told.count == 0 || !strstr(told.text, word)) fail_msg("wanted \"%s\", told: %s", word, told.text);
}

static void expect_sound(void) {
    const struct told told = check();
    if (told.count != 0) fail_msg("told: %s", told.text);
}

static void a_sound_ledger_is_sound(void **state) {
    (void)state;
    struct told told = {0};
    struct fsck_report report;
    struct pt_error err;
    assert_ok(ledger_fsck(lab.dir, &lab.env, tell, &told, &report, &err), &err);
    assert_int_equal(report.problems, 0);
    assert_int_equal(report.height, 7);
    assert_int_equal(report.statements, 36);
    assert_int_equal(report.index_height, 7);
}

static void path_of(const char *name, char out[1024]) { snprintf(out, 1024, "%s/%s", lab.dir, name); }

static void read_file(const char *name, struct pt_buf *out) {
    struct pt_error err;
    char path[1024];
    path_of(name, path);
    pt_buf_init(out, (size_t)64 * 1024 * 1024);
    assert_ok(pt_file_read(path, out, &err), &err);
}

static void write_file(const char *name, const struct pt_buf *content) {
    struct pt_error err;
    char path[1024];
    path_of(name, path);
    assert_ok(pt_file_replace(path, pt_buf_bytes(content), 0600, &err), &err);
}

static enum pt_code note_segment(void *arg, const char *name, struct pt_error *err) {
    char *out = arg;
    (void)err;
    if (!strstr(name, "lock")) snprintf(out, 300, "chain/%s", name);
    return PT_OK;
}

static void segment_name(char out[300]) {
    struct pt_disk disk;
    struct pt_error err;
    char path[1024];
    out[0] = 0;
    path_of("chain", path);
    assert_ok(pt_disk_posix_open(path, &disk, &err), &err);
    assert_ok(disk.list(disk.ctx, note_segment, out, &err), &err);
    pt_disk_posix_close(&disk);
    assert_true(out[0]);
}

static void a_changed_byte_of_the_chain(void **state) {
    (void)state;
    char name[300];
    struct pt_buf whole;
    segment_name(name);
    read_file(name, &whole);
    for (size_t at = 100; at + 600 < whole.len; at += whole.len / 11) {  // not the end: a torn end is cut off, as after a crash
        whole.data[at] ^= 0x10;
        write_file(name, &whole);
        expect("chain");
        whole.data[at] ^= 0x10;
    }
    write_file(name, &whole);
    expect_sound();
    pt_buf_free(&whole);
}

static void a_missing_segment(void **state) {
    (void)state;
    char name[300], path[1024];
    struct pt_buf whole;
    segment_name(name);
    read_file(name, &whole);
    path_of(name, path);
    assert_int_equal(unlink(path), 0);
    expect("index");  // what the chain no longer holds is in the index still
    write_file(name, &whole);
    expect_sound();
    pt_buf_free(&whole);
}

// --- A chain that is whole for the journal but was written by somebody else ---

struct rewriting {
    struct chain_store *to;
    uint64_t height;
    void (*alter)(struct chain_height *record, struct pt_buf *entry, struct pt_buf *co_signature);
};

static enum pt_code rewrite_one(void *arg, uint64_t height, const struct pt_journal_position *position, struct chain_height *record,
                                struct pt_error *err) {
    const struct rewriting *rewriting = arg;
    struct pt_journal_position at;
    struct pt_buf entry = PT_BUF_INIT(ENTRY_MAX), co_signature = PT_BUF_INIT(4096), block = PT_BUF_INIT(2 * BLOCK_MAX);
    (void)position;
    pt_buf_append_bytes(&entry, record->entry);
    pt_buf_append_bytes(&co_signature, record->co_signature);
    if (height == rewriting->height) rewriting->alter(record, &entry, &co_signature);
    enum pt_code code = chain_block_compress(pt_buf_bytes(&record->block), &block, err);
    const struct chain_record made = {pt_buf_bytes(&entry), pt_buf_bytes(&co_signature), pt_buf_bytes(&block)};
    if (code == PT_OK) code = chain_store_append(rewriting->to, &made, &at, err);
    pt_buf_free(&entry);
    pt_buf_free(&co_signature);
    pt_buf_free(&block);
    return code;
}

static void rewrite(uint64_t height, void (*alter)(struct chain_height *, struct pt_buf *, struct pt_buf *)) {
    struct pt_disk from, to;
    struct chain_store *old;
    struct rewriting rewriting = {.height = height, .alter = alter};
    struct pt_error err;
    char path[1024], other[1024], aside[1024];
    path_of("chain", path);
    path_of("rewritten", other);
    path_of("chain.before", aside);
    assert_ok(pt_disk_posix_open(path, &from, &err), &err);
    assert_ok(pt_disk_posix_open(other, &to, &err), &err);
    assert_ok(chain_store_open(&from, 0, &old, &err), &err);
    assert_ok(chain_store_open(&to, 0, &rewriting.to, &err), &err);
    assert_ok(chain_store_replay(old, NULL, rewrite_one, &rewriting, &err), &err);
    assert_ok(chain_store_sync(rewriting.to, &err), &err);
    chain_store_close(old);
    chain_store_close(rewriting.to);
    pt_disk_posix_close(&from);
    pt_disk_posix_close(&to);
    assert_int_equal(rename(path, aside), 0);
    assert_int_equal(rename(other, path), 0);
}

static void by_a_stranger(struct chain_height *record, struct pt_buf *entry, struct pt_buf *co_signature) {
    struct pt_error err;
    const struct pt_digest digest = chain_entry_digest(pt_buf_bytes(entry));
    (void)record;
    pt_buf_clear(co_signature);
    assert_ok(co_signature_sign(&lab.stranger.signer, &lab.genesis.hash, 0, 3, &digest, co_signature, &err), &err);
}

static void with_other_results(struct chain_height *record, struct pt_buf *entry, struct pt_buf *co_signature) {
    struct chain_entry decoded;
    struct pt_error err;
    static const uint8_t results[1] = {RESULT_NOT_ALLOWED};
    struct pt_buf copy = PT_BUF_INIT(ENTRY_MAX);
    (void)record;
    pt_buf_append_bytes(&copy, pt_buf_bytes(entry));
    assert_ok(chain_entry_decode(pt_buf_bytes(&copy), &decoded, &err), &err);
    decoded.results = pt_bytes_of(results, 1);
    pt_buf_clear(entry);
    assert_ok(chain_entry_encode(&decoded, entry, &err), &err);
    pt_buf_free(&copy);
    const struct pt_digest digest = chain_entry_digest(pt_buf_bytes(entry));
    pt_buf_clear(co_signature);
    assert_ok(co_signature_sign(&lab.node.signer, &lab.genesis.hash, 0, 4, &digest, co_signature, &err), &err);
}

static void a_signature_by_a_stranger(void **state) {
    (void)state;
    rewrite(3, by_a_stranger);
    expect("no executor of the genesis signed the entry");
}

// Even by the node's own key: what the contracts say decides.
static void a_result_that_the_contracts_do_not_give(void **state) {
    (void)state;
    rewrite(4, with_other_results);
    expect("replay");
}

// --- Index and tree ---

static const unsigned damaged_tables[] = {STATE_PACK, STATE_ACTOR, STATE_CHAIN, STATE_MASTER, STATE_RULES, STATE_ALERT, STATE_HELD, STATE_NAME,
                                          INDEX_STATEMENT, INDEX_SEQUENCE, INDEX_LINKS, INDEX_HEIGHT, INDEX_BLOCK, INDEX_FEED,
                                          INDEX_PACK_ALERT, INDEX_TLS, INDEX_LEAF};

static void put_row(unsigned table, uint64_t height) {
    struct index_store index;
    struct pt_error err;
    char path[1024];
    static const uint8_t key[8] = {0x01, 2, 3, 4, 5, 6, 7, 8};
    const struct state_change row = {.table = (enum state_table)table, .key = pt_bytes_of(key, 8), .value = pt_bytes_str("planted")};
    path_of("index.sqlite", path);
    assert_ok(index_sqlite_open(path, 1024 * 1024, &index, &err), &err);
    assert_ok(index.begin(&index, &err), &err);
    assert_ok(index.put(&index, &row, 1, &err), &err);
    assert_ok(index.commit(&index, height, &err), &err);
    index.close(&index);
}

static void a_row_in_each_table(void **state) {
    (void)state;
    struct pt_buf whole;
    struct pt_error err;
    char path[1024];
    path_of("index.sqlite", path);
    read_file("index.sqlite", &whole);
    for (size_t i = 0; i < sizeof damaged_tables / sizeof damaged_tables[0]; i++) {
        put_row(damaged_tables[i], 7);
        expect("[index");
        assert_ok(index_sqlite_drop(path, &err), &err);
        write_file("index.sqlite", &whole);
    }
    expect_sound();
    pt_buf_free(&whole);
}

static void an_index_ahead_of_the_chain(void **state) {
    (void)state;
    put_row(INDEX_META, 9);
    expect("ahead of the chain");
}

static void an_index_that_is_none(void **state) {
    (void)state;
    struct pt_buf junk = PT_BUF_INIT(8192);
    for (unsigned i = 0; i < 8000; i++) pt_buf_byte(&junk, (uint8_t)(i * 7));
    write_file("index.sqlite", &junk);
    expect("[index");
    pt_buf_free(&junk);
}

static void each_hash_of_the_tree(void **state) {
    (void)state;
    static const char *const names[] = {"tree/level-00", "tree/level-04"};
    for (unsigned i = 0; i < 2; i++) {
        struct pt_buf whole;
        read_file(names[i], &whole);
        assert_true(whole.len >= 64);
        for (size_t at = 5; at < whole.len; at += i ? 32 : 96) {
            whole.data[at] ^= 1;
            write_file(names[i], &whole);
            expect("[tree");
            whole.data[at] ^= 1;
        }
        write_file(names[i], &whole);
        pt_buf_free(&whole);
    }
    expect_sound();
}

static void a_short_tree(void **state) {
    (void)state;
    struct pt_buf whole;
    read_file("tree/level-00", &whole);
    whole.len /= 2;
    write_file("tree/level-00", &whole);
    expect("[tree");
    pt_buf_free(&whole);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(a_sound_ledger_is_sound),
        CASE(a_changed_byte_of_the_chain),
        CASE(a_missing_segment),
        CASE(a_signature_by_a_stranger),
        CASE(a_result_that_the_contracts_do_not_give),
        CASE(a_row_in_each_table),
        CASE(an_index_ahead_of_the_chain),
        CASE(an_index_that_is_none),
        CASE(each_hash_of_the_tree),
        CASE(a_short_tree),
    };
    return cmocka_run_group_tests_name("ledger fsck", tests, NULL, NULL);
}
