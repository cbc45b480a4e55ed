// The outbox under power cuts and failing disks: what was signed and told stays until its receipt, in one unbroken chain.
#include <stdio.h>
#include <string.h>

#include "firmware/outbox/outbox.h"
#include "tests/support/disk_fake.h"
#include "tests/support/support.h"

enum { ROUNDS = 60, STEPS = 50, MOST = 2048 };

static struct signer device_key;
static const struct pt_digest genesis = {{7}};

static int make_key(void **state) {
    (void)state;
    struct pt_buf pem = PT_BUF_INIT(4096);
    struct pt_error err = {0};
    assert_ok(signer_mbedtls_generate(&pem, &err), &err);
    assert_ok(signer_mbedtls_from_pem(pt_buf_bytes(&pem), &device_key, &err), &err);
    pt_buf_free(&pem);
    return 0;
}

static int drop_key(void **state) {
    (void)state;
    signer_mbedtls_free(&device_key);
    return 0;
}

static uint64_t free_bytes(void *arg) { return *(uint64_t *)arg; }

static struct outbox *open_limited(struct disk_fake *disk, uint64_t most, uint64_t *on_disk) {
    const struct outbox_options options = {.genesis = genesis, .device = &device_key, .issuer = "urn:packtrail:party:test:1",
                                           .most_bytes = most, .free_bytes = on_disk ? free_bytes : NULL, .free_arg = on_disk};
    struct outbox *outbox = NULL;
    struct pt_error err = {0};
    assert_ok(outbox_open(disk_fake_disk(disk), &options, &outbox, &err), &err);
    return outbox;
}

static struct outbox *open_outbox(struct disk_fake *disk) { return open_limited(disk, 1 << 30, NULL); }

struct story {
    struct disk_fake *disk;
    struct outbox *outbox;
    struct pt_digest told[MOST];  // id told to the user for each sequence; zero if none was told
    bool received[MOST];
    uint64_t most_bytes;  // few: small segments, which come and go
    uint64_t seed;
};

static void power_cut(struct story *story) {
    outbox_close(story->outbox);
    disk_fake_crash(story->disk, &story->seed);
    story->outbox = open_limited(story->disk, story->most_bytes, NULL);
}

static bool sign_one(struct story *story) {
    char payload[64];
    snprintf(payload, sizeof payload, "event %llu", (unsigned long long)disk_fake_random(&story->seed));
    struct pt_digest id;
    uint64_t sequence;
    if (outbox_sign(story->outbox, STATEMENT_EVENT_CBOR, "urn:test", pt_bytes_str(payload), &id, &sequence, NULL) != PT_OK)
        return false;
    assert_true(sequence < MOST);
    // A sequence number that was told is never given again.
    static const struct pt_digest none = {{0}};
    assert_true(pt_digest_equal(&story->told[sequence], &none));
    story->told[sequence] = id;
    return true;
}

static bool settle_some(struct story *story) {
    struct outbox_item items[8];
    const size_t count = outbox_list(story->outbox, OUTBOX_NEW, 0, items, 8);
    for (size_t i = 0; i < count; i++) {
        if (outbox_acknowledged(story->outbox, items[i].sequence, 1, NULL) != PT_OK) return false;
        const uint64_t dice = disk_fake_random(&story->seed) % 12;
        if (dice < 4) continue;
        if (dice == 4) {
            if (outbox_refused(story->outbox, items[i].sequence, "why", NULL) != PT_OK) return false;
            continue;
        }
        // Even if keeping the receipt fails, the statement may go: the ledger holds it.
        story->received[items[i].sequence] = true;
        if (outbox_received(story->outbox, items[i].sequence, pt_bytes_str("receipt"), NULL) != PT_OK) return false;
    }
    return true;
}

static void step(struct story *story) {
    bool good = true;
    switch (disk_fake_random(&story->seed) % 8) {
    case 0:
    case 1:
    case 2:
    case 3: good = sign_one(story); break;
    case 4: good = settle_some(story); break;
    case 5: power_cut(story); break;
    default:
        disk_fake_fail_at(story->disk, (long)(disk_fake_random(&story->seed) % 4), PT_IO, disk_fake_random(&story->seed) % 64);
        good = sign_one(story) && settle_some(story);
    }
    if (!good) power_cut(story);
}

