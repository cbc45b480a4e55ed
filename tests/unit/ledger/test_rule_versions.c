// Rule versions and settings: each takes force at its height, the old chain replays as it was decided, and a program that
// lacks a version says so instead of deciding otherwise.
#include <stdio.h>
#include <string.h>

#include "common/chain/rules_change.h"
#include "ledger/check/fsck.h"
#include "ledger/contracts/contract.h"
#include "ledger/ledger_internal.h"
#include "tests/support/support.h"
#include "tests/unit/ledger/lab.h"

#define EXPIRED_MODE "alert.expired.mode"

static struct lab lab;

static int teardown(void **state) {
    (void)state;
    lab_free(&lab);
    return 0;
}

static enum statement_result change_rules(struct lab_key *key, const struct rules_change *change) {
    struct pt_buf payload = PT_BUF_INIT(RULES_CHANGE_MAX);
    struct lab_answer answer;
    struct pt_error err;
    assert_ok(rules_change_encode(change, &payload, &err), &err);
    const size_t at = lab_say_raw(&lab, key, STATEMENT_RULES, pt_buf_bytes(&payload), key->next, &key->previous);
    key->next++;
    key->previous = statement_id(pt_buf_bytes(&lab.statements[at]));
    pt_buf_free(&payload);
    lab_apply(&lab, &answer);
    return (enum statement_result)answer.results[at];
}

// A height of its own; packs that have long expired.
static void sell(const char *serial) {
    lab_do(&lab, &lab.devices[0], &(struct lab_event){.step = "dispensing", .serials = {serial}, .seconds = 100 * DAY});
}

static uint64_t version_at(uint64_t height) {
    struct pt_buf bytes = PT_BUF_INIT(ENTRY_MAX), co_signature = PT_BUF_INIT(4096);
    struct chain_entry entry;
    struct pt_error err;
    assert_ok(ledger_entry(lab.ledger, height, &bytes, &co_signature, &err), &err);
    assert_ok(chain_entry_decode(pt_buf_bytes(&bytes), &entry, &err), &err);
    pt_buf_free(&bytes);
    pt_buf_free(&co_signature);
    return entry.rule_version;
}

static void expect_versions(uint64_t last_old, uint64_t last) {
    struct ledger_status status;
    for (uint64_t height = 1; height <= last; height++) assert_int_equal(version_at(height), height <= last_old ? 1 : 2);
    ledger_status(lab.ledger, &status);
    assert_int_equal(status.height, last);
    assert_int_equal(status.rule_version, last <= last_old ? 1 : 2);
}

static enum alert_mode mode_of_expired(const char *serial) {
    struct pt_arena arena = {0};
    struct alert_record *alerts;
    struct pt_error err;
    size_t count;
    enum alert_mode mode = 0;
    const struct pack_id id = lab_id(serial);
    assert_ok(ledger_alerts(lab.ledger, &id, 0, false, 100, &arena, &alerts, &count, &err), &err);
    for (size_t i = 0; i < count; i++)
        if (alerts[i].kind == ALERT_EXPIRED) mode = alerts[i].mode;
    pt_arena_free(&arena);
    return mode;
}

static void drop_index(void) {
    struct pt_error err;
    char path[1024];
    snprintf(path, sizeof path, "%s/index.sqlite", lab.dir);
    assert_ok(index_sqlite_drop(path, &err), &err);
}

static void tell(void *arg, const char *where, uint64_t height, const char *what) {
    print_message("%s %llu: %s\n", where, (unsigned long long)height, what);
    ++*(size_t *)arg;
}

static void expect_sound(uint64_t height) {
    struct fsck_report report;
    struct pt_error err;
    size_t told = 0;
    assert_ok(ledger_fsck(lab.dir, &lab.env, tell, &told, &report, &err), &err);
    assert_int_equal(told, 0);
    assert_int_equal(report.height, height);
}

static void start_trade(uint64_t rule_version) {
    lab_new_version(&lab, "eu", rule_version);
    lab_open(&lab);
    lab_do(&lab, &lab.company, &(struct lab_event){.action = EPCIS_ADD, .step = "commissioning", .serials = {"1", "2", "3"}, .expiry = "2026-02-01"});
}

