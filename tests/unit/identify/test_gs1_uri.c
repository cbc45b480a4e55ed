#include <string.h>

#include "common/identify/gs1_uri.h"
#include "tests/support/support.h"

static void check_canonical(const char *uri, const char *expected) {
    struct pt_buf out = PT_BUF_INIT(1000);
    struct pt_error err = {0};
    assert_ok(gs1_uri_canonical(pt_bytes_str(uri), &out, &err), &err);
    assert_string_equal(pt_buf_cstr(&out), expected);
    pt_buf_free(&out);
}

static void check_refused(const char *uri, enum pt_code code) {
    struct pt_buf out = PT_BUF_INIT(1000);
    struct pt_error err = {0};
    const enum pt_code got = gs1_uri_canonical(pt_bytes_str(uri), &out, &err);
    if (got != code) fail_msg("%s gave %s instead of %s", uri, pt_code_name(got), pt_code_name(code));
    assert_int_equal(out.len, 0);
    pt_buf_free(&out);
}

static void every_epc_scheme_becomes_a_digital_link(void **state) {
    (void)state;
    check_canonical("urn:epc:id:sgtin:4012345.011111.987", "https://id.gs1.org/01/04012345111118/21/987");
    check_canonical("urn:epc:id:sgtin:0614141.812345.67%2F%26%25%22!%3F()",
                    "https://id.gs1.org/01/80614141123458/21/67%2F%26%25%22%21%3F%28%29");
    check_canonical("urn:epc:id:sgtin:415056789012.0.987654", "https://id.gs1.org/01/04150567890128/21/987654");
    check_canonical("urn:epc:id:sscc:4012345.1112223334", "https://id.gs1.org/00/140123451122233341");
    check_canonical("urn:epc:id:sgln:4012345.00005.122", "https://id.gs1.org/414/4012345000054/254/122");
    check_canonical("urn:epc:id:sgln:4012345.00005.0", "https://id.gs1.org/414/4012345000054");
    check_canonical("urn:epc:id:grai:4012345.00022.334455", "https://id.gs1.org/8003/04012345000221334455");
    check_canonical("urn:epc:id:giai:4012345.ABC345", "https://id.gs1.org/8004/4012345ABC345");
    check_canonical("urn:epc:id:gsrn:4012345.0000006765", "https://id.gs1.org/8018/401234500000067657");
    check_canonical("urn:epc:id:gsrnp:4012345.0000000007", "https://id.gs1.org/8017/401234500000000074");
    check_canonical("urn:epc:id:gdti:4012345.00009.PO-4711", "https://id.gs1.org/253/4012345000092PO-4711");
    check_canonical("urn:epc:id:gdti:987659999999..9", "https://id.gs1.org/253/98765999999929");
    check_canonical("urn:epc:id:cpi:0614141.11111111111111-A%23%2F.1234",
                    "https://id.gs1.org/8010/061414111111111111111-A%23%2F/8011/1234");
    check_canonical("urn:epc:id:sgcn:4012345.99999.44", "https://id.gs1.org/255/401234599999044");
    check_canonical("urn:epc:id:ginc:0614141.xyz47%2F11", "https://id.gs1.org/401/0614141xyz47%2F11");
    check_canonical("urn:epc:id:gsin:4012345.222333444", "https://id.gs1.org/402/40123452223334442");
    check_canonical("urn:epc:id:itip:4012345.011111.01.02.987", "https://id.gs1.org/8006/040123451111180102/21/987");
    check_canonical("urn:epc:id:upui:1234567.098765.51qIgY)%3C%26Jp3*j7SDB",
                    "https://id.gs1.org/01/01234567987651/235/51qIgY%29%3C%26Jp3%2Aj7SDB");
    check_canonical("urn:epc:id:pgln:4000001.00000", "https://id.gs1.org/417/4000001000005");
    check_canonical("urn:epc:id:pgln:999999999999.", "https://id.gs1.org/417/9999999999994");
}

static void classes_and_patterns_become_digital_links(void **state) {
    (void)state;
    check_canonical("urn:epc:class:lgtin:4012345.012345.Lot987", "https://id.gs1.org/01/04012345123456/10/Lot987");
    check_canonical("urn:epc:idpat:sgtin:4012345.012345.*", "https://id.gs1.org/01/04012345123456");
    check_canonical("urn:epc:idpat:grai:4012345.99999.*", "https://id.gs1.org/8003/04012345999990");
    check_canonical("urn:epc:idpat:gdti:4012345.11111.*", "https://id.gs1.org/253/4012345111118");
    check_canonical("urn:epc:idpat:sgcn:4012345.22222.*", "https://id.gs1.org/255/4012345222227");
    check_canonical("urn:epc:idpat:cpi:4012345.AB12.*", "https://id.gs1.org/8010/4012345AB12");
    check_canonical("urn:epc:idpat:itip:4012345.012345.01.02.*", "https://id.gs1.org/8006/040123451234560102");
    check_canonical("urn:epc:idpat:upui:4012345.012345.*", "https://id.gs1.org/01/04012345123456");
}

