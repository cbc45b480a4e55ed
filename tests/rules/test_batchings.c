// A rich history in a thousand different batchings: packs, cases and pallets, splits, sales taken back, corrections, late and
// held-back statements, a gap that times out, a device that is revoked, a recall, claims, a change of the rules in the midst.
// One state, one log, whatever the blocks.
//
// What belongs to a height belongs to one whatever the batching: the history has two parts, the first always in as many
// blocks, and one block of its own between them. There the clock has gone on, so that the gap times out, and the new rules
// begin.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/chain/rules_change.h"
#include "common/claim/claim.h"
#include "common/crypto/digest.h"
#include "common/epcis/event_cbor.h"
#include "common/master/master.h"
#include "common/recall/recall_notice.h"
#include "ledger/ledger_internal.h"
#include "tests/rules/rules_say.h"
#include "tests/support/disk_fake.h"
#include "tests/support/support.h"
#include "tests/unit/ledger/lab.h"

#define FIRST_BLOCKS 12u
#define MOST 160u
#define PACKS 10u
#define BOXES 3u
#define INSURER "urn:packtrail:party:p92"  // the company of the lab

static struct lab lab;
static struct pt_buf first[MOST], second[MOST], between;
static size_t first_count, second_count;
static size_t results[256];  // how often each result came; of the first batching

// --- The history ---

static struct pt_buf say_payload(struct lab_key *key, const char *content_type, struct pt_bytes payload) {
    const size_t at = lab_say_raw(&lab, key, content_type, payload, key->next, &key->previous);
    const struct pt_buf out = lab.statements[at];
    lab.statement_count--;
    key->next++;
    key->previous = statement_id(pt_buf_bytes(&out));
    return out;
}

static struct pt_buf say_event(struct lab_key *key, const struct say *say) {
    PT_CLEANUP(pt_buf_free) struct pt_buf payload = PT_BUF_INIT(STATEMENT_MAX);
    struct say_memory memory;
    struct pt_error err;
    const struct epcis_event event = rules_event_of(say, &memory);
    assert_ok(epcis_cbor_encode(&event, &payload, &err), &err);
    return say_payload(key, STATEMENT_EVENT_CBOR, pt_buf_bytes(&payload));
}

static const char *pack_uri(uint64_t number) {
    static const char *const serials[PACKS] = {"1", "2", "3", "4", "5", "6", "7", "8", "9", "10"};
    return lab_uri(serials[number % PACKS]);
}

static const char *box_uri(uint64_t number) {
    static const char *const serials[BOXES] = {"C1", "C2", "C3"};
    return lab_uri(serials[number % BOXES]);
}

static struct pt_buf random_event(uint64_t *seed) {
    struct lab_key *key = &lab.devices[disk_fake_random(seed) % LAB_DEVICES];
    const char *pack = pack_uri(disk_fake_random(seed)), *other = pack_uri(disk_fake_random(seed)), *box = box_uri(disk_fake_random(seed));
    struct say say = {.seconds = (int64_t)(disk_fake_random(seed) % 80) * DAY, .epcs = {pack}};
    switch (disk_fake_random(seed) % 16) {
    case 0: say.type = EPCIS_AGGREGATION, say.action = EPCIS_ADD, say.step = "packing", say.parent = box; break;
    case 1: say.type = EPCIS_AGGREGATION, say.action = EPCIS_DELETE, say.step = "unpacking", say.parent = box; break;
    case 2: say.type = EPCIS_AGGREGATION, say.action = EPCIS_ADD, say.step = "packing", say.parent = lab_uri("L1"), say.epcs[0] = box; break;
    case 3: say.step = "shipping", say.epcs[0] = box, say.destination = "urn:packtrail:party:p1"; break;
    case 4: say.step = "receiving", say.epcs[0] = lab_uri("L1"); break;
    case 5: say.step = "dispensing", say.disposition = "partially_dispensed", say.units = 2; break;
    case 6: say.step = "receiving", say.epcs[1] = other; break;
    case 7: say.type = EPCIS_AGGREGATION, say.action = EPCIS_DELETE, say.step = "unpacking", say.parent = box, say.epcs[0] = NULL; break;
    case 8: say.step = "dispensing", say.error = true; break;
    case 9: say.step = "receiving", say.disposition = "returned"; break;
    case 10: say.step = "shipping", say.epcs[1] = other, say.destination = "urn:packtrail:party:p2"; break;
    case 11: say.step = "shipping", say.error = true, say.corrective = "urn:uuid:6dc3fd3a-5b1c-4d2e-9a5f-0c3d1e2f4a5b"; break;
    case 12: say.step = "holding"; break;
    case 13: say.step = "inspecting", say.disposition = "sellable_accessible"; break;
    case 14: say.step = "dispensing", say.event_id = "urn:uuid:6dc3fd3a-5b1c-4d2e-9a5f-0c3d1e2f4a5b"; break;
    default: say.step = "cycle_counting"; break;
    }
    return say_event(key, &say);
}

