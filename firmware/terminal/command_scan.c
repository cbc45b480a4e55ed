// `packtrail-scanner scan`: codes from pictures, typed lines and NFC tags become signed events.
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/cleanup.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/text.h"
#include "firmware/decoder/decoder.h"
#include "firmware/scan/frame_source.h"
#include "firmware/scan/scan_nfc.h"
#include "firmware/terminal/capture.h"
#include "firmware/terminal/command.h"
#include "firmware/terminal/sync_thread.h"

static const char help_head[] =
    "usage: packtrail-scanner --config FILE scan --task TASK [OPTION…] [SOURCE…]\n"
    "\n"
    "SOURCE is a picture, a directory of pictures, a FIFO, or - for pictures on standard input (PGM, PPM).\n"
    "\n"
    "  --task TASK        what is done with the packs; see below\n"
    "  --codes FILE       codes as a keyboard-wedge scanner types them, one a line (- for standard input)\n"
    "  --tags N           read N NFC tags, too (each at most 30 s after the one before)\n"
    "  --parent CODE      the case or pallet; without it the first SSCC scanned is taken\n"
    "  --from URI --to URI   the party that the packs come from or go to\n"
    "  --order TYPE=URI   business transaction: po=…, desadv=…, prescription=…\n"
    "  --units N          dispense N smallest units of each pack, not the whole pack\n"
    "  --each             an event of its own for every pack\n"
    "  --follow           keep watching directories for new pictures\n"
    "  --despite-recall   take packs that are recalled also where they would go into trade\n"
    "  --sync             bring the statements to the gateway and look for recalls meanwhile\n"
    "\n"
    "Each symbol is answered by a JSON line, each signed event by another.\n\n";

enum { TAG_SECONDS = 30, MOST_LINE = 8192, OLD_HOURS = 24 };

struct scan_arguments {
    const struct task *task;
    const char *codes, *parent, *from, *to;
    char order_type[64];
    const char *order;
    uint64_t units;
    unsigned tags;
    bool each, follow, sync, despite_recall;
};

// What all sources of codes feed.
struct scan_session {
    struct capture *capture;
    struct recall_list *recalls;
    bool rejected;  // something that was shown to the reader could not be taken
};

static void print_help(FILE *out) {
    fputs(help_head, out);
    size_t count;
    const struct task *tasks = task_list(&count);
    for (size_t i = 0; i < count; i++) fprintf(out, "  %-13s %s\n", tasks[i].name, tasks[i].summary);
}

static void print_json(json_t *take) {
    PT_JSON json_t *object = take;
    PT_CLEANUP(pt_buf_free) struct pt_buf line = PT_BUF_INIT((size_t)1024 * 1024);
    if (pt_json_append(&line, object, NULL) != PT_OK) return;
    printf("%s\n", pt_buf_cstr(&line));
    fflush(stdout);
}

static void tell_signed(void *arg, const struct captured_event *event) {
    struct sync_thread *sync = arg;
    char id[65];
    pt_digest_hex(&event->id, id);
    print_json(json_pack("{s:s, s:I, s:I}", "statement", id, "sequence", (json_int_t)event->sequence, "packs",
                         (json_int_t)event->packs));
    if (sync) sync_thread_nudge(sync);
}

static void set_languages(json_t *object, const char *name, const char *zh, const char *en) {
    if (!zh[0] && !en[0]) return;
    json_object_set_new(object, name, json_pack("{s:s, s:s}", "zh", zh[0] ? zh : en, "en", en[0] ? en : zh));
}

// What staff are shown, in both languages, and how old the terminal's knowledge is.
static json_t *recall_json(const struct scan_session *session, const struct recall_warning *recall) {
    const struct pt_env *env = pt_env_system();
    struct recall_list_status status;
    json_t *object = json_object();
    recall_list_status(session->recalls, &status);
    json_object_set_new(object, "id", json_string(recall->id));
    json_object_set_new(object, "level", json_integer(recall->level));
    json_object_set_new(object, "certain", json_boolean(recall->certain));
    if (!recall->certain && recall->lots[0]) json_object_set_new(object, "lots", json_string(recall->lots));
    set_languages(object, "reason", recall->reason_zh, recall->reason_en);
    set_languages(object, "instructions", recall->instructions_zh, recall->instructions_en);
    set_languages(object, "advice", recall_advice_zh(recall->certain), recall_advice_en(recall->certain));
    json_object_set_new(object, "list_age_s", json_integer((json_int_t)((env->now(env->ctx) - status.read) / 1000)));
    return object;
}

