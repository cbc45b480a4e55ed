// Statements tried on several threads at once give byte for byte what one thread gives: entries, state, histories, alerts
// and their numbers. Blocks full of conflicts, from many seeds.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/chain/rules_change.h"
#include "common/crypto/digest.h"
#include "ledger/ledger_internal.h"
#include "tests/support/disk_fake.h"
#include "tests/support/support.h"
#include "tests/unit/ledger/lab.h"

#define SEEDS 40u        // PACKTRAIL_SEEDS in the environment: more
#define BLOCKS 5u
#define STATEMENTS 120u  // a block
#define PACKS 600u

static struct lab lab;
static struct pt_buf blocks[BLOCKS];
static char serials[PACKS][8];
static uint64_t seed;

static unsigned dice(unsigned sides) { return (unsigned)(disk_fake_random(&seed) % sides); }

static struct lab_key *someone(void) { return dice(8) ? &lab.devices[dice(LAB_DEVICES)] : &lab.company; }

static const char *place(unsigned among) {
    static char text[64];
    snprintf(text, sizeof text, "urn:packtrail:place:x%u", dice(among));
    return text;
}

// `hot`: how many packs the block goes round; few are all conflicts, many are hardly any.
static void say_event(unsigned hot) {
    static const char *const cases[] = {"C1", "C2", "C3", "L1"};
    static const char *const steps[] = {"receiving", "shipping", "dispensing", "cycle_counting", "commissioning", "decommissioning"};
    struct lab_event event = {.seconds = (int64_t)dice(60) * DAY, .place = dice(3) ? NULL : place(dice(2) ? 3 : 10000)};
    const char *lots[] = {NULL, "A", "B"};
    char lot[16];
    event.count = dice(20) ? 1 + dice(6) : 1 + dice(400);
    for (size_t i = 0; i < event.count; i++) event.serials[i] = serials[dice(event.count > 6 ? PACKS : hot)];
    switch (dice(7)) {
    case 0:
        event.type = EPCIS_AGGREGATION;
        event.action = dice(3) ? EPCIS_ADD : EPCIS_DELETE;
        event.step = "packing";
        event.parent = cases[dice(4)];
        break;
    case 1:
        event.step = dice(2) ? "shipping" : "receiving";
        event.serials[0] = cases[dice(4)];
        event.count = 1;
        event.destination = "urn:packtrail:party:p1";
        break;
    case 2:
        event.action = EPCIS_ADD;
        event.step = "commissioning";
        event.lot = lots[dice(3)];
        if (!dice(4)) {  // a name nobody has used
            snprintf(lot, sizeof lot, "N%u", dice(100000));
            event.lot = lot;
        }
        event.expiry = dice(2) ? "2026-02-01" : NULL;
        event.content = dice(3);
        break;
    case 3:
        event.step = "dispensing";
        event.disposition = "partially_dispensed";
        event.units = 1 + dice(3);
        break;
    default: event.step = steps[dice(6)]; break;
    }
    if (event.step && strcmp(event.step, "commissioning") == 0) event.action = EPCIS_ADD;
    lab_say(&lab, someone(), &event);
}

static void say_payload(struct lab_key *key, const char *type, const struct pt_buf *payload) {
    const size_t at = lab_say_raw(&lab, key, type, pt_buf_bytes(payload), key->next, &key->previous);
    key->next++;
    key->previous = statement_id(pt_buf_bytes(&lab.statements[at]));
}

// Somebody is enrolled and speaks in the same block; is revoked and speaks again.
static void say_enrolment(struct lab_key *fresh) {
    struct pt_buf payload = PT_BUF_INIT(8192);
    struct pt_error err;
    struct actor actor = {.role = ACTOR_DEVICE, .kid = fresh->kid, .tls = fresh->kid, .name = "fresh", .party = "urn:packtrail:party:p0"};
    const struct lab_event event = {.step = "receiving", .serials = {serials[dice(PACKS)]}};
    pt_buf_init(&actor.key, 1024);
    verify_key_to_cose(fresh->signer.key, &actor.key);
    assert_ok(actor_encode(&actor, &payload, &err), &err);
    say_payload(&lab.operator, STATEMENT_ENROLMENT, &payload);
    lab_say(&lab, fresh, &event);
    pt_buf_clear(&payload);
    const struct revocation revocation = {.kid = fresh->kid, .last_trusted = fresh->next - 1, .reason = "lost"};
    assert_ok(revocation_encode(&revocation, &payload, &err), &err);
    if (dice(2)) say_payload(&lab.operator, STATEMENT_REVOCATION, &payload);
    lab_say(&lab, fresh, &event);
    actor_free(&actor);
    pt_buf_free(&payload);
}

static void say_something_odd(struct lab_key *fresh) {
    struct pt_buf payload = PT_BUF_INIT(RULES_CHANGE_MAX);
    struct lab_key *key = someone();
    struct rules_setting setting = {"alert.expired.mode", dice(2) ? ALERT_SHADOW : ALERT_ENFORCE};
    const struct rules_change change = {.from_height = 2 + dice(BLOCKS), .settings = &setting, .setting_count = 1, .reason = "now"};
    struct pt_error err;
    switch (dice(6)) {
    case 0: say_enrolment(fresh); break;
    case 1:  // no event
        pt_buf_str(&payload, "not CBOR");
        say_payload(key, STATEMENT_EVENT_CBOR, &payload);
        break;
    case 2:
        assert_ok(rules_change_encode(&change, &payload, &err), &err);
        say_payload(dice(2) ? &lab.operator : key, STATEMENT_RULES, &payload);
        break;
    case 3:  // a gap: what follows waits for ever
        if (!dice(4)) key->next++;
        break;
    case 4:  // names another predecessor
        key->previous.bytes[3] ^= 1;
        break;
    default:  // one number, two contents
        if (key->next > 0) key->next--;
        break;
    }
    pt_buf_free(&payload);
}

