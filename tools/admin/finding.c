// Findings: what became of an alert, by whoever may say so.
#include "common/alert/finding.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/cose/statement.h"
#include "tools/admin/admin.h"
#include "tools/admin/arguments.h"

struct finding_words {
    const char *directory, *operator_name, *company, *url, *out, *alert, *status, *outcome, *note;
    struct argument_list related;
};

static enum pt_code parse(int argc, char **argv, struct finding_words *w, struct pt_error *err) {
    const struct argument_word words[] = {{"DIR", &w->directory}, {0}};
    const struct argument arguments[] = {{"--operator", &w->operator_name, NULL, NULL}, {"--company", &w->company, NULL, NULL},
                                         {"--url", &w->url, NULL, NULL},                {"--out", &w->out, NULL, NULL},
                                         {"--alert", &w->alert, NULL, NULL},            {"--status", &w->status, NULL, NULL},
                                         {"--outcome", &w->outcome, NULL, NULL},        {"--note", &w->note, NULL, NULL},
                                         {"--related", NULL, &w->related, NULL},        {0}};
    const enum pt_code code = arguments_parse(argc, argv, words, arguments, err);
    if (code != PT_OK) return code;
    if (!w->operator_name == !w->company) return pt_fail(err, PT_USAGE, "--company", "exactly one of --operator NAME and --company NAME");
    if (!w->alert || !w->status) return pt_fail(err, PT_USAGE, w->alert ? "--status" : "--alert", "an option is missing");
    return w->url && w->out ? pt_fail(err, PT_USAGE, "--out", "either --url or --out") : PT_OK;
}

static int ascending(const void *a, const void *b) {
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static enum pt_code build(const struct finding_words *w, struct alert_finding *out, struct pt_error *err) {
    *out = (struct alert_finding){.note = w->note};
    enum pt_code code = argument_number("--alert", w->alert, 1, FINDING_NUMBER_MAX, &out->alert, err);
    if (code == PT_OK && !finding_status_of(w->status, &out->status)) code = pt_fail(err, PT_USAGE, "--status", "must be investigating or closed");
    if (code == PT_OK && w->outcome && !finding_outcome_of(w->outcome, &out->outcome))
        code = pt_fail(err, PT_USAGE, "--outcome", "must be confirmed_fake, confirmed_wrong, mistake, late_data, test or unexplained");
    if (code == PT_OK && w->related.count > FINDING_RELATED_MAX) code = pt_fail(err, PT_USAGE, "--related", "more than %u", FINDING_RELATED_MAX);
    for (size_t i = 0; code == PT_OK && i < w->related.count; i++)
        code = argument_number("--related", w->related.values[i], 1, FINDING_NUMBER_MAX, &out->related[out->related_count++], err);
    if (code != PT_OK) return code;
    qsort(out->related, out->related_count, sizeof out->related[0], ascending);
    return PT_OK;
}

static void delivery_free(struct admin_delivery *delivery) { pt_buf_free(&delivery->bytes); }

enum pt_code admin_finding(int argc, char **argv, struct pt_error *err) {
    struct finding_words w = {0};
    struct consortium consortium;
    struct alert_finding finding;
    PT_CLEANUP(own_chain_close) struct own_chain chain = {.lock = -1};
    PT_CLEANUP(delivery_free) struct admin_delivery delivery = {.bytes = PT_BUF_INIT(2 * STATEMENT_MAX)};
    PT_CLEANUP(pt_buf_free) struct pt_buf payload = PT_BUF_INIT(FINDING_MAX);
    char subject[64];
    enum pt_code code = parse(argc, argv, &w, err);
    if (code == PT_OK) code = build(&w, &finding, err);
    if (code == PT_OK) code = finding_encode(&finding, &payload, err);
    if (code == PT_OK) code = consortium_open(w.directory, &consortium, err);
    if (code == PT_OK)
        code = own_chain_open(&consortium, w.company ? w.company : w.operator_name, w.company ? ACTOR_COMPANY : ACTOR_OPERATOR, &chain, err);
    if (code != PT_OK) return code;
    snprintf(subject, sizeof subject, "urn:packtrail:alert:%llu", (unsigned long long)finding.alert);
    delivery.url = w.url;
    delivery.file = w.out;
    code = own_chain_sign(&chain, STATEMENT_FINDING, subject, pt_buf_bytes(&payload), &delivery.sequences[0], &delivery.bytes, err);
    if (code != PT_OK) return code;
    delivery.count = 1;
    PT_JSON json_t *report = json_pack("{s:I, s:s}", "alert", (json_int_t)finding.alert, "status", finding_status_name(finding.status));
    if (finding.outcome) json_object_set_new(report, "outcome", json_string(finding_outcome_name(finding.outcome)));
    code = admin_deliver(&chain, &delivery, report, err);
    return code == PT_OK ? admin_print(report, err) : code;
}
