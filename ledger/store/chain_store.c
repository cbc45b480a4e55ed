#include "ledger/store/chain_store.h"

#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "common/chain/block.h"
#include "common/chain/entry.h"

// Record: lengths of entry and co-signature (4 bytes each, little-endian), entry, co-signature, zstd frame.
#define HEAD 8u
#define CO_SIGNATURE_MAX ((size_t)4096)
#define COMPRESSION_LEVEL 3

struct chain_store {
    struct pt_journal *journal;
};

enum pt_code chain_store_open(const struct pt_disk *disk, uint64_t segment_bytes, struct chain_store **out,
                              struct pt_error *err) {
    const struct pt_journal_options options = {.segment_bytes = segment_bytes ? segment_bytes : (uint64_t)64 * 1024 * 1024};
    *out = NULL;
    struct chain_store *store = calloc(1, sizeof *store);
    if (!store) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    const enum pt_code code = pt_journal_open(disk, &options, NULL, NULL, &store->journal, err);
    if (code != PT_OK) {
        free(store);
        return code;
    }
    *out = store;
    return PT_OK;
}

void chain_store_close(struct chain_store *store) {
    if (!store) return;
    pt_journal_close(store->journal);
    free(store);
}

uint64_t chain_store_height(const struct chain_store *store) { return pt_journal_next(store->journal); }

uint64_t chain_store_bytes(const struct chain_store *store) { return pt_journal_bytes(store->journal); }

static void put32(uint8_t *out, size_t value) {
    for (unsigned i = 0; i < 4; i++) out[i] = (uint8_t)(value >> (8 * i));
}

static size_t get32(const uint8_t *in) {
    return (size_t)in[0] | (size_t)in[1] << 8 | (size_t)in[2] << 16 | (size_t)in[3] << 24;
}

enum pt_code chain_store_append(struct chain_store *store, const struct chain_record *record,
                                struct pt_journal_position *out, struct pt_error *err) {
    uint8_t head[HEAD];
    if (record->entry.len > ENTRY_MAX || record->co_signature.len > CO_SIGNATURE_MAX)
        return pt_fail(err, PT_LIMIT, NULL, "a chain record is too long");
    put32(head, record->entry.len);
    put32(head + 4, record->co_signature.len);
    const struct pt_bytes parts[] = {pt_bytes_of(head, HEAD), record->entry, record->co_signature, record->compressed_block};
    return pt_journal_append(store->journal, parts, sizeof parts / sizeof parts[0], out, err);
}

enum pt_code chain_store_sync(struct chain_store *store, struct pt_error *err) { return pt_journal_sync(store->journal, err); }

void chain_height_free(struct chain_height *height) {
    pt_buf_free(&height->raw);
    pt_buf_free(&height->block);
}

static enum pt_code decompress(struct pt_bytes frame, struct pt_buf *out, struct pt_error *err) {
    const unsigned long long size = ZSTD_getFrameContentSize(frame.data, frame.len);
    if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR || size > BLOCK_MAX)
        return pt_fail(err, PT_UNVERIFIED, NULL, "the block's compression is damaged");
    uint8_t *room = pt_buf_extend(out, (size_t)size);
    if (!room) return pt_buf_check(out, err);
    const size_t got = ZSTD_decompress(room, (size_t)size, frame.data, frame.len);
    if (ZSTD_isError(got) || got != size) return pt_fail(err, PT_UNVERIFIED, NULL, "the block's compression is damaged");
    return PT_OK;
}

static enum pt_code parse(struct chain_height *out, struct pt_error *err) {
    const struct pt_bytes raw = pt_buf_bytes(&out->raw);
    if (raw.len < HEAD) return pt_fail(err, PT_UNVERIFIED, NULL, "a chain record is too short");
    const size_t entry = get32(raw.data), co_signature = get32(raw.data + 4);
    if (entry > ENTRY_MAX || co_signature > CO_SIGNATURE_MAX || HEAD + entry + co_signature > raw.len)
        return pt_fail(err, PT_UNVERIFIED, NULL, "a chain record's lengths do not fit");
    out->entry = pt_bytes_of(raw.data + HEAD, entry);
    out->co_signature = pt_bytes_of(raw.data + HEAD + entry, co_signature);
    const size_t head = HEAD + entry + co_signature;
    return decompress(pt_bytes_of(raw.data + head, raw.len - head), &out->block, err);
}

enum pt_code chain_store_read(struct chain_store *store, const struct pt_journal_position *position, struct chain_height *out,
                              struct pt_error *err) {
    *out = (struct chain_height){0};
    pt_buf_init(&out->raw, PT_JOURNAL_MAX_RECORD);
    pt_buf_init(&out->block, BLOCK_MAX);
    enum pt_code code = pt_journal_read(store->journal, position, &out->raw, err);
    if (code == PT_OK) code = parse(out, err);
    if (code != PT_OK) {
        chain_height_free(out);
        *out = (struct chain_height){0};
    }
    return code;
}

enum pt_code chain_store_replay(struct chain_store *store, const struct pt_journal_position *before, chain_visit *each,
                                void *arg, struct pt_error *err) {
    struct pt_journal_position at = before ? *before : (struct pt_journal_position){0};
    bool first = before == NULL;
    for (;;) {
        struct chain_height record;
        struct pt_journal_position next;
        enum pt_code code = pt_journal_following(store->journal, first ? NULL : &at, &next, err);
        if (code == PT_NOT_FOUND) return PT_OK;
        if (code == PT_OK) code = chain_store_read(store, &next, &record, err);
        if (code != PT_OK) return code;
        code = each(arg, next.number + 1, &next, &record, err);
        chain_height_free(&record);
        if (code != PT_OK) return code;
        at = next;
        first = false;
    }
}

enum pt_code chain_block_compress(struct pt_bytes block, struct pt_buf *out, struct pt_error *err) {
    const size_t before = out->len;
    const size_t bound = ZSTD_compressBound(block.len);
    uint8_t *room = pt_buf_extend(out, bound);
    if (!room) return pt_buf_check(out, err);
    const size_t got = ZSTD_compress(room, bound, block.data, block.len, COMPRESSION_LEVEL);
    if (ZSTD_isError(got)) {
        out->len = before;
        return pt_fail(err, PT_NO_MEMORY, NULL, "cannot compress: %s", ZSTD_getErrorName(got));
    }
    out->len = before + got;
    return PT_OK;
}
