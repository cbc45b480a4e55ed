// Sending to a ledger: who sends is known by the certificate, and each answer has its consequence.
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/cose/statement.h"
#include "common/net/https_server.h"
#include "common/wire/wire.h"
#include "tests/unit/tools/admin_cases.h"

struct ledger {
    struct https_server *server;
    char scratch[256], directory[300], certificate[400], key[400], authority[400], url[64];
    _Atomic enum wire_outcome outcome;
    atomic_bool refuse_first; // whatever `outcome` says
    atomic_uint requests;
    char sender[128];       // common name of the last one
    uint64_t sequences[16]; // of the statements taken
    atomic_uint taken;
};

static void take_statements(void *arg, struct https_request *request) {
    struct ledger *ledger = arg;
    struct statement statement;
    struct pt_bytes bytes[16];
    struct wire_ack acks[16] = {0};
    size_t count = 0;
    PT_CLEANUP(pt_buf_free) struct pt_buf answer = PT_BUF_INIT(65536);
    ledger->requests++;
    snprintf(ledger->sender, sizeof ledger->sender, "%s", https_request_identity(request)->common_name);
    if (wire_split_sequence(https_request_body(request), bytes, 16, &count, NULL) != PT_OK) return;
    for (size_t i = 0; i < count; i++) {
        if (statement_decode(bytes[i], &statement, NULL) != PT_OK) return;
        acks[i].id = statement_id(bytes[i]);
        acks[i].outcome = ledger->outcome;
        if (ledger->refuse_first && statement.sequence == 0) acks[i].outcome = WIRE_REFUSED;
        if (acks[i].outcome == WIRE_REFUSED) strcpy(acks[i].error, "unknown signer");
        if (acks[i].outcome == WIRE_ACCEPTED) ledger->sequences[ledger->taken++] = statement.sequence;
    }
    if (wire_acks_encode(acks, count, &answer, NULL) != PT_OK) return;
    https_reply_text(request, 200, WIRE_TYPE_JSON, pt_buf_bytes(&answer));
}

static void ledger_start(struct ledger *ledger) {
    struct pt_error err;
    const struct https_route routes[] = {{.methods = HTTPS_POST,
                                          .pattern = WIRE_PATH_STATEMENTS,
                                          .max_body = WIRE_MAX_BODY,
                                          .content_types = WIRE_TYPE_STATEMENTS,
                                          .handler = take_statements,
                                          .arg = ledger}};
    *ledger = (struct ledger){.outcome = WIRE_ACCEPTED};
    test_scratch(ledger->scratch);
    snprintf(ledger->directory, sizeof ledger->directory, "%s/c", ledger->scratch);
    admin_found(ledger->directory);
    json_decref(admin_good("genesis|%s", ledger->directory));
    snprintf(ledger->certificate, sizeof ledger->certificate, "%s/actors/node-1/tls.crt", ledger->directory);
    snprintf(ledger->key, sizeof ledger->key, "%s/actors/node-1/tls.key", ledger->directory);
    snprintf(ledger->authority, sizeof ledger->authority, "%s/ca.crt", ledger->directory);
    const struct https_server_options options = {.certificate_file = ledger->certificate,
                                                 .key_file = ledger->key,
                                                 .client_auth = HTTPS_CLIENT_REQUIRED,
                                                 .client_ca_file = ledger->authority};
    assert_ok(https_server_start(&options, routes, 1, &ledger->server, &err), &err);
    snprintf(ledger->url, sizeof ledger->url, "https://localhost:%u/", https_server_port(ledger->server));
}

static void ledger_stop(struct ledger *ledger) {
    https_server_stop(ledger->server, 1000);
    test_scratch_remove(ledger->scratch);
}

static void accepted_statements_leave_the_outbox(void **state) {
    (void)state;
    PT_CLEANUP(ledger_stop) struct ledger ledger;
    ledger_start(&ledger);
    const char *dir = ledger.directory;
    json_decref(admin_good("revoke|%s|--operator|op|--kid|%064d|--last-trusted|1|--reason|a", dir, 1));
    PT_JSON json_t *answer =
        admin_good("revoke|%s|--operator|op|--kid|%064d|--last-trusted|1|--reason|b|--url|%s", dir, 2, ledger.url);
    // The one that waited went first.
    assert_int_equal(json_integer_value(json_object_get(answer, "sent")), 2);
    assert_int_equal(json_integer_value(json_object_get(answer, "waiting")), 0);
    assert_int_equal(ledger.requests, 1);
    assert_int_equal(ledger.taken, 2);
    assert_int_equal(ledger.sequences[0], 0);
    assert_int_equal(ledger.sequences[1], 1);
    assert_string_equal(ledger.sender, "op");
    PT_JSON json_t *again = admin_good("send|%s|--operator|op|--url|%s", dir, ledger.url);
    assert_int_equal(json_integer_value(json_object_get(again, "sent")), 0);
    assert_int_equal(ledger.taken, 2);
}

