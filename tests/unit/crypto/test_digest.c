#include "common/base/text.h"
#include "common/crypto/digest.h"
#include "tests/support/support.h"

static void check(struct pt_digest digest, const char *expected) {
    char hex[65];
    pt_digest_hex(&digest, hex);
    assert_string_equal(hex, expected);
}

// FIPS 180-4 examples.
static void sha256_gives_the_standards_values(void **state) {
    (void)state;
    check(sha256(pt_bytes_str("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    check(sha256(pt_bytes_of(NULL, 0)), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    check(sha256(pt_bytes_str("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    check(sha256(pt_bytes_str("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void pieces_give_what_the_whole_gives(void **state) {
    (void)state;
    const struct pt_bytes parts[] = {pt_bytes_str("a"), pt_bytes_of(NULL, 0), pt_bytes_str("bc")};
    check(sha256_parts(parts, 3), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    struct sha256_stream stream = sha256_begin();
    for (int i = 0; i < 1000; i++) sha256_add(&stream, pt_bytes_str("aaaaaaaaaa"));
    struct sha256_stream fork = stream;
    for (int i = 0; i < 99000; i++) sha256_add(&stream, pt_bytes_str("aaaaaaaaaa"));
    check(sha256_end(&stream), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    check(sha256_end(&fork), "27dd1f61b867b6a0f6e9d8a41c43231de52107e53ae424de8f847b821db4b711");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_gives_the_standards_values),
        cmocka_unit_test(pieces_give_what_the_whole_gives),
    };
    return cmocka_run_group_tests_name("crypto digest", tests, NULL, NULL);
}
