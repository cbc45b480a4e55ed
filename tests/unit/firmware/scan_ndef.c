// NDEF messages and tag memory, good and bad.
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "firmware/scan/ndef.h"
#include "tests/support/support.h"

static void assert_uri(const char *message, size_t len, const char *want) {
    PT_CLEANUP(pt_buf_free) struct pt_buf uri = PT_BUF_INIT(NDEF_MAX_URI);
    struct pt_error err = {0};
    PT_FREE char *exact = malloc(len + 1);  // an exact copy, so that reading past the end shows
    memcpy(exact, message, len);
    enum pt_code code = ndef_uri(pt_bytes_of(exact, len), &uri, &err);
    if (!want) {
        assert_int_equal(code, PT_INVALID);
        assert_int_equal(uri.len, 0);
        return;
    }
    assert_ok(code, &err);
    assert_string_equal(pt_buf_cstr(&uri), want);
}

#define URI(message, want) assert_uri(message, sizeof message - 1, want)
#define NO_URI(message) assert_uri(message, sizeof message - 1, NULL)

static void uris_are_read(void **state) {
    (void)state;
    URI("\xd1\x01\x0a" "U\x04" "id.gs1.or", "https://id.gs1.or");
    URI("\xd1\x01\x04" "U\x00" "a:b", "a:b");
    URI("\xd1\x01\x03" "U\x1e" "sg", "urn:epc:id:sg");
    URI("\xd1\x01\x03" "U\x23" "xy", "urn:nfc:xy");
    URI("\xd1\x01\x04" "U\xff" "a:b", "a:b");                                 // a reserved code is no prefix
    URI("\xc1\x01\x00\x00\x00\x04" "U\x03" "a.b", "http://a.b");              // long form
    URI("\xd9\x01\x04\x02" "UID\x03" "a.b", "http://a.b");                    // with an id
    URI("\xd3\x09\x00" "https://a", "https://a");                             // absolute URI
    URI("\x91\x01\x04" "T\x02" "enX" "\x51\x01\x04" "U\x03" "a.b", "http://a.b");
    URI("\xd1\x02\x08" "Sp" "\xd1\x01\x04" "U\x03" "a.b", "http://a.b");      // Smart Poster
    URI("\xd1\x01\x04" "U\x03" "\xc3\xa9" ".", "http://\xc3\xa9.");
}

static void bad_messages_are_refused(void **state) {
    (void)state;
    NO_URI("\xd1");
    NO_URI("\xd1\x01");
    NO_URI("\xd1\x01\x04" "U\x03" "a.");                       // shorter than it says
    NO_URI("\xd1\x01\x04" "U\x03" "a.b!");                     // something behind the end
    NO_URI("\x51\x01\x04" "U\x03" "a.b");                      // no begin
    NO_URI("\x91\x01\x04" "U\x03" "a.b");                      // no end
    NO_URI("\x91\x01\x04" "U\x03" "a.b" "\xd1\x01\x04" "U\x03" "a.b");  // a second begin
    NO_URI("\xf1\x01\x04" "U\x03" "a.b");                      // chunk
    NO_URI("\xd6\x00\x04" "\x03" "a.b");                       // unchanged without a beginning
    NO_URI("\xd7\x01\x04" "U\x03" "a.b");                      // reserved type name format
    NO_URI("\xd0\x01\x00" "U");                                // empty with a type
    NO_URI("\xd5\x01\x00" "U");                                // unknown with a type
    NO_URI("\xd1\x00\x00");                                    // well-known without a type
    NO_URI("\xd1\x01\x00" "U");                                // URI record without content
    NO_URI("\xd1\x01\x01" "U\x00");                            // empty URI
    NO_URI("\xd1\x01\x04" "U\x03" "a b");                      // space
    NO_URI("\xd1\x01\x04" "U\x03" "a\x00" "b");                // NUL
    NO_URI("\xd1\x01\x04" "U\x03" "a\xff" "b");                // not UTF-8
    NO_URI("\xc1\x01\xff\xff\xff\xff" "U\x03" "a.b");          // a length of 4 GiB
    NO_URI("\xc1\x01\xff\xff\xff\xfa" "U\x03" "a.b");
    NO_URI("\xd1\x02\x07" "Sp" "\xd1\x01\x04" "U\x03" "a.");   // damage inside a Smart Poster
    NO_URI("\x91\x01\x04" "U\x03" "a.b" "\x51\x01\x09" "T");   // damage behind the URI
    PT_CLEANUP(pt_buf_free) struct pt_buf uri = PT_BUF_INIT(NDEF_MAX_URI);
    assert_int_equal(ndef_uri(pt_bytes_of(NULL, 0), &uri, NULL), PT_NOT_FOUND);
    assert_int_equal(ndef_uri(pt_bytes_str("\xd1\x01\x03" "Txen"), &uri, NULL), PT_NOT_FOUND);
    assert_int_equal(ndef_uri(pt_bytes_of("\xd0\x00\x00", 3), &uri, NULL), PT_NOT_FOUND);
}

