#include "ledger/query/claims.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/cose/cbor.h"
#include "common/cose/statement.h"
#include "ledger/query/claims_reader.h"

#define VALUE_MAX ((size_t)512 * 1024)

static enum pt_code no_memory(struct pt_error *err) { return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory"); }

// --- Reading ---

enum pt_code claims_get(struct pack_reader *reader, struct pt_bytes key, struct pt_bytes *out, bool *found, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf value = PT_BUF_INIT(VALUE_MAX);
    *out = (struct pt_bytes){0};
    const enum pt_code code = reader->index->get(reader->index, STATE_CLAIM, key, &value, err);
    *found = code == PT_OK;
    if (code != PT_OK) return code == PT_NOT_FOUND ? PT_OK : code;
    uint8_t *copy = pt_arena_alloc(reader->arena, 1, value.len + 1);
    if (!copy) return no_memory(err);
    if (value.len > 0) memcpy(copy, value.data, value.len);
    *out = pt_bytes_of(copy, value.len);
    return PT_OK;
}

// The statement id of a leaf counted from 1; zeros for 0.
static enum pt_code id_of(struct pack_reader *reader, uint64_t leaf_and_one, struct pt_digest *out, struct pt_error *err) {
    struct stored_statement stored;
    *out = (struct pt_digest){{0}};
    if (leaf_and_one == 0) return PT_OK;
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    const enum pt_code code = statement_store_by_leaf(reader->statements, reader->index, leaf_and_one - 1, &arena, &stored, err);
    if (code == PT_OK) *out = stored.id;
    return code;
}

enum pt_code claims_batch_of(struct pack_reader *reader, const struct stored_statement *stored, const struct claim_batch **out,
                             struct pt_error *err) {
    struct statement statement;
    struct claim_batch *batch = pt_arena_alloc(reader->arena, 1, sizeof *batch);
    if (!batch) return no_memory(err);
    *out = batch;
    enum pt_code code = statement_decode(stored->bytes, &statement, err);
    if (code == PT_OK && !pt_bytes_equal(statement.content_type, pt_bytes_str(STATEMENT_CLAIM)))
        return pt_fail(err, PT_NOT_FOUND, NULL, "this statement is no batch of claims");
    return code == PT_OK ? claim_batch_decode(statement.payload, reader->arena, batch, err) : code;
}

enum pt_code claims_answers_of(struct pack_reader *reader, uint64_t leaf, size_t count, struct claim_line_answer **out, bool *decided,
                               struct pt_error *err) {
    uint8_t text[16];
    struct pt_buf key = PT_BUF_OVER(text);
    struct pt_bytes value;
    claim_key_batch(leaf, &key);
    const enum pt_code code = claims_get(reader, pt_buf_bytes(&key), &value, decided, err);
    if (code != PT_OK || !*decided) return code;
    *out = pt_arena_alloc(reader->arena, count + 1, sizeof **out);
    if (!*out) return no_memory(err);
    struct cbor_reader answers = cbor_reader_of(value, true, err);
    cbor_expect_array(&answers, count);
    for (size_t i = 0; i < count && !cbor_failed(&answers); i++) claim_line_answer_get(&answers, &(*out)[i]);
    return cbor_finish(&answers);
}

// How the insurer's line stands now.
static enum pt_code add_standing(struct pack_reader *reader, struct ledger_claim_line *out, struct pt_error *err) {
    uint8_t line_key[CLAIM_LINE_KEY], mark[CLAIM_MARK], text[64];
    struct pt_buf key = PT_BUF_OVER(text);
    struct claim_line_record record;
    struct pt_bytes value;
    bool found;
    claim_line_key(out->insurer, out->line->id, line_key);
    claim_insurer_mark(out->insurer, mark);
    claim_key_line(line_key, &key);
    enum pt_code code = claims_get(reader, pt_buf_bytes(&key), &value, &found, err);
    if (code == PT_OK && found) code = claim_line_record_decode(value, &record, err);
    if (code != PT_OK || !found) return code;
    out->standing = (enum ledger_claim_standing)record.state;
    out->reversed_by = record.reversed_by;
    pt_buf_clear(&key);
    claim_key_due(mark, line_key, &key);
    return claims_get(reader, pt_buf_bytes(&key), &value, &out->reversal_due, err);
}

static enum pt_code fill(struct pack_reader *reader, const struct stored_statement *stored, const struct claim_batch *batch, size_t number,
                         const struct claim_line_answer *answer, struct ledger_claim_line *out, struct pt_error *err) {
    *out = (struct ledger_claim_line){.line = &batch->lines[number], .insurer = batch->insurer, .batch = stored->leaf, .number = number,
                                      .statement = stored->id, .answer = *answer};
    enum pt_code code = id_of(reader, answer->dispensing, &out->dispensing, err);
    if (code == PT_OK) code = id_of(reader, answer->other, &out->other, err);
    return code == PT_OK ? add_standing(reader, out, err) : code;
}

// A line by its place in the log.
static enum pt_code line_at(struct pack_reader *reader, uint64_t leaf, uint64_t number, struct ledger_claim_line *out, struct pt_error *err) {
    struct stored_statement stored;
    const struct claim_batch *batch;
    struct claim_line_answer *answers;
    bool decided = false;
    enum pt_code code = statement_store_by_leaf(reader->statements, reader->index, leaf, reader->arena, &stored, err);
    if (code == PT_OK) code = claims_batch_of(reader, &stored, &batch, err);
    if (code == PT_OK) code = claims_answers_of(reader, leaf, batch->line_count, &answers, &decided, err);
    if (code == PT_OK && (!decided || number >= batch->line_count)) code = pt_fail(err, PT_UNVERIFIED, "index", "a claim line leads nowhere");
    return code == PT_OK ? fill(reader, &stored, batch, (size_t)number, &answers[number], out, err) : code;
}

// --- Answers ---

static enum pt_code read_batch(struct pack_reader *reader, const struct pt_digest *id, size_t first, size_t most, struct ledger_claims *out,
                               struct pt_error *err) {
    struct stored_statement stored;
    struct side_height place;
    struct claim_line_answer *answers = NULL;
    enum pt_code code = statement_store_by_id(reader->statements, reader->index, id, reader->arena, &stored, err);
    if (code == PT_OK) code = claims_batch_of(reader, &stored, &out->batch, err);
    if (code == PT_OK) code = reader->index->height(reader->index, &out->height, err);
    if (code == PT_OK) code = statement_store_height(reader->index, out->height, &place, err);
    if (code == PT_OK) code = claims_answers_of(reader, stored.leaf, out->batch->line_count, &answers, &out->decided, err);
    if (code != PT_OK) return code;
    out->time = place.time;
    out->first = first;
    out->statement = (struct ledger_statement){.id = stored.id, .leaf_index = stored.leaf, .height = stored.height, .time = stored.time,
                                               .result = stored.result, .bytes = stored.bytes};
    const size_t count = out->batch->line_count > first ? out->batch->line_count - first : 0;
    if (!out->decided || count == 0) return PT_OK;
    out->lines = pt_arena_alloc(reader->arena, count < most ? count : most, sizeof *out->lines);
    if (!out->lines) return no_memory(err);
    for (; code == PT_OK && out->line_count < count && out->line_count < most; out->line_count++)
        code = fill(reader, &stored, out->batch, first + out->line_count, &answers[first + out->line_count], &out->lines[out->line_count], err);
    return code;
}

enum pt_code ledger_claims_of_batch(struct ledger *ledger, const struct pt_digest *id, size_t first, size_t most, struct pt_arena *arena,
                                    struct ledger_claims *out, struct pt_error *err) {
    struct idle_reader *view;
    *out = (struct ledger_claims){0};
    enum pt_code code = ledger_view_begin(ledger, &view, err);
    if (code != PT_OK) return code;
    struct pack_reader reader = {&view->reader, ledger->files.statements, arena};
    code = read_batch(&reader, id, first, most, out, err);
    ledger_view_end(ledger, view);
    return code;
}

static enum pt_code read_line(struct pack_reader *reader, const uint8_t line_key[CLAIM_LINE_KEY], struct ledger_claim_line *out,
                              struct pt_error *err) {
    uint8_t text[64];
    struct pt_buf key = PT_BUF_OVER(text);
    struct claim_line_record record;
    struct pt_bytes value;
    bool found;
    claim_key_line(line_key, &key);
    enum pt_code code = claims_get(reader, pt_buf_bytes(&key), &value, &found, err);
    if (code == PT_OK && !found) return pt_fail(err, PT_NOT_FOUND, NULL, "this insurer has claimed no such line");
    if (code == PT_OK) code = claim_line_record_decode(value, &record, err);
    return code == PT_OK ? line_at(reader, record.batch, record.line, out, err) : code;
}

enum pt_code ledger_claim_line(struct ledger *ledger, const char *insurer, const char *line, struct pt_arena *arena,
                               struct ledger_claim_line *out, struct pt_error *err) {
    struct idle_reader *view;
    uint8_t line_key[CLAIM_LINE_KEY];
    claim_line_key(insurer, line, line_key);
    enum pt_code code = ledger_view_begin(ledger, &view, err);
    if (code != PT_OK) return code;
    struct pack_reader reader = {&view->reader, ledger->files.statements, arena};
    code = read_line(&reader, line_key, out, err);
    ledger_view_end(ledger, view);
    return code;
}

struct due_lines {
    uint8_t (*keys)[CLAIM_LINE_KEY];
    size_t count, most;
};

static enum pt_code take_due(void *arg, struct pt_bytes key, struct pt_bytes value) {
    struct due_lines *due = arg;
    (void)value;
    if (due->count == due->most) return PT_NOT_FOUND;
    if (key.len != 1 + CLAIM_MARK + CLAIM_LINE_KEY) return PT_UNVERIFIED;
    memcpy(due->keys[due->count++], key.data + 1 + CLAIM_MARK, CLAIM_LINE_KEY);
    return PT_OK;
}

static enum pt_code read_due(struct pack_reader *reader, const char *insurer, size_t most, struct ledger_claim_line **out, size_t *count,
                             bool *more, struct pt_error *err) {
    uint8_t mark[CLAIM_MARK], low[32], high[32], least[CLAIM_LINE_KEY] = {0}, greatest[CLAIM_LINE_KEY];
    struct pt_buf from = PT_BUF_OVER(low), to = PT_BUF_OVER(high);
    struct due_lines due = {.keys = pt_arena_alloc(reader->arena, most + 1, sizeof *due.keys), .most = most + 1};
    *out = pt_arena_alloc(reader->arena, most + 1, sizeof **out);
    if (!due.keys || !*out) return no_memory(err);
    memset(greatest, 0xff, sizeof greatest);
    claim_insurer_mark(insurer, mark);
    claim_key_due(mark, least, &from);
    claim_key_due(mark, greatest, &to);
    pt_buf_byte(&to, 0);
    enum pt_code code = reader->index->range(reader->index, STATE_CLAIM, pt_buf_bytes(&from), pt_buf_bytes(&to), false, take_due, &due, err);
    for (; code == PT_OK && *count < due.count && *count < most; ++*count) code = read_line(reader, due.keys[*count], &(*out)[*count], err);
    *more = due.count > most;
    return code;
}

enum pt_code ledger_claims_due(struct ledger *ledger, const char *insurer, size_t most, struct pt_arena *arena,
                               struct ledger_claim_line **out, size_t *count, bool *more, struct pt_error *err) {
    struct idle_reader *view;
    *count = 0;
    enum pt_code code = ledger_view_begin(ledger, &view, err);
    if (code != PT_OK) return code;
    struct pack_reader reader = {&view->reader, ledger->files.statements, arena};
    code = read_due(&reader, insurer, most, out, count, more, err);
    ledger_view_end(ledger, view);
    return code;
}

// --- A pack ---

static enum pt_code read_pack(struct pack_reader *reader, const struct pack_id *id, struct ledger_pack_claims *out, struct pt_error *err) {
    uint8_t text[PACK_KEY_MAX + 2];
    struct pt_buf key = PT_BUF_OVER(text);
    struct pt_bytes pack;
    struct pt_bytes value;
    bool found;
    enum pt_code code = pack_reader_key(reader, id, &pack, err);
    if (code != PT_OK) return code;
    claim_key_pack(pack, &key);
    code = claims_get(reader, pt_buf_bytes(&key), &value, &found, err);
    if (code == PT_OK && found) code = claim_pack_decode(value, reader->arena, &out->pack, err);
    if (code != PT_OK || !found) return code;
    const size_t count = out->pack.dispensing_count;
    out->places = pt_arena_alloc(reader->arena, count + 1, sizeof *out->places);
    out->parties = pt_arena_alloc(reader->arena, count + 1, sizeof *out->parties);
    out->statements = pt_arena_alloc(reader->arena, count + 1, sizeof *out->statements);
    out->lines = pt_arena_alloc(reader->arena, out->pack.line_count + 1, sizeof *out->lines);
    if (!out->places || !out->parties || !out->statements || !out->lines) return no_memory(err);
    for (size_t i = 0; code == PT_OK && i < count; i++) {
        struct pt_bytes place = {0};
        struct pt_bytes party = {0};
        code = pack_reader_name(reader, out->pack.dispensings[i].place, &place, err);
        if (code == PT_OK) code = pack_reader_name(reader, out->pack.dispensings[i].party, &party, err);
        if (code == PT_OK) code = id_of(reader, out->pack.dispensings[i].leaf + 1, &out->statements[i], err);
        out->places[i] = (const char *)place.data;
        out->parties[i] = (const char *)party.data;
    }
    for (; code == PT_OK && out->line_count < out->pack.line_count; out->line_count++) {
        const struct claim_settled *line = &out->pack.lines[out->line_count];
        code = line_at(reader, line->batch, line->line, &out->lines[out->line_count], err);
    }
    out->settled = claim_pack_settled(&out->pack);
    return code;
}

enum pt_code ledger_claims_of_pack(struct ledger *ledger, const struct pack_id *id, struct pt_arena *arena, struct ledger_pack_claims *out,
                                   struct pt_error *err) {
    struct idle_reader *view;
    *out = (struct ledger_pack_claims){0};
    enum pt_code code = ledger_view_begin(ledger, &view, err);
    if (code != PT_OK) return code;
    struct pack_reader reader = {&view->reader, ledger->files.statements, arena};
    code = read_pack(&reader, id, out, err);
    ledger_view_end(ledger, view);
    return code;
}
