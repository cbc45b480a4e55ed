// Store, desk and reporter together, with a platform in shared memory and a process that dies at every moment: each report
// reaches its platform once, undo finds what it takes back, and a pack's reports keep their order.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/cose/statement.h"
#include "gateway/settlement/desk.h"
#include "gateway/settlement/reporter.h"
#include "tests/unit/gateway/settlement_fixture.h"

enum { MOST_DOCUMENTS = 64, SERIAL = REPORT_SERIAL_MAX, DIED = 9 };

// How the platform answers the next document; afterwards it accepts.
enum fake_mode { FAKE_ACCEPT, FAKE_REFUSE, FAKE_HOLD, FAKE_LOSE, FAKE_NOT_SENT, FAKE_PENDING, FAKE_ERROR_TAKEN, FAKE_MODES };

// Survives the process that dies.
struct outside {
    struct {
        char serial[SERIAL + 1];
        enum platform platform;
        unsigned times;
        bool refused, undo;
    } documents[MOST_DOCUMENTS];
    size_t count;
    enum fake_mode mode[PLATFORMS];
    pt_millis now;
    long until_death;  // calls of clock, randomness and platform; negative: lives
};

static struct outside *outside;
static struct mapping mapping;
static char dir[256], path[300];

static void step_towards_death(void) {
    if (outside->until_death == 0) _exit(DIED);
    if (outside->until_death > 0) outside->until_death--;
}

static pt_millis fake_now(void *ctx) {
    (void)ctx;
    step_towards_death();
    return outside->now += 5;
}

static enum pt_code fake_random(void *ctx, uint8_t *out, size_t len, struct pt_error *err) {
    (void)ctx;
    (void)err;
    step_towards_death();
    memset(out, 0, len);
    return PT_OK;
}

static const struct pt_env env = {fake_now, fake_random, NULL};

// The serial is in both platforms' documents and questions, and recognised by its first letters.
static void serial_in(struct pt_bytes body, char out[SERIAL + 1]) {
    const char *found = memmem(body.data, body.len, "\"PT", 3);
    assert_non_null(found);
    memcpy(out, found + 1, SERIAL);
    out[SERIAL] = 0;
}

static void answer_as(enum platform platform, const char *trace, const char *insurer, struct pt_buf *answer) {
    if (platform == PLATFORM_TRACE) pt_buf_printf(answer, "{\"code\":\"0\",\"result\":{\"state\":\"%s\",\"msg_code\":\"M\"}}", trace);
    else pt_buf_printf(answer, "{\"infcode\":0,\"output\":{\"retRslt\":\"%s\",\"retCode\":\"M\"}}", insurer);
}

static long find_document(enum platform platform, const char *serial) {
    for (size_t i = 0; i < outside->count; i++)
        if (outside->documents[i].platform == platform && strcmp(outside->documents[i].serial, serial) == 0) return (long)i;
    return -1;
}

static enum https_outcome ask_platform(enum platform platform, const char *serial, struct pt_buf *answer) {
    const long at = find_document(platform, serial);
    if (at < 0) answer_as(platform, "unknown", "9", answer);
    else if (outside->documents[at].refused) answer_as(platform, "failure", "0", answer);
    else answer_as(platform, "success", "1", answer);
    return HTTPS_OUTCOME_ANSWERED;
}

static void take_document(enum platform platform, const char *serial, struct pt_bytes body, bool refused) {
    const long at = find_document(platform, serial);
    if (at >= 0) {
        outside->documents[at].times++;
        return;
    }
    assert_true(outside->count < MOST_DOCUMENTS);
    memcpy(outside->documents[outside->count].serial, serial, SERIAL + 1);
    outside->documents[outside->count].platform = platform;
    outside->documents[outside->count].times = 1;
    outside->documents[outside->count].refused = refused;
    outside->documents[outside->count++].undo = memmem(body.data, body.len, "\"3506\"", 6) || memmem(body.data, body.len, "ReturnWareHouseIn", 17);
}

