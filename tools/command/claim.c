// packtrail claim: an insurer's batches, their answers, and the evidence.
#include "tools/command/claim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/disk.h"
#include "common/base/text.h"
#include "common/claim/claim.h"
#include "common/claim/claim_answer.h"
#include "common/cose/statement.h"
#include "tools/admin/admin.h"
#include "tools/admin/arguments.h"
#include "tools/command/command.h"

#define PATH_ROOM ((size_t)4096)
#define ANSWER_MAX ((size_t)64 * 1024 * 1024)

static const char overview[] =
    "usage: packtrail claim COMMAND …\n"
    "\n"
    "Claims of an insurer: signed batches, what the ledger answers line by line, and evidence that is checked\n"
    "without the ledger. DIR is the consortium's directory with the insurer's keys (packtrail admin actor …\n"
    "--role company); the insurer's party record must name it an insurer.\n"
    "\n"
    "  make DIR --company NAME --json FILE [--url URL | --out FILE]\n"
    "      Signs a batch: {\"batch\",\"insurer\",\"lines\":[{\"line\",\"action\":\"settle\",\"pack\",\"product\":{\"gtin\" |\n"
    "      \"drugIdentifier\" | \"insuranceCode\"},\"units\",\"dispensing\":{\"event\" | \"statement\"},\"place\",\n"
    "      \"prescription\",\"eventTime\"}, {\"line\",\"action\":\"reverse\",\"pack\",\"eventTime\"}]}; at most 2048 lines.\n"
    "      dispensing and prescription (64 hex digits, never a person) may be left out; so may insurer.\n"
    "  send DIR --company NAME --url URL\n"
    "      Sends what was signed and is not on the ledger yet.\n"
    "  show DIR --company NAME --url URL (--statement ID [--first N] | --line ID [--insurer URI] | --pack CODE | --due)\n"
    "      A batch's answers from line N on; one line as it was decided last; a pack's dispensings and settled\n"
    "      lines; settled lines whose dispensing was undone or returned since.\n"
    "  evidence DIR --company NAME --url URL --statement ID [--first N] --out FILE\n"
    "      The evidence for up to 128 lines from N on: statements with receipts.\n"
    "  verify --trust FILE [--genesis HEX] BUNDLE\n"
    "      Checks an evidence bundle offline against the ledger's public keys and explains it line by line.\n"
    "\n"
    "Exit: 0 good, 1 refused or does not verify, 2 wrong usage, 3 system failure.\n";

struct claim_words {
    const char *directory, *company, *json, *url, *out, *statement, *first, *line, *insurer, *pack;
};

static enum pt_code open_chain(const struct claim_words *w, struct consortium *consortium, struct own_chain *chain, struct pt_error *err) {
    const enum pt_code code = consortium_open(w->directory, consortium, err);
    return code == PT_OK ? own_chain_open(consortium, w->company, ACTOR_COMPANY, chain, err) : code;
}

// --- Signing and sending ---

static enum pt_code read_batch(const char *file, const char *party, struct pt_arena *arena, struct claim_batch *out, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf text = PT_BUF_INIT(CONSORTIUM_FILE_MAX);
    PT_JSON json_t *value = NULL;
    enum pt_code code = pt_file_read(file, &text, err);
    if (code == PT_OK) code = pt_json_parse(pt_buf_bytes(&text), CONSORTIUM_FILE_MAX, &value, err);
    if (code == PT_OK && json_is_object(value) && !json_object_get(value, "insurer")) json_object_set_new(value, "insurer", json_string(party));
    if (code == PT_OK) code = claim_batch_from_json(value, arena, out, err);
    if (code == PT_OK && strcmp(out->insurer, party) != 0)
        code = pt_fail(err, PT_INVALID, "/insurer", "the key belongs to another party");
    return code;
}

