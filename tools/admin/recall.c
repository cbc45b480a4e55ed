// Recall notices: begun, extended and ended by whoever answers for the product, an operator or a regulator.
#include "common/recall/recall_notice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/disk.h"
#include "common/cose/statement.h"
#include "tools/admin/admin.h"
#include "tools/admin/arguments.h"

#define ANSWER_MAX ((size_t)64 * 1024 * 1024)

const char admin_recall_help[] =
    "usage: packtrail admin recall begin  DIR (--operator NAME | --company NAME) --id ID WHAT… [--url URL | --out FILE]\n"
    "       packtrail admin recall extend DIR (--operator NAME | --company NAME) --id ID WHAT… [--url URL | --out FILE]\n"
    "       packtrail admin recall end    DIR (--operator NAME | --company NAME) --id ID WHY…  [--url URL | --out FILE]\n"
    "       packtrail admin recall show   DIR (--operator NAME | --company NAME) --url URL [--id ID [--reach yes]]\n"
    "\n"
    "From the moment the ledger has recorded the beginning, every pack that the recall covers is red when it is\n"
    "scanned anywhere, nobody may ship, receive or dispense it without an alert, and terminals warn of it offline\n"
    "as soon as they have read the feed.\n"
    "\n"
    "WHAT says which packs; a pack is covered when it fits every line that is given:\n"
    "  --product CODE…      GTIN of 14 digits or drug identifier of 7 digits; name all that the product has\n"
    "  --lot LOT…           only these lots; without it every lot\n"
    "  --serials FROM-TO…   only these serial numbers, both ends included, compared by length first (9 before 10)\n"
    "  --territory CODE…    only packs in these countries or regions (CN, CN-SX)\n"
    "and how grave it is and how far it goes:\n"
    "  --level 1|2|3        1 is the gravest (一级召回, class I)\n"
    "  --depth DEPTH        wholesale, retail (also pharmacies and hospitals) or consumer (also patients)\n"
    "  --issued TIME        when the notice was issued (2026-03-01T08:00:00+08:00); without it: now\n"
    "WHY, for staff and patients, in one language at least:\n"
    "  --reason-zh TEXT --reason-en TEXT [--instructions-zh TEXT] [--instructions-en TEXT]\n"
    "Each option marked … may be given up to 16 times. Instead of options, or for longer lists, --json FILE takes a\n"
    "whole notice as `show` prints it; options add to it.\n"
    "\n"
    "extend adds products, lots, serials and territories to a recall that is in force, or lifts its level or depth: a\n"
    "recall never shrinks. --all-lots yes drops the limit to lots. To narrow a recall, end it and begin another one. What\n"
    "stands now is read from the ledger (--url), or from --json FILE.\n"
    "\n"
    "end lifts the recall as a whole. A recall that an operator or a regulator began or extended can only be changed by\n"
    "such.\n"
    "\n"
    "--version N is counted up by itself when --url or --json says what stands now. --url sends to the ledger at once;\n"
    "--out writes the signed statement to a file; with neither it waits in the outbox for `admin send`.\n"
    "\n"
    "Exit: 0 done, 1 refused or contradictory, 2 wrong usage, 3 system failure.\n";

struct recall_words {
    const char *directory, *operator_name, *company, *url, *out, *json, *id, *version, *level, *depth, *issued, *all_lots, *reach;
    const char *reason_zh, *reason_en, *instructions_zh, *instructions_en;
    struct argument_list products, lots, serials, territories;
};