static enum https_outcome fake_post(void *ctx, const char *where, const char *type, struct pt_bytes body, unsigned *status, struct pt_buf *answer,
                                    struct pt_error *err) {
    const enum platform platform = *(const enum platform *)ctx;
    char serial[SERIAL + 1];
    step_towards_death();
    assert_non_null(type);
    *status = 200;
    serial_in(body, serial);
    if (strstr(where, "query")) return ask_platform(platform, serial, answer);
    const enum fake_mode mode = outside->mode[platform];
    outside->mode[platform] = FAKE_ACCEPT;
    if (mode == FAKE_NOT_SENT) pt_fail(err, PT_UNAVAILABLE, NULL, "no connection");
    if (mode == FAKE_NOT_SENT) return HTTPS_OUTCOME_NOT_SENT;
    if (mode != FAKE_LOSE) take_document(platform, serial, body, mode == FAKE_REFUSE);
    step_towards_death();
    if (mode == FAKE_LOSE || mode == FAKE_HOLD) return HTTPS_OUTCOME_UNKNOWN;
    if (mode == FAKE_ERROR_TAKEN) *status = 500;
    else if (mode == FAKE_PENDING) answer_as(platform, "processing", "2", answer);
    else if (mode == FAKE_REFUSE) answer_as(platform, "failure", "0", answer);
    else answer_as(platform, "success", "1", answer);
    return HTTPS_OUTCOME_ANSWERED;
}

// --- A gateway's settlement, without its threads ---

struct world {
    struct store *store;
    struct desk desk;
    struct reporter reporters[PLATFORMS];
    enum platform platforms[PLATFORMS];
};

static void enter(struct world *world) {
    struct pt_error err = {0};
    *world = (struct world){.platforms = {PLATFORM_TRACE, PLATFORM_INSURER}};
    assert_ok(store_open(path, &world->store, &err), &err);
    world->desk = (struct desk){.mapping = &mapping, .store = world->store, .env = &env};
    for (unsigned p = 0; p < PLATFORMS; p++)
        world->reporters[p] = (struct reporter){.platform = (enum platform)p, .mapping = &mapping, .store = world->store,
                                                .client = {fake_post, &world->platforms[p]}, .env = &env,
                                                .pauses = {.least = 20, .most = 100, .processing = 500}};
}

static void leave(struct world *world) { store_close(world->store); }

static void desk_work(struct world *world) {
    struct pt_error err = {0};
    enum pt_code code;
    while ((code = desk_sort_one(&world->desk, &err)) == PT_OK) {}
    if (code != PT_NOT_FOUND) assert_ok(code, &err);
    while ((code = desk_derive_one(&world->desk, &err)) == PT_OK) {}
    if (code != PT_NOT_FOUND) assert_ok(code, &err);
}

// Everything there is to do, with time passing in the pauses.
static void work(struct world *world) {
    desk_work(world);
    for (int i = 0; i < 500; i++) {
        pt_millis pause[PLATFORMS];
        for (unsigned p = 0; p < PLATFORMS; p++) pause[p] = reporter_step(&world->reporters[p]);
        if (pause[0] < 0 && pause[1] < 0) return;
        if (pause[0] != 0 && pause[1] != 0) outside->now += 10;
    }
    fail_msg("there is always something left to do");
}

static struct pt_digest take_event(struct world *world, const char *text, uint64_t sequence) {
    struct pt_buf statement = PT_BUF_INIT(STATEMENT_MAX);
    struct pt_error err = {0};
    fixture_sign(text, sequence, &statement);
    const struct pt_digest id = statement_id(pt_buf_bytes(&statement));
    assert_ok(store_add_scan(world->store, &id, pt_buf_bytes(&statement), 1, &err), &err);
    pt_buf_free(&statement);
    return id;
}

static struct report report_of(struct world *world, const struct pt_digest *id, enum platform platform) {
    struct report report;
    struct pt_error err = {0};
    assert_ok(store_report_of(world->store, id, platform, &report, &err), &err);
    return report;
}

static void check_state(struct world *world, const struct pt_digest *id, enum report_state state) {
    for (unsigned p = 0; p < PLATFORMS; p++) {
        const struct report report = report_of(world, id, (enum platform)p);
        if (report.state != state) print_error("%s: %s (%s)\n", platform_name((enum platform)p), report_state_name(report.state), report.reason);
        assert_int_equal(report.state, state);
    }
}

static void put_sale(struct world *world, const char *token) {
    struct pt_error err = {0};
    char lack[LACK_MAX];
    assert_ok(store_put_sale(world->store, token,
                             pt_bytes_str("{\"fields\":{\"mdtrt_sn\":\"M\",\"rtal_docno\":\"R\"},\"lines\":[{\"product\":\"8123456\",\"manu_lotnum\":\"L\",\"expy_end\":\"E\"}]}"), 1, &err), &err);
    snprintf(lack, sizeof lack, "sale/%s", token);
    assert_ok(store_arrived(world->store, lack, &err), &err);
}

