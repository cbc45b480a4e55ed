#include "ledger/contracts/claims.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/cose/cbor.h"
#include "common/crypto/digest.h"
#include "ledger/contracts/claims_internal.h"
#include "ledger/contracts/master_facts.h"

#define ANSWERS_MAX ((size_t)256 * 1024)
#define PACKS_ARENA ((size_t)128 * 1024 * 1024)  // of a batch; its worst is a quarter of it

// One batch under way. Lines are decided in their order; each pack is read once and written once.
struct batch {
    struct state_view *view;
    const struct contract_input *input;
    const struct contract_context *context;
    struct contract_output *output;
    const struct claim_batch *claims;
    uint8_t insurer[CLAIM_MARK];
    struct claim_subject *subjects;  // by key, each once
    size_t subject_count;
    struct pt_arena arena;           // of their records
    struct claim_line_answer *answers;
};

// --- Declaring ---

// A copy in the arena of what `key` holds.
static struct pt_bytes kept(struct pt_arena *arena, struct pt_bytes bytes, bool *failed) {
    uint8_t *copy = pt_arena_alloc(arena, 1, bytes.len + 1);
    if (!copy) *failed = true;
    else if (bytes.len > 0) memcpy(copy, bytes.data, bytes.len);
    return pt_bytes_of(copy, copy ? bytes.len : 0);
}

static bool pack_key_of(const struct claim_line *line, struct pt_buf *out) {
    struct pack_id id;
    return claim_pack_id(line->pack, &id, NULL) == PT_OK && pack_id_key(&id, out, NULL) == PT_OK;
}

static void declare_line(const struct claim_batch *claims, const struct claim_line *line, struct access_list *out) {
    uint8_t pack[PACK_KEY_MAX + 1], line_key[CLAIM_LINE_KEY], text[64];
    struct pt_buf pack_key = PT_BUF_OVER(pack), key = PT_BUF_OVER(text);
    claim_line_key(claims->insurer, line->id, line_key);
    claim_key_line(line_key, &key);
    access_declare(out, STATE_CLAIM, ACCESS_READ | ACCESS_WRITE, kept(out->arena, pt_buf_bytes(&key), &out->failed));
    if (line->action == CLAIM_SETTLE) claims_declare_decision(line, out);
    if (pack_key_of(line, &pack_key)) claim_subject_declare(kept(out->arena, pt_buf_bytes(&pack_key), &out->failed), true, out);
}

static void declare(const struct contract_input *input, const struct contract_context *context, struct access_list *out) {
    uint8_t text[16];
    struct pt_buf key = PT_BUF_OVER(text);
    if (!claims_enabled(context)) return;
    if (input->kind == KIND_EVENT) {
        claims_declare_event(input, context, out);
        return;
    }
    claim_key_batch(context->leaf_index, &key);
    access_declare(out, STATE_CLAIM, ACCESS_WRITE, kept(out->arena, pt_buf_bytes(&key), &out->failed));
    master_facts_declare(MASTER_PARTY, input->claims->insurer, out);
    bool reverses = false;
    for (size_t i = 0; i < input->claims->line_count; i++) {
        declare_line(input->claims, &input->claims->lines[i], out);
        reverses = reverses || input->claims->lines[i].action == CLAIM_REVERSE;
    }
    // A reversal settles what is due of others' lines, too: whose they are stands in the pack's record alone.
    static const uint8_t due[] = {'d'};
    if (reverses) access_declare(out, STATE_CLAIM, ACCESS_READ | ACCESS_WRITE | ACCESS_PREFIX, pt_bytes_of(due, 1));
}

// --- The packs of a batch ---

static int by_key(const void *a, const void *b) {
    return pt_bytes_compare(((const struct claim_subject *)a)->key, ((const struct claim_subject *)b)->key);
}