static void a_version_takes_force_at_its_height(void **state) {
    struct rules_setting shadow = {EXPIRED_MODE, ALERT_SHADOW};
    const struct rules_change change = {.version = 2, .from_height = 5, .settings = &shadow, .setting_count = 1, .reason = "tried long enough"};
    const struct rules_change other = {.version = 2, .from_height = 5, .reason = "another for the same height"};
    uint64_t reindexed;
    struct pt_error err;
    (void)state;
    start_trade(1);
    assert_int_equal(change_rules(&lab.operator, &change), RESULT_APPLIED);    // height 2
    assert_int_equal(change_rules(&lab.operator, &other), RESULT_NOT_ALLOWED); // height 3
    sell("1");                                                                 // height 4: the last under the old rules
    expect_versions(4, 4);
    assert_int_equal(mode_of_expired("1"), ALERT_ENFORCE);
    lab_close(&lab);  // what waits is not forgotten
    lab_open(&lab);
    sell("2");        // height 5
    sell("3");
    expect_versions(4, 6);
    assert_int_equal(mode_of_expired("2"), ALERT_SHADOW);
    assert_int_equal(mode_of_expired("3"), ALERT_SHADOW);
    lab_close(&lab);
    lab_open(&lab);
    expect_versions(4, 6);
    lab_close(&lab);
    expect_sound(6);
    assert_ok(ledger_reindex(lab.dir, &lab.env, &reindexed, &err), &err);  // every entry is compared on the way
    assert_int_equal(reindexed, 6);
    expect_sound(6);
    drop_index();
    lab_open(&lab);
    expect_versions(4, 6);
    assert_int_equal(mode_of_expired("1"), ALERT_ENFORCE);
    assert_int_equal(mode_of_expired("2"), ALERT_SHADOW);
}

// A block that is refused on record takes a height as well: the rules of that height are the new ones.
static void a_refused_block_takes_the_rules_over(void **state) {
    const struct rules_change change = {.version = 2, .from_height = 3, .reason = "new"};
    struct pt_buf block = PT_BUF_INIT(BLOCK_MAX);
    struct lab_answer answer;
    (void)state;
    start_trade(1);
    assert_int_equal(change_rules(&lab.operator, &change), RESULT_APPLIED);
    lab.gateways[0].previous.bytes[0] ^= 1;
    lab_say(&lab, &lab.devices[1], &(struct lab_event){.step = "cycle_counting", .serials = {"1"}});
    lab_seal(&lab, &lab.gateways[0], &block);
    lab_submit(&lab, pt_buf_bytes(&block), &answer);
    pt_buf_free(&block);
    assert_int_equal(answer.outcome, LEDGER_BLOCK_REFUSED);
    assert_int_equal(answer.height, 3);
    sell("1");
    expect_versions(2, 4);
    lab_close(&lab);
    expect_sound(4);
}

static void a_version_never_falls(void **state) {
    const struct rules_change late = {.version = 2, .from_height = 5, .reason = "two"};
    struct rules_setting setting = {EXPIRED_MODE, ALERT_SHADOW};
    const struct rules_change only_settings = {.from_height = 6, .settings = &setting, .setting_count = 1, .reason = "quiet"};
    const struct rules_change back = {.version = 1, .from_height = 9, .reason = "back"};
    (void)state;
    start_trade(1);
    assert_int_equal(change_rules(&lab.operator, &late), RESULT_APPLIED);
    assert_int_equal(change_rules(&lab.operator, &only_settings), RESULT_APPLIED);
    assert_int_equal(change_rules(&lab.operator, &back), RESULT_NOT_ALLOWED);
    assert_int_equal(change_rules(&lab.devices[0], &late), RESULT_NOT_ALLOWED);  // height 5
    sell("1");
    expect_versions(4, 6);
    assert_int_equal(mode_of_expired("1"), ALERT_SHADOW);
}

// --- A program that lacks the version ---

static void submit_one(struct lab_answer *answer) {
    struct pt_buf block = PT_BUF_INIT(BLOCK_MAX);
    lab_say(&lab, &lab.devices[1], &(struct lab_event){.step = "cycle_counting", .serials = {"1"}});
    lab_seal(&lab, &lab.gateways[0], &block);
    lab_submit(&lab, pt_buf_bytes(&block), answer);
    pt_buf_free(&block);
}

static void expect_readable(uint64_t height) {
    struct ledger_status status;
    struct lab_answer answer;
    ledger_status(lab.ledger, &status);
    assert_true(status.failed);
    assert_int_equal(status.height, height);
    assert_int_equal(lab_look(&lab, "1").state, LIFECYCLE_COMMISSIONED);
    submit_one(&answer);
    assert_int_equal(answer.code, PT_UNAVAILABLE);
    lab.gateways[0].next--;
}