static struct pt_buf say_rules(void) {
    PT_CLEANUP(pt_buf_free) struct pt_buf payload = PT_BUF_INIT(RULES_CHANGE_MAX);
    struct pt_error err;
    struct rules_setting setting = {"alert.expired.mode", ALERT_SHADOW};
    const struct rules_change change = {.version = 2, .from_height = FIRST_BLOCKS + 1, .settings = &setting, .setting_count = 1, .reason = "from now on"};
    assert_ok(rules_change_encode(&change, &payload, &err), &err);
    return say_payload(&lab.operator, STATEMENT_RULES, pt_buf_bytes(&payload));
}

static struct pt_buf say_recall(uint64_t version, enum recall_action action) {
    PT_CLEANUP(pt_buf_free) struct pt_buf payload = PT_BUF_INIT(RECALL_NOTICE_MAX);
    const char *product = "06901234567892", *lot = "L1";
    struct pt_error err;
    struct recall_notice notice = {.id = "2026-7", .version = version, .action = action, .level = 1, .products = &product, .product_count = 1,
                                   .depth = RECALL_CONSUMER, .reason = {.en = "label"}, .issued_at = LAB_START};
    if (action != RECALL_END) notice.scope = (struct recall_scope){.lots = &lot, .lot_count = 1};
    assert_ok(recall_notice_encode(&notice, &payload, &err), &err);
    return say_payload(&lab.operator, STATEMENT_RECALL, pt_buf_bytes(&payload));
}

static struct pt_buf say_insurer(void) {
    PT_CLEANUP(pt_buf_free) struct pt_buf payload = PT_BUF_INIT(MASTER_RECORD_MAX);
    struct pt_error err;
    const struct master_record record = {.kind = MASTER_PARTY, .version = 1, .valid_from = LAB_START,
                                         .party = {.id = INSURER, .name = {.en = "maker and insurer"}, .roles = 1u << MASTER_INSURER | 1u << MASTER_MANUFACTURER}};
    assert_ok(master_encode(&record, &payload, &err), &err);
    return say_payload(&lab.operator, STATEMENT_MASTER, pt_buf_bytes(&payload));
}

// Lines for some packs, some settled before, some reversed.
static struct pt_buf say_claims(uint64_t *seed, unsigned number) {
    PT_CLEANUP(pt_buf_free) struct pt_buf payload = PT_BUF_INIT(CLAIM_BATCH_MAX);
    struct pt_error err;
    char id[16], ids[4][16];
    struct claim_line lines[4];
    snprintf(id, sizeof id, "b%u", number);
    for (unsigned i = 0; i < 4; i++) {
        const bool reverses = number > 1 && disk_fake_random(seed) % 3 == 0;
        snprintf(ids[i], sizeof ids[i], "l%u", reverses ? (number - 1) * 4 + i : number * 4 + i);
        lines[i] = (struct claim_line){.id = ids[i], .action = reverses ? CLAIM_REVERSE : CLAIM_SETTLE, .pack = pack_uri(disk_fake_random(seed)), .event_time = LAB_START};
        if (reverses) continue;
        lines[i].product_kind = CLAIM_GTIN;
        lines[i].product = "06901234567892";
        lines[i].units = 1 + disk_fake_random(seed) % 4;
        lines[i].place = "urn:packtrail:place:p1";
    }
    const struct claim_batch batch = {.id = id, .insurer = INSURER, .lines = lines, .line_count = 4};
    assert_ok(claim_batch_encode(&batch, &payload, &err), &err);
    return say_payload(&lab.company, STATEMENT_CLAIM, pt_buf_bytes(&payload));
}

