// A change of the rules: a rule version, settings, or both, from a height on.
#include "common/chain/rules_change.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/cose/statement.h"
#include "tools/admin/admin.h"
#include "tools/admin/arguments.h"

static void delivery_free(struct admin_delivery *delivery) { pt_buf_free(&delivery->bytes); }

static int by_name(const void *a, const void *b) {
    return strcmp(((const struct rules_setting *)a)->name, ((const struct rules_setting *)b)->name);
}

// NAME=VALUE; a mode's value may be a word. Cuts the text at '='.
static enum pt_code parse_setting(char *text, struct rules_setting *out, struct pt_error *err) {
    char *equals = strchr(text, '='), *end;
    if (!equals) return pt_fail(err, PT_USAGE, text, "a setting is NAME=VALUE");
    *equals = 0;
    out->name = text;
    if (strcmp(equals + 1, "shadow") == 0 || strcmp(equals + 1, "enforce") == 0) {
        out->value = equals[1] == 's' ? 1 : 2;  // enum alert_mode
        return PT_OK;
    }
    errno = 0;
    out->value = strtoll(equals + 1, &end, 10);
    if (errno || end == equals + 1 || *end) return pt_fail(err, PT_USAGE, text, "a setting's value is a whole number, `shadow` or `enforce`");
    return PT_OK;
}

static enum pt_code parse_settings(const struct argument_list *list, struct pt_arena *arena, struct rules_change *out,
                                   struct pt_error *err) {
    out->settings = pt_arena_alloc(arena, list->count + 1, sizeof *out->settings);
    if (!out->settings) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    enum pt_code code = PT_OK;
    for (; code == PT_OK && out->setting_count < list->count; out->setting_count++) {
        char *text = pt_arena_strdup(arena, pt_bytes_str(list->values[out->setting_count]));
        if (!text) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
        code = parse_setting(text, &out->settings[out->setting_count], err);
    }
    if (out->setting_count > 1) qsort(out->settings, out->setting_count, sizeof *out->settings, by_name);
    return code;
}

enum pt_code admin_rules(int argc, char **argv, struct pt_error *err) {
    const char *directory = NULL, *operator_name = NULL, *height = NULL, *version = NULL;
    struct argument_list settings = {0};
    struct consortium consortium;
    struct rules_change change = {0};
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    PT_CLEANUP(pt_buf_free) struct pt_buf payload = PT_BUF_INIT(RULES_CHANGE_MAX);
    PT_CLEANUP(own_chain_close) struct own_chain chain = {.lock = -1};
    PT_CLEANUP(delivery_free) struct admin_delivery delivery = {.bytes = PT_BUF_INIT(STATEMENT_MAX)};
    const struct argument_word words[] = {{"DIR", &directory}, {0}};
    const struct argument arguments[] = {{"--operator", &operator_name, NULL, "the operator who signs"},
                                         {"--from-height", &height, NULL, "the first height under the change"},
                                         {"--version", &version, NULL, NULL},
                                         {"--set", NULL, &settings, NULL},
                                         {"--reason", &change.reason, NULL, "why, for the other members"},
                                         {"--url", &delivery.url, NULL, NULL},
                                         {"--out", &delivery.file, NULL, NULL},
                                         {0}};
    enum pt_code code = arguments_parse(argc, argv, words, arguments, err);
    if (code == PT_OK && delivery.url && delivery.file) code = pt_fail(err, PT_USAGE, "--out", "either --url or --out");
    if (code == PT_OK) code = argument_number("--from-height", height, 1, INT64_MAX, &change.from_height, err);
    if (code == PT_OK && version) code = argument_number("--version", version, 1, INT64_MAX, &change.version, err);
    if (code == PT_OK) code = parse_settings(&settings, &arena, &change, err);
    if (code == PT_OK) code = rules_change_encode(&change, &payload, err);
    if (code == PT_OK) code = consortium_open(directory, &consortium, err);
    if (code == PT_OK) code = own_chain_open(&consortium, operator_name, ACTOR_OPERATOR, &chain, err);
    if (code == PT_OK)
        code = own_chain_sign(&chain, STATEMENT_RULES, "urn:packtrail:rules", pt_buf_bytes(&payload),
                              &delivery.sequences[delivery.count++], &delivery.bytes, err);
    if (code != PT_OK) return code;
    PT_JSON json_t *report = json_pack("{s:I, s:I}", "from_height", (json_int_t)change.from_height, "settings", (json_int_t)change.setting_count);
    if (change.version) json_object_set_new(report, "version", json_integer((json_int_t)change.version));
    code = admin_deliver(&chain, &delivery, report, err);
    return code == PT_OK ? admin_print(report, err) : code;
}
