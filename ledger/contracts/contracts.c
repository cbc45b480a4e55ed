#include <stdio.h>
#include <string.h>

#include "ledger/contracts/claims.h"
#include "ledger/contracts/contract.h"
#include "ledger/contracts/findings.h"
#include "ledger/contracts/lifecycle.h"
#include "ledger/contracts/makers.h"
#include "ledger/contracts/master_records.h"
#include "ledger/contracts/recall.h"
#include "ledger/contracts/registry.h"
#include "ledger/contracts/rules.h"

// An event may name a hundred thousand packs. What it is suspected of is told often enough by so many; each pack's own
// record still counts its alert.
#define ALERTS_PER_STATEMENT 16384u

// One list a rule version; a list never changes once a ledger ran under it.
static const struct contract *const version_1[] = {&registry_contract, &rules_contract, &master_records_contract, &makers_contract,
                                                   &lifecycle_contract, NULL};
// Version 2 adds recalls, claims, findings and the detectors, which the lifecycle pass asks.
static const struct contract *const version_2[] = {&registry_contract, &rules_contract, &master_records_contract, &makers_contract,
                                                   &lifecycle_contract, &recall_contract, &claims_contract, &findings_contract, NULL};

const struct contract *const *contracts_in_force(uint64_t rule_version) {
    static const struct contract *const *const versions[] = {NULL, version_1, version_2};
    return rule_version < sizeof versions / sizeof versions[0] ? versions[rule_version] : NULL;
}

bool contracts_know(const struct contract *const *contracts, enum statement_kind kind) {
    while (*contracts && !((*contracts)->kinds & (unsigned)kind)) contracts++;
    return *contracts != NULL;
}

static bool among_words(const char *words, const char *word) {
    const size_t len = strlen(word);
    for (const char *at = words; (at = strstr(at, word)) != NULL; at += len)
        if ((at == words || at[-1] == ' ') && (at[len] == 0 || at[len] == ' ')) return true;
    return false;
}

bool contract_hears(const struct contract *contract, const struct contract_input *input, const struct contract_context *context) {
    if (!(contract->kinds & (unsigned)input->kind)) return false;
    return !contract->profiles || among_words(contract->profiles, context->profile);
}

enum pt_code contracts_run(struct state_view *view, const struct contract_input *input, const struct contract_context *context,
                           struct contract_output *output, struct pt_error *err) {
    const struct contract *const *contracts = contracts_in_force(context->rule_version);
    if (!contracts) return pt_fail(err, PT_INTERNAL, NULL, "rule version %llu is not known here", (unsigned long long)context->rule_version);
    output->result = contracts_know(contracts, input->kind) ? RESULT_APPLIED : RESULT_MALFORMED;
    for (; *contracts && contract_output_counts(output); contracts++) {
        struct access_list declared = {.arena = context->arena};
        if (!contract_hears(*contracts, input, context)) continue;
        (*contracts)->declare(input, context, &declared);
        enum pt_code code = state_view_declare(view, &declared, err);
        if (code == PT_OK) code = (*contracts)->apply(view, input, context, output, err);
        if (code != PT_OK) return code;
    }
    return PT_OK;
}

enum pt_code contract_raise(const struct contract_context *context, struct contract_output *output,
                            const struct alert_record *alert, struct pt_error *err) {
    const size_t count = output->alert_count;
    output->result = RESULT_ALERTED;
    if (count >= ALERTS_PER_STATEMENT) return PT_OK;
    if ((count & (count - 1)) == 0) {  // full at every power of two
        struct alert_record *grown = pt_arena_alloc(context->arena, count ? count * 2 : 1, sizeof *grown);
        if (!grown) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
        if (count > 0) memcpy(grown, output->alerts, count * sizeof *grown);
        output->alerts = grown;
    }
    struct alert_record *added = &output->alerts[output->alert_count++];
    *added = *alert;
    added->signer = context->signer->kid;
    added->chain_time = context->chain_time;
    char setting[64];
    snprintf(setting, sizeof setting, "alert.%s.mode", alert_kind_name(alert->kind));
    added->mode = rule_setting(context->settings, setting, alert->mode) == ALERT_SHADOW ? ALERT_SHADOW : ALERT_ENFORCE;
    return PT_OK;
}
