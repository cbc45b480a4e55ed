// packtrail identify: what scanned codes say, or which rule they break and where.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/json.h"
#include "common/base/text.h"
#include "common/base/time.h"
#include "common/identify/epc_urn.h"
#include "common/identify/identification.h"
#include "tools/command/command.h"

#define LINE_MAX_BYTES ((size_t)64 * 1024)

struct run {
    struct identify_options options;
    bool hex;
};

static void print_help(FILE *out) {
    fputs(
        "usage: packtrail identify [OPTION…] [CODE…]\n\n"
        "Says what each CODE is, one JSON object a line: GS1 element strings (raw or with brackets), GS1 Digital "
        "Links,\n"
        "EPC URNs, Chinese trace codes, product codes. Without CODE one is read from each line of standard input.\n\n"
        "  --symbology ]d2    AIM symbology identifier that the reader told (decode prints it as \"aim\"); it may also "
        "stand\n"
        "                     at the start of CODE. Without one every lawful reading is tried; two that hold are "
        "refused.\n"
        "  --hex              CODE is hexadecimal: EPC memory when its first byte is 30 (SGTIN-96), 31 (SSCC-96; both "
        "12\n"
        "                     bytes) or 36 (SGTIN-198, 25 or 26 bytes), else the bytes of a symbol as decode prints "
        "them;\n"
        "                     what could be both is refused\n"
        "  --gcp-length N     digits of the GS1 company prefix, 6 to 12: adds \"epc_urn\"\n"
        "  --partial          the code is one of several on the item: a missing companion element is only a warning\n\n"
        "FNC1 is the byte 0x1D, a typed ^, or {GS}. An error is {\"error\",\"position\"}: the rule, and the byte "
        "offset in CODE\n"
        "(with --hex in its bytes; -1 where the whole is meant). Exit 1 when any code is in error.\n",
        out);
}

static int current_year(void) {
    const struct pt_env *env = pt_env_system();
    int64_t year;
    unsigned month;
    unsigned day;
    pt_civil_from_days(env->now(env->ctx) / ((int64_t)24 * 3600 * 1000), &year, &month, &day);
    return (int)year;
}

static enum pt_code look(const struct run *run, struct pt_bytes input, struct identification *found,
                         struct pt_error *err) {
    if (!run->hex) return identify(input, &run->options, found, err);
    PT_CLEANUP(pt_buf_free) struct pt_buf raw = PT_BUF_INIT(LINE_MAX_BYTES);
    const enum pt_code code = pt_hex_decode(input, &raw, err);
    return code == PT_OK ? identify_bytes(pt_buf_bytes(&raw), &run->options, found, err) : code;
}

static int identify_one(const struct run *run, struct pt_bytes input) {
    PT_FREE struct identification *found = calloc(1, sizeof *found);
    PT_CLEANUP(pt_buf_free) struct pt_buf line = PT_BUF_INIT(LINE_MAX_BYTES);
    struct pt_error err = {.position = -1};
    const enum pt_code code =
        found ? look(run, input, found, &err) : pt_fail(&err, PT_NO_MEMORY, NULL, "out of memory");
    int status = 0;
    if (code == PT_OK) {
        identification_json(&line, found);
    } else {
        status = command_failed("identify", &err);
        if (status == 1) {
            pt_buf_str(&line, "{\"error\":");
            pt_json_append_string(&line, pt_bytes_str(err.what));
            pt_buf_printf(&line, ",\"position\":%ld}", err.position);
        }
    }
    if (status <= 1 && (pt_buf_check(&line, NULL) != PT_OK || puts(pt_buf_cstr(&line)) == EOF)) return 3;
    return status;
}

static int identify_lines(const struct run *run) {
    char *text = NULL;
    size_t size = 0;
    int status = 0;
    for (ssize_t len; (len = getline(&text, &size, stdin)) >= 0;) {
        if (len > 0 && text[len - 1] == '\n') len--;
        if (len == 0) continue;
        const int one = identify_one(run, pt_bytes_of(text, (size_t)len));
        if (one > status) status = one;
        fflush(stdout);
    }
    free(text);
    return ferror(stdin) ? 3 : status;
}

// Reads the options; the index of the first CODE, or 0 when they are wrong.
static int read_options(int argc, char **argv, struct run *run) {
    int at = 1;
    for (; at < argc && strncmp(argv[at], "--", 2) == 0; at++) {
        if (strcmp(argv[at], "--") == 0) return at + 1;
        if (strcmp(argv[at], "--hex") == 0) {
            run->hex = true;
        } else if (strcmp(argv[at], "--partial") == 0) {
            run->options.partial = true;
        } else if (strcmp(argv[at], "--symbology") == 0 && at + 1 < argc) {
            run->options.symbology = argv[++at];
        } else if (strcmp(argv[at], "--gcp-length") == 0 && at + 1 < argc) {
            char *end = NULL;
            const unsigned long length = strtoul(argv[++at], &end, 10);
            if (*end || length < EPC_PREFIX_MIN || length > EPC_PREFIX_MAX) return 0;
            run->options.prefix_length = (unsigned)length;
        } else {
            return 0;
        }
    }
    return at;
}

int command_identify(int argc, char **argv) {
    if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        print_help(stdout);
        return 0;
    }
    struct run run = {.options = {.year = current_year()}};
    const int first = read_options(argc, argv, &run);
    if (first == 0) {
        print_help(stderr);
        return 2;
    }
    if (first == argc) return identify_lines(&run);
    int status = 0;
    for (int i = first; i < argc; i++) {
        const int one = identify_one(&run, pt_bytes_str(argv[i]));
        if (one > status) status = one;
    }
    return status;
}