static enum pt_code make(int argc, char **argv, struct pt_error *err) {
    struct claim_words w = {0};
    struct consortium consortium;
    struct claim_batch batch;
    PT_CLEANUP(own_chain_close) struct own_chain chain = {.lock = -1};
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    PT_CLEANUP(pt_buf_free) struct pt_buf payload = PT_BUF_INIT(CLAIM_BATCH_MAX + 64);
    struct admin_delivery delivery = {.bytes = PT_BUF_INIT(STATEMENT_MAX), .count = 1};
    const struct argument_word words[] = {{"DIR", &w.directory}, {0}};
    const struct argument arguments[] = {{"--company", &w.company, NULL, "the insurer's actor"},
                                         {"--json", &w.json, NULL, "the file with the batch"},
                                         {"--url", &delivery.url, NULL, NULL},
                                         {"--out", &delivery.file, NULL, NULL},
                                         {0}};
    enum pt_code code = arguments_parse(argc, argv, words, arguments, err);
    if (code == PT_OK && delivery.url && delivery.file) code = pt_fail(err, PT_USAGE, "--out", "either --url or --out");
    if (code == PT_OK) code = open_chain(&w, &consortium, &chain, err);
    if (code == PT_OK) code = read_batch(w.json, chain.party, &arena, &batch, err);
    if (code == PT_OK) code = claim_batch_encode(&batch, &payload, err);
    if (code == PT_OK) code = own_chain_sign(&chain, STATEMENT_CLAIM, batch.id, pt_buf_bytes(&payload), &delivery.sequences[0], &delivery.bytes, err);
    if (code == PT_OK) {
        const struct pt_digest id = statement_id(pt_buf_bytes(&delivery.bytes));
        PT_JSON json_t *report = json_object();
        json_object_set_new(report, "statement", admin_digest(&id));
        json_object_set_new(report, "batch", json_string(batch.id));
        json_object_set_new(report, "lines", json_integer((json_int_t)batch.line_count));
        code = admin_deliver(&chain, &delivery, report, err);
        if (code == PT_OK) code = admin_print(report, err);
    }
    pt_buf_free(&delivery.bytes);
    return code;
}

static enum pt_code send(int argc, char **argv, struct pt_error *err) {
    struct claim_words w = {0};
    struct consortium consortium;
    PT_CLEANUP(own_chain_close) struct own_chain chain = {.lock = -1};
    const struct argument_word words[] = {{"DIR", &w.directory}, {0}};
    const struct argument arguments[] = {{"--company", &w.company, NULL, "the insurer's actor"}, {"--url", &w.url, NULL, "the ledger"}, {0}};
    size_t sent = 0, waiting = 0;
    enum pt_code code = arguments_parse(argc, argv, words, arguments, err);
    if (code == PT_OK) code = open_chain(&w, &consortium, &chain, err);
    if (code == PT_OK) code = own_chain_send(&chain, w.url, &sent, err);
    if (code == PT_OK) code = own_chain_waiting(&chain, &waiting, err);
    if (code != PT_OK) return code;
    PT_JSON json_t *report = json_pack("{s:I, s:I}", "sent", (json_int_t)sent, "waiting", (json_int_t)waiting);
    return admin_print(report, err);
}

// --- Asking ---

static void escape(const char *text, struct pt_buf *out) {
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        const bool plain = (*c >= '0' && *c <= '9') || (*c >= 'A' && *c <= 'Z') || (*c >= 'a' && *c <= 'z') || strchr("-._~", *c);
        pt_buf_printf(out, plain ? "%c" : "%%%02X", *c);
    }
}

static enum pt_code path_of(const struct claim_words *w, bool due, const char *party, struct pt_buf *out, struct pt_error *err) {
    if (!w->statement + !w->line + !w->pack + !due != 3)
        return pt_fail(err, PT_USAGE, NULL, "exactly one of --statement, --line, --pack and --due");
    pt_buf_str(out, "/claims");
    if (w->statement) {
        pt_buf_byte(out, '/');
        escape(w->statement, out);
        if (w->first) pt_buf_str(out, "?first="), escape(w->first, out);
    } else if (w->line) {
        pt_buf_byte(out, '/');
        escape(w->insurer ? w->insurer : party, out);
        pt_buf_byte(out, '/');
        escape(w->line, out);
    } else if (w->pack) {
        pt_buf_str(out, "?pack=");
        escape(w->pack, out);
    } else {
        pt_buf_str(out, "?due=true");
        if (w->insurer) pt_buf_str(out, "&insurer="), escape(w->insurer, out);
    }
    return pt_buf_check(out, err);
}

// `--due` stands alone: the parser of the others wants a value with each.
static bool take_flag(int *argc, char **argv, const char *name) {
    bool found = false;
    int kept = 0;
    for (int i = 0; i < *argc; i++) {
        if (strcmp(argv[i], name) == 0) found = true;
        else argv[kept++] = argv[i];
    }
    *argc = kept;
    return found;
}