static struct pt_buf say_revocation(const struct lab_key *device, uint64_t last_trusted) {
    PT_CLEANUP(pt_buf_free) struct pt_buf payload = PT_BUF_INIT(4096);
    struct pt_error err;
    const struct revocation revocation = {.kid = device->kid, .last_trusted = last_trusted, .reason = "lost"};
    assert_ok(revocation_encode(&revocation, &payload, &err), &err);
    return say_payload(&lab.operator, STATEMENT_REVOCATION, pt_buf_bytes(&payload));
}

static void commission(const char *lot, unsigned from, unsigned count) {
    struct say say = {.action = EPCIS_ADD, .step = "commissioning", .content = 6, .lot = lot, .expiry = "2026-03-01"};
    for (unsigned i = 0; i < count; i++) say.epcs[i] = pack_uri(from + i);
    first[first_count++] = say_event(&lab.company, &say);
}

static void swap(struct pt_buf *a, struct pt_buf *b) {
    const struct pt_buf kept = *a;
    *a = *b;
    *b = kept;
}

static void make_history(void) {
    uint64_t seed = 20260101;
    struct pt_buf missing = {0};
    commission("L1", 0, 4);
    commission("L2", 4, 3);  // the others are product without data, until the second part
    while (first_count < 100) {
        if (first_count == 40) missing = say_event(&lab.devices[3], &(struct say){.step = "receiving", .epcs = {pack_uri(1)}});
        if (first_count == 55) first[first_count++] = say_recall(1, RECALL_BEGIN);
        if (first_count == 60) first[first_count++] = say_rules();
        if (first_count == 70) first[first_count++] = say_insurer();
        if (first_count == 90) first[first_count++] = say_revocation(&lab.devices[2], lab.devices[2].next - 4);
        first[first_count++] = random_event(&seed);
    }
    between = random_event(&seed);
    while (second_count < 80) {
        if (second_count == 20) second[second_count++] = missing;
        if (second_count == 30) {
            commission("L3", 7, 3);
            second[second_count++] = first[--first_count];
        }
        if (second_count == 40) {  // told once more
            struct pt_buf *again = &second[second_count++];
            pt_buf_init(again, STATEMENT_MAX);
            pt_buf_append_bytes(again, pt_buf_bytes(&first[70]));
        }
        if (second_count % 12 == 5) {
            const size_t at = second_count++;
            second[at] = say_claims(&seed, (unsigned)at / 12 + 1);
        }
        if (second_count == 10) second[second_count++] = say_recall(1, RECALL_BEGIN);  // under the old rules nobody heard it
        if (second_count == 60) second[second_count++] = say_recall(2, RECALL_END);
        second[second_count++] = random_event(&seed);
    }
    // Some come before their turn.
    for (unsigned i = 0; i < 12; i++) {
        const size_t at = 8 + (size_t)(disk_fake_random(&seed) % 70);
        swap(&first[at], &first[at + 1 + disk_fake_random(&seed) % 4]);
        const size_t beside = at < second_count - 1 ? at : second_count - 2;
        swap(&second[beside], &second[beside + 1]);
    }
}

// --- A batching ---

