// `packtrail-scanner history`: what this terminal signed of late, the newest first.
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/cleanup.h"
#include "common/base/json.h"
#include "common/base/text.h"
#include "common/epcis/event_cbor.h"
#include "firmware/terminal/command.h"

static const char help[] =
    "usage: packtrail-scanner --config FILE history [--most N]\n"
    "\n"
    "The newest N (default 20) events that this terminal signed, one JSON object a line.\n";

static enum pt_code print_item(const struct history_item *item, struct pt_error *err) {
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    PT_CLEANUP(pt_buf_free) struct pt_buf text = PT_BUF_INIT((size_t)64 * 1024);
    struct epcis_event event;
    PT_CLEANUP(pt_buf_free) struct pt_buf time = PT_BUF_INIT(64);
    char id[65];
    const enum pt_code code = epcis_cbor_decode(pt_buf_bytes(&item->payload), &arena, &event, err);
    if (code != PT_OK) return code;
    pt_digest_hex(&item->id, id);
    pt_instant_append(&time, &event.event_time);
    PT_JSON json_t *line = json_pack("{s:s, s:I, s:s, s:s?, s:s?, s:I, s:s?, s:b}", "statement", id, "sequence",
                                     (json_int_t)item->sequence, "time", pt_buf_cstr(&time), "bizStep", event.biz_step, "disposition",
                                     event.disposition, "packs", (json_int_t)event.epcs.count, "parent", event.parent_id, "undoing",
                                     event.error_declaration.present);
    if (pt_json_append(&text, line, err) != PT_OK) return err->code;
    printf("%s\n", pt_buf_cstr(&text));
    return PT_OK;
}

int command_history(const struct terminal_options *options, int argc, char **argv) {
    static const struct option longs[] = {{"most", required_argument, NULL, 'm'}, {"help", no_argument, NULL, 'h'}, {0}};
    unsigned long most = 20;
    for (int option; (option = getopt_long(argc, argv, "m:h", longs, NULL)) != -1;) {
        char *end = NULL;
        if (option == 'm') most = strtoul(optarg, &end, 10);
        if (option == 'm' && end != optarg && *end == 0) continue;
        fputs(help, option == 'h' ? stdout : stderr);
        return option == 'h' ? 0 : 2;
    }
    struct pt_error err = {0};
    struct terminal terminal;
    if (terminal_open(options, &terminal, &err) != PT_OK) return terminal_fail(&err);
    enum pt_code code = PT_OK;
    for (size_t i = 0; code == PT_OK && i < most && i < history_count(terminal.history); i++) {
        struct history_item item;
        code = history_read(terminal.history, i, &item, &err);
        if (code == PT_OK) code = print_item(&item, &err);
        pt_buf_free(&item.payload);
    }
    terminal_close(&terminal);
    return code == PT_OK ? 0 : terminal_fail(&err);
}