static enum pt_code read_subjects(struct batch *batch, struct pt_error *err) {
    const struct claim_batch *claims = batch->claims;
    size_t count = 0;
    bool failed = false;
    batch->subjects = pt_arena_alloc(&batch->arena, claims->line_count, sizeof *batch->subjects);
    if (!batch->subjects) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    for (size_t i = 0; i < claims->line_count; i++) {
        uint8_t pack[PACK_KEY_MAX + 1];
        struct pt_buf key = PT_BUF_OVER(pack);
        if (pack_key_of(&claims->lines[i], &key)) batch->subjects[count++].key = kept(batch->context->arena, pt_buf_bytes(&key), &failed);
    }
    if (failed) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    if (count > 0) qsort(batch->subjects, count, sizeof *batch->subjects, by_key);
    for (size_t i = 0; i < count; i++) {
        const struct pt_bytes key = batch->subjects[i].key;
        if (batch->subject_count > 0 && pt_bytes_equal(batch->subjects[batch->subject_count - 1].key, key)) continue;
        const enum pt_code code =
            claim_subject_read(batch->view, batch->context, key, &batch->arena, &batch->subjects[batch->subject_count], err);
        if (code != PT_OK) return code;
        batch->subject_count++;
    }
    return PT_OK;
}

// NULL: the line's code is none.
static struct claim_subject *subject_of(const struct batch *batch, const struct claim_line *line) {
    uint8_t pack[PACK_KEY_MAX + 1];
    struct pt_buf key = PT_BUF_OVER(pack);
    if (!pack_key_of(line, &key)) return NULL;
    const struct claim_subject wanted = {.key = pt_buf_bytes(&key)};
    return bsearch(&wanted, batch->subjects, batch->subject_count, sizeof wanted, by_key);
}

// --- A line's own record ---

static enum pt_code read_line(const struct batch *batch, const uint8_t line_key[CLAIM_LINE_KEY], struct claim_line_record *out,
                              bool *found, struct pt_error *err) {
    uint8_t text[32];
    struct pt_buf key = PT_BUF_OVER(text);
    struct pt_bytes value;
    claim_key_line(line_key, &key);
    const enum pt_code code = state_get(batch->view, STATE_CLAIM, pt_buf_bytes(&key), &value, found, err);
    return code == PT_OK && *found ? claim_line_record_decode(value, out, err) : code;
}

static enum pt_code write_line(const struct batch *batch, const uint8_t line_key[CLAIM_LINE_KEY],
                               const struct claim_line_record *record, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf value = PT_BUF_INIT(1024);
    uint8_t text[32];
    struct pt_buf key = PT_BUF_OVER(text);
    claim_key_line(line_key, &key);
    claim_line_record_encode(record, &value);
    const enum pt_code code = pt_buf_check(&value, err);
    return code == PT_OK ? state_put(batch->view, STATE_CLAIM, pt_buf_bytes(&key), pt_buf_bytes(&value), err) : code;
}

// --- Settling ---

static enum pt_code raise(struct batch *batch, const struct claim_line *line, const struct claim_subject *subject,
                          const struct claim_decision *decision, struct pt_error *err) {
    struct alert_record alert = {.kind = decision->alert, .mode = decision->mode, .confidence = decision->confidence,
                                 .pack = subject->key, .evidence = {batch->context->leaf_index}, .evidence_count = 1,
                                 .event_time = line->event_time};
    if (decision->dispensing) alert.evidence[alert.evidence_count++] = decision->dispensing->leaf;
    if (decision->other) alert.evidence[alert.evidence_count++] = decision->other->batch;
    snprintf(alert.detail, sizeof alert.detail, "claim line %s: %s; %llu units claimed, %llu settled", line->id,
             claim_reason_name(decision->reason), (unsigned long long)line->units,
             (unsigned long long)claim_pack_settled(&subject->claims));
    return contract_raise(batch->context, batch->output, &alert, err);
}