static void submit(uint64_t *seed, const struct pt_buf *statements, size_t count) {
    struct lab_answer answer;
    struct pt_buf block = PT_BUF_INIT(BLOCK_MAX);
    for (size_t i = 0; i < count; i++) {
        struct pt_buf *copy = &lab.statements[lab.statement_count++];
        pt_buf_init(copy, STATEMENT_MAX);
        pt_buf_append_bytes(copy, pt_buf_bytes(&statements[i]));
    }
    lab_seal(&lab, &lab.gateways[disk_fake_random(seed) % LAB_GATEWAYS], &block);
    lab_submit(&lab, pt_buf_bytes(&block), &answer);
    if (answer.outcome != LEDGER_BLOCK_APPLIED) fail_msg("a block is not applied: %s", answer.reason);
    for (size_t i = 0; i < answer.result_count; i++) results[answer.results[i]]++;
    pt_buf_free(&block);
    if (disk_fake_random(seed) % 16 == 0) {  // and whatever is forgotten in between
        lab_close(&lab);
        lab_open(&lab);
    }
}

static int by_number(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }

// In exactly FIRST_BLOCKS blocks, none of them empty.
static void run_first(uint64_t *seed) {
    int cuts[FIRST_BLOCKS + 1] = {0};
    for (;;) {
        bool distinct = true;
        for (unsigned i = 1; i < FIRST_BLOCKS; i++) cuts[i] = 1 + (int)(disk_fake_random(seed) % (first_count - 1));
        cuts[FIRST_BLOCKS] = (int)first_count;
        qsort(cuts, FIRST_BLOCKS + 1, sizeof cuts[0], by_number);
        for (unsigned i = 0; i < FIRST_BLOCKS; i++) distinct = distinct && cuts[i] != cuts[i + 1];
        if (distinct) break;
    }
    for (unsigned i = 0; i < FIRST_BLOCKS; i++) submit(seed, &first[cuts[i]], (size_t)(cuts[i + 1] - cuts[i]));
}

static void run_second(uint64_t *seed, uint64_t most) {
    for (size_t at = 0; at < second_count;) {
        size_t count = 1 + (size_t)(disk_fake_random(seed) % most);
        if (count > second_count - at) count = second_count - at;
        submit(seed, &second[at], count);
        at += count;
    }
}

static enum pt_code add_row(void *arg, struct pt_bytes key, struct pt_bytes value) {
    struct pt_buf *out = arg;
    pt_buf_printf(out, "%zu %zu:", key.len, value.len);
    pt_buf_append_bytes(out, key);
    pt_buf_append_bytes(out, value);
    return PT_OK;
}

// All that the state says, but for what names blocks: the gateways' own chains. Each table with a digest of its own.
struct whole {
    struct pt_digest tables[80], root;
};
#define TABLES 19u
static const unsigned tables[TABLES] = {
    STATE_PACK,  STATE_ACTOR, STATE_MASTER, STATE_RULES,     STATE_ALERT,    STATE_HELD,  STATE_NAME, STATE_FACTS,      STATE_EVENT, STATE_RECALL,
    STATE_CLAIM, STATE_FINDING, INDEX_STATEMENT, INDEX_SEQUENCE, INDEX_LINKS, INDEX_FEED, INDEX_PACK_ALERT, INDEX_TLS,
    STATE_CHAIN};

static void read_whole(struct whole *out) {
    static const unsigned filled[] = {STATE_PACK, STATE_MASTER, STATE_RULES, STATE_ALERT, STATE_NAME, STATE_FACTS, STATE_EVENT, STATE_RECALL, STATE_CLAIM, INDEX_LINKS};
    struct ledger_status status;
    struct idle_reader *view;
    struct pt_error err;
    PT_CLEANUP(pt_buf_free) struct pt_buf rows = PT_BUF_INIT((size_t)64 * 1024 * 1024);
    const struct lab_key *keys[LAB_DEVICES + 2] = {&lab.company, &lab.operator};
    for (size_t i = 0; i < LAB_DEVICES; i++) keys[i + 2] = &lab.devices[i];
    memset(out, 0, sizeof *out);
    assert_ok(ledger_view_begin(lab.ledger, &view, &err), &err);
    for (size_t i = 0; i < TABLES; i++) {
        pt_buf_clear(&rows);
        if (tables[i] == STATE_CHAIN)
            for (size_t k = 0; k < LAB_DEVICES + 2; k++)
                assert_ok(view->reader.get(&view->reader, STATE_CHAIN, pt_bytes_digest(&keys[k]->kid), &rows, &err), &err);
        else
            assert_ok(view->reader.range(&view->reader, tables[i], (struct pt_bytes){0}, (struct pt_bytes){0}, false, add_row, &rows, &err), &err);
        assert_false(rows.failed);
        for (size_t k = 0; k < sizeof filled / sizeof filled[0]; k++)
            if (tables[i] == filled[k] && rows.len == 0) fail_msg("table %u is empty: the history is too poor", tables[i]);
        out->tables[tables[i]] = sha256(pt_buf_bytes(&rows));
    }
    ledger_view_end(lab.ledger, view);
    ledger_status(lab.ledger, &status);
    out->root = status.tree_root;
}