static enum pt_code parse(int argc, char **argv, struct recall_words *w, struct pt_error *err) {
    const struct argument_word words[] = {{"DIR", &w->directory}, {0}};
    const struct argument arguments[] = {{"--operator", &w->operator_name, NULL, NULL},
                                         {"--company", &w->company, NULL, NULL},
                                         {"--url", &w->url, NULL, NULL},
                                         {"--out", &w->out, NULL, NULL},
                                         {"--json", &w->json, NULL, NULL},
                                         {"--id", &w->id, NULL, NULL},
                                         {"--version", &w->version, NULL, NULL},
                                         {"--level", &w->level, NULL, NULL},
                                         {"--depth", &w->depth, NULL, NULL},
                                         {"--issued", &w->issued, NULL, NULL},
                                         {"--all-lots", &w->all_lots, NULL, NULL},
                                         {"--reach", &w->reach, NULL, NULL},
                                         {"--reason-zh", &w->reason_zh, NULL, NULL},
                                         {"--reason-en", &w->reason_en, NULL, NULL},
                                         {"--instructions-zh", &w->instructions_zh, NULL, NULL},
                                         {"--instructions-en", &w->instructions_en, NULL, NULL},
                                         {"--product", NULL, &w->products, NULL},
                                         {"--lot", NULL, &w->lots, NULL},
                                         {"--serials", NULL, &w->serials, NULL},
                                         {"--territory", NULL, &w->territories, NULL},
                                         {0}};
    const enum pt_code code = arguments_parse(argc, argv, words, arguments, err);
    if (code != PT_OK) return code;
    if (!w->operator_name == !w->company) return pt_fail(err, PT_USAGE, "--company", "exactly one of --operator NAME and --company NAME");
    return w->url && w->out ? pt_fail(err, PT_USAGE, "--out", "either --url or --out") : PT_OK;
}

// --- The notice as JSON, built from what stands and what is said ---

