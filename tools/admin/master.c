// Master records, signed by the company that answers for them or by an operator.
#include "common/master/master.h"

#include <stdlib.h>

#include "common/base/cleanup.h"
#include "common/base/disk.h"
#include "common/cose/statement.h"
#include "tools/admin/admin.h"
#include "tools/admin/arguments.h"

#define RECORDS_MAX 1024u

static void delivery_free(struct admin_delivery *delivery) {
    pt_buf_free(&delivery->bytes);
}

static enum pt_code sign_record(struct own_chain *chain, const json_t *value, struct admin_delivery *delivery,
                                struct pt_error *err) {
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    PT_CLEANUP(pt_buf_free) struct pt_buf payload = PT_BUF_INIT(MASTER_RECORD_MAX);
    struct master_record record;
    enum pt_code code = master_from_json(value, &arena, &record, err);
    if (code == PT_OK) code = master_encode(&record, &payload, err);
    if (code != PT_OK) return code;
    return own_chain_sign(chain, STATEMENT_MASTER, master_id(&record), pt_buf_bytes(&payload),
                          &delivery->sequences[delivery->count++], &delivery->bytes, err);
}

// Every record is checked before the first is signed: a file is signed whole or not at all.
static enum pt_code check_records(const json_t *list, struct pt_error *err) {
    size_t i;
    json_t *value;
    if (json_array_size(list) == 0 || json_array_size(list) > RECORDS_MAX)
        return pt_fail(err, PT_LIMIT, NULL, "a file has 1 to %u records", RECORDS_MAX);
    json_array_foreach(list, i, value) {
        PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
        struct master_record record;
        const enum pt_code code = master_from_json(value, &arena, &record, err);
        if (code != PT_OK) return json_array_size(list) > 1 ? pt_error_under(err, "/%zu", i) : code;
    }
    return PT_OK;
}

// One record, or a list of them.
static enum pt_code read_records(const char *file, json_t **out, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf text = PT_BUF_INIT(CONSORTIUM_FILE_MAX);
    PT_JSON json_t *value = NULL;
    enum pt_code code = pt_file_read(file, &text, err);
    if (code == PT_OK) code = pt_json_parse(pt_buf_bytes(&text), CONSORTIUM_FILE_MAX, &value, err);
    if (code != PT_OK) return code;
    *out = json_is_array(value) ? json_incref(value) : json_pack("[O]", value);
    code = check_records(*out, err);
    return code == PT_OK ? code : pt_error_under(err, "%s ", file);
}

static enum pt_code sign_all(struct own_chain *chain, const json_t *records, struct admin_delivery *delivery,
                             struct pt_error *err) {
    size_t i;
    json_t *value;
    json_array_foreach(records, i, value) {
        const enum pt_code code = sign_record(chain, value, delivery, err);
        if (code != PT_OK) return code;
    }
    return PT_OK;
}

enum pt_code admin_master(int argc, char **argv, struct pt_error *err) {
    const char *directory = NULL, *operator_name = NULL, *company = NULL, *file = NULL;
    struct consortium consortium;
    PT_CLEANUP(own_chain_close) struct own_chain chain = {.lock = -1};
    PT_CLEANUP(delivery_free) struct admin_delivery delivery = {.bytes = PT_BUF_INIT(RECORDS_MAX * STATEMENT_MAX)};
    PT_JSON json_t *records = NULL;
    const struct argument_word words[] = {{"DIR", &directory}, {0}};
    const struct argument arguments[] = {{"--operator", &operator_name, NULL, NULL},
                                         {"--company", &company, NULL, NULL},
                                         {"--json", &file, NULL, "the file with one record or a list of them"},
                                         {"--url", &delivery.url, NULL, NULL},
                                         {"--out", &delivery.file, NULL, NULL},
                                         {0}};
    enum pt_code code = arguments_parse(argc, argv, words, arguments, err);
    if (code == PT_OK && !operator_name == !company)
        code = pt_fail(err, PT_USAGE, "--company", "exactly one of --operator NAME and --company NAME");
    if (code == PT_OK && delivery.url && delivery.file) code = pt_fail(err, PT_USAGE, "--out", "either --url or --out");
    if (code == PT_OK) code = consortium_open(directory, &consortium, err);
    if (code == PT_OK) code = read_records(file, &records, err);
    if (code == PT_OK)
        code = own_chain_open(&consortium, company ? company : operator_name, company ? ACTOR_COMPANY : ACTOR_OPERATOR,
                              &chain, err);
    if (code == PT_OK) code = sign_all(&chain, records, &delivery, err);
    if (code != PT_OK) return code;
    PT_JSON json_t *report = json_pack("{s:I}", "records", (json_int_t)delivery.count);
    code = admin_deliver(&chain, &delivery, report, err);
    return code == PT_OK ? admin_print(report, err) : code;
}
