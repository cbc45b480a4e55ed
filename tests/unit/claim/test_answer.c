// Answers and evidence bundles as bytes, and the words for reasons.
#include <string.h>

#include "common/claim/claim.h"
#include "common/claim/claim_answer.h"
#include "tests/support/support.h"

static struct claim_line_answer lines[2] = {
    {.outcome = CLAIM_SETTLED, .flags = CLAIM_FLAG_EXPIRED, .settled = 24, .content = 24, .dispensing = 8},
    {.outcome = CLAIM_REFUSED, .reason = CLAIM_OVER_CONTENT, .settled = 24, .content = 24, .dispensing = 8, .other = 10},
};

static void answers_go_round(void **state) {
    (void)state;
    struct pt_arena arena = {0};
    struct pt_buf bytes = PT_BUF_INIT(CLAIM_ANSWER_MAX);
    struct pt_error err;
    const struct claim_answer answer = {.statement = {{1}}, .leaf_index = 9, .height = 3, .time = -5, .lines = lines, .line_count = 2};
    struct claim_answer back;
    assert_ok(claim_answer_encode(&answer, &bytes, &err), &err);
    assert_ok(claim_answer_decode(pt_buf_bytes(&bytes), &arena, &back, &err), &err);
    assert_true(pt_digest_equal(&back.statement, &answer.statement));
    assert_int_equal(back.leaf_index, 9);
    assert_int_equal(back.height, 3);
    assert_int_equal(back.time, -5);
    assert_int_equal(back.line_count, 2);
    assert_int_equal(back.lines[0].flags, CLAIM_FLAG_EXPIRED);
    assert_int_equal(back.lines[1].reason, CLAIM_OVER_CONTENT);
    assert_int_equal(back.lines[1].other, 10);
    for (size_t len = 0; len < bytes.len; len++)
        assert_int_not_equal(claim_answer_decode(pt_bytes_of(bytes.data, len), &arena, &back, NULL), PT_OK);
    pt_buf_byte(&bytes, 0);
    assert_int_equal(claim_answer_decode(pt_buf_bytes(&bytes), &arena, &back, NULL), PT_INVALID);
    pt_buf_free(&bytes);
    pt_arena_free(&arena);
}

static void bundles_go_round(void **state) {
    (void)state;
    struct pt_arena arena = {0};
    struct pt_buf bytes = PT_BUF_INIT(CLAIM_EVIDENCE_MAX);
    struct pt_error err;
    struct claim_evidence_item items[2] = {{pt_bytes_str("one"), pt_bytes_str("r1")}, {pt_bytes_str("two"), pt_bytes_str("r2")}};
    struct pt_bytes keys[1] = {pt_bytes_str("key")};
    struct claim_evidence evidence = {pt_bytes_str("answer"), items, 2, keys, 1, pt_bytes_str("checkpoint")}, back;
    assert_ok(claim_evidence_encode(&evidence, &bytes, &err), &err);
    assert_ok(claim_evidence_decode(pt_buf_bytes(&bytes), &arena, &back, &err), &err);
    assert_int_equal(back.item_count, 2);
    assert_true(pt_bytes_equal(back.items[1].receipt, pt_bytes_str("r2")));
    assert_true(pt_bytes_equal(back.keys[0], keys[0]));
    assert_true(pt_bytes_equal(back.checkpoint, evidence.checkpoint));
    for (size_t len = 0; len < bytes.len; len++)
        assert_int_not_equal(claim_evidence_decode(pt_bytes_of(bytes.data, len), &arena, &back, NULL), PT_OK);
    evidence.item_count = 0;
    assert_int_equal(claim_evidence_encode(&evidence, &bytes, &err), PT_LIMIT);
    pt_buf_free(&bytes);
    pt_arena_free(&arena);
}

static void every_reason_has_its_words(void **state) {
    (void)state;
    for (unsigned reason = 1; reason < CLAIM_REASONS; reason++) {
        const char *name = claim_reason_name((enum claim_reason)reason);
        assert_true(name && name[0]);
        assert_true(claim_reason_text((enum claim_reason)reason, true)[0] != 0);
        assert_true(claim_reason_text((enum claim_reason)reason, false)[0] != 0);
        for (unsigned other = 1; other < reason; other++) assert_string_not_equal(name, claim_reason_name((enum claim_reason)other));
    }
    assert_string_equal(claim_reason_name((enum claim_reason)99), "unknown");
    assert_string_equal(claim_reason_text((enum claim_reason)99, false), "");
    assert_string_equal(claim_outcome_name(CLAIM_SETTLED), "settled");
    assert_string_equal(claim_outcome_name((enum claim_outcome)99), "unknown");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(answers_go_round), cmocka_unit_test(bundles_go_round),
                                       cmocka_unit_test(every_reason_has_its_words)};
    return cmocka_run_group_tests_name("claim answer", tests, NULL, NULL);
}
