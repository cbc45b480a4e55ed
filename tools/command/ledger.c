// `packtrail ledger`: a ledger node's directory while no node runs on it.
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/disk.h"
#include "common/base/json.h"
#include "ledger/check/fsck.h"
#include "ledger/ledger.h"
#include "tools/command/command.h"

static const char help[] =
    "usage: packtrail ledger init DIR --genesis FILE [--key PEM]\n"
    "       packtrail ledger fsck DIR\n"
    "       packtrail ledger reindex DIR\n"
    "\n"
    "  init     makes the directory of a ledger node; --key must be an executor's of the genesis\n"
    "  fsck     checks chain, signatures, tree, contracts and index, believing only the genesis file; a JSON line for\n"
    "           each problem and one at the end; exit 1 if there is any\n"
    "  reindex  drops index and tree files and builds them anew from the chain\n";

enum { MOST_GENESIS = 16 * 1024 * 1024, MOST_KEY = 65536 };

static void print_json(json_t *take) {
    PT_JSON json_t *object = take;
    PT_CLEANUP(pt_buf_free) struct pt_buf line = PT_BUF_INIT(65536);
    if (pt_json_append(&line, object, NULL) == PT_OK) printf("%s\n", pt_buf_cstr(&line));
}

static int usage(void) {
    fputs(help, stderr);
    return 2;
}

static int init(int argc, char **argv) {
    static const struct option longs[] = {{"genesis", required_argument, NULL, 'g'}, {"key", required_argument, NULL, 'k'}, {0}};
    const char *genesis_file = NULL;
    const char *key_file = NULL;
    optind = 0;
    for (int option; (option = getopt_long(argc, argv, "", longs, NULL)) != -1;) {
        if (option == 'g') genesis_file = optarg;
        else if (option == 'k') key_file = optarg;
        else return usage();
    }
    if (!genesis_file || optind + 1 != argc) return usage();
    struct pt_error err = {0};
    PT_CLEANUP(pt_buf_free) struct pt_buf genesis = PT_BUF_INIT(MOST_GENESIS);
    PT_CLEANUP(pt_buf_free) struct pt_buf key = PT_BUF_INIT(MOST_KEY);
    enum pt_code code = pt_file_read(genesis_file, &genesis, &err);
    if (code == PT_OK && key_file) code = pt_file_read(key_file, &key, &err);
    if (code == PT_OK) code = ledger_init(argv[optind], pt_buf_bytes(&genesis), pt_buf_bytes(&key), &err);
    if (key.data) explicit_bzero(key.data, key.cap);
    if (code != PT_OK) return command_failed("ledger init", &err);
    print_json(json_pack("{s:s}", "ledger", argv[optind]));
    return 0;
}

static void tell(void *arg, const char *where, uint64_t height, const char *what) {
    (void)arg;
    print_json(json_pack("{s:s, s:I, s:s}", "problem", where, "height", (json_int_t)height, "what", what));
}

static int fsck(const char *dir) {
    struct pt_error err = {0};
    struct fsck_report report;
    if (ledger_fsck(dir, pt_env_system(), tell, NULL, &report, &err) != PT_OK) return command_failed("ledger fsck", &err);
    print_json(json_pack("{s:b, s:I, s:I, s:I, s:I}", "clean", report.problems == 0, "height", (json_int_t)report.height, "statements",
                         (json_int_t)report.statements, "index_height", (json_int_t)report.index_height, "problems",
                         (json_int_t)report.problems));
    return report.problems ? 1 : 0;
}

static int reindex(const char *dir) {
    struct pt_error err = {0};
    uint64_t height = 0;
    if (ledger_reindex(dir, pt_env_system(), &height, &err) != PT_OK) return command_failed("ledger reindex", &err);
    print_json(json_pack("{s:I}", "height", (json_int_t)height));
    return 0;
}

int command_ledger(int argc, char **argv) {
    if (argc >= 2 && strcmp(argv[1], "--help") == 0) {
        fputs(help, stdout);
        return 0;
    }
    if (argc >= 3 && strcmp(argv[1], "init") == 0) return init(argc - 1, argv + 1);
    if (argc == 3 && strcmp(argv[1], "fsck") == 0) return fsck(argv[2]);
    if (argc == 3 && strcmp(argv[1], "reindex") == 0) return reindex(argv[2]);
    return usage();
}
