// The spool under power cuts and failing disks: whatever was synced is in exactly one block, in order, once.
#include <string.h>

#include "gateway/spool/spool.h"
#include "tests/support/disk_fake.h"
#include "tests/support/support.h"

enum { ROUNDS = 150, STEPS = 60, MOST = 4096 };

static struct signer gateway_key;
static const struct pt_digest genesis = {{1, 2, 3}};

static int make_key(void **state) {
    (void)state;
    struct pt_buf pem = PT_BUF_INIT(4096);
    struct pt_error err = {0};
    assert_ok(signer_openssl_generate(&pem, &err), &err);
    assert_ok(signer_openssl_from_pem(pt_buf_bytes(&pem), &gateway_key, &err), &err);
    pt_buf_free(&pem);
    return 0;
}

static int drop_key(void **state) {
    (void)state;
    signer_openssl_free(&gateway_key);
    return 0;
}

// The spool does not look into statements, so any bytes serve.
static void statement_of(unsigned number, struct pt_buf *out, struct pt_digest *id) {
    pt_buf_clear(out);
    pt_buf_printf(out, "statement %u %*s", number, (int)(number * 37 % 300), "");
    *id = statement_id(pt_buf_bytes(out));
}

static struct spool *open_spool(struct disk_fake *disk) {
    const struct spool_options options = {
        .limits = {.block_statements = 7, .block_bytes = 2000, .block_age = 10, .most_bytes = 1 << 30},
        .genesis = genesis,
        .gateway = &gateway_key,
    };
    struct spool *spool = NULL;
    struct pt_error err = {0};
    assert_ok(spool_open(disk_fake_disk(disk), &options, &spool, &err), &err);
    return spool;
}

// The other end: takes blocks as a ledger does, in order, each sequence once and always with the same digest.
struct taker {
    struct pt_digest ids[MOST];
    size_t count;
    struct pt_digest digests[MOST];
    size_t blocks;
};

static void take_block(struct taker *taker, struct spool *spool, uint64_t sequence) {
    struct pt_buf bytes = PT_BUF_INIT(BLOCK_MAX);
    struct pt_digest digest;
    struct pt_error err = {0};
    struct block block = {0};
    assert_ok(spool_block(spool, sequence, &bytes, &digest, &err), &err);
    assert_ok(block_decode(pt_buf_bytes(&bytes), &block, &err), &err);
    assert_ok(block_verify(&block, gateway_key.key, &genesis, &err), &err);
    assert_true(pt_digest_equal(&block.digest, &digest));
    assert_int_equal(block.header.sequence, sequence);
    if (sequence < taker->blocks) assert_true(pt_digest_equal(&taker->digests[sequence], &digest));
    else {
        assert_int_equal(sequence, taker->blocks);
        if (sequence > 0) assert_true(pt_digest_equal(&block.header.previous, &taker->digests[sequence - 1]));
        taker->digests[taker->blocks++] = digest;
        for (size_t i = 0; i < block.header.count; i++) taker->ids[taker->count++] = block.statement_ids[i];
    }
    block_free(&block);
    pt_buf_free(&bytes);
}

static size_t times_taken(const struct taker *taker, const struct pt_digest *id) {
    size_t times = 0;
    for (size_t i = 0; i < taker->count; i++) times += pt_digest_equal(&taker->ids[i], id);
    return times;
}

struct story {
    struct disk_fake *disk;
    struct spool *spool;
    struct taker taker;
    unsigned next;              // number of the next new statement
    bool acknowledged[MOST];    // by statement number
    uint64_t seed;
    pt_millis now;
};

static void power_cut(struct story *story) {
    spool_close(story->spool);
    disk_fake_crash(story->disk, &story->seed);
    story->spool = open_spool(story->disk);
}

// Adds a few statements, some of them known already, and acknowledges them after the sync.
static bool add_some(struct story *story) {
    struct pt_buf bytes = PT_BUF_INIT(1024);
    unsigned numbers[8];
    const unsigned count = 1 + (unsigned)(disk_fake_random(&story->seed) % 8);
    bool good = true;
    for (unsigned i = 0; i < count && good; i++) {
        const bool again = story->next > 0 && disk_fake_random(&story->seed) % 4 == 0;
        numbers[i] = again ? (unsigned)(disk_fake_random(&story->seed) % story->next) : story->next++;
        struct pt_digest id;
        statement_of(numbers[i], &bytes, &id);
        // What the ledger has for good is not sent again by a terminal: it holds the receipt.
        enum spool_added added;
        if (times_taken(&story->taker, &id) > 0) continue;
        good = spool_add(story->spool, pt_buf_bytes(&bytes), &id, story->now, &added, NULL) == PT_OK;
    }
    if (good && spool_sync(story->spool, NULL) == PT_OK)
        for (unsigned i = 0; i < count; i++) story->acknowledged[numbers[i]] = true;
    else good = false;
    pt_buf_free(&bytes);
    return good;
}

