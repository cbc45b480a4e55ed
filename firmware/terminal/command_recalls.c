// `packtrail-scanner recalls`: the recalls in force that this terminal knows, and how old its list is.
#include <stdio.h>

#include "common/base/cleanup.h"
#include "common/base/json.h"
#include "firmware/terminal/command.h"

static void print_line(json_t *take) {
    PT_JSON json_t *object = take;
    PT_CLEANUP(pt_buf_free) struct pt_buf line = PT_BUF_INIT((size_t)1024 * 1024);
    if (object && pt_json_append(&line, object, NULL) == PT_OK) printf("%s\n", pt_buf_cstr(&line));
}

static void print_notice(void *arg, const struct recall_notice *notice) {
    json_t *json = NULL;
    (void)arg;
    if (recall_notice_to_json(notice, &json, NULL) == PT_OK) print_line(json);
}

int command_recalls(const struct terminal_options *options, int argc, char **argv) {
    (void)argv;
    if (argc != 1) {
        fputs("usage: packtrail-scanner --config FILE recalls\n"
              "\n"
              "Each recall in force as a JSON line, then a line with the list's age in seconds (null: never read). The list is\n"
              "read while `sync` or `scan --sync` runs.\n", stderr);
        return 2;
    }
    struct pt_error err = {0};
    struct terminal terminal;
    struct recall_list_status status;
    const struct pt_env *env = pt_env_system();
    if (terminal_open(options, &terminal, &err) != PT_OK) return terminal_fail(&err);
    recall_list_each(terminal.recalls, print_notice, NULL);
    recall_list_status(terminal.recalls, &status);
    json_t *line = json_pack("{s:I, s:I}", "in_force", (json_int_t)status.in_force, "height", (json_int_t)status.height);
    json_object_set_new(line, "age_s", status.read ? json_integer((json_int_t)((env->now(env->ctx) - status.read) / 1000)) : json_null());
    print_line(line);
    terminal_close(&terminal);
    return 0;
}
