// packtrail watch: follows a ledger from outside, and raises its voice when it stalls or contradicts itself.
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/cleanup.h"
#include "common/base/disk.h"
#include "common/base/json.h"
#include "common/base/text.h"
#include "common/net/https_client.h"
#include "tools/command/command.h"
#include "tools/watch/watch_memory.h"

#define URLS_MOST 16u
#define GENESIS_MOST ((size_t)16 * 1024 * 1024)
#define CHECKPOINT_MOST ((size_t)8192)

static const char help[] =
    "usage: packtrail watch --genesis FILE --memory FILE --url URL [--url URL]… [OPTION…]\n"
    "\n"
    "Asks ledger nodes for their signed checkpoint again and again, and checks that each continues the one before:\n"
    "the same history, grown at its end. What was last seen is kept in the memory file, so that a run tomorrow notices\n"
    "what happened overnight. Of several nodes all must tell one history. One JSON line a check on standard output.\n"
    "\n"
    "  --genesis FILE   the ledger's genesis: its nodes' keys\n"
    "  --memory FILE    what was seen; made when it is missing\n"
    "  --url URL        https://host:port of a node (http:// to this machine alone)\n"
    "  --ca FILE        the consortium's TLS CA; --cert FILE --key FILE: the own certificate, if nodes ask for one\n"
    "  --interval S     seconds between checks, default 10; --once: one check\n"
    "  --stale S        stalled after so long without a new height, default 900\n"
    "\n"
    "States and exit statuses: ok 0, stalled 4, forked 5, rolled-back 6; 1 bad input, 2 usage, 3 system failure.\n"
    "Without --once it runs until a ledger is forked or rolled back; both signed checkpoints are then kept in\n"
    "MEMORY.evidence-N: they convict whoever signed them.\n";

static const int exit_of[] = {[WATCH_OK] = 0, [WATCH_STALLED] = 4, [WATCH_FORKED] = 5, [WATCH_ROLLED_BACK] = 6};

struct watch {
    const char *genesis_file, *memory_file;
    struct watch_node nodes[URLS_MOST];
    size_t node_count;
    struct https_client_options client_options;
    long interval, stale;
    bool once;
    struct genesis genesis;
    struct https_client *client;
};

static volatile sig_atomic_t stopped;

static void stop(int signal_number) {
    (void)signal_number;
    stopped = 1;
}

// --- Asking a node ---

static enum pt_code get(struct watch *watch, const char *url, const char *path, struct pt_buf *out, struct pt_error *err) {
    PT_CLEANUP(https_client_response_free) struct https_client_response response = {0};
    char whole[1024];
    snprintf(whole, sizeof whole, "%s%s", url, path);
    const struct https_client_request request = {.url = whole};
    const enum pt_code code = https_client_send(watch->client, &request, &response, err);
    if (code != PT_OK) return code;
    if (response.status != 200) return pt_fail(err, PT_UNAVAILABLE, whole, "the node answers with status %u", response.status);
    pt_buf_append_bytes(out, pt_buf_bytes(&response.body));
    return pt_buf_check(out, err);
}

static enum pt_code read_node(const json_t *value, struct pt_digest *out, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf bytes = PT_BUF_INIT(PT_DIGEST_SIZE);
    const char *text = json_string_value(value);
    if (!text || pt_base64_decode(pt_bytes_str(text), &bytes, NULL) != PT_OK || bytes.len != PT_DIGEST_SIZE)
        return pt_fail(err, PT_INVALID, "proof", "not a list of hashes");
    memcpy(out->bytes, bytes.data, PT_DIGEST_SIZE);
    return PT_OK;
}

// Beyond the sizes asked for only the path is taken from the answer: the roots are those of the signed checkpoints.
static enum pt_code get_proof(struct watch *watch, const char *url, uint64_t size1, uint64_t size2, struct watch_proof *out,
                              struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf body = PT_BUF_INIT((size_t)64 * 1024);
    PT_JSON json_t *answer = NULL;
    char path[128];
    *out = (struct watch_proof){.size1 = size1, .size2 = size2};
    snprintf(path, sizeof path, "/proofs/consistency?from=%llu&to=%llu", (unsigned long long)size1, (unsigned long long)size2);
    enum pt_code code = get(watch, url, path, &body, err);
    if (code == PT_OK) code = pt_json_parse(pt_buf_bytes(&body), body.ceiling, &answer, err);
    if (code != PT_OK) return code;
    const json_t *nodes = json_object_get(answer, "proof");
    if (!json_is_array(nodes) || json_array_size(nodes) > MERKLE_MAX_PATH) return pt_fail(err, PT_INVALID, "proof", "not a list of hashes");
    for (; code == PT_OK && out->path.count < json_array_size(nodes); out->path.count++)
        code = read_node(json_array_get(nodes, out->path.count), &out->path.nodes[out->path.count], err);
    return code;
}