static void check(struct story *story) {
    power_cut(story);
    struct outbox_status status;
    outbox_status(story->outbox, &status);
    struct pt_buf bytes = PT_BUF_INIT(STATEMENT_MAX);
    struct pt_digest previous = {{0}};
    bool previous_known = true;
    static const struct pt_digest none = {{0}};
    for (uint64_t sequence = 0; sequence < status.next_sequence; sequence++) {
        struct statement statement;
        struct pt_error err = {0};
        pt_buf_clear(&bytes);
        if (outbox_read(story->outbox, sequence, &bytes, &err) != PT_OK) {
            assert_true(story->received[sequence]);
            // Signed and written, but never told because the disk failed just then: its id is not known here.
            previous = story->told[sequence];
            previous_known = !pt_digest_equal(&previous, &none);
            continue;
        }
        assert_ok(statement_decode(pt_buf_bytes(&bytes), &statement, &err), &err);
        assert_ok(statement_verify(&statement, device_key.key, &genesis, &err), &err);
        assert_int_equal(statement.sequence, sequence);
        if (previous_known) assert_true(pt_digest_equal(&statement.previous, &previous));
        previous = statement_id(pt_buf_bytes(&bytes));
        previous_known = true;
        if (!pt_digest_equal(&story->told[sequence], &none)) assert_true(pt_digest_equal(&story->told[sequence], &previous));
    }
    if (previous_known) assert_true(pt_digest_equal(&status.head, &previous));
    for (uint64_t sequence = status.next_sequence; sequence < MOST; sequence++)
        assert_true(pt_digest_equal(&story->told[sequence], &none));
    pt_buf_free(&bytes);
}

static void what_was_told_is_kept_until_its_receipt(void **state) {
    (void)state;
    for (unsigned round = 0; round < ROUNDS; round++) {
        static struct story story;
        memset(&story, 0, sizeof story);
        story.disk = disk_fake_new();
        story.seed = 77 + round;
        story.most_bytes = round % 2 ? 65536 : 1 << 30;
        story.outbox = open_limited(story.disk, story.most_bytes, NULL);
        for (unsigned i = 0; i < (round % 2 ? 5 * STEPS : STEPS); i++) step(&story);
        check(&story);
        outbox_close(story.outbox);
        disk_fake_free(story.disk);
    }
}

static void a_refusal_is_kept_as_evidence(void **state) {
    (void)state;
    struct disk_fake *disk = disk_fake_new();
    struct outbox *outbox = open_outbox(disk);
    struct pt_error err = {0};
    assert_ok(outbox_sign(outbox, STATEMENT_EVENT_CBOR, "urn:test", pt_bytes_str("x"), NULL, NULL, &err), &err);
    assert_ok(outbox_refused(outbox, 0, "the signature does not hold", &err), &err);
    outbox_close(outbox);
    outbox = open_outbox(disk);
    struct outbox_item item;
    assert_int_equal(outbox_list(outbox, OUTBOX_NEW, 0, &item, 1), 0);
    assert_int_equal(outbox_list(outbox, OUTBOX_REFUSED, 0, &item, 1), 1);
    assert_int_equal(outbox_refused(outbox, 5, "no such", &err), PT_NOT_FOUND);
    outbox_close(outbox);
    disk_fake_free(disk);
}

static enum pt_code sign(struct outbox *outbox, size_t size) {
    static uint8_t payload[STATEMENT_MAX];
    return outbox_sign(outbox, STATEMENT_EVENT_CBOR, "urn:test", pt_bytes_of(payload, size), NULL, NULL, NULL);
}

static void receive(struct outbox *outbox, uint64_t sequence) {
    struct pt_error err = {0};
    assert_ok(outbox_acknowledged(outbox, sequence, 1, &err), &err);
    assert_ok(outbox_received(outbox, sequence, pt_bytes_str("receipt"), &err), &err);
}

