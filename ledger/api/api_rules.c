// GET /rules: the rules that decide the next height, and what is to change.
#include "common/base/cleanup.h"
#include "ledger/api/handlers.h"
#include "ledger/contracts/contract.h"

static json_t *settings_json(const struct rules_setting *settings, size_t count) {
    json_t *object = json_object();
    for (size_t i = 0; i < count; i++) json_object_set_new(object, settings[i].name, json_integer((json_int_t)settings[i].value));
    return object;
}

static json_t *contracts_json(uint64_t version) {
    json_t *list = json_array();
    for (const struct contract *const *contract = contracts_in_force(version); contract && *contract; contract++)
        json_array_append_new(list, json_pack("{s:s, s:i}", "name", (*contract)->name, "version", (int)(*contract)->version));
    return list;
}

static json_t *pending_json(const struct ledger_rules *rules) {
    json_t *list = json_array();
    for (size_t i = 0; i < rules->pending_count; i++) {
        const struct rules_change *change = &rules->pending[i];
        json_t *item = json_object();
        json_object_set_new(item, "from_height", json_integer((json_int_t)change->from_height));
        if (change->version) json_object_set_new(item, "version", json_integer((json_int_t)change->version));
        json_object_set_new(item, "settings", settings_json(change->settings, change->setting_count));
        json_object_set_new(item, "reason", json_string(change->reason));
        json_array_append_new(list, item);
    }
    return list;
}

void api_get_rules(void *arg, struct https_request *request) {
    struct api *api = arg;
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    struct ledger_rules rules;
    struct ledger_status status;
    struct pt_error err = {0};
    if (!api_may(api, request, API_NEED_READ)) return;
    if (ledger_rules(api->options.ledger, &arena, &rules, &err) != PT_OK) {
        https_reply_problem(request, &err);
        return;
    }
    json_t *answer = json_object();
    json_object_set_new(answer, "version", json_integer((json_int_t)rules.version));
    json_object_set_new(answer, "profile", json_string(ledger_genesis(api->options.ledger)->profile));
    json_object_set_new(answer, "contracts", contracts_json(rules.version));
    json_object_set_new(answer, "settings", settings_json(rules.settings, rules.setting_count));
    json_object_set_new(answer, "pending", pending_json(&rules));
    ledger_status(api->options.ledger, &status);
    api_add_standing(api, answer, status.height, status.time);
    api_reply_json(request, 200, answer);
}
