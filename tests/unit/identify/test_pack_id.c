#include <string.h>

#include "common/identify/pack_id.h"
#include "tests/support/support.h"

static struct pack_id parsed(const char *uri) {
    struct pack_id id;
    struct pt_error err = {0};
    assert_ok(pack_id_from_uri(pt_bytes_str(uri), &id, &err), &err);
    return id;
}

static void check(const char *uri, enum pack_kind kind, const char *product, const char *serial, const char *canonical,
                  size_t key_size) {
    const struct pack_id id = parsed(uri);
    assert_int_equal(id.kind, kind);
    assert_string_equal(id.product, product);
    assert_string_equal(id.serial, serial);
    struct pt_buf out = PT_BUF_INIT(PACK_URI_MAX);
    struct pt_error err = {0};
    assert_ok(pack_id_uri(&id, &out, &err), &err);
    assert_string_equal(pt_buf_cstr(&out), canonical);
    const struct pack_id again = parsed(pt_buf_cstr(&out));
    assert_true(pack_id_equal(&id, &again));

    pt_buf_clear(&out);
    assert_ok(pack_id_key(&id, &out, &err), &err);
    assert_int_equal(out.len, key_size);
    struct pack_id from_key;
    assert_ok(pack_id_from_key(pt_buf_bytes(&out), &from_key, &err), &err);
    assert_true(pack_id_equal(&id, &from_key));
    pt_buf_free(&out);
}

static void every_kind_has_one_uri_and_one_key(void **state) {
    (void)state;
    check("urn:epc:id:sgtin:4012345.011111.987", PACK_SGTIN, "04012345111118", "987",
          "https://id.gs1.org/01/04012345111118/21/987", 1 + 6 + 3);
    check("http://shop.example/a/01/4012345111118/10/L1/21/a%2Fb%26?17=271231", PACK_SGTIN, "04012345111118", "a/b&",
          "https://id.gs1.org/01/04012345111118/21/a%2Fb%26", 1 + 6 + 4);
    check("urn:epc:id:sscc:4012345.1112223334", PACK_SSCC, "1401234", "51122233341",
          "https://id.gs1.org/00/140123451122233341", 1 + 8);
    check("urn:packtrail:cn:trace:81234567890123456789", PACK_CN_TRACE, "8123456", "7890123456789",
          "urn:packtrail:cn:trace:81234567890123456789", 1 + 3 + 6);
    check("urn:packtrail:cn:company:acme-1:AB%2f12", PACK_CN_COMPANY, "acme-1", "AB/12",
          "urn:packtrail:cn:company:acme-1:AB%2F12", 1 + 6 + 1 + 5);
    check("urn:epc:id:grai:4012345.00022.334455", PACK_OTHER_EPC, "", "https://id.gs1.org/8003/04012345000221334455",
          "https://id.gs1.org/8003/04012345000221334455", 1 + 44);
    check("https://x.example/01/04012345111118/235/UPUI1", PACK_OTHER_EPC, "",
          "https://id.gs1.org/01/04012345111118/235/UPUI1", "https://id.gs1.org/01/04012345111118/235/UPUI1", 1 + 46);
    check("urn:epc:id:gid:95100000.12345.400", PACK_OTHER_EPC, "", "urn:epc:id:gid:95100000.12345.400",
          "urn:epc:id:gid:95100000.12345.400", 1 + 33);
    check("URN:Packtrail:cn:trace:81234567890123456789", PACK_CN_TRACE, "8123456", "7890123456789",
          "urn:packtrail:cn:trace:81234567890123456789", 1 + 3 + 6);
    check("uRn:EXAMPLE:Thing", PACK_OTHER_EPC, "", "urn:example:Thing", "urn:example:Thing", 1 + 17);
    check("HTTPS://Example.COM/Things/1", PACK_OTHER_EPC, "", "https://example.com/Things/1",
          "https://example.com/Things/1", 1 + 28);
    check("urn:packtrail:nfc:04a1b2c3d4e5f6", PACK_OTHER_EPC, "", "urn:packtrail:nfc:04a1b2c3d4e5f6",
          "urn:packtrail:nfc:04a1b2c3d4e5f6", 1 + 32);
}

static void the_same_pack_is_the_same_whatever_carried_it(void **state) {
    (void)state;
    const struct pack_id urn = parsed("urn:epc:id:sgtin:4012345.011111.98%22");
    const struct pack_id link = parsed("http://id.example.org/gtin/04012345111118/ser/98%22");
    const struct pack_id other = parsed("urn:epc:id:sgtin:4012345.011111.99");
    assert_true(pack_id_equal(&urn, &link));
    assert_false(pack_id_equal(&urn, &other));
}

static void check_order(const char *lower, const char *upper) {
    const struct pack_id a = parsed(lower);
    const struct pack_id b = parsed(upper);
    struct pt_buf key_a = PT_BUF_INIT(PACK_KEY_MAX);
    struct pt_buf key_b = PT_BUF_INIT(PACK_KEY_MAX);
    assert_int_equal(pack_id_key(&a, &key_a, NULL), PT_OK);
    assert_int_equal(pack_id_key(&b, &key_b, NULL), PT_OK);
    if (pt_bytes_compare(pt_buf_bytes(&key_a), pt_buf_bytes(&key_b)) >= 0) fail_msg("%s sorts behind %s", lower, upper);
    pt_buf_free(&key_a);
    pt_buf_free(&key_b);
}