static struct outbox_status status_of(struct outbox *outbox) {
    struct outbox_status status;
    outbox_status(outbox, &status);
    return status;
}

static void one_refusal_holds_no_other_statement_back(void **state) {
    (void)state;
    struct disk_fake *disk = disk_fake_new();
    struct outbox *outbox = open_outbox(disk);
    struct pt_buf before = PT_BUF_INIT(STATEMENT_MAX), after = PT_BUF_INIT(STATEMENT_MAX);
    struct pt_error err = {0};
    uint64_t seed = 3;
    assert_int_equal(sign(outbox, 100), PT_OK);
    assert_ok(outbox_read(outbox, 0, &before, &err), &err);
    assert_ok(outbox_refused(outbox, 0, "the signature does not hold", &err), &err);
    for (uint64_t i = 1; i <= 150; i++) {
        assert_int_equal(sign(outbox, 200000), PT_OK);
        receive(outbox, i);
    }
    assert_true(status_of(outbox).bytes < 20 * 1000 * 1000);  // of 30 million bytes that were signed
    outbox_close(outbox);
    disk_fake_crash(disk, &seed);
    outbox = open_outbox(disk);
    const struct outbox_status status = status_of(outbox);
    assert_int_equal(status.refused, 1);
    assert_int_equal(status.next_sequence, 151);
    assert_ok(outbox_read(outbox, 0, &after, &err), &err);
    assert_true(pt_bytes_equal(pt_buf_bytes(&before), pt_buf_bytes(&after)));
    outbox_close(outbox);
    pt_buf_free(&before);
    pt_buf_free(&after);
    disk_fake_free(disk);
}

static void what_is_on_its_way_is_counted_in_any_order(void **state) {
    (void)state;
    struct disk_fake *disk = disk_fake_new();
    struct outbox *outbox = open_outbox(disk);
    struct outbox_item items[8];
    for (unsigned i = 0; i < 5; i++) assert_int_equal(sign(outbox, 10), PT_OK);
    receive(outbox, 3);
    receive(outbox, 1);
    assert_int_equal(outbox_acknowledged(outbox, 0, 7, NULL), PT_OK);
    struct outbox_status status = status_of(outbox);
    assert_int_equal(status.fresh, 2);
    assert_int_equal(status.sent, 1);
    assert_int_equal(outbox_list(outbox, OUTBOX_NEW, 0, items, 8), 2);
    assert_int_equal(items[0].sequence, 2);
    assert_int_equal(items[1].sequence, 4);
    assert_int_equal(outbox_list(outbox, OUTBOX_SENT, 0, items, 8), 1);
    assert_int_equal(items[0].sent_at, 7);
    assert_int_equal(outbox_list(outbox, OUTBOX_NEW, 3, items, 8), 1);
    outbox_send_again(outbox, 0);
    assert_int_equal(status_of(outbox).fresh, 3);
    assert_int_equal(outbox_acknowledged(outbox, 1, 7, NULL), PT_NOT_FOUND);
    assert_int_equal(outbox_received(outbox, 1, pt_bytes_str("receipt"), NULL), PT_OK);  // twice is no harm
    for (uint64_t i = 0; i < 5; i += 2) receive(outbox, i);
    status = status_of(outbox);
    assert_int_equal(status.fresh + status.sent, 0);
    outbox_close(outbox);
    outbox = open_outbox(disk);
    assert_int_equal(outbox_list(outbox, OUTBOX_NEW, 0, items, 8), 0);
    assert_int_equal(sign(outbox, 10), PT_OK);
    assert_int_equal(outbox_list(outbox, OUTBOX_NEW, 0, items, 8), 1);
    assert_int_equal(items[0].sequence, 5);
    outbox_close(outbox);
    disk_fake_free(disk);
}

