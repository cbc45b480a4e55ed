#include "common/claim/claim_answer.h"

#include "common/claim/claim.h"
#include "common/cose/cbor.h"

#define REASON_NUMBERS 31u
#define FLAG_NUMBERS 255u

static enum pt_code no_memory(struct pt_error *err) { return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory"); }

void claim_line_answer_put(const struct claim_line_answer *line, struct pt_buf *out) {
    cbor_put_array(out, 7);
    cbor_put_uint(out, line->outcome);
    cbor_put_uint(out, line->reason);
    cbor_put_uint(out, line->flags);
    cbor_put_uint(out, line->settled);
    cbor_put_uint(out, line->content);
    cbor_put_uint(out, line->dispensing);
    cbor_put_uint(out, line->other);
}

void claim_line_answer_get(struct cbor_reader *reader, struct claim_line_answer *out) {
    cbor_expect_array(reader, 7);
    const uint64_t outcome = cbor_get_uint(reader), reason = cbor_get_uint(reader), flags = cbor_get_uint(reader);
    if (!cbor_failed(reader) && (outcome < CLAIM_SETTLED || outcome > CLAIM_REFUSED || reason > REASON_NUMBERS || flags > FLAG_NUMBERS))
        cbor_fail(reader, "a line's answer is out of range");
    *out = (struct claim_line_answer){.outcome = (enum claim_outcome)outcome, .reason = (enum claim_reason)reason, .flags = (unsigned)flags};
    out->settled = cbor_get_count(reader);
    out->content = cbor_get_count(reader);
    out->dispensing = cbor_get_count(reader);
    out->other = cbor_get_count(reader);
}

enum pt_code claim_answer_encode(const struct claim_answer *answer, struct pt_buf *out, struct pt_error *err) {
    cbor_put_map(out, 5);
    cbor_put_uint(out, 1);
    cbor_put_bytes(out, pt_bytes_digest(&answer->statement));
    cbor_put_uint(out, 2);
    cbor_put_uint(out, answer->leaf_index);
    cbor_put_uint(out, 3);
    cbor_put_uint(out, answer->height);
    cbor_put_uint(out, 4);
    cbor_put_int(out, answer->time);
    cbor_put_uint(out, 5);
    cbor_put_array(out, answer->line_count);
    for (size_t i = 0; i < answer->line_count; i++) claim_line_answer_put(&answer->lines[i], out);
    return pt_buf_check(out, err);
}

enum pt_code claim_answer_decode(struct pt_bytes bytes, struct pt_arena *arena, struct claim_answer *out, struct pt_error *err) {
    *out = (struct claim_answer){0};
    if (bytes.len > CLAIM_ANSWER_MAX) return pt_fail(err, PT_LIMIT, NULL, "an answer of more than %zu bytes", CLAIM_ANSWER_MAX);
    struct cbor_reader reader = cbor_reader_of(bytes, true, err);
    cbor_expect_map(&reader, 5);
    cbor_expect_int(&reader, 1);
    cbor_get_digest(&reader, &out->statement);
    cbor_expect_int(&reader, 2);
    out->leaf_index = cbor_get_count(&reader);
    cbor_expect_int(&reader, 3);
    out->height = cbor_get_count(&reader);
    cbor_expect_int(&reader, 4);
    out->time = cbor_get_int(&reader);
    cbor_expect_int(&reader, 5);
    const uint64_t count = cbor_get_array(&reader, CLAIM_LINES_MAX);
    if (!cbor_failed(&reader) && count == 0) cbor_fail(&reader, "an answer without lines");
    if (cbor_failed(&reader)) return reader.code;
    out->lines = pt_arena_alloc(arena, count, sizeof *out->lines);
    if (!out->lines) return no_memory(err);
    out->line_count = (size_t)count;
    for (size_t i = 0; i < out->line_count; i++) claim_line_answer_get(&reader, &out->lines[i]);
    return cbor_finish(&reader);
}

enum pt_code claim_evidence_encode(const struct claim_evidence *evidence, struct pt_buf *out, struct pt_error *err) {
    if (evidence->item_count == 0 || evidence->item_count > CLAIM_EVIDENCE_ITEMS || evidence->key_count > CLAIM_EVIDENCE_KEYS)
        return pt_fail(err, PT_LIMIT, NULL, "too much evidence for one bundle: ask line by line");
    cbor_put_map(out, 5);
    cbor_put_uint(out, 1);
    cbor_put_uint(out, 1);
    cbor_put_uint(out, 2);
    cbor_put_bytes(out, evidence->answer);
    cbor_put_uint(out, 3);
    cbor_put_array(out, evidence->item_count);
    for (size_t i = 0; i < evidence->item_count; i++) {
        cbor_put_array(out, 2);
        cbor_put_bytes(out, evidence->items[i].statement);
        cbor_put_bytes(out, evidence->items[i].receipt);
    }
    cbor_put_uint(out, 4);
    cbor_put_array(out, evidence->key_count);
    for (size_t i = 0; i < evidence->key_count; i++) cbor_put_bytes(out, evidence->keys[i]);
    cbor_put_uint(out, 5);
    cbor_put_bytes(out, evidence->checkpoint);
    return pt_buf_check(out, err);
}

enum pt_code claim_evidence_decode(struct pt_bytes bytes, struct pt_arena *arena, struct claim_evidence *out, struct pt_error *err) {
    *out = (struct claim_evidence){0};
    if (bytes.len > CLAIM_EVIDENCE_MAX) return pt_fail(err, PT_LIMIT, NULL, "a bundle of more than %zu bytes", CLAIM_EVIDENCE_MAX);
    struct cbor_reader reader = cbor_reader_of(bytes, true, err);
    cbor_expect_map(&reader, 5);
    cbor_expect_int(&reader, 1);
    cbor_expect_int(&reader, 1);
    cbor_expect_int(&reader, 2);
    out->answer = cbor_get_bytes(&reader);
    cbor_expect_int(&reader, 3);
    const uint64_t items = cbor_get_array(&reader, CLAIM_EVIDENCE_ITEMS);
    if (!cbor_failed(&reader) && items == 0) cbor_fail(&reader, "a bundle without statements");
    out->items = cbor_failed(&reader) ? NULL : pt_arena_alloc(arena, items, sizeof *out->items);
    if (!out->items) return cbor_failed(&reader) ? reader.code : no_memory(err);
    out->item_count = (size_t)items;
    for (size_t i = 0; i < out->item_count; i++) {
        cbor_expect_array(&reader, 2);
        out->items[i].statement = cbor_get_bytes(&reader);
        out->items[i].receipt = cbor_get_bytes(&reader);
    }
    cbor_expect_int(&reader, 4);
    const uint64_t keys = cbor_get_array(&reader, CLAIM_EVIDENCE_KEYS);
    out->keys = cbor_failed(&reader) ? NULL : pt_arena_alloc(arena, keys + 1, sizeof *out->keys);
    if (!out->keys) return cbor_failed(&reader) ? reader.code : no_memory(err);
    out->key_count = (size_t)keys;
    for (size_t i = 0; i < out->key_count; i++) out->keys[i] = cbor_get_bytes(&reader);
    cbor_expect_int(&reader, 5);
    out->checkpoint = cbor_get_bytes(&reader);
    return cbor_finish(&reader);
}