// Feeds one code and answers with a line about it.
static enum pt_code take_code(struct scan_session *session, const char *source, struct pt_bytes code, const char *aim,
                              struct pt_error *err) {
    static const char *const outcomes[] = {NULL, "added", "parent", "duplicate", "product_code", "rejected", "recalled"};
    struct identification found;
    struct pt_error why = {0};
    enum capture_outcome outcome;
    const enum pt_code result = capture_code(session->capture, code, aim, &outcome, &found, &why, err);
    json_t *line = json_object();
    json_object_set_new(line, "source", json_string(source));
    json_object_set_new(line, "outcome", json_string(outcomes[outcome]));
    if (outcome == CAPTURE_REJECTED) {
        session->rejected = true;
        json_object_set_new(line, "error", json_string_nocheck(why.what));  // may quote foreign bytes
        json_object_set_new(line, "position", json_integer(why.position));
    } else {
        if (outcome == CAPTURE_RECALLED) session->rejected = true;
        if (capture_recall(session->capture)) json_object_set_new(line, "recall", recall_json(session, capture_recall(session->capture)));
        if (found.epc[0]) json_object_set_new(line, "epc", json_string(found.epc));
        json_t *warnings = json_array();
        for (size_t i = 0; i < found.warnings.count; i++) json_array_append_new(warnings, json_string(found.warnings.text[i]));
        json_object_set_new(line, "warnings", warnings);
    }
    print_json(line);
    return result == PT_OK ? capture_settle(session->capture, err) : result;
}

static enum pt_code take_frame(struct scan_session *session, struct decoder *decoder, const struct scan_frame *frame,
                               struct pt_error *err) {
    PT_CLEANUP(scan_symbols_free) struct scan_symbols symbols = {0};
    struct pt_error bad = {0};
    enum pt_code code = decoder_read(decoder, frame, &symbols, &bad);
    if (code == PT_INVALID || code == PT_LIMIT) {  // this picture's fault: the next one may be good
        session->rejected = true;
        print_json(json_pack("{s:s, s:s, s:s}", "source", frame->name, "outcome", "unreadable", "error", bad.what));
        return PT_OK;
    }
    if (code != PT_OK && err) *err = bad;
    if (code == PT_OK && symbols.count == 0) {
        session->rejected = true;
        print_json(json_pack("{s:s, s:s}", "source", frame->name, "outcome", "no_symbol"));
    }
    for (size_t i = 0; i < symbols.count && code == PT_OK; i++)
        code = take_code(session, frame->name, pt_buf_bytes(&symbols.items[i].bytes), symbols.items[i].aim, err);
    return code;
}

static enum pt_code take_source(struct scan_session *session, struct decoder *decoder, const char *path, bool follow,
                                struct pt_error *err) {
    struct scan_source *source;
    const struct scan_source_options options = {.follow = follow};
    enum pt_code code = scan_source_open(path, &options, &source, err);
    if (code != PT_OK) return code;
    for (;;) {
        struct scan_frame frame = {0};
        struct pt_error bad = {0};
        const enum pt_code next = scan_source_next(source, 1000, &frame, &bad);
        if (next == PT_NOT_FOUND) break;
        if (next == PT_UNAVAILABLE) continue;
        if (next != PT_OK) {
            session->rejected = true;
            print_json(json_pack("{s:s, s:s, s:s}", "source", path, "outcome", "unreadable", "error", bad.what));
            continue;
        }
        code = take_frame(session, decoder, &frame, err);
        scan_frame_free(&frame);
        if (code != PT_OK) break;
    }
    scan_source_close(source);
    return code;
}

static enum pt_code take_lines(struct scan_session *session, const char *path, struct pt_error *err) {
    PT_FCLOSE FILE *opened = strcmp(path, "-") == 0 ? NULL : fopen(path, "r");
    FILE *file = strcmp(path, "-") == 0 ? stdin : opened;
    if (!file) return pt_fail_errno(err, path, "cannot open");
    char line[MOST_LINE];
    enum pt_code code = PT_OK;
    while (code == PT_OK && fgets(line, sizeof line, file)) {
        const size_t len = strcspn(line, "\r\n");
        if (len > 0) code = take_code(session, "typed", pt_bytes_of(line, len), NULL, err);
    }
    return code;
}