static void a_nearly_full_outbox_says_so_in_time_and_empties(void **state) {
    (void)state;
    struct disk_fake *disk = disk_fake_new();
    struct outbox *outbox = open_limited(disk, 2 * 1000 * 1000, NULL);
    unsigned first_percent[4] = {0};
    bool seen[4] = {false};
    uint64_t count = 0;
    for (;; count++) {
        const struct outbox_room room = status_of(outbox).room;
        if (!seen[room.fill]) first_percent[room.fill] = room.percent;
        seen[room.fill] = true;
        if (sign(outbox, 200) != PT_OK) break;
        assert_int_not_equal(room.fill, OUTBOX_FULL);
    }
    assert_true(seen[OUTBOX_ROOMY] && seen[OUTBOX_FILLING] && seen[OUTBOX_NEARLY_FULL]);
    assert_true(first_percent[OUTBOX_FILLING] <= 80);
    assert_true(first_percent[OUTBOX_NEARLY_FULL] <= 95);
    assert_int_equal(sign(outbox, 200), PT_UNAVAILABLE);
    assert_int_equal(status_of(outbox).fresh, count);
    for (uint64_t i = 0; i < count; i++) receive(outbox, i);
    assert_int_equal(status_of(outbox).room.fill, OUTBOX_ROOMY);
    assert_int_equal(sign(outbox, 200), PT_OK);
    outbox_close(outbox);
    disk_fake_free(disk);
}

static void a_disk_that_others_filled_leaves_room_for_receipts_alone(void **state) {
    (void)state;
    struct disk_fake *disk = disk_fake_new();
    uint64_t on_disk = UINT64_C(1) << 30;
    struct outbox *outbox = open_limited(disk, UINT64_C(1) << 30, &on_disk);
    assert_int_equal(status_of(outbox).room.fill, OUTBOX_ROOMY);
    assert_int_equal(sign(outbox, 200), PT_OK);
    on_disk = OUTBOX_RESERVE + 500 * 1000;
    assert_int_equal(status_of(outbox).room.fill, OUTBOX_FILLING);
    on_disk = OUTBOX_RESERVE + 20 * 1000;
    assert_int_equal(status_of(outbox).room.fill, OUTBOX_NEARLY_FULL);
    on_disk = OUTBOX_RESERVE + 100;
    assert_int_equal(status_of(outbox).room.fill, OUTBOX_FULL);
    assert_int_equal(sign(outbox, 200), PT_UNAVAILABLE);
    receive(outbox, 0);
    on_disk = 0;
    assert_int_equal(status_of(outbox).room.bytes, 0);
    assert_int_equal(status_of(outbox).room.percent, 100);
    outbox_close(outbox);
    disk_fake_free(disk);
}

static void a_revoked_device_signs_nothing_more(void **state) {
    (void)state;
    struct disk_fake *disk = disk_fake_new();
    struct outbox *outbox = open_outbox(disk);
    struct pt_error err = {0};
    assert_int_equal(sign(outbox, 10), PT_OK);
    outbox_stop_signing(outbox, "this terminal was revoked by an operator: lost");
    assert_int_equal(outbox_sign(outbox, STATEMENT_EVENT_CBOR, "urn:test", pt_bytes_str("x"), NULL, NULL, &err), PT_FORBIDDEN);
    assert_string_equal(err.what, "this terminal was revoked by an operator: lost");
    assert_true(status_of(outbox).stopped);
    receive(outbox, 0);  // what was signed before is still brought
    outbox_stop_signing(outbox, NULL);
    assert_int_equal(sign(outbox, 10), PT_OK);
    outbox_close(outbox);
    disk_fake_free(disk);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_told_is_kept_until_its_receipt),
        cmocka_unit_test(a_refusal_is_kept_as_evidence),
        cmocka_unit_test(one_refusal_holds_no_other_statement_back),
        cmocka_unit_test(what_is_on_its_way_is_counted_in_any_order),
        cmocka_unit_test(a_nearly_full_outbox_says_so_in_time_and_empties),
        cmocka_unit_test(a_disk_that_others_filled_leaves_room_for_receipts_alone),
        cmocka_unit_test(a_revoked_device_signs_nothing_more),
    };
    return cmocka_run_group_tests_name("firmware outbox", tests, make_key, drop_key);
}
