#include <stdio.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/epcis/event_hash.h"
#include "tools/command/event.h"

static const size_t MOST_LINE = (size_t)512 * 1024 * 1024;

// Set once from the command line.
static bool with_file, with_prehash;

static enum pt_code append_line(const struct epcis_document *document, size_t index, const char *path,
                                struct pt_buf *line, struct pt_error *err) {
    const struct epcis_event *event = &document->events[index];
    char hash[EPCIS_EVENT_HASH_SIZE];
    enum pt_code code = epcis_event_hash(event, &document->ignored_fields, hash, err);
    if (code != PT_OK) return code;
    pt_buf_str(line, "{");
    if (with_file) {
        pt_buf_str(line, "\"file\":");
        pt_json_append_string(line, pt_bytes_str(path));
        pt_buf_str(line, ",");
    }
    pt_buf_printf(line, "\"index\":%zu,\"hash\":\"%s\"", index, hash);
    if (with_prehash) {
        PT_CLEANUP(pt_buf_free) struct pt_buf prehash = PT_BUF_INIT(MOST_LINE);
        code = epcis_event_prehash(event, &document->ignored_fields, &prehash, err);
        if (code != PT_OK) return code;
        pt_buf_str(line, ",\"prehash\":");
        pt_json_append_string(line, pt_buf_bytes(&prehash));
    }
    pt_buf_str(line, "}\n");
    return pt_buf_check(line, err);
}

static int hash_one(const char *path) {
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    struct epcis_document document;
    struct pt_error err = {0};
    if (event_read_file(path, EPCIS_FOR_HASH, &arena, &document, &err) != PT_OK) return event_print_refusal(path, &err);
    PT_CLEANUP(pt_buf_free) struct pt_buf line = PT_BUF_INIT(MOST_LINE);
    for (size_t i = 0; i < document.event_count; i++) {
        pt_buf_clear(&line);
        if (append_line(&document, i, path, &line, &err) != PT_OK) {
            (void)pt_error_under(&err, "/events/%zu", i);
            return event_print_refusal(path, &err);
        }
        fwrite(line.data, 1, line.len, stdout);
    }
    return 0;
}

int event_hash(int argc, char **argv) {
    while (argc >= 2 && strcmp(argv[1], "--prehash") == 0) {
        with_prehash = true;
        argc--;
        argv++;
    }
    if (argc < 2 || (argv[1][0] == '-' && argv[1][1])) {
        fputs("usage: packtrail event hash [--prehash] FILE…\n", stderr);
        return 2;
    }
    with_file = argc > 2;
    return event_each_file(argc, argv, hash_one);
}
