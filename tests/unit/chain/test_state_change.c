#include <string.h>

#include "common/base/text.h"
#include "common/chain/state_change.h"
#include "common/crypto/digest.h"
#include "tests/support/support.h"

static struct state_change change(enum state_table table, const char *key, const char *value) {
    return (struct state_change){.table = table, .key = pt_bytes_str(key), .deleted = value == NULL, .value = pt_bytes_str(value)};
}

static void changes_sort_by_table_then_key(void **state) {
    (void)state;
    struct state_change changes[] = {change(STATE_RULES, "a", "1"), change(STATE_PACK, "ab", "2"), change(STATE_PACK, "b", "3"),
                                     change(STATE_PACK, "a", "4"), change(STATE_ACTOR, "", "5"), change(STATE_PACK, "\xff", "6")};
    state_changes_sort(changes, 6);
    const char *order = "423651";
    for (size_t i = 0; i < 6; i++) assert_int_equal(changes[i].value.data[0], order[i]);
    state_changes_sort(NULL, 0);
}

// Encoded by hand after RFC 8949: [[1, h'6b6579', h'76616c7565'], [5, h'72', null]].
static void the_digest_is_that_of_the_encoding_by_hand(void **state) {
    (void)state;
    static const uint8_t by_hand[] = {0x82, 0x83, 0x01, 0x43, 'k', 'e', 'y', 0x45, 'v', 'a', 'l', 'u', 'e',
                                      0x83, 0x05, 0x41, 'r', 0xf6};
    const struct state_change changes[] = {change(STATE_PACK, "key", "value"), change(STATE_RULES, "r", NULL)};
    const struct pt_digest expected = sha256(pt_bytes_of(by_hand, sizeof by_hand));
    const struct pt_digest digest = state_changes_digest(changes, 2);
    assert_true(pt_digest_equal(&digest, &expected));

    const struct pt_digest none = state_changes_digest(NULL, 0);
    const struct pt_digest empty_array = sha256(pt_bytes_of("\x80", 1));
    assert_true(pt_digest_equal(&none, &empty_array));
}

// Two bytes of length in key, value and count.
static void long_items_have_long_heads(void **state) {
    (void)state;
    static uint8_t value[300];
    struct state_change changes[300];
    struct pt_buf by_hand = PT_BUF_INIT(1 << 20);
    pt_buf_append(&by_hand, "\x99\x01\x2c", 3);
    for (size_t i = 0; i < 300; i++) {
        value[i] = (uint8_t)i;
        changes[i] = (struct state_change){.table = STATE_PACK, .key = pt_bytes_of(value, i), .value = pt_bytes_of(value, sizeof value)};
    }
    for (size_t i = 0; i < 300; i++) {
        pt_buf_append(&by_hand, "\x83\x01", 2);
        if (i < 24) pt_buf_byte(&by_hand, (uint8_t)(0x40 + i));
        else if (i < 256) pt_buf_append(&by_hand, (uint8_t[]){0x58, (uint8_t)i}, 2);
        else pt_buf_append(&by_hand, (uint8_t[]){0x59, 0x01, (uint8_t)(i - 256)}, 3);
        pt_buf_append(&by_hand, value, i);
        pt_buf_append(&by_hand, "\x59\x01\x2c", 3);
        pt_buf_append(&by_hand, value, sizeof value);
    }
    const struct pt_digest expected = sha256(pt_buf_bytes(&by_hand));
    const struct pt_digest digest = state_changes_digest(changes, 300);
    assert_true(pt_digest_equal(&digest, &expected));
    pt_buf_free(&by_hand);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_sort_by_table_then_key),
        cmocka_unit_test(the_digest_is_that_of_the_encoding_by_hand),
        cmocka_unit_test(long_items_have_long_heads),
    };
    return cmocka_run_group_tests_name("chain state change", tests, NULL, NULL);
}
