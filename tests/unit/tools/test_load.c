// The load generator: what its devices sign stands any check, and wrong words are answered with the option's name.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/epcis/epcis_json.h"
#include "common/epcis/event_cbor.h"
#include "common/epcis/event_hash.h"
#include "common/epcis/epcis_validate.h"
#include "tests/unit/tools/admin_cases.h"
#include "tools/load/generator.h"
#include "tools/load/samples.h"

static int by_text(const void *a, const void *b) { return strcmp(a, b); }

static void serials_are_distinct(void **state) {
    (void)state;
    enum { COUNT = 100000 };
    PT_FREE char(*serials)[16] = calloc(COUNT, sizeof *serials);
    assert_non_null(serials);
    for (uint64_t i = 0; i < COUNT; i++) {
        struct pack_id id;
        load_pack(i < COUNT / 2 ? i : LOAD_PACKS_MAX - 1 - i, &id);
        assert_int_equal(strlen(id.serial), 12);
        strcpy(serials[i], id.serial);
    }
    struct pack_id again;
    load_pack(7, &again);
    assert_string_equal(again.serial, serials[7]);
    qsort(serials, COUNT, sizeof *serials, by_text);
    for (size_t i = 1; i < COUNT; i++) assert_string_not_equal(serials[i - 1], serials[i]);
}

static void check_statement(const struct load_device *device, const struct load_pattern *pattern, uint64_t number,
                            struct pt_bytes bytes, struct pt_digest *head) {
    struct pt_error err = {0};
    struct statement statement;
    assert_ok(statement_decode(bytes, &statement, &err), &err);
    assert_ok(statement_verify(&statement, device->signer.key, &pattern->genesis, &err), &err);
    assert_int_equal(statement.sequence, number);
    assert_true(pt_digest_equal(&statement.previous, head));
    *head = statement_id(bytes);
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    struct epcis_event event;
    if (pattern->json) {
        struct epcis_document document;
        assert_ok(epcis_json_decode(statement.payload, STATEMENT_MAX, EPCIS_FOR_CAPTURE, &arena, &document, &err), &err);
        assert_int_equal(document.event_count, 1);
        event = document.events[0];
    } else {
        assert_ok(epcis_cbor_decode(statement.payload, &arena, &event, &err), &err);
    }
    assert_ok(epcis_event_validate(&event, &err), &err);
    assert_int_equal(event.epcs.count, pattern->packs);
    for (unsigned i = 0; i < pattern->packs; i++) {
        struct pack_id id;
        PT_CLEANUP(pt_buf_free) struct pt_buf uri = PT_BUF_INIT(PACK_URI_MAX);
        load_pack(pattern->first + number * pattern->packs + i, &id);
        assert_ok(pack_id_uri(&id, &uri, &err), &err);
        assert_string_equal(event.epcs.items[i], pt_buf_cstr(&uri));
    }
    char hash[EPCIS_EVENT_HASH_SIZE];
    assert_ok(epcis_event_hash(&event, NULL, hash, &err), &err);
    assert_true(pt_bytes_equal(statement.subject, pt_bytes_str(hash)));
}

static void device_chain(bool json) {
    struct pt_error err = {0};
    struct load_device device;
    struct pt_digest head = {0};
    const struct load_pattern pattern = {.genesis = {{7}}, .packs = 3, .task = "commission", .json = json, .first = 1000};
    assert_ok(load_device_make(&device, &err), &err);
    for (uint64_t i = 0; i < 20; i++) {
        PT_CLEANUP(pt_buf_free) struct pt_buf bytes = PT_BUF_INIT(STATEMENT_MAX);
        assert_ok(load_statement(&device, &pattern, i, 1800000000000 + (pt_millis)i, &bytes, &err), &err);
        check_statement(&device, &pattern, i, pt_buf_bytes(&bytes), &head);
    }
    assert_true(pt_digest_equal(&head, &device.head));
    load_device_free(&device);
}

static void chains_of_cbor_events_hold(void **state) {
    (void)state;
    device_chain(false);
}

static void chains_of_json_events_hold(void **state) {
    (void)state;
    device_chain(true);
}