static void put_product(struct world *world) {
    struct pt_error err = {0};
    const struct master_record record = {.kind = MASTER_PRODUCT, .version = 1, .product = *fixture_product()};
    struct pt_buf bytes = PT_BUF_INIT(MASTER_RECORD_MAX), key = PT_BUF_INIT(1024);
    assert_ok(master_encode(&record, &bytes, &err), &err);
    master_key(MASTER_PRODUCT, "8123456", 0, 1, &key);
    assert_ok(store_put_master(world->store, pt_buf_bytes(&key), pt_buf_bytes(&bytes), &err), &err);
    assert_ok(store_arrived(world->store, "product/8123456", &err), &err);
    pt_buf_free(&bytes);
    pt_buf_free(&key);
}

// An empty store and a platform that accepts.
static void fresh(struct world *world) {
    static const char *const parts[] = {"", "-wal", "-shm"};
    for (int i = 0; i < 3; i++) {
        char file[400];
        snprintf(file, sizeof file, "%s%s", path, parts[i]);
        unlink(file);
    }
    *outside = (struct outside){.now = 1780000000000, .until_death = -1};
    enter(world);
    put_product(world);
    put_sale(world, "A");
}

static size_t documents(enum platform platform, bool undo) {
    size_t count = 0;
    for (size_t i = 0; i < outside->count; i++) {
        assert_int_equal(outside->documents[i].times, 1);  // never anything twice
        count += outside->documents[i].platform == platform && outside->documents[i].undo == undo;
    }
    return count;
}

static void check_documents(size_t originals, size_t undone) {
    for (unsigned p = 0; p < PLATFORMS; p++) {
        assert_int_equal(documents((enum platform)p, false), originals);
        assert_int_equal(documents((enum platform)p, true), undone);
    }
}

static const char *sale_text(const char *token, const char *more) {
    char inner[1024];
    snprintf(inner, sizeof inner,
             DISPENSED ",\"bizTransactionList\":[{\"type\":\"urn:packtrail:btt:sale\",\"bizTransaction\":\"urn:packtrail:sale:%s\"}]%s", token, more);
    return fixture_event_text("\"" TRACE_URI "\"", inner);
}

// --- Dying ---

static void one_life(void) {
    struct world world;
    enter(&world);
    take_event(&world, sale_text("A", ""), 0);
    work(&world);
    _exit(0);
}

// Runs in a process of its own that dies at the n-th moment; false: it came to its end.
static bool dies_at(long n) {
    outside->until_death = n;
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) one_life();
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == DIED));
    outside->until_death = -1;
    return WEXITSTATUS(status) == DIED;
}

static void every_moment_of_death_is_survived(void **state) {
    (void)state;
    struct pt_buf statement = PT_BUF_INIT(STATEMENT_MAX);
    fixture_sign(sale_text("A", ""), 0, &statement);  // the key before the processes part
    unsigned deaths = 0;
    for (unsigned mode = 0; mode < FAKE_MODES; mode++) {
        bool died = true;
        for (long n = 0; died; n++) {
            struct world world;
            fresh(&world);
            leave(&world);
            outside->mode[PLATFORM_TRACE] = outside->mode[PLATFORM_INSURER] = (enum fake_mode)mode;
            died = dies_at(n);
            deaths += died;
            enter(&world);
            // The terminal that was not answered sends again; one that was need not, and its scan is there.
            const struct pt_digest id = take_event(&world, sale_text("A", ""), 0);
            work(&world);
            check_state(&world, &id, mode == FAKE_REFUSE ? REPORT_REFUSED : REPORT_ACCEPTED);
            check_documents(1, 0);
            leave(&world);
        }
    }
    assert_true(deaths > 10 * FAKE_MODES);
    pt_buf_free(&statement);
}

// --- Undo ---

static void check_undo(enum fake_mode mode, bool work_between, enum report_state original, enum report_state reversal, size_t sent, size_t undone) {
    struct world world;
    fresh(&world);
    outside->mode[PLATFORM_TRACE] = outside->mode[PLATFORM_INSURER] = mode;
    const struct pt_digest sold = take_event(&world, sale_text("A", ""), 0);
    if (work_between) work(&world);
    const struct pt_digest taken_back = take_event(&world, sale_text("A", UNDONE), 1);
    work(&world);
    check_state(&world, &sold, original);
    check_state(&world, &taken_back, reversal);
    check_documents(sent, undone);
    // Taken back once more: nothing happens.
    const struct pt_digest again = take_event(&world, sale_text("A", UNDONE), 2);
    work(&world);
    check_state(&world, &again, REPORT_VOID);
    check_documents(sent, undone);
    leave(&world);
}

