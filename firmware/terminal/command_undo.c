// `packtrail-scanner undo`: an error declaration for an event that this terminal signed (EPCIS 2.0 section 7.4.1.3): the same
// event once more, with the reason why it does not hold.
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/text.h"
#include "common/epcis/epcis_validate.h"
#include "common/epcis/event_cbor.h"
#include "common/epcis/event_hash.h"
#include "firmware/terminal/command.h"

#define CORRECTIVE_MOST 16u

static const char help[] =
    "usage: packtrail-scanner --config FILE undo [OPTION…]\n"
    "\n"
    "Takes back the last event that this terminal signed, or the one named.\n"
    "\n"
    "  --statement ID        the statement, as `scan` and `history` print it\n"
    "  --reason REASON       did_not_occur (default) or incorrect_data\n"
    "  --corrected-by ID     eventID of an event that stands in its place; may be given again\n"
    "\n"
    "Whether the ledger follows is a question of its rules: a sale, say, is undone only at the same place and in time.\n";

struct undo_arguments {
    bool named;
    struct pt_digest statement;
    const char *reason;
    const char *corrective[CORRECTIVE_MOST];
    size_t corrective_count;
};

static enum pt_code declare_error(const struct undo_arguments *args, struct epcis_event *event, struct pt_error *err) {
    const struct pt_env *env = pt_env_system();
    if (event->error_declaration.present) return pt_fail(err, PT_INVALID, NULL, "that event is an undoing itself: scan the work again");
    event->error_declaration = (struct epcis_error_declaration){
        .present = true,
        .declaration_time = pt_instant_from_millis(env->now(env->ctx)),
        .reason = args->reason,
        .corrective_event_ids = {(const char **)args->corrective, args->corrective_count},
    };
    return epcis_event_validate(event, err);
}

static enum pt_code sign(struct terminal *terminal, const struct epcis_event *event, struct pt_digest *id, uint64_t *sequence,
                         struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf payload = PT_BUF_INIT(STATEMENT_MAX);
    char hash[EPCIS_EVENT_HASH_SIZE];
    enum pt_code code = epcis_event_hash(event, NULL, hash, err);
    if (code == PT_OK) code = epcis_cbor_encode(event, &payload, err);
    if (code == PT_OK)
        code = outbox_sign(terminal->outbox, EPCIS_EVENT_CONTENT_TYPE_CBOR, event->event_id ? event->event_id : hash,
                           pt_buf_bytes(&payload), id, sequence, err);
    return code == PT_OK ? history_note(terminal->history, id, *sequence, pt_buf_bytes(&payload), err) : code;
}

static enum pt_code undo(struct terminal *terminal, const struct undo_arguments *args, struct pt_error *err) {
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    struct history_item item = {0};
    struct epcis_event event;
    struct pt_digest id;
    uint64_t sequence;
    enum pt_code code = args->named ? history_find(terminal->history, &args->statement, &item, err) : history_read(terminal->history, 0, &item, err);
    if (code == PT_OK) code = epcis_cbor_decode(pt_buf_bytes(&item.payload), &arena, &event, err);
    if (code == PT_OK) code = declare_error(args, &event, err);
    if (code == PT_OK) code = sign(terminal, &event, &id, &sequence, err);
    pt_buf_free(&item.payload);
    if (code != PT_OK) return code;
    char undone[65], own[65];
    pt_digest_hex(&item.id, undone);
    pt_digest_hex(&id, own);
    printf("{\"statement\":\"%s\",\"sequence\":%llu,\"undoes\":\"%s\"}\n", own, (unsigned long long)sequence, undone);
    return PT_OK;
}

static bool parse_statement(const char *text, struct pt_digest *out) {
    PT_CLEANUP(pt_buf_free) struct pt_buf bytes = PT_BUF_INIT(PT_DIGEST_SIZE);
    if (pt_hex_decode(pt_bytes_str(text), &bytes, NULL) != PT_OK || bytes.len != PT_DIGEST_SIZE) return false;
    memcpy(out->bytes, bytes.data, PT_DIGEST_SIZE);
    return true;
}

// 0 go on, else 1 + the exit status.
static int parse_arguments(int argc, char **argv, struct undo_arguments *args) {
    static const struct option longs[] = {{"statement", required_argument, NULL, 's'}, {"reason", required_argument, NULL, 'r'},
                                          {"corrected-by", required_argument, NULL, 'c'}, {"help", no_argument, NULL, 'h'}, {0}};
    bool good = true;
    for (int option; good && (option = getopt_long(argc, argv, "h", longs, NULL)) != -1;) {
        if (option == 's') good = args->named = parse_statement(optarg, &args->statement);
        else if (option == 'r') {
            args->reason = optarg;
            good = strcmp(optarg, "did_not_occur") == 0 || strcmp(optarg, "incorrect_data") == 0;
        } else if (option == 'c' && args->corrective_count < CORRECTIVE_MOST) args->corrective[args->corrective_count++] = optarg;
        else if (option == 'h') {
            fputs(help, stdout);
            return 1;
        } else good = false;
    }
    if (good && optind == argc) return 0;
    fputs(help, stderr);
    return 3;
}

int command_undo(const struct terminal_options *options, int argc, char **argv) {
    struct undo_arguments args = {.reason = "did_not_occur"};
    const int stop = parse_arguments(argc, argv, &args);
    if (stop) return stop - 1;
    struct pt_error err = {0};
    struct terminal terminal;
    if (terminal_open(options, &terminal, &err) != PT_OK) return terminal_fail(&err);
    const int status = undo(&terminal, &args, &err) == PT_OK ? 0 : terminal_fail(&err);
    terminal_close(&terminal);
    return status;
}
