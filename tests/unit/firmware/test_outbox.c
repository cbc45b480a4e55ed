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

static struct outbox *open_outbox(struct disk_fake *disk) {
    const struct outbox_options options = {
        .genesis = genesis, .device = &device_key, .issuer = "urn:packtrail:party:test:1", .most_bytes = 1 << 30};
    struct outbox *outbox = NULL;
    struct pt_error err = {0};
    assert_ok(outbox_open(disk_fake_disk(disk), &options, &outbox, &err), &err);
    return outbox;
}

struct story {
    struct disk_fake *disk;
    struct outbox *outbox;
    struct pt_digest told[MOST];  // id told to the user for each sequence; zero if none was told
    bool received[MOST];
    uint64_t seed;
};

static void power_cut(struct story *story) {
    outbox_close(story->outbox);
    disk_fake_crash(story->disk, &story->seed);
    story->outbox = open_outbox(story->disk);
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
        if (disk_fake_random(&story->seed) % 3 == 0) continue;
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
        story.outbox = open_outbox(story.disk);
        for (unsigned i = 0; i < STEPS; i++) step(&story);
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_told_is_kept_until_its_receipt),
        cmocka_unit_test(a_refusal_is_kept_as_evidence),
    };
    return cmocka_run_group_tests_name("firmware outbox", tests, make_key, drop_key);
}