static enum pt_code take_tag(struct scan_session *session, const struct scan_tag *tag, struct pt_error *err) {
    if (tag->uri.len) return take_code(session, "nfc", pt_buf_bytes(&tag->uri), NULL, err);
    PT_CLEANUP(pt_buf_free) struct pt_buf uid = PT_BUF_INIT(64);
    pt_hex_append(&uid, pt_bytes_of(tag->uid, tag->uid_len));
    session->rejected = true;
    print_json(json_pack("{s:s, s:s, s:s, s:s}", "source", "nfc", "outcome", "rejected", "uid", pt_buf_cstr(&uid), "error",
                         tag->problem.code != PT_OK ? tag->problem.what : "the tag bears no link to a pack"));
    return PT_OK;
}

static enum pt_code take_tags(struct scan_session *session, const char *connection, unsigned count, struct pt_error *err) {
    const struct pt_env *env = pt_env_system();
    struct scan_nfc *nfc;
    enum pt_code code = scan_nfc_open(connection, &nfc, err);
    if (code != PT_OK) return code;
    pt_millis end = env->now(env->ctx) + TAG_SECONDS * 1000;
    for (unsigned seen = 0; seen < count && code == PT_OK;) {
        struct scan_tag tag = {0};
        bool found = false;
        code = scan_nfc_poll(nfc, &found, &tag, err);
        if (code == PT_OK && found) {
            code = take_tag(session, &tag, err);
            end = env->now(env->ctx) + TAG_SECONDS * 1000;
            seen++;
        } else if (code == PT_OK && env->now(env->ctx) > end)
            code = pt_fail(err, PT_UNAVAILABLE, "nfc", "no tag was laid on in %d s", TAG_SECONDS);
        scan_tag_free(&tag);
        const struct timespec pause = {0, 20000000};
        if (!found) nanosleep(&pause, NULL);
    }
    scan_nfc_close(nfc);
    return code;
}

static bool parse_number(const char *text, unsigned long most, unsigned long *out) {
    char *end;
    errno = 0;
    *out = strtoul(text, &end, 10);
    return errno == 0 && end != text && *end == 0 && *out <= most;
}

static bool parse_order(struct scan_arguments *args, const char *text) {
    const char *equals = strchr(text, '=');
    if (!equals || equals == text || (size_t)(equals - text) >= sizeof args->order_type) return false;
    memcpy(args->order_type, text, (size_t)(equals - text));
    args->order_type[equals - text] = 0;
    args->order = equals + 1;
    return true;
}

// 0 go on, else 1 + the exit status.
static int parse_arguments(int argc, char **argv, struct scan_arguments *args) {
    static const struct option longs[] = {
        {"task", required_argument, NULL, 't'},  {"codes", required_argument, NULL, 'c'},  {"tags", required_argument, NULL, 'n'},
        {"parent", required_argument, NULL, 'p'}, {"from", required_argument, NULL, 'f'},   {"to", required_argument, NULL, 'o'},
        {"order", required_argument, NULL, 'b'}, {"units", required_argument, NULL, 'u'},  {"each", no_argument, NULL, 'e'},
        {"follow", no_argument, NULL, 'w'},      {"sync", no_argument, NULL, 's'},       {"despite-recall", no_argument, NULL, 'r'},         {"help", no_argument, NULL, 'h'}, {0}};
    bool good = true;
    unsigned long number = 0;
    for (int option; good && (option = getopt_long(argc, argv, "t:h", longs, NULL)) != -1;) {
        switch (option) {
        case 't': good = (args->task = task_by_name(optarg)) != NULL; break;
        case 'c': args->codes = optarg; break;
        case 'n': good = parse_number(optarg, 100000, &number); args->tags = (unsigned)number; break;
        case 'p': args->parent = optarg; break;
        case 'f': args->from = optarg; break;
        case 'o': args->to = optarg; break;
        case 'b': good = parse_order(args, optarg); break;
        case 'u': good = parse_number(optarg, 1000000, &number) && number > 0; args->units = number; break;
        case 'e': args->each = true; break;
        case 'w': args->follow = true; break;
        case 's': args->sync = true; break;
        case 'r': args->despite_recall = true; break;
        case 'h': print_help(stdout); return 1;
        default: good = false;
        }
    }
    if (good && args->task && (optind < argc || args->codes || args->tags)) return 0;
    if (good && args->task) fputs("packtrail-scanner scan: no source of codes is given\n\n", stderr);
    print_help(stderr);
    return 3;
}