static void start_and_outgrow(void) {
    const struct rules_change change = {.version = 99, .from_height = 4, .reason = "far ahead"};
    start_trade(RULE_VERSION_NEWEST);
    assert_int_equal(change_rules(&lab.operator, &change), RESULT_APPLIED);  // height 2
    sell("2");                                                               // height 3: still ours
}

static void an_unknown_version_stops_the_node(void **state) {
    struct lab_answer answer;
    (void)state;
    start_and_outgrow();
    submit_one(&answer);
    assert_int_equal(answer.code, PT_UNAVAILABLE);
    assert_non_null(strstr(answer.reason, "rule version 99"));
    assert_non_null(strstr(answer.reason, "height 4"));
    expect_readable(3);
    lab_close(&lab);
    lab_open(&lab);  // says so at once, and can be read
    expect_readable(3);
    lab_close(&lab);
    drop_index();
    lab_open(&lab);
    expect_readable(3);
    lab_close(&lab);
    expect_sound(3);
}

// A chain that a newer program has carried on.
static void append_from_the_future(void) {
    struct pt_buf block = PT_BUF_INIT(BLOCK_MAX), compressed = PT_BUF_INIT(2 * BLOCK_MAX), bytes = PT_BUF_INIT(ENTRY_MAX);
    struct pt_buf co_signature = PT_BUF_INIT(4096);
    struct pt_journal_position position;
    struct chain_store *chain;
    struct pt_disk disk;
    struct pt_error err;
    char path[1024];
    lab_say(&lab, &lab.devices[1], &(struct lab_event){.step = "cycle_counting", .serials = {"1"}});
    lab_seal(&lab, &lab.gateways[0], &block);
    const struct chain_entry entry = {.genesis = lab.genesis.hash, .height = 4, .time = lab.now, .rule_version = 99,
                                      .results = pt_bytes_of((const uint8_t[1]){RESULT_APPLIED}, 1)};
    assert_ok(chain_entry_encode(&entry, &bytes, &err), &err);
    const struct pt_digest digest = chain_entry_digest(pt_buf_bytes(&bytes));
    assert_ok(co_signature_sign(&lab.node.signer, &lab.genesis.hash, 0, 4, &digest, &co_signature, &err), &err);
    assert_ok(chain_block_compress(pt_buf_bytes(&block), &compressed, &err), &err);
    snprintf(path, sizeof path, "%s/chain", lab.dir);
    assert_ok(pt_disk_posix_open(path, &disk, &err), &err);
    assert_ok(chain_store_open(&disk, 0, &chain, &err), &err);
    const struct chain_record record = {pt_buf_bytes(&bytes), pt_buf_bytes(&co_signature), pt_buf_bytes(&compressed)};
    assert_ok(chain_store_append(chain, &record, &position, &err), &err);
    assert_ok(chain_store_sync(chain, &err), &err);
    chain_store_close(chain);
    pt_disk_posix_close(&disk);
    pt_buf_free(&block);
    pt_buf_free(&compressed);
    pt_buf_free(&bytes);
    pt_buf_free(&co_signature);
}

static void what_a_newer_program_wrote_is_left_alone(void **state) {
    uint64_t reindexed;
    struct pt_error err;
    (void)state;
    start_and_outgrow();
    lab_close(&lab);
    append_from_the_future();
    lab_open(&lab);
    expect_readable(3);
    lab_close(&lab);
    assert_ok(ledger_reindex(lab.dir, &lab.env, &reindexed, &err), &err);
    assert_int_equal(reindexed, 3);
    struct fsck_report report;
    size_t told = 0;
    assert_ok(ledger_fsck(lab.dir, &lab.env, tell, &told, &report, &err), &err);
    assert_true(told > 0);  // it cannot vouch for what it cannot decide
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_version_takes_force_at_its_height, teardown),
        cmocka_unit_test_teardown(a_refused_block_takes_the_rules_over, teardown),
        cmocka_unit_test_teardown(a_version_never_falls, teardown),
        cmocka_unit_test_teardown(an_unknown_version_stops_the_node, teardown),
        cmocka_unit_test_teardown(what_a_newer_program_wrote_is_left_alone, teardown),
    };
    return cmocka_run_group_tests_name("ledger rule versions", tests, NULL, NULL);
}