// --- One check ---

static void print_line(const char *url, enum watch_state state, const struct checkpoint *seen, const char *why) {
    PT_CLEANUP(pt_buf_free) struct pt_buf line = PT_BUF_INIT(8192);
    PT_JSON json_t *object = json_object();
    json_object_set_new(object, "url", json_string(url));
    json_object_set_new(object, "state", json_string(watch_state_name(state)));
    if (seen) {
        char root[65];
        pt_digest_hex(&seen->tree_root, root);
        json_object_set_new(object, "height", json_integer((json_int_t)seen->height));
        json_object_set_new(object, "tree_size", json_integer((json_int_t)seen->tree_size));
        json_object_set_new(object, "tree_root", json_string(root));
    }
    if (why[0]) json_object_set_new(object, "why", json_string(why));
    if (pt_json_append(&line, object, NULL) == PT_OK) printf("%s\n", pt_buf_cstr(&line));
    fflush(stdout);
}

static enum pt_code keep_evidence(const struct watch *watch, enum watch_state state, const char *why, struct pt_bytes known,
                                  struct pt_bytes seen, const char *from, struct pt_error *err) {
    char name[512];
    const enum pt_code code = watch_evidence_write(watch->memory_file, state, why, known, seen, from, name, err);
    if (code == PT_OK) fprintf(stderr, "packtrail watch: %s; the evidence is in %s\n", why, name);
    return code;
}

static enum pt_code judge(struct watch *watch, struct watch_node *node, struct pt_bytes bytes, const struct checkpoint *next,
                          enum watch_state *state, struct pt_error *err) {
    const struct pt_env *env = pt_env_system();
    struct watch_proof proof;
    char why[160];
    const bool needed = watch_needs_proof(&node->memory, next), known = node->memory.known;
    const uint64_t height = node->memory.last.height;
    // No proof because the line broke is silence; a proof that does not hold is a fork.
    const enum pt_code code = needed ? get_proof(watch, node->url, node->memory.last.tree_size, next->tree_size, &proof, err) : PT_OK;
    if (code != PT_OK) return code;
    *state = watch_judge(&node->memory, next, needed ? &proof : NULL, env->now(env->ctx), (pt_millis)watch->stale * 1000, why);
    print_line(node->url, *state, next, why);
    if (*state > WATCH_STALLED) return keep_evidence(watch, *state, why, pt_buf_bytes(&node->last), bytes, node->url, err);
    if (known && node->memory.last.height == height) return PT_OK;
    pt_buf_clear(&node->last);
    pt_buf_append_bytes(&node->last, bytes);
    return watch_memory_write(watch->memory_file, watch->nodes, watch->node_count, err);
}

static enum pt_code check_node(struct watch *watch, struct watch_node *node, enum watch_state *state, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf bytes = PT_BUF_INIT(CHECKPOINT_MOST);
    const struct pt_env *env = pt_env_system();
    struct checkpoint next;
    enum pt_code code = get(watch, node->url, "/checkpoint", &bytes, err);
    if (code == PT_OK) code = watch_checkpoint_verify(pt_buf_bytes(&bytes), &watch->genesis, &next, err);
    if (code == PT_OK) code = judge(watch, node, pt_buf_bytes(&bytes), &next, state, err);
    if (code == PT_OK || code == PT_IO || code == PT_NO_MEMORY) return code;
    // Whoever answers with something else than a signed checkpoint has not answered.
    *state = watch_silence(&node->memory, env->now(env->ctx), (pt_millis)watch->stale * 1000);
    print_line(node->url, *state, NULL, err->what);
    return PT_OK;
}

// Whether two nodes tell one history, by what each told last.
static enum pt_code compare(struct watch *watch, const struct watch_node *a, const struct watch_node *b, enum watch_state *state,
                            struct pt_error *err) {
    const bool swapped = a->memory.last.tree_size > b->memory.last.tree_size;
    const struct watch_node *smaller = swapped ? b : a, *larger = swapped ? a : b;
    const uint64_t size1 = smaller->memory.last.tree_size, size2 = larger->memory.last.tree_size;
    struct watch_proof proof;
    char why[160];
    const bool needed = size1 > 0 && size1 < size2;
    if (!a->memory.known || !b->memory.known) return PT_OK;
    if (needed && get_proof(watch, larger->url, size1, size2, &proof, err) != PT_OK) return PT_OK;  // silence, told already
    if (watch_agree(&smaller->memory.last, &larger->memory.last, needed ? &proof : NULL, why)) return PT_OK;
    *state = WATCH_FORKED;
    print_line(larger->url, *state, &larger->memory.last, why);
    return keep_evidence(watch, *state, why, pt_buf_bytes(&smaller->last), pt_buf_bytes(&larger->last), larger->url, err);
}