static void keys_sort_by_kind_product_and_serial(void **state) {
    (void)state;
    check_order("https://id.gs1.org/01/04012345111118/21/z", "https://id.gs1.org/01/04012345123456/21/a");
    check_order("https://id.gs1.org/01/04012345111118/21/1", "https://id.gs1.org/01/04012345111118/21/10");
    check_order("https://id.gs1.org/01/04012345111118/21/1", "https://id.gs1.org/00/140123451122233341");
    check_order("https://id.gs1.org/00/040123451111111110", "https://id.gs1.org/00/140123451122233341");
    check_order("urn:packtrail:cn:trace:81234567999999999999", "urn:packtrail:cn:trace:81234577000000000000");
    check_order("urn:packtrail:cn:company:acme:Z", "urn:packtrail:cn:company:acme-1:A");
}

static void check_refused(const char *uri, enum pt_code code, long position) {
    struct pack_id id;
    struct pt_error err = {.position = -2};
    assert_int_equal(pack_id_from_uri(pt_bytes_str(uri), &id, &err), code);
    if (err.position != position) fail_msg("%s: position %ld, not %ld (%s)", uri, err.position, position, err.what);
    assert_int_equal(id.kind, PACK_NONE);
}

static void classes_and_malformed_uris_are_refused_with_their_position(void **state) {
    (void)state;
    check_refused("https://id.gs1.org/01/04012345111118", PT_INVALID, 0);
    check_refused("urn:epc:class:lgtin:4012345.011111.L1", PT_INVALID, 0);
    check_refused("urn:epc:idpat:sgtin:4012345.011111.*", PT_INVALID, 0);
    check_refused("https://id.gs1.org/8003/04012345000221", PT_INVALID, 0);
    check_refused("https://id.gs1.org/01/04012345111119/21/1", PT_INVALID, 35);
    check_refused("https://id.gs1.org/01/4012345111119/21/1", PT_INVALID, 34);
    check_refused("https://id.gs1.org/01/04012345111118/21/a%20b", PT_INVALID, 41);
    check_refused("https://id.gs1.org/01/04012345111118/21/%2Fa%20b", PT_INVALID, 44);
    check_refused("urn:packtrail:cn:trace:71234567890123456789", PT_INVALID, 23);
    check_refused("urn:packtrail:cn:trace:8123456789012345678", PT_INVALID, 42);
    check_refused("urn:packtrail:cn:company:Acme:1", PT_INVALID, 25);
    check_refused("", PT_INVALID, 0);
    check_refused("no scheme", PT_INVALID, 0);
    check_refused("ab c:d", PT_INVALID, 2);
    check_refused("urn:x:a b", PT_INVALID, 7);
    char lengthy[PACK_URI_MAX + 10];
    memset(lengthy, 'a', sizeof lengthy);
    lengthy[1] = ':';
    lengthy[PACK_SERIAL_MAX + 1] = '\0';
    check_refused(lengthy, PT_LIMIT, PACK_SERIAL_MAX);
}

static void broken_keys_and_broken_ids_are_refused(void **state) {
    (void)state;
    const uint8_t bad[][12] = {{0},       {9, 1, 1},    {1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 'a'},
                               {2, 0, 0}, {3, 1, 2, 3}, {4, 'a', 'b'}};
    struct pack_id id;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(pack_id_from_key(pt_bytes_of(bad[i], i == 2 ? 8 : 3), &id, NULL), PT_INVALID);
    assert_int_equal(pack_id_from_key(pt_bytes_str(""), &id, NULL), PT_INVALID);

    struct pt_buf out = PT_BUF_INIT(PACK_URI_MAX);
    const struct pack_id wrong[] = {
        {0},
        {PACK_SGTIN, "4012345111118", "1"},
        {PACK_SGTIN, "04012345111118", ""},
        {PACK_SSCC, "1401234", "5112"},
        {PACK_CN_TRACE, "8123456", "x"},
        {PACK_CN_COMPANY, "Acme", "1"},
        {PACK_OTHER_EPC, "x", "urn:x:1"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(pack_id_uri(&wrong[i], &out, NULL), PT_INVALID);
        assert_int_equal(pack_id_key(&wrong[i], &out, NULL), PT_INVALID);
    }
    assert_int_equal(out.len, 0);
    pt_buf_free(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_has_one_uri_and_one_key),
        cmocka_unit_test(the_same_pack_is_the_same_whatever_carried_it),
        cmocka_unit_test(keys_sort_by_kind_product_and_serial),
        cmocka_unit_test(classes_and_malformed_uris_are_refused_with_their_position),
        cmocka_unit_test(broken_keys_and_broken_ids_are_refused),
    };
    return cmocka_run_group_tests_name("identify pack_id", tests, NULL, NULL);
}