static void digital_links_are_reduced_to_the_finest_level(void **state) {
    (void)state;
    check_canonical("https://example.com/some/path/01/09780345418913/21/765tz?abc=211121",
                    "https://id.gs1.org/01/09780345418913/21/765tz");
    check_canonical("http://us.example/01/001122334455/ser/GHB", "https://id.gs1.org/01/00001122334455/21/GHB");
    check_canonical("http://example.de/gtin-8/01/97803111", "https://id.gs1.org/01/00000097803111");
    check_canonical("https://id.gs1.org/gtin/9780345418913/cpv/344/lot/1223/ser/765tz",
                    "https://id.gs1.org/01/09780345418913/21/765tz");
    check_canonical("https://id.gs1.org/gtin/9780345418913/cpv/344", "https://id.gs1.org/01/09780345418913");
    check_canonical("http://example.de/01/040123451234/cpv/344/lot/ABD", "https://id.gs1.org/01/00040123451234/10/ABD");
    check_canonical("https://x.com/8006/040123451234560102/10/Lot-123/21/ser987",
                    "https://id.gs1.org/8006/040123451234560102/21/ser987");
    check_canonical("HTTPS://example.co.uk/party/4226350800008#top", "https://id.gs1.org/417/4226350800008");
    check_canonical("https://id.gs1.org/414/4280000000002/254/12", "https://id.gs1.org/414/4280000000002/254/12");
    check_canonical("https://id.gs1.org/8010/0628165987/8011/9876", "https://id.gs1.org/8010/0628165987/8011/9876");
    check_canonical("https://id.gs1.org/255/0811625999996554433", "https://id.gs1.org/255/0811625999996554433");
    check_canonical("https://user@example.org:8443/00/340123453111111115/?x",
                    "https://id.gs1.org/00/340123453111111115");
}

static void what_is_no_gs1_uri_is_left_alone(void **state) {
    (void)state;
    check_refused("http://example.de/abc/9780345418913", PT_NOT_FOUND);
    check_refused("http://example.org/123/4012345ABC987/456/4711", PT_NOT_FOUND);
    check_refused("http://id.gs1.org/99/9780345418913", PT_NOT_FOUND);
    check_refused("http://id.gs1.org/01/9780345418913/99/utfgf", PT_NOT_FOUND);
    check_refused("https://example.org", PT_NOT_FOUND);
    check_refused("https://example.org/", PT_NOT_FOUND);
    check_refused("42", PT_NOT_FOUND);
    check_refused("Hello World!", PT_NOT_FOUND);
    check_refused("urn:uuid:374d95fc-9457-4a51-bd6a-0bba133845a8", PT_NOT_FOUND);
    check_refused("urn:epc:id:gid:95100000.12345.400", PT_NOT_FOUND);
}

static void malformed_gs1_uris_are_refused(void **state) {
    (void)state;
    check_refused("http://example.de/01/97803", PT_INVALID);
    check_refused("https://id.gs1.org/8006/04012345123456/22/ABCD/10/XYZ", PT_INVALID);
    check_refused("https://id.gs1.org/01/09780345418913/21/1/10/2", PT_INVALID);
    check_refused("https://id.gs1.org/01/09780345418913/235/1/10/2", PT_INVALID);
    check_refused("https://id.gs1.org/01/09780345418913/21/%zz", PT_INVALID);
    check_refused("https://id.gs1.org/01/09780345418913/21/%00", PT_INVALID);
    check_refused("https://id.gs1.org/01/09780345418913/21/", PT_INVALID);
    check_refused("urn:epc:id:sgtin:4012345.01111.987", PT_INVALID);
    check_refused("urn:epc:id:sgtin:4012345.011111", PT_INVALID);
    check_refused("urn:epc:id:sgtin:4012345.011111.", PT_INVALID);
    check_refused("urn:epc:id:sgtin:4012345.011111.a/b", PT_INVALID);
    check_refused("urn:epc:id:sgtin:40123.01111111.987", PT_INVALID);
    check_refused("urn:epc:id:lgtin:4012345.011111.987", PT_INVALID);
    check_refused("urn:epc:class:sgtin:4012345.011111.987", PT_INVALID);
    check_refused("urn:epc:id:sscc:4012345.1112223334.1", PT_INVALID);
    check_refused("urn:epc:idpat:sgtin:4012345.*.*", PT_INVALID);
    check_refused("urn:epc:idpat:sscc:4012345.1112223334", PT_INVALID);
    check_refused("urn:epc:idpat:sgtin:4012345.011111.9", PT_INVALID);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_epc_scheme_becomes_a_digital_link),
        cmocka_unit_test(classes_and_patterns_become_digital_links),
        cmocka_unit_test(digital_links_are_reduced_to_the_finest_level),
        cmocka_unit_test(what_is_no_gs1_uri_is_left_alone),
        cmocka_unit_test(malformed_gs1_uris_are_refused),
    };
    return cmocka_run_group_tests_name("identify gs1_uri", tests, NULL, NULL);
}
