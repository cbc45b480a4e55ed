// packtrail contract as people run it: what it foretells is what then happens, and nothing happens by foretelling.
#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "common/base/disk.h"
#include "tests/support/support.h"
#include "tests/unit/ledger/lab.h"

#define LINES_MAX 400u

static struct lab lab;
static char scratch[256];
static json_t *lines[LINES_MAX];
static size_t line_count;

static void forget_lines(void) {
    for (size_t i = 0; i < line_count; i++) json_decref(lines[i]);
    line_count = 0;
}

// Runs `packtrail contract …`; its lines are kept until the next run. Gives the exit status.
static int run(const char *fmt, ...) PT_PRINTF(1, 2);
static int run(const char *fmt, ...) {
    static char line[1 << 20];
    char arguments[4096], command[8192];
    va_list args;
    va_start(args, fmt);
    vsnprintf(arguments, sizeof arguments, fmt, args);
    va_end(args);
    forget_lines();
    snprintf(command, sizeof command, "cd '%s' && '%s' contract %s 2>errors", scratch, getenv("PACKTRAIL_TOOL"), arguments);
    FILE *output = popen(command, "r");
    assert_non_null(output);
    while (fgets(line, sizeof line, output)) {
        assert_true(line_count < LINES_MAX);
        lines[line_count] = json_loads(line, 0, NULL);
        if (!lines[line_count]) fail_msg("not JSON: %s", line);
        line_count++;
    }
    const int status = pclose(output);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static const char *text(const json_t *object, const char *member) {
    const char *value = json_string_value(json_object_get(object, member));
    return value ? value : "";
}

// The line of a kind whose member is so; NULL if there is none.
static json_t *line_of(const char *kind, const char *member, const char *value) {
    for (size_t i = 0; i < line_count; i++)
        if (strcmp(text(lines[i], "line"), kind) == 0 && strcmp(text(lines[i], member), value) == 0) return lines[i];
    return NULL;
}

static json_t *need_line(const char *kind, const char *member, const char *value) {
    json_t *line = line_of(kind, member, value);
    if (!line) fail_msg("no line '%s' with %s = %s", kind, member, value);
    return line;
}

static void write_event(const char *file, const struct lab_event *event) {
    struct pt_buf payload = PT_BUF_INIT(STATEMENT_MAX);
    char path[600];
    struct pt_error err;
    lab_encode(event, &payload);
    snprintf(path, sizeof path, "%s/%s", scratch, file);
    assert_ok(pt_file_replace(path, pt_buf_bytes(&payload), 0600, &err), &err);
    pt_buf_free(&payload);
}

static const struct lab_event announce = {.action = EPCIS_ADD, .step = "commissioning", .serials = {"1", "2", "3"}, .lot = "L1", .expiry = "2027-01-01"};
static const struct lab_event sell = {.step = "dispensing", .serials = {"1"}, .seconds = DAY, .place = "urn:packtrail:place:counter"};

static int setup(void **state) {
    (void)state;
    test_scratch(scratch);
    lab_new(&lab, "cn");
    lab_open(&lab);
    lab_do(&lab, &lab.company, &announce);
    write_event("sell.cbor", &sell);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    forget_lines();
    lab_free(&lab);
    test_scratch_remove(scratch);
    return 0;
}

static size_t files_in(const char *dir) {
    size_t count = 0;
    DIR *open = opendir(dir);
    assert_non_null(open);
    while (readdir(open)) count++;
    closedir(open);
    return count;
}

static void what_is_foretold_happens(void **state) {
    struct ledger_status before, after;
    (void)state;
    ledger_status(lab.ledger, &before);
    assert_int_equal(run("simulate '%s' --as 'device 0' sell.cbor", lab.dir), 0);  // while the node runs
    ledger_status(lab.ledger, &after);
    assert_int_equal(before.height, after.height);
    assert_int_equal(lab_state(&lab, "1"), LIFECYCLE_COMMISSIONED);
    json_t *statement = need_line("statement", "profile", "cn");
    assert_int_equal(json_integer_value(json_object_get(statement, "height")), 2);
    assert_int_equal(json_integer_value(json_object_get(statement, "leaf")), 1);
    assert_string_equal(text(json_object_get(statement, "as"), "name"), "device 0");
    json_t *pack = need_line("pack", "pack", lab_uri("1"));
    assert_string_equal(text(pack, "operation"), "dispense");
    assert_string_equal(text(pack, "from"), "commissioned");
    json_t *change = need_line("change", "key", lab_uri("1"));
    assert_string_equal(text(json_object_get(change, "before"), "state"), "commissioned");
    assert_string_equal(text(json_object_get(change, "before"), "lot"), "L1");
    assert_string_equal(text(json_object_get(change, "after"), "place"), "urn:packtrail:place:counter");
    assert_string_equal(text(json_object_get(change, "after"), "expiry"), "2027-01-01");
    assert_non_null(need_line("contract", "contract", "lifecycle"));
    assert_non_null(line_of("read", "key", lab_uri("1")));
    char foretold[32], result[32];
    snprintf(foretold, sizeof foretold, "%s", text(json_object_get(change, "after"), "state"));
    snprintf(result, sizeof result, "%s", text(statement, "result"));
    assert_string_equal(statement_result_name(lab_do(&lab, &lab.devices[0], &sell)), result);
    assert_string_equal(lifecycle_state_name(lab_state(&lab, "1")), foretold);
    assert_string_equal(foretold, "dispensed");
}

static void an_alert_says_why(void **state) {
    (void)state;
    lab_do(&lab, &lab.devices[0], &sell);
    assert_int_equal(run("simulate '%s' --as urn:packtrail:party:p1 sell.cbor", lab.dir), 0);
    json_t *alert = need_line("alert", "kind", "double_dispense");
    assert_string_equal(text(alert, "pack"), lab_uri("1"));
    assert_string_equal(text(json_object_get(alert, "why"), "from"), "dispensed");
    assert_string_equal(text(json_object_get(alert, "why"), "operation"), "dispense");
    assert_string_equal(text(need_line("statement", "result", "alerted"), "result"), "alerted");
    assert_int_equal(lab_alerts(&lab, "1", NULL), 0);  // none was raised
}

static void one_after_the_other(void **state) {
    (void)state;
    write_event("new.cbor", &(struct lab_event){.action = EPCIS_ADD, .step = "commissioning", .serials = {"9"}});
    write_event("pack.cbor", &(struct lab_event){.type = EPCIS_AGGREGATION, .action = EPCIS_ADD, .step = "packing", .parent = "C1", .serials = {"9"}, .seconds = 60});
    write_event("ship.cbor", &(struct lab_event){.step = "shipping", .serials = {"C1"}, .seconds = 120});
    write_event("look.cbor", &(struct lab_event){.step = "cycle_counting", .serials = {"9"}, .seconds = 180});
    assert_int_equal(run("simulate '%s' --as 'company 92' new.cbor pack.cbor ship.cbor look.cbor", lab.dir), 0);
    json_t *last = NULL;
    for (size_t i = 0; i < line_count; i++)
        if (strcmp(text(lines[i], "line"), "pack") == 0 && json_integer_value(json_object_get(lines[i], "statement")) == 4) last = lines[i];
    assert_non_null(last);
    assert_string_equal(text(last, "from"), "in_transit");  // with its case, which only the third one shipped
    assert_false(lab_look(&lab, "9").found);
}

static void signed_statements(void **state) {
    char path[600], copy[STATEMENT_MAX];
    struct pt_error err;
    (void)state;
    const size_t good = lab_say(&lab, &lab.devices[1], &sell), strange = lab_say(&lab, &lab.stranger, &sell);
    const struct pt_bytes bytes = pt_buf_bytes(&lab.statements[good]);
    snprintf(path, sizeof path, "%s/good.cose", scratch);
    assert_ok(pt_file_replace(path, bytes, 0600, &err), &err);
    memcpy(copy, bytes.data, bytes.len);
    copy[bytes.len - 1] ^= 1;
    snprintf(path, sizeof path, "%s/bad.cose", scratch);
    assert_ok(pt_file_replace(path, pt_bytes_of(copy, bytes.len), 0600, &err), &err);
    snprintf(path, sizeof path, "%s/strange.cose", scratch);
    assert_ok(pt_file_replace(path, pt_buf_bytes(&lab.statements[strange]), 0600, &err), &err);
    assert_int_equal(run("simulate '%s' good.cose", lab.dir), 0);
    assert_string_equal(text(json_object_get(need_line("statement", "profile", "cn"), "as"), "name"), "device 1");
    assert_int_equal(run("simulate '%s' bad.cose", lab.dir), 1);
    assert_non_null(need_line("statement", "result", "bad_signature"));
    assert_int_equal(run("simulate '%s' strange.cose", lab.dir), 1);
    assert_non_null(need_line("statement", "result", "unknown_signer"));
    assert_int_equal(run("simulate '%s' --as 'device 0' strange.cose", lab.dir), 0);  // as if somebody else had said it
}

static void refusals(void **state) {
    char path[600];
    struct pt_error err;
    (void)state;
    snprintf(path, sizeof path, "%s/broken.json", scratch);
    assert_ok(pt_file_replace(path, pt_bytes_str("{\"type\":\"ObjectEvent\"}"), 0600, &err), &err);
    assert_int_equal(run("simulate '%s' --as operator sell.cbor", lab.dir), 1);   // nobody's name
    assert_int_equal(run("simulate '%s' --as 'operator 91' sell.cbor", lab.dir), 1);
    assert_non_null(need_line("statement", "result", "not_allowed"));
    assert_null(line_of("change", "table", "pack"));
    assert_int_equal(run("simulate '%s' --as 'device 0' broken.json", lab.dir), 1);
    assert_int_equal(run("simulate '%s' --as 'device 0' --type master sell.cbor", lab.dir), 1);
    assert_non_null(need_line("statement", "result", "malformed"));
    assert_int_equal(run("simulate '%s' --as 'device 0' missing.cbor", lab.dir), 1);
    assert_int_equal(run("simulate '%s' --as 'device 0' --rule-version 77 sell.cbor", lab.dir), 1);
    assert_int_equal(run("simulate '%s' sell.cbor", lab.dir), 2);
    assert_int_equal(run("simulate '%s' --as 'device 0'", lab.dir), 2);
    assert_int_equal(run("simulate '%s' --as 'device 0' --at yesterday sell.cbor", lab.dir), 2);
    assert_int_equal(run("simulate '%s' --as 'device 0' --type picture sell.cbor", lab.dir), 2);
    assert_int_equal(run("nonsense"), 2);
    assert_int_equal(run("simulate '%s' --as 'device 0' sell.cbor", scratch), 1);  // no ledger there
}

// The node does not run: nothing is left beside the index.
static void a_resting_ledger_stays_untouched(void **state) {
    (void)state;
    lab_close(&lab);
    const size_t before = files_in(lab.dir);
    assert_int_equal(run("simulate '%s' --as 'device 0' --at 2027-06-01T00:00:00Z --rule-version 1 sell.cbor", lab.dir), 0);
    json_t *statement = need_line("statement", "profile", "cn");
    assert_string_equal(text(statement, "time"), "2027-06-01T00:00:00Z");
    assert_int_equal(json_integer_value(json_object_get(statement, "rule_version")), 1);
    assert_int_equal(files_in(lab.dir), before);
    lab_open(&lab);
    assert_int_equal(lab_state(&lab, "1"), LIFECYCLE_COMMISSIONED);
}

static void contracts_are_listed(void **state) {
    bool first = false, second = false;
    (void)state;
    assert_int_equal(run("list"), 0);
    for (size_t i = 0; i < line_count; i++) {
        const json_int_t version = json_integer_value(json_object_get(lines[i], "rule_version"));
        if (strcmp(text(lines[i], "contract"), "lifecycle") != 0) continue;
        first = first || version == 1;
        second = second || version == 2;
        assert_int_equal(json_array_size(json_object_get(lines[i], "profiles")), 2);
        assert_string_equal(json_string_value(json_array_get(json_object_get(lines[i], "hears"), 0)), "event");
    }
    assert_true(first && second);
    const size_t all = line_count;
    assert_int_equal(run("list --rule-version 1"), 0);
    assert_true(line_count > 0 && line_count < all);
    assert_int_equal(run("list --rule-version 99"), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_foretold_happens, setup, teardown),
        cmocka_unit_test_setup_teardown(an_alert_says_why, setup, teardown),
        cmocka_unit_test_setup_teardown(one_after_the_other, setup, teardown),
        cmocka_unit_test_setup_teardown(signed_statements, setup, teardown),
        cmocka_unit_test_setup_teardown(refusals, setup, teardown),
        cmocka_unit_test_setup_teardown(a_resting_ledger_stays_untouched, setup, teardown),
        cmocka_unit_test_setup_teardown(contracts_are_listed, setup, teardown),
    };
    return cmocka_run_group_tests_name("tools contract", tests, NULL, NULL);
}