// The worst of all nodes; one that is silent while others go on is only told.
static enum pt_code check_all(struct watch *watch, enum watch_state *out, struct pt_error *err) {
    enum pt_code code = PT_OK;
    bool any_ok = false;
    *out = WATCH_STALLED;
    for (size_t i = 0; code == PT_OK && *out == WATCH_STALLED && i < watch->node_count; i++) {
        enum watch_state state = WATCH_STALLED;
        code = check_node(watch, &watch->nodes[i], &state, err);
        any_ok = any_ok || state == WATCH_OK;
        if (state > WATCH_STALLED) *out = state;
    }
    for (size_t i = 1; code == PT_OK && *out == WATCH_STALLED && i < watch->node_count; i++)
        code = compare(watch, &watch->nodes[0], &watch->nodes[i], out, err);
    if (any_ok && *out == WATCH_STALLED) *out = WATCH_OK;
    return code;
}

// --- The command ---

static bool parse_seconds(const char *text, long least, long *out) {
    char *end;
    errno = 0;
    *out = strtol(text, &end, 10);
    return errno == 0 && end != text && !*end && *out >= least && *out <= 31536000;
}

// 0 go on, else 1 + the exit status.
static int parse_arguments(int argc, char **argv, struct watch *watch) {
    static const struct option longs[] = {
        {"genesis", required_argument, NULL, 'g'}, {"memory", required_argument, NULL, 'm'}, {"url", required_argument, NULL, 'u'},
        {"ca", required_argument, NULL, 'a'},      {"cert", required_argument, NULL, 'c'},   {"key", required_argument, NULL, 'k'},
        {"interval", required_argument, NULL, 'i'}, {"stale", required_argument, NULL, 's'}, {"once", no_argument, NULL, 'o'},
        {"help", no_argument, NULL, 'h'},          {0}};
    bool good = true;
    optind = 1;
    for (int option; good && (option = getopt_long(argc, argv, "h", longs, NULL)) != -1;) {
        switch (option) {
        case 'g': watch->genesis_file = optarg; break;
        case 'm': watch->memory_file = optarg; break;
        case 'u':
            good = watch->node_count < URLS_MOST;
            if (good) watch->nodes[watch->node_count++] = (struct watch_node){.url = optarg, .last = PT_BUF_INIT(CHECKPOINT_MOST)};
            break;
        case 'a': watch->client_options.ca_file = optarg; break;
        case 'c': watch->client_options.certificate_file = optarg; break;
        case 'k': watch->client_options.key_file = optarg; break;
        case 'i': good = parse_seconds(optarg, 1, &watch->interval); break;
        case 's': good = parse_seconds(optarg, 1, &watch->stale); break;
        case 'o': watch->once = true; break;
        case 'h': fputs(help, stdout); return 1;
        default: good = false;
        }
    }
    if (good && optind == argc && watch->genesis_file && watch->memory_file && watch->node_count > 0) return 0;
    fputs(help, stderr);
    return 3;
}

static enum pt_code open_watch(struct watch *watch, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf file = PT_BUF_INIT(GENESIS_MOST);
    enum pt_code code = pt_file_read(watch->genesis_file, &file, err);
    if (code == PT_OK) code = genesis_decode(pt_buf_bytes(&file), &watch->genesis, err);
    if (code == PT_OK) code = watch_memory_read(watch->memory_file, &watch->genesis, watch->nodes, watch->node_count, err);
    watch->client_options.allow_plain_loopback = true;
    return code == PT_OK ? https_client_new(&watch->client_options, &watch->client, err) : code;
}

static int follow(struct watch *watch) {
    struct pt_error err = {0};
    enum watch_state state = WATCH_STALLED;
    const struct sigaction action = {.sa_handler = stop};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    do {
        if (check_all(watch, &state, &err) != PT_OK) return command_failed("watch", &err);
        if (watch->once || state > WATCH_STALLED) break;
        const struct timespec pause = {watch->interval, 0};
        nanosleep(&pause, NULL);
    } while (!stopped);
    return exit_of[state];
}

int command_watch(int argc, char **argv) {
    struct watch watch = {.interval = 10, .stale = 900};
    struct pt_error err = {0};
    const int stop_now = parse_arguments(argc, argv, &watch);
    if (stop_now) return stop_now - 1;
    const int status = open_watch(&watch, &err) == PT_OK ? follow(&watch) : command_failed("watch", &err);
    https_client_free(watch.client);
    genesis_free(&watch.genesis);
    for (size_t i = 0; i < watch.node_count; i++) pt_buf_free(&watch.nodes[i].last);
    return status;
}