static void escape(const char *text, struct pt_buf *out) {
    for (const char *c = text; *c; c++) {
        if ((*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || strchr("-._~", *c)) pt_buf_byte(out, (uint8_t)*c);
        else pt_buf_printf(out, "%%%02X", (unsigned char)*c);
    }
}

static enum pt_code ask_ledger(struct own_chain *chain, const struct recall_words *w, const char *what, json_t **out, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf path = PT_BUF_INIT(1024), answer = PT_BUF_INIT(ANSWER_MAX);
    pt_buf_str(&path, "/recalls");
    if (w->id) {
        pt_buf_byte(&path, '/');
        escape(w->id, &path);
    }
    pt_buf_str(&path, what);
    enum pt_code code = pt_buf_check(&path, err);
    if (code == PT_OK) code = own_chain_get(chain, w->url, pt_buf_cstr(&path), &answer, err);
    return code == PT_OK ? pt_json_parse(pt_buf_bytes(&answer), ANSWER_MAX, out, err) : code;
}

static enum pt_code read_file(const char *file, json_t **out, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf text = PT_BUF_INIT(CONSORTIUM_FILE_MAX);
    enum pt_code code = pt_file_read(file, &text, err);
    if (code == PT_OK) code = pt_json_parse(pt_buf_bytes(&text), CONSORTIUM_FILE_MAX, out, err);
    if (code == PT_OK && !json_is_object(*out)) code = pt_fail(err, PT_INVALID, NULL, "not an object");
    return code == PT_OK ? code : pt_error_under(err, "%s ", file);
}

// The notice to start from: of the file, else of the ledger (what `show` answers holds it as "notice"), else empty.
static enum pt_code start_notice(struct own_chain *chain, const struct recall_words *w, enum recall_action action, json_t **out,
                                 struct pt_error *err) {
    PT_JSON json_t *found = NULL;
    enum pt_code code = PT_OK;
    if (w->json) code = read_file(w->json, &found, err);
    else if (action != RECALL_BEGIN && w->url) code = ask_ledger(chain, w, "", &found, err);
    if (code != PT_OK) return code;
    json_t *notice = json_object_get(found, "notice");
    *out = notice ? json_incref(notice) : found ? json_incref(found) : json_object();
    return json_is_object(*out) ? PT_OK : pt_fail(err, PT_INVALID, NULL, "not a recall notice");
}

static void add_texts(json_t *notice, const char *name, const struct argument_list *texts) {
    if (texts->count == 0) return;
    json_t *list = json_object_get(notice, name);
    if (!json_is_array(list)) json_object_set_new(notice, name, list = json_array());
    for (size_t i = 0; i < texts->count; i++) {
        bool there = false;
        size_t at;
        json_t *item;
        json_array_foreach(list, at, item) there = there || (json_is_string(item) && strcmp(json_string_value(item), texts->values[i]) == 0);
        if (!there) json_array_append_new(list, json_string(texts->values[i]));
    }
}

static enum pt_code add_serials(json_t *notice, const struct argument_list *ranges, struct pt_error *err) {
    if (ranges->count == 0) return PT_OK;
    json_t *list = json_object_get(notice, "serials");
    if (!json_is_array(list)) json_object_set_new(notice, "serials", list = json_array());
    for (size_t i = 0; i < ranges->count; i++) {
        // Serial numbers may hold hyphens: the one in the middle divides.
        const char *text = ranges->values[i], *middle = NULL;
        const size_t len = strlen(text);
        size_t best = len;
        for (const char *c = strchr(text, '-'); c; c = strchr(c + 1, '-')) {
            const size_t before = (size_t)(c - text), after = len - before - 1;
            const size_t uneven = before > after ? before - after : after - before;
            if (before > 0 && after > 0 && uneven < best) {
                best = uneven;
                middle = c;
            }
        }
        if (!middle) return pt_fail(err, PT_USAGE, "--serials", "must be FROM-TO");
        json_array_append_new(list, json_pack("{s:s%, s:s}", "from", text, (size_t)(middle - text), "to", middle + 1));
    }
    return PT_OK;
}

static void add_languages(json_t *notice, const char *name, const char *zh, const char *en) {
    if (!zh && !en) return;
    json_t *languages = json_object();
    if (zh) json_object_set_new(languages, "zh", json_string(zh));
    if (en) json_object_set_new(languages, "en", json_string(en));
    json_object_set_new(notice, name, languages);
}

static enum pt_code set_version(json_t *notice, const struct recall_words *w, enum recall_action action, struct pt_error *err) {
    const json_t *standing = json_object_get(notice, "version");
    uint64_t version = 1;
    if (w->version) {
        const enum pt_code code = argument_number("--version", w->version, 1, INT64_MAX, &version, err);
        if (code != PT_OK) return code;
    } else if (action != RECALL_BEGIN) {
        if (!json_is_integer(standing)) return pt_fail(err, PT_USAGE, "--version", "an option is missing: the version, or --url or --json to read it from");
        version = (uint64_t)json_integer_value(standing) + 1;
    }
    json_object_set_new(notice, "version", json_integer((json_int_t)version));
    return PT_OK;
}

static enum pt_code build(struct own_chain *chain, const struct recall_words *w, enum recall_action action, json_t **out,
                          struct pt_error *err) {
    uint64_t level = 0;
    enum pt_code code = start_notice(chain, w, action, out, err);
    json_t *notice = *out;
    if (code == PT_OK && w->level) code = argument_number("--level", w->level, 1, 3, &level, err);
    if (code == PT_OK) code = set_version(notice, w, action, err);
    if (code == PT_OK && action != RECALL_END) code = add_serials(notice, &w->serials, err);
    if (code != PT_OK) return code;
    json_object_set_new(notice, "action", json_string(recall_action_name(action)));
    if (w->id) json_object_set_new(notice, "id", json_string(w->id));
    if (level) json_object_set_new(notice, "level", json_integer((json_int_t)level));
    if (w->depth) json_object_set_new(notice, "depth", json_string(w->depth));
    add_texts(notice, "products", &w->products);
    add_texts(notice, "lots", &w->lots);
    add_texts(notice, "territories", &w->territories);
    add_languages(notice, "reason", w->reason_zh, w->reason_en);
    add_languages(notice, "instructions", w->instructions_zh, w->instructions_en);
    if (action == RECALL_END || w->all_lots) json_object_del(notice, "lots");
    if (action == RECALL_END) {
        json_object_del(notice, "serials");
        json_object_del(notice, "territories");
    }
    if (w->issued) json_object_set_new(notice, "issuedAt", json_string(w->issued));
    else if (!w->json || action != RECALL_BEGIN || !json_object_get(notice, "issuedAt")) {
        const struct pt_env *env = pt_env_system();
        json_object_set_new(notice, "issuedAt", admin_time(env->now(env->ctx)));
    }
    return PT_OK;
}

// --- The commands ---

static void delivery_free(struct admin_delivery *delivery) { pt_buf_free(&delivery->bytes); }

static enum pt_code open_chain(const struct recall_words *w, struct consortium *consortium, struct own_chain *chain, struct pt_error *err) {
    const enum pt_code code = consortium_open(w->directory, consortium, err);
    if (code != PT_OK) return code;
    return own_chain_open(consortium, w->company ? w->company : w->operator_name, w->company ? ACTOR_COMPANY : ACTOR_OPERATOR, chain, err);
}

static enum pt_code issue(enum recall_action action, int argc, char **argv, struct pt_error *err) {
    struct recall_words w = {0};
    struct consortium consortium;
    struct recall_notice notice;
    PT_CLEANUP(own_chain_close) struct own_chain chain = {.lock = -1};
    PT_CLEANUP(delivery_free) struct admin_delivery delivery = {.bytes = PT_BUF_INIT(2 * STATEMENT_MAX)};
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    PT_CLEANUP(pt_buf_free) struct pt_buf payload = PT_BUF_INIT(RECALL_NOTICE_MAX);
    PT_JSON json_t *json = NULL;
    enum pt_code code = parse(argc, argv, &w, err);
    if (code == PT_OK && !w.id && !w.json) code = pt_fail(err, PT_USAGE, "--id", "an option is missing: the recall's number");
    if (code == PT_OK && w.reach) code = pt_fail(err, PT_USAGE, "--reach", "belongs to show");
    if (code == PT_OK) code = open_chain(&w, &consortium, &chain, err);
    if (code == PT_OK) code = build(&chain, &w, action, &json, err);
    if (code == PT_OK) code = recall_notice_from_json(json, &arena, &notice, err);
    if (code == PT_OK) code = recall_notice_encode(&notice, &payload, err);
    if (code != PT_OK) return code;
    char subject[256];
    PT_CLEANUP(pt_buf_free) struct pt_buf name = PT_BUF_INIT(3 * RECALL_ID_MAX + 1);
    escape(notice.id, &name);
    snprintf(subject, sizeof subject, "urn:packtrail:recall:%s", pt_buf_cstr(&name));
    delivery.url = w.url;
    delivery.file = w.out;
    code = own_chain_sign(&chain, STATEMENT_RECALL, subject, pt_buf_bytes(&payload), &delivery.sequences[0], &delivery.bytes, err);
    if (code != PT_OK) return code;
    delivery.count = 1;
    PT_JSON json_t *report = json_pack("{s:s, s:I, s:s}", "id", notice.id, "version", (json_int_t)notice.version, "action",
                                       recall_action_name(notice.action));
    code = admin_deliver(&chain, &delivery, report, err);
    return code == PT_OK ? admin_print(report, err) : code;
}

static enum pt_code show(int argc, char **argv, struct pt_error *err) {
    struct recall_words w = {0};
    struct consortium consortium;
    PT_CLEANUP(own_chain_close) struct own_chain chain = {.lock = -1};
    PT_JSON json_t *answer = NULL;
    enum pt_code code = parse(argc, argv, &w, err);
    if (code == PT_OK && !w.url) code = pt_fail(err, PT_USAGE, "--url", "an option is missing: the ledger to ask");
    if (code == PT_OK && w.reach && !w.id) code = pt_fail(err, PT_USAGE, "--id", "an option is missing: whose reach");
    if (code == PT_OK) code = open_chain(&w, &consortium, &chain, err);
    if (code == PT_OK) code = ask_ledger(&chain, &w, w.reach ? "/reach?places=1000" : w.id ? "" : "?which=all", &answer, err);
    return code == PT_OK ? admin_print(answer, err) : code;
}

enum pt_code admin_recall(int argc, char **argv, struct pt_error *err) {
    const char *verb = argc > 1 ? argv[1] : "";
    for (enum recall_action action = RECALL_BEGIN; action <= RECALL_END; action++)
        if (strcmp(verb, recall_action_name(action)) == 0) return issue(action, argc - 1, argv + 1, err);
    if (strcmp(verb, "show") == 0) return show(argc - 1, argv + 1, err);
    return pt_fail(err, PT_USAGE, verb[0] ? verb : NULL, "recall is followed by begin, extend, end or show (see `packtrail admin recall --help`)");
}