static void expect_same(const struct whole *wanted, const struct whole *got, unsigned batching) {
    for (size_t i = 0; i < TABLES; i++)
        if (!pt_digest_equal(&wanted->tables[tables[i]], &got->tables[tables[i]])) fail_msg("batching %u: table %u is another", batching, tables[i]);
    if (!pt_digest_equal(&wanted->root, &got->root)) fail_msg("batching %u: the log is another", batching);
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
    lab.now = LAB_START;
}

static void run(uint64_t *seed, uint64_t most, struct whole *out) {
    lab_open(&lab);
    run_first(seed);
    lab.now += (pt_millis)20 * 60 * 1000;  // longer than what waits for a missing statement is kept
    submit(seed, &between, 1);
    run_second(seed, most);
    read_whole(out);
}

static bool fast_temporary_folder(void) { return access("/dev/shm", W_OK) == 0; }

// On a disk each block costs its fsyncs; what is tested here is order, not the disk.
static unsigned batchings(void) {
    const char *length = getenv("PACKTRAIL_TEST_LENGTH"), *number = getenv("PACKTRAIL_BATCHINGS");
    if (number) return (unsigned)strtoul(number, NULL, 10);
    if (!fast_temporary_folder()) return 100;
#ifdef __SANITIZE_ADDRESS__
    return 50;
#endif
    return length && strcmp(length, "quick") == 0 ? 250 : 1000;
}

static void one_state_whatever_the_batches(void **state) {
    (void)state;
    uint64_t seed = 42;
    struct whole wanted, got;
    const unsigned count = batchings();
    if (fast_temporary_folder()) setenv("TMPDIR", "/dev/shm", 1);
    lab_new_version(&lab, "cn", 1);
    make_history();
    run(&seed, 1, &wanted);
    // The history is what it says it is.
    static const enum statement_result wanted_results[] = {RESULT_APPLIED, RESULT_ALERTED, RESULT_HELD, RESULT_UNTRUSTED, RESULT_DUPLICATE};
    for (size_t i = 0; i < sizeof wanted_results / sizeof wanted_results[0]; i++)
        if (results[wanted_results[i]] == 0) fail_msg("no statement has result %d", wanted_results[i]);
    for (unsigned i = 1; i < count; i++) {
        forget_ledger();
        lab.options.workers = 1 + i % 3;
        lab.options.state_cache_records = i % 2 ? 4 : 0;  // a memory that keeps nothing, and one that keeps all
        run(&seed, i < 10 ? second_count : 1 + i % 24, &got);
        expect_same(&wanted, &got, i);
    }
    // From the chain alone: the same once more (every entry is compared on the way).
    struct pt_error err;
    char path[1024];
    lab_close(&lab);
    snprintf(path, sizeof path, "%s/index.sqlite", lab.dir);
    assert_ok(index_sqlite_drop(path, &err), &err);
    lab_open(&lab);
    read_whole(&got);
    expect_same(&wanted, &got, count);
    print_message("# %u batchings of %zu statements (seed 42), one state\n", count, first_count + 1 + second_count);
    for (size_t i = 0; i < first_count; i++) pt_buf_free(&first[i]);
    for (size_t i = 0; i < second_count; i++) pt_buf_free(&second[i]);
    pt_buf_free(&between);
    lab_free(&lab);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(one_state_whatever_the_batches)};
    return cmocka_run_group_tests_name("rules batchings", tests, NULL, NULL);
}