static enum pt_code take_up(struct batch *batch, size_t index, const uint8_t line_key[CLAIM_LINE_KEY], struct claim_subject *subject,
                            struct claim_dispensing *dispensing, struct pt_error *err) {
    const struct claim_line *line = &batch->claims->lines[index];
    struct claim_settled *settled = claim_pack_add_line(&subject->claims, &batch->arena);
    if (!settled) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    settled->batch = batch->context->leaf_index;
    settled->line = index;
    settled->dispensing = dispensing->leaf;
    settled->units = line->units;
    memcpy(settled->insurer, batch->insurer, CLAIM_MARK);
    memcpy(settled->key, line_key, CLAIM_LINE_KEY);
    dispensing->settled += line->units;
    subject->changed = true;
    return PT_OK;
}

static void answer_from(struct claim_line_answer *answer, const struct claim_subject *subject, const struct claim_decision *decision) {
    answer->outcome = decision->reason == CLAIM_REASON_NONE ? CLAIM_SETTLED : CLAIM_REFUSED;
    answer->reason = decision->reason;
    if (decision->dispensing) {
        answer->dispensing = decision->dispensing->leaf + 1;
        answer->flags = decision->dispensing->flags;
    }
    if (decision->other) answer->other = decision->other->batch + 1;
    answer->content = subject ? subject->content : 0;
}

// A line that is refused may be claimed again, as it is or corrected; only what was settled is said once and for all.
static enum pt_code decide_anew(struct batch *batch, size_t index, const uint8_t line_key[CLAIM_LINE_KEY],
                                const struct claim_line_record *before, bool refused_before, struct claim_line_record *record,
                                struct pt_error *err) {
    const struct claim_line *line = &batch->claims->lines[index];
    struct claim_subject *subject = subject_of(batch, line);
    struct claim_decision decision = {.reason = CLAIM_UNREADABLE_CODE};
    enum pt_code code = PT_OK;
    if (subject) code = claims_decide(batch->view, batch->context, line, batch->insurer, subject, &decision, err);
    if (code != PT_OK) return code;
    answer_from(&batch->answers[index], subject, &decision);
    // Asking again is no second suspicion.
    const bool told = refused_before && before->reason == decision.reason &&
                      memcmp(before->content, record->content, sizeof record->content) == 0;
    if (decision.reason == CLAIM_REASON_NONE) code = take_up(batch, index, line_key, subject, decision.dispensing, err);
    else if (decision.alert && !told) code = raise(batch, line, subject, &decision, err);
    record->state = decision.reason == CLAIM_REASON_NONE ? CLAIM_LINE_SETTLED : CLAIM_LINE_REFUSED;
    record->reason = decision.reason;
    if (subject) record->pack = subject->key;
    return code == PT_OK ? write_line(batch, line_key, record, err) : code;
}

static void answer_as_before(const struct batch *batch, const struct claim_line *line, const uint8_t line_key[CLAIM_LINE_KEY],
                             const struct claim_line_record *before, struct claim_line_answer *answer) {
    const struct claim_subject *subject = subject_of(batch, line);
    answer->other = before->batch + 1;
    if (!subject) return;
    answer->content = subject->content;
    for (size_t i = 0; i < subject->claims.line_count; i++)
        if (memcmp(subject->claims.lines[i].key, line_key, CLAIM_LINE_KEY) == 0) answer->dispensing = subject->claims.lines[i].dispensing + 1;
}

static enum pt_code settle(struct batch *batch, size_t index, const uint8_t line_key[CLAIM_LINE_KEY],
                           const struct claim_line_record *before, bool found, struct pt_error *err) {
    const struct claim_line *line = &batch->claims->lines[index];
    struct claim_line_answer *answer = &batch->answers[index];
    struct claim_line_record record = {.batch = batch->context->leaf_index, .line = index};
    const struct pt_digest content = sha256(line->bytes);
    memcpy(record.content, content.bytes, sizeof record.content);
    if (!found || before->state == CLAIM_LINE_REFUSED) return decide_anew(batch, index, line_key, before, found, &record, err);
    const bool same = memcmp(before->content, record.content, sizeof record.content) == 0;
    answer_as_before(batch, line, line_key, before, answer);
    answer->outcome = before->state == CLAIM_LINE_SETTLED && same ? CLAIM_DUPLICATE : CLAIM_REFUSED;
    if (answer->outcome == CLAIM_REFUSED)
        answer->reason = before->state == CLAIM_LINE_REVERSED ? CLAIM_ALREADY_REVERSED : CLAIM_ALREADY_SETTLED;
    return PT_OK;
}

