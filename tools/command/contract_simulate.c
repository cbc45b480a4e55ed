// `packtrail contract simulate`: what the contracts would say, and why, as JSON lines.
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <stdlib.h>

#include "common/base/cleanup.h"
#include "common/base/disk.h"
#include "common/cose/statement.h"
#include "tools/command/contract.h"
#include "tools/command/event.h"

enum { COSE_SIGN1_TAG = 0xd2, FILE_MOST = 64 * 1024 * 1024, USAGE = -1 };

struct words {
    const char *as, *type;
    struct simulator_options options;
};

struct run {
    struct simulator *simulator;
    const struct words *words;
    json_int_t number;  // of the statement under way
};

// --- What is said ---

static json_t *access_words(unsigned mode) {
    json_t *list = json_array();
    if (mode & ACCESS_READ) json_array_append_new(list, json_string("read"));
    if (mode & ACCESS_WRITE) json_array_append_new(list, json_string("write"));
    if (mode & ACCESS_ANCESTORS) json_array_append_new(list, json_string("containers"));
    if (mode & ACCESS_PREFIX) json_array_append_new(list, json_string("all_that_begin_so"));
    return list;
}

static void say_contracts(const struct run *run, const struct simulation *simulation) {
    for (size_t i = 0; i < simulation->contract_count; i++) {
        const struct simulated_contract *heard = &simulation->contracts[i];
        json_t *declared = json_array();
        for (size_t k = 0; k < heard->declared.count; k++) {
            const struct access *access = &heard->declared.items[k];
            json_array_append_new(declared, json_pack("{s:s, s:o, s:o}", "table", contract_table_word(access->table), "key",
                                                      contract_key_words(access->table, access->key), "access", access_words(access->mode)));
        }
        contract_print(json_pack("{s:s, s:I, s:s, s:I, s:s, s:I, s:o}", "line", "contract", "statement", run->number, "contract",
                                 heard->contract->name, "version", (json_int_t)heard->contract->version, "result",
                                 statement_result_name(heard->result), "alerts", (json_int_t)(heard->alerts_to - heard->alerts_from),
                                 "declares", declared));
    }
}

static const char *mode_word(enum alert_mode mode) { return mode == ALERT_SHADOW ? "shadow" : "enforce"; }

static void say_packs(const struct run *run, const struct simulation *simulation) {
    for (size_t i = 0; i < simulation->pack_count; i++) {
        const struct simulated_pack *pack = &simulation->packs[i];
        const struct lifecycle_transition *row = pack->transition;
        json_t *line = json_pack("{s:s, s:I, s:o, s:s, s:s, s:s, s:s}", "line", "pack", "statement", run->number, "pack",
                                 contract_key_words(STATE_PACK, pack->key), "role", contract_role_word(pack->role), "operation",
                                 lifecycle_operation_name(pack->operation), "from", lifecycle_state_name(pack->from), "to",
                                 lifecycle_state_name(row->to));
        if (row->alert)
            json_object_set_new(line, "alert", json_pack("{s:s, s:s, s:I}", "kind", alert_kind_name(row->alert), "mode", mode_word(row->mode),
                                                         "confidence", (json_int_t)row->confidence));
        contract_print(line);
    }
}

// Members of one that the other has not, or otherwise.
static void add_differences(json_t *list, json_t *one, json_t *other, bool both) {
    const char *member;
    json_t *value;
    json_object_foreach(one, member, value) {
        json_t *there = json_object_get(other, member);
        if (!there || (both && !json_equal(value, there))) json_array_append_new(list, json_string(member));
    }
}

static void say_touches(const struct run *run, const struct simulation *simulation) {
    for (size_t i = 0; i < simulation->touch_count; i++) {
        const struct state_touch *touch = &simulation->touches[i];
        if (touch->read)
            contract_print(json_pack("{s:s, s:I, s:s, s:o, s:b}", "line", "read", "statement", run->number, "table",
                                     contract_table_word(touch->table), "key", contract_key_words(touch->table, touch->key), "found",
                                     (int)touch->found));
    }
    for (size_t i = 0; contract_output_counts(&simulation->output) && i < simulation->touch_count; i++) {
        const struct state_touch *touch = &simulation->touches[i];
        if (!touch->written) continue;
        json_t *before = contract_value_words(run->simulator, touch->table, touch->key, touch->found, touch->before);
        json_t *after = contract_value_words(run->simulator, touch->table, touch->key, !touch->deleted, touch->after);
        json_t *differs = json_array();
        if (json_is_object(before) && json_is_object(after)) {
            add_differences(differs, before, after, true);
            add_differences(differs, after, before, false);
        }
        contract_print(json_pack("{s:s, s:I, s:s, s:o, s:o, s:o, s:o}", "line", "change", "statement", run->number, "table",
                                 contract_table_word(touch->table), "key", contract_key_words(touch->table, touch->key), "before", before,
                                 "after", after, "differs", differs));
    }
}