static bool deliver_some(struct story *story) {
    struct spool_status status;
    spool_status(story->spool, &status);
    for (uint64_t sequence = status.first_unfinished; sequence < status.next_sequence; sequence++) {
        take_block(&story->taker, story->spool, sequence);
        // Sometimes the answer is lost: the block goes again later.
        if (disk_fake_random(&story->seed) % 3 == 0) return true;
        if (spool_finished(story->spool, sequence, NULL) != PT_OK) return false;
    }
    return true;
}

static void step(struct story *story) {
    size_t sealed;
    bool good = true;
    story->now += (pt_millis)(disk_fake_random(&story->seed) % 12);
    switch (disk_fake_random(&story->seed) % 8) {
    case 0:
    case 1:
    case 2: good = add_some(story); break;
    case 3:
    case 4: good = spool_seal_due(story->spool, story->now, false, &sealed, NULL) == PT_OK; break;
    case 5: good = deliver_some(story); break;
    case 6: power_cut(story); break;
    default:
        disk_fake_fail_at(story->disk, (long)(disk_fake_random(&story->seed) % 6), PT_IO, disk_fake_random(&story->seed) % 64);
        good = add_some(story) && spool_seal_due(story->spool, story->now, true, &sealed, NULL) == PT_OK;
    }
    // The gateway stops when its disk fails, and starts anew.
    if (!good) power_cut(story);
}

static void finish_and_check(struct story *story) {
    size_t sealed;
    struct pt_error err = {0};
    power_cut(story);
    assert_ok(spool_seal_due(story->spool, story->now, true, &sealed, &err), &err);
    struct spool_status status;
    spool_status(story->spool, &status);
    for (uint64_t sequence = status.first_unfinished; sequence < status.next_sequence; sequence++) {
        take_block(&story->taker, story->spool, sequence);
        assert_ok(spool_finished(story->spool, sequence, &err), &err);
    }
    spool_status(story->spool, &status);
    assert_int_equal(status.waiting + status.unfinished, 0);
    struct pt_buf bytes = PT_BUF_INIT(1024);
    for (unsigned number = 0; number < story->next; number++) {
        struct pt_digest id;
        statement_of(number, &bytes, &id);
        const size_t times = times_taken(&story->taker, &id);
        assert_true(times <= 1);
        if (story->acknowledged[number]) assert_int_equal(times, 1);
    }
    pt_buf_free(&bytes);
}

static void acknowledged_statements_arrive_once_whatever_the_disk_does(void **state) {
    (void)state;
    for (unsigned round = 0; round < ROUNDS; round++) {
        static struct story story;
        story = (struct story){.disk = disk_fake_new(), .seed = 1000 + round, .now = 1};
        story.spool = open_spool(story.disk);
        for (unsigned i = 0; i < STEPS; i++) step(&story);
        finish_and_check(&story);
        spool_close(story.spool);
        disk_fake_free(story.disk);
    }
}

static void a_full_spool_says_later_and_empties_again(void **state) {
    (void)state;
    struct disk_fake *disk = disk_fake_new();
    const struct spool_options options = {
        .limits = {.block_statements = 100, .block_bytes = 100000, .block_age = 10, .most_bytes = 20000},
        .genesis = genesis,
        .gateway = &gateway_key,
    };
    struct spool *spool = NULL;
    struct pt_error err = {0};
    assert_ok(spool_open(disk_fake_disk(disk), &options, &spool, &err), &err);
    struct pt_buf bytes = PT_BUF_INIT(1024);
    enum pt_code code = PT_OK;
    unsigned taken = 0;
    for (enum spool_added added; code == PT_OK; taken += code == PT_OK) {
        struct pt_digest id;
        statement_of(taken, &bytes, &id);
        code = spool_add(spool, pt_buf_bytes(&bytes), &id, 1, &added, &err);
    }
    assert_int_equal(code, PT_UNAVAILABLE);
    assert_in_range(taken, 20, 200);
    assert_ok(spool_sync(spool, &err), &err);
    struct spool_status status;
    spool_status(spool, &status);
    assert_int_equal(status.waiting, taken);
    assert_true(status.bytes <= 20000);
    pt_buf_free(&bytes);
    spool_close(spool);
    disk_fake_free(disk);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(acknowledged_statements_arrive_once_whatever_the_disk_does),
        cmocka_unit_test(a_full_spool_says_later_and_empties_again),
    };
    return cmocka_run_group_tests_name("gateway spool", tests, make_key, drop_key);
}