static void written_messages_read_back(void **state) {
    (void)state;
    char longest[NDEF_MAX_URI + 1];
    memset(longest, 'x', sizeof longest);
    memcpy(longest, "https://www.", 12);
    longest[1500] = 0;
    const char *const uris[] = {"https://id.gs1.org/01/09506000134352/21/ABC", "https://www.a", "urn:epc:id:sgtin:1.2.3",
                                "urn:epc:x", "a", "tel:+1", longest};
    for (size_t i = 0; i < sizeof uris / sizeof *uris; i++) {
        PT_CLEANUP(pt_buf_free) struct pt_buf message = PT_BUF_INIT(NDEF_MAX_MESSAGE);
        struct pt_error err = {0};
        assert_ok(ndef_uri_message(pt_bytes_str(uris[i]), &message, &err), &err);
        assert_uri((const char *)message.data, message.len, uris[i]);
    }
}

// ---- Type 2 memory

struct memory {
    uint8_t bytes[16 + 144];
};

static struct memory type2(const char *data, size_t len) {
    struct memory m = {{0x04, 1, 2, 3, 4, 5, 6, 7, 8, 0x48, 0, 0, 0xe1, 0x10, 0x12, 0x00}};
    memcpy(m.bytes + 16, data, len);
    return m;
}

static enum pt_code read_type2(const struct memory *m, size_t len, struct pt_buf *message, bool *more) {
    PT_FREE uint8_t *exact = malloc(len + 1);
    memcpy(exact, m->bytes, len);
    return ndef_type2_message(pt_bytes_of(exact, len), message, more, NULL);
}

static void assert_type2(const char *data, size_t len, enum pt_code want, const char *message_want) {
    struct memory m = type2(data, len);
    PT_CLEANUP(pt_buf_free) struct pt_buf message = PT_BUF_INIT(NDEF_MAX_MESSAGE);
    bool more = true;
    assert_int_equal(read_type2(&m, sizeof m.bytes, &message, &more), want);
    assert_false(more);
    if (message_want) assert_string_equal(pt_buf_cstr(&message), message_want);
}

#define TYPE2(data, want, message) assert_type2(data, sizeof data - 1, want, message)

static void type2_memory(void **state) {
    (void)state;
    TYPE2("\x03\x03" "abc\xfe", PT_OK, "abc");
    TYPE2("\x00\x00\x03\x03" "abc\xfe", PT_OK, "abc");
    TYPE2("\x01\x03\xa0\x0c\x34\x03\x03" "abc", PT_OK, "abc");
    TYPE2("\xfd\x02zz\x03\x03" "abc", PT_OK, "abc");
    TYPE2("\x02\x03\x19\x02\x04\x03\x05" "ab??cde", PT_OK, "abcde");  // two bytes reserved inside the message, at 25
    TYPE2("\x01\x03\x19\x10\x04\x03\x05" "ab??cde", PT_OK, "abcde");  // 16 lock bits at the same place
    TYPE2("\xfe\x03\x03" "abc", PT_NOT_FOUND, NULL);
    TYPE2("\x03\x00\xfe", PT_NOT_FOUND, NULL);
    TYPE2("", PT_NOT_FOUND, NULL);
    TYPE2("\x03\xff\x00\x03" "abc", PT_INVALID, NULL);  // a short length in the long form
    TYPE2("\x03\xff\xff\xff", PT_INVALID, NULL);
    TYPE2("\x03\x91", PT_INVALID, NULL);                // longer than the memory
    TYPE2("\x03\xff\x01\x00", PT_INVALID, NULL);
    TYPE2("\x01\x02\xa0\x0c\x03\x03" "abc", PT_INVALID, NULL);
}

