#include "ledger/query/pack_reader.h"

#include <string.h>

#include "common/base/cleanup.h"
#include "ledger/apply/statement_input.h"
#include "ledger/state/varint.h"

#define NAME_MAX_BYTES ((size_t)512 * 1024)  // a name is a text of some statement

static enum pt_code no_memory(struct pt_error *err) { return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory"); }

enum pt_code pack_reader_record(struct pack_reader *reader, struct pt_bytes key, struct pack_record *out, bool *found,
                                struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf value = PT_BUF_INIT(4096);
    *out = (struct pack_record){0};
    const enum pt_code code = reader->index->get(reader->index, STATE_PACK, key, &value, err);
    *found = code == PT_OK;
    if (code == PT_NOT_FOUND) return PT_OK;
    return code == PT_OK ? pack_record_decode(pt_buf_bytes(&value), out, err) : code;
}

static enum pt_code keep(struct pack_reader *reader, struct pt_bytes bytes, struct pt_bytes *out, struct pt_error *err) {
    uint8_t *copy = pt_arena_alloc(reader->arena, 1, bytes.len + 1);
    if (!copy) return no_memory(err);
    if (bytes.len > 0) memcpy(copy, bytes.data, bytes.len);
    *out = pt_bytes_of(copy, bytes.len);
    return PT_OK;
}

enum pt_code pack_reader_name(struct pack_reader *reader, uint64_t number, struct pt_bytes *out, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf value = PT_BUF_INIT(NAME_MAX_BYTES);
    uint8_t key[9] = {0};
    *out = (struct pt_bytes){0};
    if (number == 0) return PT_OK;
    be64_put(number, key + 1);
    const enum pt_code code = reader->index->get(reader->index, STATE_NAME, pt_bytes_of(key, sizeof key), &value, err);
    if (code != PT_OK) return code == PT_NOT_FOUND ? pt_fail(err, PT_UNVERIFIED, "index", "a name is missing") : code;
    if (value.len < 1) return pt_fail(err, PT_UNVERIFIED, "index", "a name is damaged");
    return keep(reader, pt_bytes_of(value.data + 1, value.len - 1), out, err);
}

enum pt_code pack_reader_number(struct pack_reader *reader, enum name_kind kind, struct pt_bytes text, uint64_t *out,
                                struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf name = PT_BUF_INIT(NAME_MAX_BYTES);
    PT_CLEANUP(pt_buf_free) struct pt_buf value = PT_BUF_INIT(16);
    *out = 0;
    pt_buf_byte(&name, (uint8_t)kind);
    pt_buf_append_bytes(&name, text);
    enum pt_code code = pt_buf_check(&name, err);
    if (code == PT_OK) code = reader->index->get(reader->index, STATE_NAME, pt_buf_bytes(&name), &value, err);
    struct pt_bytes bytes = pt_buf_bytes(&value);
    if (code == PT_NOT_FOUND) return PT_OK;
    if (code == PT_OK && !varint_get(&bytes, out)) return pt_fail(err, PT_UNVERIFIED, "index", "a name is damaged");
    return code;
}

enum pt_code pack_reader_container(struct pack_reader *reader, struct pt_bytes key, uint64_t *out, struct pt_error *err) {
    return pack_reader_number(reader, NAME_CONTAINER, key, out, err);
}

struct found_value {
    struct pack_reader *reader;
    struct pt_bytes bytes;
    bool found;
    struct pt_error *err;
};

static enum pt_code take_newest(void *arg, struct pt_bytes key, struct pt_bytes value) {
    struct found_value *found = arg;
    (void)key;
    found->found = true;
    const enum pt_code code = keep(found->reader, value, &found->bytes, found->err);
    return code == PT_OK ? PT_NOT_FOUND : code;  // the newest one only
}

enum pt_code pack_reader_master(struct pack_reader *reader, enum master_kind kind, const char *identifier, pt_millis at,
                                struct master_record *out, bool *found, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf from = PT_BUF_INIT(4096);
    PT_CLEANUP(pt_buf_free) struct pt_buf to = PT_BUF_INIT(4096);
    struct found_value value = {.reader = reader, .err = err};
    *found = false;
    master_key(kind, identifier, INT64_MIN, 0, &from);
    master_key(kind, identifier, at, UINT64_MAX, &to);
    enum pt_code code = pt_buf_check(&to, err);
    if (code == PT_OK)
        code = reader->index->range(reader->index, STATE_MASTER, pt_buf_bytes(&from), pt_buf_bytes(&to), true, take_newest, &value, err);
    if (code != PT_OK || !value.found) return code;
    code = master_decode(value.bytes, reader->arena, out, err);
    *found = code == PT_OK && !out->withdrawn;
    return code;
}

enum pt_code pack_reader_key(struct pack_reader *reader, const struct pack_id *id, struct pt_bytes *out, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf key = PT_BUF_INIT(PACK_KEY_MAX);
    const enum pt_code code = pack_id_key(id, &key, err);
    return code == PT_OK ? keep(reader, pt_buf_bytes(&key), out, err) : code;
}

static enum pt_code source_record(void *ctx, struct pt_bytes key, struct pack_record *out, bool *found, struct pt_error *err) {
    return pack_reader_record(ctx, key, out, found, err);
}

static enum pt_code source_container(void *ctx, const struct hierarchy_level *inner, struct pt_bytes *key, struct pt_error *err) {
    return pack_reader_name(ctx, inner->record.parent, key, err);
}

enum pt_code pack_reader_around(struct pack_reader *reader, struct pt_bytes key, struct hierarchy *out, struct pt_error *err) {
    const struct hierarchy_source source = {source_record, source_container, reader};
    return hierarchy_read(&source, key, out, err);
}

// Reads one statement and where the pack's history goes on behind it.
static enum pt_code history_step(struct pack_reader *reader, struct pt_bytes key, uint64_t leaf, struct history_item *out,
                                 uint64_t *previous, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf links = PT_BUF_INIT(SIDE_LINKS_MAX);
    struct statement statement;
    struct statement_input *input = pt_arena_alloc(reader->arena, 1, sizeof *input);
    uint8_t leaf_key[8];
    if (!input) return no_memory(err);
    be64_put(leaf, leaf_key);
    enum pt_code code = statement_store_by_leaf(reader->statements, reader->index, leaf, reader->arena, &out->stored, err);
    if (code == PT_OK) code = statement_decode(out->stored.bytes, &statement, err);
    if (code == PT_OK) code = statement_input_decode(&statement, reader->arena, input, err);
    if (code == PT_OK) code = reader->index->get(reader->index, INDEX_LINKS, pt_bytes_of(leaf_key, 8), &links, err);
    if (code != PT_OK) return code;
    out->signer = statement.kid;
    out->event = input->input.event;
    out->packs = input->input.packs;
    out->pack_count = input->input.pack_count;
    for (size_t i = 0; i < out->pack_count; i++) {
        if (!pt_bytes_equal(out->packs[i].key, key)) continue;
        out->role = out->packs[i].role;
        return side_links_at(pt_buf_bytes(&links), i, previous, err);
    }
    return pt_fail(err, PT_UNVERIFIED, "index", "a history leads to a statement that does not name the pack");
}

enum pt_code pack_reader_history(struct pack_reader *reader, struct pt_bytes key, size_t most, struct history_item **out,
                                 size_t *count, bool *more, struct pt_error *err) {
    struct pack_record record;
    bool found;
    size_t cap = 0;
    struct history_item *items = NULL;
    *out = NULL;
    *count = 0;
    *more = false;
    enum pt_code code = pack_reader_record(reader, key, &record, &found, err);
    for (uint64_t last = record.last; code == PT_OK && last > 0;) {
        if (*count == most) {
            *more = true;
            break;
        }
        if (*count == cap) {
            cap = cap ? cap * 2 : 16;
            struct history_item *grown = pt_arena_alloc(reader->arena, cap, sizeof *grown);
            if (!grown) return no_memory(err);
            if (*count > 0) memcpy(grown, items, *count * sizeof *grown);
            items = grown;
        }
        code = history_step(reader, key, last - 1, &items[*count], &last, err);
        if (code == PT_OK) (*count)++;
    }
    for (size_t i = 0; i < *count / 2; i++) {
        const struct history_item swapped = items[i];
        items[i] = items[*count - 1 - i];
        items[*count - 1 - i] = swapped;
    }
    *out = items;
    return code;
}