// --- Reversing ---

static enum pt_code forget_due(const struct batch *batch, const struct claim_settled *line, struct pt_error *err) {
    uint8_t text[CLAIM_MARK + CLAIM_LINE_KEY + 2];
    struct pt_buf key = PT_BUF_OVER(text);
    struct pt_bytes value;
    bool found;
    claim_key_due(line->insurer, line->key, &key);
    const enum pt_code code = state_get(batch->view, STATE_CLAIM, pt_buf_bytes(&key), &value, &found, err);
    return code == PT_OK && found ? state_delete(batch->view, STATE_CLAIM, pt_buf_bytes(&key), err) : code;
}

// What one line gives back may be all that was due of another.
static enum pt_code settle_due(const struct batch *batch, const struct claim_subject *subject, const struct claim_settled *reversed,
                               struct pt_error *err) {
    const struct claim_pack *claims = &subject->claims;
    enum pt_code code = forget_due(batch, reversed, err);
    for (size_t i = 0; code == PT_OK && i < claims->line_count; i++)
        if (claims->lines[i].dispensing == reversed->dispensing && !claim_pack_reversal_due(claims, i))
            code = forget_due(batch, &claims->lines[i], err);
    return code;
}

static bool take_out(struct claim_subject *subject, const uint8_t line_key[CLAIM_LINE_KEY], struct claim_settled *out) {
    struct claim_pack *claims = &subject->claims;
    for (size_t i = 0; i < claims->line_count; i++) {
        if (memcmp(claims->lines[i].key, line_key, CLAIM_LINE_KEY) != 0) continue;
        *out = claims->lines[i];
        memmove(&claims->lines[i], &claims->lines[i + 1], (claims->line_count - i - 1) * sizeof claims->lines[0]);
        claims->line_count--;
        struct claim_dispensing *dispensing = claim_pack_dispensing(claims, out->dispensing);
        if (dispensing) dispensing->settled -= out->units;
        subject->changed = true;
        return true;
    }
    return false;
}

static enum pt_code reverse(struct batch *batch, size_t index, const uint8_t line_key[CLAIM_LINE_KEY],
                            const struct claim_line_record *before, bool found, struct pt_error *err) {
    struct claim_subject *subject = subject_of(batch, &batch->claims->lines[index]);
    struct claim_line_answer *answer = &batch->answers[index];
    struct claim_settled line;
    *answer = (struct claim_line_answer){.outcome = CLAIM_REFUSED, .reason = CLAIM_NOT_YOUR_LINE};
    if (subject) answer->content = subject->content;
    else answer->reason = CLAIM_UNREADABLE_CODE;
    if (!subject || !found || before->state == CLAIM_LINE_REFUSED || !pt_bytes_equal(before->pack, subject->key)) return PT_OK;
    answer->other = before->batch + 1;
    if (before->state == CLAIM_LINE_REVERSED) {  // the same answer got lost: it is reversed, once
        *answer = (struct claim_line_answer){.outcome = CLAIM_DUPLICATE, .content = subject->content, .other = before->reversed_by};
        return PT_OK;
    }
    if (!take_out(subject, line_key, &line)) return pt_fail(err, PT_INTERNAL, NULL, "a settled line is missing from its pack");
    answer->outcome = CLAIM_REVERSED;
    answer->reason = CLAIM_REASON_NONE;
    answer->dispensing = line.dispensing + 1;
    struct claim_line_record record = *before;
    record.state = CLAIM_LINE_REVERSED;
    record.reversed_by = batch->context->leaf_index + 1;
    record.pack = subject->key;  // the view's bytes end with the next write
    const enum pt_code code = settle_due(batch, subject, &line, err);
    return code == PT_OK ? write_line(batch, line_key, &record, err) : code;
}

