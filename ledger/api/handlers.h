// The handlers of the API's files, and what they share. Inside ledger/api only.
#ifndef PACKTRAIL_LEDGER_API_HANDLERS_H
#define PACKTRAIL_LEDGER_API_HANDLERS_H

#include "common/base/json.h"
#include "ledger/api/api.h"
#include "ledger/api/background.h"

struct recall_record;
struct recall_reaches;

struct api {
    struct api_options options;
    struct background *background;
    struct recall_reaches *reaches;
    struct https_server *server;
    struct https_route *routes;
};

// --- Who asks (access.c). Each answers 403 itself and returns false if the caller may not. ---
enum api_need { API_NEED_VERIFY, API_NEED_READ };
bool api_may(struct api *api, struct https_request *request, enum api_need need);

// The enrolled actor behind the client certificate, which must be in force; PT_FORBIDDEN otherwise. actor_free.
enum pt_code api_actor(struct api *api, struct https_request *request, struct actor *out, struct pt_error *err) PT_NODISCARD;

// --- Answers (answer.c) ---
// 200 and the object, whose reference is taken.
void api_reply_json(struct https_request *request, unsigned status, json_t *take);
// Adds height, chain time, age in milliseconds and "final": true (or "ordered") to an answer about state.
void api_add_standing(struct api *api, json_t *object, uint64_t height, pt_millis time);
// How old the node's knowledge is: 0 while it is in order (solo: it is the consortium), else the time since it failed.
pt_millis api_age(struct api *api);
json_t *api_digest(const struct pt_digest *digest);  // hex string
json_t *api_time(pt_millis time);                    // "2026-05-31T08:15:30.000Z"
json_t *api_day(int32_t day);                        // "2026-05-31"; null for INT32_MIN
json_t *api_pack_uri(const struct pack_id *id);
// The product's names by its master record, {"zh","en"}; null if there is none.
json_t *api_product_name(struct api *api, const struct pack_id *id);
json_t *api_pack_json(const struct pack_id *id, const struct ledger_pack *pack);  // api_packs.c
json_t *api_pack_recall(const struct ledger_pack_recall *recall);                  // api_recalls.c
json_t *api_recall_json(const struct recall_record *record, bool history);
enum pt_code recall_reaches_new(struct recall_reaches **out, struct pt_error *err) PT_NODISCARD;  // api_recall_reach.c
void recall_reaches_free(struct recall_reaches *reaches);
bool api_parse_digest(const char *hex, struct pt_digest *out);
bool api_parse_number(const char *text, uint64_t *out);  // decimal, nothing else

// --- Handlers ---
void api_get_verify_gtin(void *arg, struct https_request *request);
void api_get_verify_code(void *arg, struct https_request *request);
void api_get_verify_scan(void *arg, struct https_request *request);
void api_get_connectivity(void *arg, struct https_request *request);
void api_get_pack(void *arg, struct https_request *request);
void api_get_provenance(void *arg, struct https_request *request);
void api_get_digital_link(void *arg, struct https_request *request);
void api_get_entry(void *arg, struct https_request *request);
void api_get_entry_statement(void *arg, struct https_request *request);
void api_get_entry_receipt(void *arg, struct https_request *request);
void api_get_checkpoint(void *arg, struct https_request *request);
void api_get_inclusion(void *arg, struct https_request *request);
void api_get_consistency(void *arg, struct https_request *request);
void api_get_height(void *arg, struct https_request *request);
void api_get_alerts(void *arg, struct https_request *request);
void api_get_alert(void *arg, struct https_request *request);
void api_post_blocks(void *arg, struct https_request *request);
void api_post_statements(void *arg, struct https_request *request);
void api_post_receipts(void *arg, struct https_request *request);
void api_get_feed(void *arg, struct https_request *request);
void api_get_recalls(void *arg, struct https_request *request);
void api_get_recall(void *arg, struct https_request *request);
void api_get_recall_reach(void *arg, struct https_request *request);
void api_get_recall_packs(void *arg, struct https_request *request);
void api_get_rules(void *arg, struct https_request *request);
void api_post_claims(void *arg, struct https_request *request);
void api_get_claims(void *arg, struct https_request *request);
void api_get_claim(void *arg, struct https_request *request);
void api_get_claim_evidence(void *arg, struct https_request *request);
void api_get_claim_line(void *arg, struct https_request *request);
void api_get_health(void *arg, struct https_request *request);
void api_get_metrics(void *arg, struct https_request *request);
void api_get_openapi(void *arg, struct https_request *request);
void api_get_page(void *arg, struct https_request *request);

#endif
