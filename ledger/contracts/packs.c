#include "ledger/contracts/packs.h"

void packs_declare(struct pt_bytes key, bool write, struct access_list *out) {
    access_declare(out, STATE_PACK, ACCESS_READ | (write ? ACCESS_WRITE : 0u) | ACCESS_ANCESTORS, key);
}

static enum pt_code read_record(void *ctx, struct pt_bytes key, struct pack_record *out, bool *found, struct pt_error *err) {
    struct pt_bytes value;
    const enum pt_code code = state_get(ctx, STATE_PACK, key, &value, found, err);
    if (code == PT_OK && *found) return pack_record_decode(value, out, err);
    *out = (struct pack_record){0};
    return code;
}

static enum pt_code read_container(void *ctx, const struct hierarchy_level *inner, struct pt_bytes *key, struct pt_error *err) {
    bool found;
    return state_container_of(ctx, inner->key, key, &found, err);
}

enum pt_code packs_read(struct state_view *view, struct pt_bytes key, struct pack_record *out, bool *found, struct pt_error *err) {
    return read_record(view, key, out, found, err);
}

enum pt_code packs_around(struct state_view *view, struct pt_bytes key, struct hierarchy *out, struct pt_error *err) {
    const struct hierarchy_source source = {read_record, read_container, view};
    return hierarchy_read(&source, key, out, err);
}

enum pt_code packs_write(struct state_view *view, struct pt_bytes key, const struct pack_record *record, struct pt_error *err) {
    uint8_t memory[PACK_RECORD_MAX];
    struct pt_buf buffer = {.data = memory, .cap = sizeof memory, .ceiling = sizeof memory};
    pack_record_encode(record, &buffer);
    if (buffer.failed || buffer.data != memory) return pt_fail(err, PT_INTERNAL, NULL, "a pack record is too long");
    return state_put(view, STATE_PACK, key, pt_buf_bytes(&buffer), err);
}

enum pt_code product_memo_of(struct product_memo *memo, struct pt_bytes key, const struct product_facts **out, struct pt_error *err) {
    const struct pt_bytes product = pack_id_key_product(key);
    struct pack_id id;
    *out = NULL;
    if (product.len == 0) return PT_OK;
    for (size_t i = 0; i < memo->count; i++) {
        if (!pt_bytes_equal(memo->items[i].product, product)) continue;
        *out = memo->items[i].found ? &memo->items[i].facts : NULL;
        return PT_OK;
    }
    enum pt_code code = pack_id_from_key(key, &id, err);
    const char *identifier = code == PT_OK ? master_facts_product_of(&id) : NULL;
    if (!identifier) return code;
    const size_t at = memo->next;
    memo->next = (at + 1) % PRODUCT_MEMO_PLACES;
    if (memo->count < PRODUCT_MEMO_PLACES) memo->count++;
    memo->items[at].product = product;
    code = master_facts_product(memo->view, memo->arena, identifier, memo->at, &memo->items[at].facts, &memo->items[at].found, err);
    if (code == PT_OK && memo->items[at].found) *out = &memo->items[at].facts;
    return code;
}

void packs_declare_products(const struct event_pack *packs, size_t count, struct access_list *out) {
    struct pt_bytes last = {0};
    for (size_t i = 0; i < count; i++) {
        const struct pt_bytes product = pack_id_key_product(packs[i].key);
        struct pack_id id;
        if (product.len == 0 || pt_bytes_equal(product, last)) continue;
        last = product;
        const char *identifier = pack_id_from_key(packs[i].key, &id, NULL) == PT_OK ? master_facts_product_of(&id) : NULL;
        if (identifier) master_facts_declare(MASTER_PRODUCT, identifier, out);
    }
}