static void an_undone_sale_is_taken_back(void **state) {
    (void)state;
    check_undo(FAKE_ACCEPT, true, REPORT_REVERSED, REPORT_ACCEPTED, 1, 1);
    check_undo(FAKE_ACCEPT, false, REPORT_VOID, REPORT_VOID, 0, 0);
    check_undo(FAKE_REFUSE, true, REPORT_REFUSED, REPORT_VOID, 1, 0);
    check_undo(FAKE_HOLD, true, REPORT_REVERSED, REPORT_ACCEPTED, 1, 1);
}

static void an_undo_while_the_outcome_is_unknown_waits_for_it(void **state) {
    (void)state;
    for (int refused = 0; refused < 2; refused++) {
        struct world world;
        fresh(&world);
        outside->mode[PLATFORM_TRACE] = outside->mode[PLATFORM_INSURER] = FAKE_HOLD;
        const struct pt_digest sold = take_event(&world, sale_text("A", ""), 0);
        desk_work(&world);
        for (unsigned p = 0; p < PLATFORMS; p++) reporter_step(&world.reporters[p]);
        check_state(&world, &sold, REPORT_UNKNOWN);
        for (size_t i = 0; i < outside->count; i++) outside->documents[i].refused = refused;
        const struct pt_digest taken_back = take_event(&world, sale_text("A", UNDONE), 1);
        desk_work(&world);
        check_state(&world, &taken_back, REPORT_WAITING);
        work(&world);
        check_state(&world, &sold, refused ? REPORT_REFUSED : REPORT_REVERSED);
        check_state(&world, &taken_back, refused ? REPORT_VOID : REPORT_ACCEPTED);
        check_documents(1, refused ? 0 : 1);
        leave(&world);
    }
}

static void an_undo_that_comes_first_waits_for_its_original(void **state) {
    (void)state;
    struct world world;
    struct pt_error err = {0};
    fresh(&world);
    const struct pt_digest taken_back = take_event(&world, sale_text("A", UNDONE), 0);
    work(&world);
    check_state(&world, &taken_back, REPORT_WAITING);
    const struct pt_digest sold = take_event(&world, sale_text("A", ""), 1);
    work(&world);
    check_state(&world, &sold, REPORT_VOID);
    check_state(&world, &taken_back, REPORT_VOID);
    check_documents(0, 0);
    leave(&world);
    // Its original went another way: a person lets it go.
    fresh(&world);
    const struct pt_digest alone = take_event(&world, sale_text("A", UNDONE), 0);
    work(&world);
    for (unsigned p = 0; p < PLATFORMS; p++) {
        struct report report = report_of(&world, &alone, (enum platform)p);
        assert_ok(report_retry(&report, 1, &err), &err);
        assert_ok(store_save_report(world.store, &report, &err), &err);
    }
    work(&world);
    check_state(&world, &alone, REPORT_ACCEPTED);
    check_documents(0, 1);
    leave(&world);
}

static void the_same_event_twice_is_one_report(void **state) {
    (void)state;
    struct world world;
    fresh(&world);
    const struct pt_digest first = take_event(&world, sale_text("A", ""), 0), second = take_event(&world, sale_text("A", ""), 1);
    take_event(&world, sale_text("A", ""), 0);
    work(&world);
    check_state(&world, &first, REPORT_ACCEPTED);
    check_state(&world, &second, REPORT_VOID);
    check_documents(1, 0);
    leave(&world);
}

// --- Order, and what is missing ---

static void a_packs_reports_keep_their_order(void **state) {
    (void)state;
    struct world world;
    struct report report;
    pt_millis next;
    fresh(&world);
    // The first waits for its sale; the second of the same pack must wait with it, another pack must not.
    const struct pt_digest first = take_event(&world, sale_text("B", ""), 0), second = take_event(&world, sale_text("A", ",\"packtrail:units\":3"), 1);
    const struct pt_digest other = take_event(&world, fixture_event_text("\"urn:packtrail:cn:trace:81234560000000024321\"", SOLD("A")), 2);
    work(&world);
    assert_int_equal(report_of(&world, &first, PLATFORM_INSURER).state, REPORT_WAITING);
    assert_int_equal(report_of(&world, &second, PLATFORM_INSURER).state, REPORT_WAITING);
    assert_true(report_of(&world, &second, PLATFORM_INSURER).ready);
    assert_int_equal(report_of(&world, &other, PLATFORM_INSURER).state, REPORT_ACCEPTED);
    assert_int_equal(report_of(&world, &second, PLATFORM_TRACE).state, REPORT_ACCEPTED);  // each platform by itself
    assert_int_equal(store_due_report(world.store, PLATFORM_INSURER, outside->now, &report, &next, NULL), PT_NOT_FOUND);
    put_sale(&world, "B");
    work(&world);
    check_state(&world, &first, REPORT_ACCEPTED);
    check_state(&world, &second, REPORT_ACCEPTED);
    char serials[2][SERIAL + 1];
    report = report_of(&world, &first, PLATFORM_INSURER);
    report_serial(&report, serials[0]);
    report = report_of(&world, &second, PLATFORM_INSURER);
    report_serial(&report, serials[1]);
    assert_true(find_document(PLATFORM_INSURER, serials[0]) < find_document(PLATFORM_INSURER, serials[1]));
    leave(&world);
}

