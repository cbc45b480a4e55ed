// What the claims contract knows of one pack.
#include <string.h>

#include "common/base/cleanup.h"
#include "common/identify/cn_trace.h"
#include "common/identify/gs1_uri.h"
#include "ledger/contracts/claims_internal.h"
#include "ledger/contracts/master_facts.h"

#define CLAIMS_VALUE_MAX ((size_t)64 * 1024)

bool claims_enabled(const struct contract_context *context) {
    return rule_setting(context->settings, "claims.enabled", strcmp(context->profile, "cn") == 0) != 0;
}

enum pt_code claim_pack_id(const char *code, struct pack_id *out, struct pt_error *err) {
    if (strlen(code) == CN_TRACE_DIGITS && strspn(code, "0123456789") == CN_TRACE_DIGITS)
        return cn_trace_parse(pt_bytes_str(code), out, err);
    return pack_id_from_uri(pt_bytes_str(code), out, err);
}

bool claim_same_place(struct pt_bytes a, struct pt_bytes b) {
    uint8_t first[2048], second[2048];
    struct pt_buf x = PT_BUF_OVER(first), y = PT_BUF_OVER(second);
    if (pt_bytes_equal(a, b)) return true;
    return gs1_uri_canonical(a, &x, NULL) == PT_OK && gs1_uri_canonical(b, &y, NULL) == PT_OK &&
           pt_bytes_equal(pt_buf_bytes(&x), pt_buf_bytes(&y));
}

static bool key_of(struct pt_arena *arena, struct pt_bytes pack, struct pt_bytes *out) {
    uint8_t *memory = pt_arena_alloc(arena, 1, pack.len + 2);
    if (!memory) return false;
    struct pt_buf key = {.data = memory, .cap = pack.len + 2, .ceiling = pack.len + 1};
    claim_key_pack(pack, &key);
    *out = pt_buf_bytes(&key);
    return true;
}

void claim_subject_declare(struct pt_bytes key, bool write, struct access_list *out) {
    struct pt_bytes claims;
    struct pack_id id;
    if (!key_of(out->arena, key, &claims)) {
        out->failed = true;
        return;
    }
    access_declare(out, STATE_CLAIM, write ? ACCESS_READ | ACCESS_WRITE : ACCESS_READ, claims);
    access_declare(out, STATE_PACK, ACCESS_READ, key);
    if (pack_id_from_key(key, &id, NULL) == PT_OK && master_facts_product_of(&id)) master_facts_declare(MASTER_PRODUCT, id.product, out);
}

// Its maker's word for this very pack counts before the product's record.
static enum pt_code read_content(struct state_view *view, const struct contract_context *context, struct pt_arena *arena,
                                 struct claim_subject *subject, struct pt_error *err) {
    struct product_facts product;
    bool found;
    subject->content = subject->record.content;
    const char *identifier = master_facts_product_of(&subject->id);
    if (subject->content > 0 || !identifier) return PT_OK;
    const enum pt_code code = master_facts_product(view, arena, identifier, context->chain_time, &product, &found, err);
    if (code == PT_OK && found) subject->content = product.units;
    return code;
}

enum pt_code claim_subject_read(struct state_view *view, const struct contract_context *context, struct pt_bytes key,
                                struct pt_arena *arena, struct claim_subject *out, struct pt_error *err) {
    struct pt_bytes value;
    struct pt_bytes claims;
    *out = (struct claim_subject){.key = key};
    enum pt_code code = pack_id_from_key(key, &out->id, err);
    if (code == PT_OK) code = state_get(view, STATE_PACK, key, &value, &out->known, err);
    if (code == PT_OK && out->known) code = pack_record_decode(value, &out->record, err);
    if (code == PT_OK) code = read_content(view, context, arena, out, err);
    if (code == PT_OK && !key_of(arena, key, &claims)) code = pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    if (code == PT_OK) code = state_get(view, STATE_CLAIM, claims, &value, &out->has_claims, err);
    if (code == PT_OK && out->has_claims) code = claim_pack_decode(value, arena, &out->claims, err);
    if (code == PT_OK && out->content > 0) claim_pack_grant(&out->claims, out->content);
    return code;
}

enum pt_code claim_subject_write(struct state_view *view, const struct claim_subject *subject, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf value = PT_BUF_INIT(CLAIMS_VALUE_MAX);
    uint8_t memory[PACK_KEY_MAX + 2];
    struct pt_buf key = PT_BUF_OVER(memory);
    claim_key_pack(subject->key, &key);
    claim_pack_encode(&subject->claims, &value);
    const enum pt_code code = pt_buf_check(&value, err);
    return code == PT_OK ? state_put(view, STATE_CLAIM, pt_buf_bytes(&key), pt_buf_bytes(&value), err) : code;
}