static enum pt_code read_all(struct scan_session *session, const struct terminal_options *options,
                             const struct scan_arguments *args, char **sources, int count, struct pt_error *err) {
    enum pt_code code = PT_OK;
    if (count > 0) {
        struct decoder *decoder;
        const struct decoder_options decoding = {.reading = {.budget_ms = options->frame_budget}};
        code = decoder_start(&decoding, &decoder, err);
        if (code != PT_OK) return code;
        for (int i = 0; i < count && code == PT_OK; i++) code = take_source(session, decoder, sources[i], args->follow, err);
        decoder_stop(decoder);
    }
    if (code == PT_OK && args->codes) code = take_lines(session, args->codes, err);
    if (code == PT_OK && args->tags) code = take_tags(session, options->nfc, args->tags, err);
    return code;
}

static int scan(struct terminal *terminal, struct sync_thread *sync, const struct scan_arguments *args, char **sources, int count) {
    const struct terminal_options *options = terminal->options;
    struct pt_error err = {0};
    struct scan_session session = {.recalls = terminal->recalls};
    const struct capture_options capture = {
        .task = args->task,
        .place = options->place,
        .source = args->from,
        .destination = args->to,
        .biz_transaction_type = args->order ? args->order_type : NULL,
        .biz_transaction = args->order,
        .units = args->units,
        .most_packs = (size_t)options->most_packs,
        .each = args->each,
        .zone_minutes = (int16_t)options->zone_minutes,
        .env = pt_env_system(),
        .outbox = terminal->outbox,
        .recalls = terminal->recalls,
        .despite_recall = args->despite_recall,
        .history = terminal->history,
    };
    enum pt_code code = capture_new(&capture, &session.capture, &err);
    if (code == PT_OK) capture_on_signed(session.capture, tell_signed, sync);
    if (code == PT_OK && args->parent) code = capture_set_parent(session.capture, pt_bytes_str(args->parent), &err);
    if (code == PT_OK) code = read_all(&session, options, args, sources, count, &err);
    // What was scanned before a failure is signed all the same: the user saw it count.
    struct pt_error finish_err = {0};
    const enum pt_code finished = session.capture ? capture_finish(session.capture, &finish_err) : PT_OK;
    capture_free(session.capture);
    if (code != PT_OK) return terminal_fail(&err);
    if (finished != PT_OK) return terminal_fail(&finish_err);
    return session.rejected ? 1 : 0;
}

// Whoever scans without the line for long must know that newer recalls are not warned of.
static void tell_age(const struct terminal *terminal) {
    const struct pt_env *env = pt_env_system();
    struct recall_list_status status;
    recall_list_status(terminal->recalls, &status);
    const long long hours = (env->now(env->ctx) - status.read) / 3600000;
    if (status.read == 0) pt_log(PT_LOG_WARNING, "recalls-never-read", "run sync first");
    else if (hours >= OLD_HOURS) pt_log(PT_LOG_WARNING, "recalls-old", "hours=%lld", hours);
}

int command_scan(const struct terminal_options *options, int argc, char **argv) {
    struct scan_arguments args = {0};
    const int stop = parse_arguments(argc, argv, &args);
    if (stop) return stop - 1;
    struct pt_error err = {0};
    struct terminal terminal;
    struct sync_thread *sync = NULL;
    if (terminal_open(options, &terminal, &err) != PT_OK) return terminal_fail(&err);
    int status = 3;
    tell_age(&terminal);
    if (args.sync && sync_thread_start(&terminal, &sync, &err) != PT_OK) status = terminal_fail(&err);
    else status = scan(&terminal, sync, &args, argv + optind, argc - optind);
    sync_thread_stop(sync);
    terminal_close(&terminal);
    return status;
}