static void duplicates_count_as_sent(void **state) {
    (void)state;
    PT_CLEANUP(ledger_stop) struct ledger ledger;
    ledger_start(&ledger);
    ledger.outcome = WIRE_DUPLICATE;
    PT_JSON json_t *answer = admin_good("revoke|%s|--operator|op|--kid|%064d|--last-trusted|1|--reason|a|--url|%s",
                                        ledger.directory, 1, ledger.url);
    assert_int_equal(json_integer_value(json_object_get(answer, "waiting")), 0);
}

static void a_busy_ledger_is_asked_again(void **state) {
    (void)state;
    PT_CLEANUP(ledger_stop) struct ledger ledger;
    ledger_start(&ledger);
    const char *dir = ledger.directory;
    ledger.outcome = WIRE_LATER;
    admin_bad(3, "outbox", "revoke|%s|--operator|op|--kid|%064d|--last-trusted|1|--reason|a|--url|%s", dir, 1,
              ledger.url);
    assert_true(admin_file_is_there(dir, "actors/op/outbox/0.cose"));
    ledger.outcome = WIRE_ACCEPTED;
    // The same command again sends the same statement.
    json_decref(
        admin_good("revoke|%s|--operator|op|--kid|%064d|--last-trusted|1|--reason|a|--url|%s", dir, 1, ledger.url));
    assert_int_equal(ledger.taken, 1);
    assert_int_equal(ledger.sequences[0], 0);
}

static void refusals_are_kept_and_said(void **state) {
    (void)state;
    PT_CLEANUP(ledger_stop) struct ledger ledger;
    ledger_start(&ledger);
    const char *dir = ledger.directory;
    ledger.outcome = WIRE_REFUSED;
    admin_bad(1, "unknown signer", "revoke|%s|--operator|op|--kid|%064d|--last-trusted|1|--reason|a|--url|%s", dir, 1,
              ledger.url);
    assert_true(admin_file_is_there(dir, "actors/op/refused/0.cose"));
    assert_false(admin_file_is_there(dir, "actors/op/outbox/0.cose"));
}

static void a_refusal_holds_up_nobody(void **state) {
    (void)state;
    PT_CLEANUP(ledger_stop) struct ledger ledger;
    ledger_start(&ledger);
    const char *dir = ledger.directory;
    ledger.refuse_first = true;
    json_decref(admin_good("revoke|%s|--operator|op|--kid|%064d|--last-trusted|1|--reason|a", dir, 1));
    admin_bad(1, "unknown signer", "revoke|%s|--operator|op|--kid|%064d|--last-trusted|1|--reason|b|--url|%s", dir, 2,
              ledger.url);
    assert_true(admin_file_is_there(dir, "actors/op/refused/0.cose"));
    assert_false(admin_file_is_there(dir, "actors/op/outbox/1.cose"));
    assert_int_equal(ledger.taken, 1);
    assert_int_equal(ledger.sequences[0], 1);
}

// Another consortium's server is not spoken to, and what was signed stays here.
static void strangers_are_not_sent_to(void **state) {
    (void)state;
    PT_CLEANUP(ledger_stop) struct ledger ledger;
    ledger_start(&ledger);
    char other[300];
    snprintf(other, sizeof other, "%s/other", ledger.scratch);
    admin_found(other);
    json_decref(admin_good("genesis|%s", other));
    struct admin_run run =
        admin_run("revoke|%s|--operator|op|--kid|%064d|--last-trusted|1|--reason|a|--url|%s", other, 1, ledger.url);
    assert_int_equal(run.status, 1);
    admin_run_free(&run);
    assert_int_equal(ledger.requests, 0);
    assert_true(admin_file_is_there(other, "actors/op/outbox/0.cose"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepted_statements_leave_the_outbox),
        cmocka_unit_test(duplicates_count_as_sent),
        cmocka_unit_test(a_busy_ledger_is_asked_again),
        cmocka_unit_test(refusals_are_kept_and_said),
        cmocka_unit_test(a_refusal_holds_up_nobody),
        cmocka_unit_test(strangers_are_not_sent_to),
    };
    return cmocka_run_group_tests_name("admin: sending", tests, NULL, NULL);
}