static void an_unknown_task_is_said(void **state) {
    (void)state;
    struct pt_error err = {0};
    struct load_device device;
    PT_CLEANUP(pt_buf_free) struct pt_buf bytes = PT_BUF_INIT(STATEMENT_MAX);
    const struct load_pattern pattern = {.packs = 1, .task = "juggle"};
    assert_ok(load_device_make(&device, &err), &err);
    assert_int_equal(load_statement(&device, &pattern, 0, 0, &bytes, &err), PT_USAGE);
    assert_int_equal(device.sequence, 0);
    assert_int_equal(bytes.len, 0);
    load_device_free(&device);
}

static void percentiles_are_exact(void **state) {
    (void)state;
    struct samples samples = {0}, more = {0};
    double five[5];
    samples_five(&samples, five);
    assert_true(five[0] == 0 && five[4] == 0);
    for (int i = 1000; i > 500; i--) samples_add(&samples, i);
    for (int i = 500; i > 0; i--) samples_add(&more, i);
    samples_append(&samples, &more);
    samples_five(&samples, five);
    assert_true(five[0] == 500 && five[1] == 900 && five[2] == 990 && five[3] == 999 && five[4] == 1000);
    assert_true(samples_percentile(&samples, 0) == 1);
    samples_free(&samples);
    samples_free(&more);
}

#define WHOLE "--consortium /nowhere --operator op --ledger https://localhost:1 --gateway https://localhost:2 "

// Runs `packtrail load WORDS`; gives the exit status and the message.
static int run_load(const char *words, char *message, size_t size) {
    char line[1024];
    snprintf(line, sizeof line, "'%s' load %s 2>&1 >/dev/null", getenv("PACKTRAIL_TOOL"), words);
    FILE *pipe = popen(line, "r");
    assert_non_null(pipe);
    message[fread(message, 1, size - 1, pipe)] = 0;
    const int status = pclose(pipe);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void wrong_words_are_named(void **state) {
    (void)state;
    static const struct {
        const char *words, *said;
        int status;
    } cases[] = {
        {"", "--consortium", 2},
        {"--consortium /nowhere --operator op --ledger https://localhost:1", "--gateway", 2},
        {WHOLE "--devices 0", "--devices", 2},
        {WHOLE "--devices many", "--devices", 2},
        {WHOLE "--statements -1", "--statements", 2},
        {WHOLE "--packs 2001", "--packs", 2},
        {WHOLE "--batch 1025", "--batch", 2},
        {WHOLE "--rate 0", "--rate", 2},
        {WHOLE "--task juggle", "juggle", 2},
        {WHOLE "--task pack", "needs a case", 2},
        {WHOLE "--first 549755813880 --statements 10", "serial numbers", 2},
        {WHOLE "--sample", "a value must follow", 2},
        {WHOLE "--fast 1", "no such option", 2},
        {WHOLE "more", "one word too many", 2},
        {WHOLE, "/nowhere", 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char message[2048];
        const int status = run_load(cases[i].words, message, sizeof message);
        if (!strstr(message, cases[i].said)) fail_msg("'%s' said: %s", cases[i].words, message);
        assert_int_equal(status, cases[i].status);
    }
}

static void an_absent_ledger_ends_it(void **state) {
    (void)state;
    char scratch[256], directory[300], words[600], message[2048];
    test_scratch(scratch);
    snprintf(directory, sizeof directory, "%s/c", scratch);
    admin_found(directory);
    json_decref(admin_good("genesis|%s", directory));
    snprintf(words, sizeof words, "--consortium %s --operator op --ledger https://localhost:1 --gateway https://localhost:2 "
             "--devices 2 --patience 1", directory);
    assert_int_equal(run_load(words, message, sizeof message), 3);
    assert_non_null(strstr(message, "nothing moved"));
    test_scratch_remove(scratch);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(serials_are_distinct),    cmocka_unit_test(chains_of_cbor_events_hold),
        cmocka_unit_test(chains_of_json_events_hold), cmocka_unit_test(an_unknown_task_is_said),
        cmocka_unit_test(percentiles_are_exact),   cmocka_unit_test(wrong_words_are_named),
        cmocka_unit_test(an_absent_ledger_ends_it),
    };
    return cmocka_run_group_tests_name("load", tests, NULL, NULL);
}