// --- The batch ---

static enum pt_code decide_line(struct batch *batch, size_t index, struct pt_error *err) {
    const struct claim_line *line = &batch->claims->lines[index];
    struct claim_line_record before = {0};
    uint8_t line_key[CLAIM_LINE_KEY];
    bool found;
    claim_line_key(batch->claims->insurer, line->id, line_key);
    enum pt_code code = read_line(batch, line_key, &before, &found, err);
    if (code == PT_OK)
        code = line->action == CLAIM_SETTLE ? settle(batch, index, line_key, &before, found, err)
                                            : reverse(batch, index, line_key, &before, found, err);
    const struct claim_subject *subject = subject_of(batch, line);
    if (subject) batch->answers[index].settled = claim_pack_settled(&subject->claims);
    return code;
}

static enum pt_code write_answers(struct batch *batch, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf value = PT_BUF_INIT(ANSWERS_MAX);
    uint8_t text[16];
    struct pt_buf key = PT_BUF_OVER(text);
    claim_key_batch(batch->context->leaf_index, &key);
    cbor_put_array(&value, batch->claims->line_count);
    for (size_t i = 0; i < batch->claims->line_count; i++) claim_line_answer_put(&batch->answers[i], &value);
    const enum pt_code code = pt_buf_check(&value, err);
    return code == PT_OK ? state_put(batch->view, STATE_CLAIM, pt_buf_bytes(&key), pt_buf_bytes(&value), err) : code;
}

static enum pt_code decide_batch(struct batch *batch, struct pt_error *err) {
    batch->answers = pt_arena_alloc(&batch->arena, batch->claims->line_count, sizeof *batch->answers);
    enum pt_code code = batch->answers ? read_subjects(batch, err) : pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    for (size_t i = 0; code == PT_OK && i < batch->claims->line_count; i++) code = decide_line(batch, i, err);
    for (size_t i = 0; code == PT_OK && i < batch->subject_count; i++)
        if (batch->subjects[i].changed) code = claim_subject_write(batch->view, &batch->subjects[i], err);
    return code == PT_OK ? write_answers(batch, err) : code;
}

// An insurer is whom a party record calls so; only operators can sign such a record (master_records.c).
static enum pt_code is_insurer(struct state_view *view, const struct contract_context *context, const struct claim_batch *claims,
                               bool *out, struct pt_error *err) {
    struct party_facts party;
    bool found;
    *out = context->signer->role == ACTOR_COMPANY && strcmp(context->signer->party, claims->insurer) == 0;
    if (!*out) return PT_OK;
    const enum pt_code code = master_facts_party(view, context->arena, claims->insurer, context->chain_time, &party, &found, err);
    *out = code == PT_OK && found && (party.roles & 1u << MASTER_INSURER) != 0;
    return code;
}

static enum pt_code apply(struct state_view *view, const struct contract_input *input, const struct contract_context *context,
                          struct contract_output *output, struct pt_error *err) {
    bool insurer = false;
    if (input->kind == KIND_EVENT) return claims_enabled(context) ? claims_apply_event(view, input, context, output, err) : PT_OK;
    enum pt_code code = claims_enabled(context) ? is_insurer(view, context, input->claims, &insurer, err) : PT_OK;
    if (code != PT_OK) return code;
    if (!insurer) {
        output->result = RESULT_NOT_ALLOWED;
        return PT_OK;
    }
    struct batch batch = {.view = view, .input = input, .context = context, .output = output, .claims = input->claims,
                          .arena = {.ceiling = PACKS_ARENA}};
    claim_insurer_mark(input->claims->insurer, batch.insurer);
    code = decide_batch(&batch, err);
    pt_arena_free(&batch.arena);
    return code;
}

const struct contract claims_contract = {
    .name = "claims", .version = 1, .kinds = KIND_EVENT | KIND_CLAIM, .declare = declare, .apply = apply};