static void make_block(unsigned number) {
    const unsigned hot = dice(2) ? PACKS : 4 + dice(30);
    const unsigned odd = dice(2) ? 12 : 1000;  // every how many'th is odd
    while (lab.statement_count < STATEMENTS) {
        if (dice(odd) == 0) say_something_odd(&lab.stranger);
        else say_event(hot);
    }
    for (unsigned i = 0; i < 3 && odd < 1000; i++) {  // some before their turn
        const unsigned at = dice(STATEMENTS - 1);
        const struct pt_buf kept = lab.statements[at];
        lab.statements[at] = lab.statements[at + 1];
        lab.statements[at + 1] = kept;
    }
    pt_buf_init(&blocks[number], BLOCK_MAX);
    lab_seal(&lab, &lab.gateways[0], &blocks[number]);
}

static enum pt_code add_row(void *arg, struct pt_bytes key, struct pt_bytes value) {
    struct pt_buf *out = arg;
    pt_buf_printf(out, "%zu %zu:", key.len, value.len);
    pt_buf_append_bytes(out, key);
    pt_buf_append_bytes(out, value);
    return PT_OK;
}

// All that the index holds but where it lies on disk, and every entry.
static struct pt_digest all_of(void) {
    struct pt_buf all = PT_BUF_INIT((size_t)256 * 1024 * 1024), co_signature = PT_BUF_INIT(65536);
    struct idle_reader *view;
    struct pt_error err;
    assert_ok(ledger_view_begin(lab.ledger, &view, &err), &err);
    for (unsigned table = STATE_PACK; table <= INDEX_LEAF; table++) {
        if (table == INDEX_HEIGHT || (table > STATE_FINDING && table < INDEX_FIRST_SIDE_TABLE)) continue;
        pt_buf_printf(&all, "table %u\n", table);
        assert_ok(view->reader.range(&view->reader, table, (struct pt_bytes){0}, (struct pt_bytes){0}, false, add_row, &all, &err), &err);
    }
    ledger_view_end(lab.ledger, view);
    for (uint64_t height = 1; height <= BLOCKS; height++) assert_ok(ledger_entry(lab.ledger, height, &all, &co_signature, &err), &err);
    assert_false(all.failed);
    const struct pt_digest digest = sha256(pt_buf_bytes(&all));
    pt_buf_free(&all);
    pt_buf_free(&co_signature);
    return digest;
}

static struct pt_digest run(enum ledger_trials trials, unsigned workers, struct ledger_counters *counters) {
    struct lab_answer answer;
    struct pt_error err;
    lab.options.trials = trials;
    lab.options.workers = workers;
    lab.options.state_cache_records = workers % 2 ? 64 : 0;
    test_scratch_remove(lab.dir);
    test_scratch(lab.dir);
    assert_ok(ledger_init(lab.dir, pt_buf_bytes(&lab.genesis_bytes), (struct pt_bytes){0}, &err), &err);
    lab_open(&lab);
    for (unsigned i = 0; i < BLOCKS; i++) {
        lab_submit(&lab, pt_buf_bytes(&blocks[i]), &answer);
        assert_int_equal(answer.outcome, LEDGER_BLOCK_APPLIED);
    }
    const struct pt_digest digest = all_of();
    ledger_counters(lab.ledger, counters);
    lab_close(&lab);
    return digest;
}

static void start_again(struct lab_key *key) {
    key->next = 0;
    memset(&key->previous, 0, sizeof key->previous);
}

static void threads_make_no_difference(void **state) {
    const char *more = getenv("PACKTRAIL_SEEDS");
    const uint64_t seeds = more ? strtoull(more, NULL, 10) : SEEDS;
    uint64_t stood = 0, repeated = 0;
    (void)state;
    for (unsigned i = 0; i < PACKS; i++) snprintf(serials[i], sizeof serials[i], "%u", i + 1);
    lab_new(&lab, "cn");
    for (uint64_t number = 1; number <= seeds; number++) {
        struct lab_key *keys[] = {&lab.operator, &lab.company, &lab.stranger, &lab.devices[0], &lab.devices[1], &lab.devices[2],
                                  &lab.devices[3], &lab.gateways[0]};
        struct ledger_counters alone, together;
        for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) start_again(keys[i]);
        seed = number;
        for (unsigned i = 0; i < BLOCKS; i++) make_block(i);
        const struct pt_digest wanted = run(LEDGER_TRIALS_NEVER, 1, &alone);
        const struct pt_digest found = run(LEDGER_TRIALS_ALWAYS, 2 + (unsigned)(number % 3), &together);
        if (!pt_digest_equal(&wanted, &found)) fail_msg("seed %llu: threads give another ledger", (unsigned long long)number);
        assert_memory_equal(alone.statements, together.statements, sizeof alone.statements);
        assert_int_equal(alone.trials_stood + alone.trials_repeated, 0);
        stood += together.trials_stood;
        repeated += together.trials_repeated;
        for (unsigned i = 0; i < BLOCKS; i++) pt_buf_free(&blocks[i]);
    }
    print_message("seeds 1 to %llu: %llu trials stood, %llu were run again\n", (unsigned long long)seeds, (unsigned long long)stood,
                  (unsigned long long)repeated);
    assert_true(stood > seeds * 20 && repeated > seeds * 20);
    lab_free(&lab);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(threads_make_no_difference)};
    return cmocka_run_group_tests_name("ledger trials", tests, NULL, NULL);
}