static const char *raised_by(const struct simulation *simulation, size_t alert) {
    for (size_t i = 0; i < simulation->contract_count; i++)
        if (alert >= simulation->contracts[i].alerts_from && alert < simulation->contracts[i].alerts_to)
            return simulation->contracts[i].contract->name;
    return "";
}

static const struct simulated_pack *pack_of(const struct simulation *simulation, struct pt_bytes key) {
    for (size_t i = 0; i < simulation->pack_count; i++)
        if (pt_bytes_equal(simulation->packs[i].key, key)) return &simulation->packs[i];
    return NULL;
}

static void say_alerts(const struct run *run, const struct simulation *simulation) {
    for (size_t i = 0; i < simulation->output.alert_count; i++) {
        const struct alert_record *alert = &simulation->output.alerts[i];
        const struct simulated_pack *pack = pack_of(simulation, alert->pack);
        json_t *evidence = json_array();
        for (size_t k = 0; k < alert->evidence_count; k++) json_array_append_new(evidence, json_integer((json_int_t)alert->evidence[k]));
        json_t *line = json_pack("{s:s, s:I, s:s, s:s, s:I, s:s, s:o, s:s}", "line", "alert", "statement", run->number, "kind",
                                 alert_kind_name(alert->kind), "mode", mode_word(alert->mode), "confidence", (json_int_t)alert->confidence,
                                 "detail", alert->detail, "evidence", evidence, "contract", raised_by(simulation, i));
        if (alert->pack.len > 0) json_object_set_new(line, "pack", contract_key_words(STATE_PACK, alert->pack));
        if (pack)
            json_object_set_new(line, "why", json_pack("{s:s, s:s, s:s, s:b}", "operation", lifecycle_operation_name(pack->operation), "from",
                                                       lifecycle_state_name(pack->from), "to", lifecycle_state_name(pack->transition->to),
                                                       "by_the_table", (int)(pack->transition->alert == alert->kind)));
        contract_print(line);
    }
}

static json_t *statement_line(const struct run *run, const struct actor *as, const char *result) {
    const struct simulator_standing standing = simulator_standing(run->simulator);
    json_t *line = json_pack("{s:s, s:I, s:s, s:I, s:I, s:o, s:I, s:s}", "line", "statement", "statement", run->number, "result", result, "height",
                             (json_int_t)standing.height, "leaf", (json_int_t)standing.leaf, "time", contract_time_words(standing.time),
                             "rule_version", (json_int_t)standing.rule_version, "profile", standing.profile);
    if (as)
        json_object_set_new(line, "as", json_pack("{s:s, s:s, s:o}", "name", as->name, "party", as->party, "kid", contract_digest_words(&as->kid)));
    return line;
}

// 0: it would be applied; 1: it would not; 3: the machine failed.
static int run_one(struct run *run, const struct actor *as, struct pt_bytes content_type, struct pt_bytes payload) {
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {.ceiling = (size_t)512 * 1024 * 1024};
    PT_CLEANUP(simulation_free) struct simulation simulation = {0};
    struct pt_error err = {0};
    run->number++;
    json_t *line = statement_line(run, as, "");
    const enum pt_code code = simulator_run(run->simulator, as, content_type, payload, &arena, &simulation, &err);
    if (code != PT_OK) {
        json_decref(line);
        return command_failed("contract simulate", &err);
    }
    json_object_set_new(line, "result", json_string(statement_result_name(simulation.output.result)));
    if (simulation.input_code != PT_OK) {
        json_object_set_new(line, "error", json_string(simulation.input_error.what));
        json_object_set_new(line, "pointer", json_string(simulation.input_error.where));
    }
    contract_print(line);
    say_contracts(run, &simulation);
    say_packs(run, &simulation);
    say_touches(run, &simulation);
    say_alerts(run, &simulation);
    return contract_output_counts(&simulation.output) ? 0 : 1;
}

// --- What is run ---

static int refused(struct run *run, const struct actor *as, const char *result, const char *error) {
    run->number++;
    json_t *line = statement_line(run, as, result);
    json_object_set_new(line, "error", json_string(error));
    contract_print(line);
    return 1;
}

static int run_signed(struct run *run, const struct statement *statement) {
    PT_CLEANUP(actor_free) struct actor as = {0};
    PT_CLEANUP(verify_key_cleanup) struct verify_key *key = NULL;
    const struct simulator_standing standing = simulator_standing(run->simulator);
    struct pt_error err = {0};
    enum pt_code code = run->words->as ? simulator_actor(run->simulator, run->words->as, &as, &err)
                                       : simulator_actor_by_kid(run->simulator, &statement->kid, &as, &err);
    if (code == PT_NOT_FOUND && !run->words->as) return refused(run, NULL, statement_result_name(RESULT_UNKNOWN_SIGNER), err.what);
    if (code != PT_OK) return command_failed("contract simulate", &err);
    if (pt_digest_equal(&as.kid, &statement->kid)) {
        code = verify_key_from_cose(pt_buf_bytes(&as.key), &key, &err);
        if (code == PT_OK) code = statement_verify(statement, key, &standing.genesis, &err);
        if (code != PT_OK) return refused(run, &as, statement_result_name(RESULT_BAD_SIGNATURE), err.what);
    }
    if (as.revoked && statement->sequence > as.last_trusted)
        return refused(run, &as, statement_result_name(RESULT_UNTRUSTED), "the key was revoked before this statement");
    return run_one(run, &as, statement->content_type, statement->payload);
}

