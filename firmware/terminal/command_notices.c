// `packtrail-scanner notices`: what others said they sent here, and how old this knowledge is.
#include <stdio.h>

#include "common/base/cleanup.h"
#include "common/base/json.h"
#include "common/base/text.h"
#include "firmware/terminal/command.h"

enum { MOST_NOTICES = 1000, MOST_LINE = 4 * 1024 * 1024, MOST_URI = 2048 };

static void print_line(json_t *take) {
    PT_JSON json_t *object = take;
    PT_CLEANUP(pt_buf_free) struct pt_buf line = PT_BUF_INIT(MOST_LINE);
    if (object && pt_json_append(&line, object, NULL) == PT_OK) printf("%s\n", pt_buf_cstr(&line));
}

static json_t *text_json(const char *text) { return text ? json_string_nocheck(text) : json_null(); }

static json_t *notice_json(const struct shipping_notice *notice) {
    char hex[65];
    json_t *object = json_object(), *packs = json_array();
    pt_digest_hex(&notice->id, hex);
    json_object_set_new(object, "statement", json_string(hex));
    json_object_set_new(object, "sent", json_integer((json_int_t)notice->sent));
    json_object_set_new(object, "from", text_json(notice->source));
    json_object_set_new(object, "to", text_json(notice->destination));
    json_object_set_new(object, "transaction_type", text_json(notice->transaction_type));
    json_object_set_new(object, "transaction", text_json(notice->transaction));
    for (size_t i = 0; i < notice->count; i++) {
        PT_CLEANUP(pt_buf_free) struct pt_buf uri = PT_BUF_INIT(MOST_URI);
        if (pack_id_uri(&notice->packs[i], &uri, NULL) == PT_OK) json_array_append_new(packs, json_string(pt_buf_cstr(&uri)));
    }
    json_object_set_new(object, "packs", packs);
    return object;
}

int command_notices(const struct terminal_options *options, int argc, char **argv) {
    (void)argv;
    if (argc != 1) {
        fputs("usage: packtrail-scanner --config FILE notices\n"
              "\n"
              "Each open shipping notice for this terminal's party as a JSON line, the newest first, then a line with the age of this\n"
              "knowledge in seconds (null: never read).\n", stderr);
        return 2;
    }
    const struct pt_env *env = pt_env_system();
    const pt_millis now = env->now(env->ctx);
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    struct pt_error err = {0};
    struct terminal terminal;
    struct shipping_notice *notices = NULL;
    struct reference_status status;
    size_t count = 0;
    if (terminal_open(options, &terminal, &err) != PT_OK) return terminal_fail(&err);
    const enum pt_code code = reference_notices(terminal.reference, now, MOST_NOTICES, &arena, &notices, &count, &err);
    for (size_t i = 0; code == PT_OK && i < count; i++) print_line(notice_json(&notices[i]));
    reference_status(terminal.reference, &status);
    json_t *line = json_pack("{s:I, s:I}", "open", (json_int_t)status.notices, "height", (json_int_t)status.height);
    json_object_set_new(line, "age_s", status.read ? json_integer((json_int_t)((now - status.read) / 1000)) : json_null());
    if (code == PT_OK) print_line(line);
    else json_decref(line);
    terminal_close(&terminal);
    return code == PT_OK ? 0 : terminal_fail(&err);
}
