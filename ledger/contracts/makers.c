#include "ledger/contracts/makers.h"

#include <string.h>

#include "common/base/cleanup.h"
#include "common/cose/cbor.h"
#include "common/identify/pack_id.h"
#include "ledger/contracts/lifecycle.h"

// In STATE_MASTER, apart from the records themselves: product identifier -> [valid from, version, holder, manufacturer]
// of the newest record. It counts from when it is on the chain, also for a record that is in force later only.
#define MAKER_KEY_KIND 0x80u
#define MAKER_MAX ((size_t)4096)

struct maker {
    pt_millis valid_from;
    uint64_t version;
    struct pt_bytes holder, manufacturer;
};

// What is passed to each identifier of a product.
struct work {
    const struct contract_input *input;
    struct pt_arena *arena;
    struct access_list *declared;
    struct state_view *view;
};

static enum pt_code maker_key(struct pt_arena *arena, const char *product, struct pt_bytes *out, struct pt_error *err) {
    const size_t len = strnlen(product, PACK_PRODUCT_MAX);
    uint8_t *key = pt_arena_alloc(arena, 1, len + 1);
    if (!key) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    key[0] = MAKER_KEY_KIND;
    memcpy(key + 1, product, len);
    *out = pt_bytes_of(key, len + 1);
    return PT_OK;
}

static enum pt_code read_maker(struct pt_bytes value, struct maker *out, struct pt_error *err) {
    struct cbor_reader reader = cbor_reader_of(value, true, err);
    cbor_get_array(&reader, 4);
    out->valid_from = cbor_get_int(&reader);
    out->version = cbor_get_uint(&reader);
    out->holder = cbor_get_text(&reader);
    out->manufacturer = cbor_get_text(&reader);
    return cbor_finish(&reader);
}

// --- A product's record comes ---

static enum pt_code declare_identifier(void *arg, const char *identifier, struct pt_error *err) {
    const struct work *work = arg;
    struct pt_bytes key;
    // The record's own id is a URI; packs bear GTINs and drug identifiers, which are short.
    if (strlen(identifier) > PACK_PRODUCT_MAX) return PT_OK;
    const enum pt_code code = maker_key(work->arena, identifier, &key, err);
    if (code == PT_OK) access_declare(work->declared, STATE_MASTER, ACCESS_READ | ACCESS_WRITE, key);
    return code;
}

static enum pt_code write_identifier(void *arg, const char *identifier, struct pt_error *err) {
    const struct work *work = arg;
    const struct master_record *record = work->input->master;
    const struct master_product *product = &record->product;
    struct pt_bytes key;
    struct pt_bytes present;
    bool found;
    if (strlen(identifier) > PACK_PRODUCT_MAX) return PT_OK;
    enum pt_code code = maker_key(work->arena, identifier, &key, err);
    if (code == PT_OK) code = state_get(work->view, STATE_MASTER, key, &present, &found, err);
    if (code != PT_OK) return code;
    struct maker before = {0};
    if (found) code = read_maker(present, &before, err);
    if (code != PT_OK) return code;
    if (found && (before.valid_from > record->valid_from ||
                  (before.valid_from == record->valid_from && before.version > record->version)))
        return PT_OK;
    PT_CLEANUP(pt_buf_free) struct pt_buf value = PT_BUF_INIT(MAKER_MAX);
    cbor_put_array(&value, 4);
    cbor_put_int(&value, record->valid_from);
    cbor_put_uint(&value, record->version);
    cbor_put_text(&value, product->holder ? product->holder : "");
    cbor_put_text(&value, product->manufacturer ? product->manufacturer : "");
    code = pt_buf_check(&value, err);
    return code == PT_OK ? state_put(work->view, STATE_MASTER, key, pt_buf_bytes(&value), err) : code;
}

// --- Packs are commissioned ---

// The next product that the event commissions, from pack *at on; false at the end. Neighbours of one product count once.
static bool next_product(const struct contract_input *input, size_t *at, struct pack_id *last) {
    for (; *at < input->pack_count; ++*at) {
        const struct event_pack *pack = &input->packs[*at];
        struct pack_id id;
        if (lifecycle_operation_of(input->event, pack->role) != OPERATION_COMMISSION) continue;
        if (pack_id_from_key(pack->key, &id, NULL) != PT_OK || (id.kind != PACK_SGTIN && id.kind != PACK_CN_TRACE)) continue;
        if (id.kind == last->kind && strcmp(id.product, last->product) == 0) continue;
        *last = id;
        ++*at;
        return true;
    }
    return false;
}

static void declare_event(struct work *work) {
    struct pack_id product = {.kind = PACK_NONE};
    struct pt_bytes key;
    for (size_t at = 0; next_product(work->input, &at, &product);) {
        if (maker_key(work->arena, product.product, &key, NULL) == PT_OK) access_declare(work->declared, STATE_MASTER, ACCESS_READ, key);
        else work->declared->failed = true;
    }
}

static bool is_maker(const struct maker *maker, const char *party) {
    const struct pt_bytes own = pt_bytes_str(party);
    if (maker->holder.len == 0 && maker->manufacturer.len == 0) return true;
    return pt_bytes_equal(maker->holder, own) || pt_bytes_equal(maker->manufacturer, own);
}

static enum pt_code apply_event(struct work *work, const struct contract_context *context, struct contract_output *output,
                                struct pt_error *err) {
    struct pack_id product = {.kind = PACK_NONE};
    for (size_t at = 0; next_product(work->input, &at, &product);) {
        struct pt_bytes key;
        struct pt_bytes value;
        struct maker maker = {0};
        bool found;
        enum pt_code code = maker_key(work->arena, product.product, &key, err);
        if (code == PT_OK) code = state_get(work->view, STATE_MASTER, key, &value, &found, err);
        if (code == PT_OK && found) code = read_maker(value, &maker, err);
        if (code != PT_OK) return code;
        if (found && !is_maker(&maker, context->signer->party)) {
            output->result = RESULT_NOT_ALLOWED;
            return PT_OK;
        }
    }
    return PT_OK;
}

// --- The contract ---

static void declare(const struct contract_input *input, const struct contract_context *context, struct access_list *out) {
    struct work work = {.input = input, .arena = context->arena, .declared = out};
    if (input->kind == KIND_EVENT) declare_event(&work);
    else if (input->master->kind == MASTER_PRODUCT && master_each_identifier(input->master, declare_identifier, &work, NULL) != PT_OK)
        out->failed = true;
}

static enum pt_code apply(struct state_view *view, const struct contract_input *input, const struct contract_context *context,
                          struct contract_output *output, struct pt_error *err) {
    struct work work = {.input = input, .arena = context->arena, .view = view};
    if (input->kind == KIND_EVENT) return apply_event(&work, context, output, err);
    return input->master->kind == MASTER_PRODUCT ? master_each_identifier(input->master, write_identifier, &work, err) : PT_OK;
}

const struct contract makers_contract = {
    .name = "makers", .version = 1, .kinds = KIND_EVENT | KIND_MASTER, .declare = declare, .apply = apply};