static const char *content_type_of(const char *word) {
    static const struct {
        const char *word, *type;
    } types[] = {{"master", STATEMENT_MASTER}, {"enrolment", STATEMENT_ENROLMENT}, {"revocation", STATEMENT_REVOCATION},
                 {"rules", STATEMENT_RULES},   {"recall", STATEMENT_RECALL},       {"claim", STATEMENT_CLAIM},
                 {"finding", STATEMENT_FINDING}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(types[i].word, word) == 0) return types[i].type;
    return NULL;
}

static int run_events(struct run *run, const struct actor *as, const char *path) {
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    PT_CLEANUP(pt_buf_free) struct pt_buf payload = PT_BUF_INIT(FILE_MOST);
    struct epcis_document document;
    struct pt_error err = {0};
    int worst = 0;
    if (event_read_file(path, EPCIS_FOR_CAPTURE, &arena, &document, &err) != PT_OK) return event_print_refusal(path, &err);
    for (size_t i = 0; i < document.event_count; i++) {
        pt_buf_clear(&payload);
        if (epcis_json_encode_event(&document.events[i], &payload, &err) != PT_OK) return command_failed("contract simulate", &err);
        const int status = run_one(run, as, pt_bytes_str(STATEMENT_EVENT_JSON), pt_buf_bytes(&payload));
        if (status > worst) worst = status;
    }
    return worst;
}

static int run_file(struct run *run, const char *path) {
    PT_CLEANUP(pt_buf_free) struct pt_buf bytes = PT_BUF_INIT(FILE_MOST);
    PT_CLEANUP(actor_free) struct actor as = {0};
    struct statement statement;
    struct pt_error err = {0};
    const bool is_file = strcmp(path, "-") != 0;
    enum pt_code code = is_file ? pt_file_read(path, &bytes, &err) : PT_OK;
    if (code != PT_OK) return command_failed("contract simulate", &err);
    if (!run->words->type && bytes.len > 0 && bytes.data[0] == COSE_SIGN1_TAG) {
        if (statement_decode(pt_buf_bytes(&bytes), &statement, &err) != PT_OK) return event_print_refusal(path, &err);
        return run_signed(run, &statement);
    }
    if (!run->words->as) return USAGE;
    code = simulator_actor(run->simulator, run->words->as, &as, &err);
    if (code != PT_OK) return command_failed("contract simulate", &err);
    if (!run->words->type) return run_events(run, &as, path);
    if (!is_file) return USAGE;
    return run_one(run, &as, pt_bytes_str(content_type_of(run->words->type)), pt_buf_bytes(&bytes));
}

static bool read_word(int option, struct words *words) {
    struct pt_instant at;
    switch (option) {
    case 'a': words->as = optarg; return true;
    case 't':
        if (pt_instant_parse(pt_bytes_str(optarg), &at, NULL) != PT_OK) return false;
        words->options.time = pt_instant_millis(&at);
        return true;
    case 'r':
        words->options.rule_version = strlen(optarg) < 10 && strspn(optarg, "0123456789") == strlen(optarg) ? strtoul(optarg, NULL, 10) : 0;
        return words->options.rule_version > 0;
    case 'k': words->type = optarg; return content_type_of(optarg) != NULL;
    default: return false;
    }
}

int contract_simulate(int argc, char **argv) {
    static const struct option longs[] = {{"as", required_argument, NULL, 'a'}, {"at", required_argument, NULL, 't'},
                                          {"rule-version", required_argument, NULL, 'r'}, {"type", required_argument, NULL, 'k'}, {0}};
    const struct pt_env *env = pt_env_system();
    struct words words = {.options = {.time = env->now(env->ctx)}};
    PT_CLEANUP(simulator_cleanup) struct simulator *simulator = NULL;
    struct pt_error err = {0};
    int worst = 0;
    optind = 0;
    for (int option; (option = getopt_long(argc, argv, "", longs, NULL)) != -1;)
        if (!read_word(option, &words)) return USAGE;
    if (optind + 2 > argc) return USAGE;
    if (simulator_open(argv[optind], &words.options, env, &simulator, &err) != PT_OK) return command_failed("contract simulate", &err);
    struct run run = {.simulator = simulator, .words = &words};
    for (int i = optind + 1; i < argc; i++) {
        const int status = run_file(&run, argv[i]);
        if (status == USAGE) return USAGE;
        if (status > worst) worst = status;
    }
    return worst;
}
