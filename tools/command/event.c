#include "tools/command/event.h"

#include <stdio.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/epcis_xml/epcis_xml.h"

static const struct command commands[] = {
    {"check", event_check, "whether each file is valid EPCIS 2.0, or what is wrong where"},
    {"hash", event_hash, "the CBV 2.0 event hash of each event (--prehash: also what it is taken over)"},
    {"show", event_show, "each event as JSON-LD, one a line"},
    {"xml", event_xml, "the whole document as EPCIS 2.0 XML"},
    {NULL, NULL, NULL},
};

static int check_one(const char *path) {
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    struct epcis_document document;
    struct pt_error err = {0};
    if (event_read_file(path, EPCIS_FOR_CAPTURE, &arena, &document, &err) != PT_OK) return event_print_refusal(path, &err);
    PT_CLEANUP(pt_buf_free) struct pt_buf line = PT_BUF_INIT(1 << 16);
    pt_buf_str(&line, "{\"file\":");
    pt_json_append_string(&line, pt_bytes_str(path));
    pt_buf_printf(&line, ",\"valid\":true,\"events\":%zu}\n", document.event_count);
    fputs(pt_buf_cstr(&line), stdout);
    return 0;
}

int event_check(int argc, char **argv) { return event_each_file(argc, argv, check_one); }

static int show_one(const char *path) {
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    struct epcis_document document;
    struct pt_error err = {0};
    // What is shown need not be fit for capture.
    enum pt_code code = event_read_file(path, EPCIS_FOR_HASH, &arena, &document, &err);
    if (code != PT_OK) return event_print_refusal(path, &err);
    PT_CLEANUP(pt_buf_free) struct pt_buf line = PT_BUF_INIT((size_t)256 * 1024 * 1024);
    for (size_t i = 0; i < document.event_count; i++) {
        pt_buf_clear(&line);
        code = epcis_json_encode_event(&document.events[i], &line, &err);
        if (code != PT_OK) return command_failed("event show", &err);
        pt_buf_byte(&line, '\n');
        fwrite(line.data, 1, line.len, stdout);
    }
    return 0;
}

int event_show(int argc, char **argv) { return event_each_file(argc, argv, show_one); }

static int xml_one(const char *path) {
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    PT_CLEANUP(pt_buf_free) struct pt_buf xml = PT_BUF_INIT((size_t)256 * 1024 * 1024);
    struct epcis_document document;
    struct pt_error err = {0};
    if (event_read_file(path, EPCIS_FOR_HASH, &arena, &document, &err) != PT_OK) return event_print_refusal(path, &err);
    const struct pt_env *env = pt_env_system();
    if (!document.has_creation_date) document.creation_date = pt_instant_from_millis(env->now(env->ctx));
    document.has_creation_date = true;
    if (epcis_xml_encode(&document, &xml, &err) != PT_OK) return event_print_refusal(path, &err);
    fwrite(xml.data, 1, xml.len, stdout);
    return 0;
}

int event_xml(int argc, char **argv) { return event_each_file(argc, argv, xml_one); }

static void print_help(FILE *out) {
    fputs("usage: packtrail event SUBCOMMAND FILE…\n\n", out);
    for (const struct command *c = commands; c->name; c++) fprintf(out, "  %-8s %s\n", c->name, c->summary);
    fputs("\nFILE is EPCIS 2.0 JSON or JSON-LD (document, query document, event or list of events), EPCIS 1.2 or 2.0 XML, or one event as\n"
          "CBOR, at most 64 MiB; - is standard input.\n",
          out);
}

int command_event(int argc, char **argv) {
    if ((argc >= 2 && strcmp(argv[1], "--help") == 0) || (argc >= 3 && strcmp(argv[2], "--help") == 0)) {
        print_help(stdout);
        return 0;
    }
    for (const struct command *c = commands; argc >= 3 && c->name; c++)
        if (strcmp(c->name, argv[1]) == 0) return c->run(argc - 1, argv + 1);
    print_help(stderr);
    return 2;
}