static void a_mended_report_goes_before_the_packs_later_ones(void **state) {
    (void)state;
    struct world world;
    struct pt_error err = {0};
    fresh(&world);
    outside->mode[PLATFORM_INSURER] = FAKE_REFUSE;
    const struct pt_digest first = take_event(&world, sale_text("A", ""), 0);
    work(&world);
    struct report report = report_of(&world, &first, PLATFORM_INSURER);
    assert_int_equal(report.state, REPORT_REFUSED);
    assert_string_equal(report.code, "M");
    assert_ok(report_retry(&report, outside->now, &err), &err);
    assert_ok(store_save_report(world.store, &report, &err), &err);
    const struct pt_digest second = take_event(&world, sale_text("A", ",\"packtrail:units\":3"), 1);
    work(&world);
    check_state(&world, &first, REPORT_ACCEPTED);
    check_state(&world, &second, REPORT_ACCEPTED);
    assert_int_equal(documents(PLATFORM_INSURER, false), 3);
    leave(&world);
}

static void events_that_are_no_business_of_ours_lead_to_nothing(void **state) {
    (void)state;
    struct world world;
    struct report report;
    fresh(&world);
    static const char *const others[] = {",\"bizStep\":\"inspecting\"", ",\"bizStep\":\"shipping\",\"disposition\":\"in_transit\"", ""};
    for (size_t i = 0; i < 3; i++) {
        const struct pt_digest id = take_event(&world, fixture_event_text("\"" TRACE_URI "\"", others[i]), i);
        work(&world);
        assert_int_equal(store_report_of(world.store, &id, PLATFORM_TRACE, &report, NULL), PT_NOT_FOUND);
    }
    // A document that contradicts itself is told, not passed over.
    const struct pt_digest wrong = take_event(&world, fixture_event_text("\"" TRACE_URI "\"",
        DISPENSED ",\"bizTransactionList\":[{\"type\":\"urn:packtrail:btt:cn-document\",\"bizTransaction\":\"urn:packtrail:cn:document:102\"}]"), 9);
    work(&world);
    check_state(&world, &wrong, REPORT_REFUSED);
    report = report_of(&world, &wrong, PLATFORM_TRACE);
    assert_string_equal(report.level, "gateway");
    assert_non_null(strstr(report.reason, "1xx"));
    check_documents(0, 0);
    leave(&world);
}

static int start(void **state) {
    (void)state;
    pt_log_open("test", PT_LOG_ERROR);
    // Processes die here, not machines: what was written survives without a disk, and some hundred lives are lived at once.
    if (access("/dev/shm", W_OK) == 0) setenv("TMPDIR", "/dev/shm", 1);
    test_scratch(dir);
    snprintf(path, sizeof path, "%s/reports.sqlite", dir);
    outside = mmap(NULL, sizeof *outside, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    fixture_mapping(&mapping);
    return outside == MAP_FAILED;
}

static int finish(void **state) {
    (void)state;
    mapping_free(&mapping);
    munmap(outside, sizeof *outside);
    test_scratch_remove(dir);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_undone_sale_is_taken_back),
        cmocka_unit_test(an_undo_while_the_outcome_is_unknown_waits_for_it),
        cmocka_unit_test(an_undo_that_comes_first_waits_for_its_original),
        cmocka_unit_test(the_same_event_twice_is_one_report),
        cmocka_unit_test(a_packs_reports_keep_their_order),
        cmocka_unit_test(a_mended_report_goes_before_the_packs_later_ones),
        cmocka_unit_test(events_that_are_no_business_of_ours_lead_to_nothing),
        cmocka_unit_test(every_moment_of_death_is_survived),
    };
    return cmocka_run_group_tests(tests, start, finish);
}