static void type2_asks_for_more(void **state) {
    (void)state;
    struct memory m = type2("\x03\x20" "0123456789abcdef0123456789ABCDEF\xfe", 35);
    PT_CLEANUP(pt_buf_free) struct pt_buf message = PT_BUF_INIT(NDEF_MAX_MESSAGE);
    bool more;
    for (size_t len = 0; len < 16 + 34; len++) {
        assert_int_equal(read_type2(&m, len, &message, &more), PT_NOT_FOUND);
        assert_true(more);
    }
    assert_int_equal(read_type2(&m, 16 + 34, &message, &more), PT_OK);
    assert_int_equal(message.len, 32);
}

static void type2_containers(void **state) {
    (void)state;
    struct memory m = type2("\x03\x03" "abc\xfe", 6);
    PT_CLEANUP(pt_buf_free) struct pt_buf message = PT_BUF_INIT(NDEF_MAX_MESSAGE);
    bool more;
    m.bytes[12] = 0;
    assert_int_equal(read_type2(&m, 160, &message, &more), PT_NOT_FOUND);
    assert_false(more);
    m.bytes[12] = 0xe1;
    m.bytes[13] = 0x20;
    assert_int_equal(read_type2(&m, 160, &message, &more), PT_INVALID);
    m.bytes[13] = 0x11;
    assert_int_equal(read_type2(&m, 160, &message, &more), PT_OK);
    m.bytes[15] = 0xf0;
    assert_int_equal(read_type2(&m, 160, &message, &more), PT_FORBIDDEN);
    m.bytes[15] = 0x0f;  // read-only is readable
    assert_int_equal(read_type2(&m, 160, &message, &more), PT_OK);
    m.bytes[14] = 0;
    assert_int_equal(read_type2(&m, 160, &message, &more), PT_NOT_FOUND);
}

static void type4_containers(void **state) {
    (void)state;
    const uint8_t good[15] = {0x00, 0x0f, 0x20, 0x00, 0x3b, 0x00, 0x34, 0x04, 0x06, 0xe1, 0x04, 0x08, 0x00, 0x00, 0x00};
    struct ndef_type4 got;
    struct pt_error err = {0};
    assert_ok(ndef_type4_container(pt_bytes_of(good, 15), &got, &err), &err);
    assert_int_equal(got.file_id, 0xe104);
    assert_int_equal(got.file_size, 0x800);
    assert_int_equal(got.read_len, 0x3b);
    static const struct { uint8_t at, value; enum pt_code want; } changes[] = {
        {1, 0x0e, PT_INVALID}, {2, 0x10, PT_INVALID}, {2, 0x30, PT_OK},      {4, 0x0e, PT_INVALID}, {7, 0x05, PT_INVALID},
        {8, 0x08, PT_INVALID}, {10, 0x03, PT_INVALID}, {13, 0x80, PT_FORBIDDEN}, {14, 0xff, PT_OK},
    };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        uint8_t changed[15];
        memcpy(changed, good, 15);
        changed[changes[i].at] = changes[i].value;
        assert_int_equal(ndef_type4_container(pt_bytes_of(changed, 15), &got, NULL), changes[i].want);
    }
    for (size_t len = 0; len < 15; len++)
        assert_int_equal(ndef_type4_container(pt_bytes_of(good, len), &got, NULL), PT_INVALID);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uris_are_read),       cmocka_unit_test(bad_messages_are_refused),
        cmocka_unit_test(written_messages_read_back), cmocka_unit_test(type2_memory),
        cmocka_unit_test(type2_asks_for_more), cmocka_unit_test(type2_containers),
        cmocka_unit_test(type4_containers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