static enum pt_code show(int argc, char **argv, struct pt_error *err) {
    struct claim_words w = {0};
    struct consortium consortium;
    PT_CLEANUP(own_chain_close) struct own_chain chain = {.lock = -1};
    PT_CLEANUP(pt_buf_free) struct pt_buf path = PT_BUF_INIT(PATH_ROOM);
    PT_CLEANUP(pt_buf_free) struct pt_buf answer = PT_BUF_INIT(ANSWER_MAX);
    const bool due = take_flag(&argc, argv, "--due");
    const struct argument_word words[] = {{"DIR", &w.directory}, {0}};
    const struct argument arguments[] = {{"--company", &w.company, NULL, "the insurer's actor"}, {"--url", &w.url, NULL, "the ledger"},
                                         {"--statement", &w.statement, NULL, NULL}, {"--first", &w.first, NULL, NULL},
                                         {"--line", &w.line, NULL, NULL}, {"--insurer", &w.insurer, NULL, NULL},
                                         {"--pack", &w.pack, NULL, NULL}, {0}};
    enum pt_code code = arguments_parse(argc, argv, words, arguments, err);
    if (code == PT_OK) code = open_chain(&w, &consortium, &chain, err);
    if (code == PT_OK) code = path_of(&w, due, chain.party, &path, err);
    if (code == PT_OK) code = own_chain_get(&chain, w.url, pt_buf_cstr(&path), &answer, err);
    if (code != PT_OK) return code;
    PT_JSON json_t *value = NULL;
    code = pt_json_parse(pt_buf_bytes(&answer), ANSWER_MAX, &value, err);
    return code == PT_OK ? admin_print(value, err) : code;
}

static enum pt_code evidence(int argc, char **argv, struct pt_error *err) {
    struct claim_words w = {0};
    struct consortium consortium;
    PT_CLEANUP(own_chain_close) struct own_chain chain = {.lock = -1};
    PT_CLEANUP(pt_buf_free) struct pt_buf path = PT_BUF_INIT(PATH_ROOM);
    PT_CLEANUP(pt_buf_free) struct pt_buf bundle = PT_BUF_INIT(CLAIM_EVIDENCE_MAX);
    const struct argument_word words[] = {{"DIR", &w.directory}, {0}};
    const struct argument arguments[] = {{"--company", &w.company, NULL, "the insurer's actor"}, {"--url", &w.url, NULL, "the ledger"},
                                         {"--statement", &w.statement, NULL, "the batch's statement id"},
                                         {"--first", &w.first, NULL, NULL}, {"--out", &w.out, NULL, "the file to write"}, {0}};
    enum pt_code code = arguments_parse(argc, argv, words, arguments, err);
    if (code == PT_OK) code = open_chain(&w, &consortium, &chain, err);
    pt_buf_str(&path, "/claims/");
    if (code == PT_OK) escape(w.statement, &path);
    pt_buf_str(&path, "/evidence");
    if (w.first) pt_buf_str(&path, "?first="), escape(w.first, &path);
    if (code == PT_OK) code = pt_buf_check(&path, err);
    if (code == PT_OK) code = own_chain_get(&chain, w.url, pt_buf_cstr(&path), &bundle, err);
    if (code == PT_OK) code = pt_file_replace(w.out, pt_buf_bytes(&bundle), 0644, err);
    if (code != PT_OK) return code;
    PT_JSON json_t *report = json_pack("{s:s, s:I}", "file", w.out, "bytes", (json_int_t)bundle.len);
    return admin_print(report, err);
}

int command_claim(int argc, char **argv) {
    static const struct {
        const char *name;
        enum pt_code (*run)(int argc, char **argv, struct pt_error *err);
    } parts[] = {{"make", make}, {"send", send}, {"show", show}, {"evidence", evidence}};
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0) return fputs(overview, stdout) < 0 ? 3 : 0;
    if (argc >= 2 && strcmp(argv[1], "verify") == 0) return claim_verify_command(argc - 1, argv + 1);
    for (size_t i = 0; argc >= 2 && i < sizeof parts / sizeof *parts; i++) {
        char name[32];
        struct pt_error err = {.position = -1};
        if (strcmp(parts[i].name, argv[1]) != 0) continue;
        if (parts[i].run(argc - 1, argv + 1, &err) == PT_OK) return 0;
        snprintf(name, sizeof name, "claim %s", argv[1]);
        return command_failed(name, &err);
    }
    if (argc >= 2) fprintf(stderr, "packtrail claim: there is no command '%s'\n\n", argv[1]);
    fputs(overview, stderr);
    return 2;
}
