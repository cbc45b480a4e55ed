// The mapping file: what it may say, and how its mistakes are told.
#include "gateway/settlement/mapping.h"

#include <stdio.h>
#include <string.h>

#include "gateway/settlement/template.h"
#include "tests/unit/gateway/settlement_fixture.h"

static void the_shipped_example_is_whole(void **state) {
    (void)state;
    struct mapping mapping;
    fixture_mapping(&mapping);
    static const char *const interfaces[] = {"2207", "3501", "3503", "3505", "3505A", "3506", "3507"};
    for (size_t i = 0; i < sizeof interfaces / sizeof *interfaces; i++) assert_non_null(json_object_get(mapping.interfaces, interfaces[i]));
    // The kinds that pharmacies use.
    static const unsigned kinds[] = {102, 103, 107, 202, 205, 206, 209};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) assert_non_null(mapping_kind_of(&mapping, kinds[i]));
    assert_null(mapping_kind_of(&mapping, 201));
    assert_string_equal(mapping_kind_of(&mapping, 209)->outputs[PLATFORM_TRACE].undo, "103");
    assert_true(mapping_has_place(&mapping, NULL));
    mapping_free(&mapping);
}

// Puts `value` (JSON; NULL: removes) at a path of names separated by blanks, and expects the refusal's place and words.
static void check_refused(const char *path, const char *value, const char *where, const char *what) {
    json_t *root = fixture_mapping_json(), *node = root;
    char names[256], *name, *rest = names;
    snprintf(names, sizeof names, "%s", path);
    while ((name = strsep(&rest, " ")) && rest) node = json_is_array(node) ? json_array_get(node, (size_t)(name[0] - '0')) : json_object_get(node, name);
    assert_non_null(node);
    if (value) {
        json_t *put = json_loads(value, JSON_DECODE_ANY, NULL);
        assert_non_null(put);
        if (json_is_array(node)) json_array_set_new(node, (size_t)(name[0] - '0'), put);
        else json_object_set_new(node, name, put);
    } else assert_int_equal(json_object_del(node, name), 0);
    struct pt_buf text = PT_BUF_INIT(MAPPING_MAX);
    struct pt_error err = {0};
    struct mapping mapping;
    assert_ok(pt_json_append(&text, root, &err), &err);
    assert_int_equal(mapping_parse(pt_buf_bytes(&text), &mapping, &err), PT_INVALID);
    assert_string_equal(err.where, where);
    if (!strstr(err.what, what)) print_error("%s: %s\n", where, err.what);
    assert_non_null(strstr(err.what, what));
    assert_null(mapping.root);
    pt_buf_free(&text);
    json_decref(root);
}

static void mistakes_are_named(void **state) {
    (void)state;
    check_refused("site", NULL, "/site", "missing");
    check_refused("kinds", "[]", "/kinds", "object");
    check_refused("kindz", "{}", "/kindz", "no such member");
    check_refused("site actor", "5", "/site/actor", "text");
    check_refused("places", "[1]", "/places/0", "text");
    check_refused("kinds 105", "{}", "/kinds/105", "no such kind");
    check_refused("kinds 209 trace as", "\"201\"", "/kinds/209/trace/as", "/trace/documents");
    check_refused("kinds 209 insurer undo", "\"9999\"", "/kinds/209/insurer/undo", "/insurer/interfaces");
    check_refused("kinds 209 insurer", "{}", "/kinds/209/insurer/as", "missing");
    check_refused("trace codes", "[\"qr\"]", "/trace/codes", "cn-trace");
    check_refused("trace send path", "\"documents\"", "/trace/send/path", "slash");
    check_refused("trace send answer transport at", "\"code\"", "/trace/send/answer/transport/at", "JSON Pointer");
    check_refused("trace send answer business absent", "[\"x\"]", "/trace/send/answer/business/absent", "question");
    check_refused("trace ask answer business absent", NULL, "/trace/ask/answer/business/absent", "missing");
    check_refused("trace data Code", "\"pack.cod\"", "/trace/data/Code", "no source \"pack.cod\"");

    check_refused("trace document SN", "\"pack.code\"", "/trace/document/SN", "belongs to one pack");
    check_refused("trace documents 999", "{\"Name\":\"a\",\"MainAction\":\"b\"}", "/trace/documents/999", "no such kind");
    check_refused("trace documents 209 Name", NULL, "/trace/documents/209/Name", "missing");
    check_refused("trace document License", "\"site.license\"", "/trace/document/License", "no member \"license\"");
    check_refused("insurer envelope input", "\"=x\"", "/insurer/envelope", "@interface");
    check_refused("insurer envelope again", "\"@interface\"", "/insurer/envelope", "once");
    check_refused("insurer interfaces 3505 selinfo 0 med_list_codg", "\"product.insurance\"", "/insurer/interfaces/3505/selinfo/0/med_list_codg", "no source");
    check_refused("insurer interfaces 3505 selinfo 0 med_list_codg", "\"\"", "/insurer/interfaces/3505/selinfo/0/med_list_codg", "names no source");
    check_refused("insurer interfaces 3505 x", "\"product.name\"", "/insurer/interfaces/3505/x", "belongs to one line");
    check_refused("insurer interfaces 3505 selinfo 0 *", "\"box\"", "/insurer/interfaces/3505/selinfo/0/*", "\"line\" or \"pack\"");
    check_refused("insurer interfaces 3505 selinfo 0 *", "\"pack\"", "/insurer/interfaces/3505/selinfo/0/drugtracinfo/0/*", "inside");
}

static void hostile_files_are_refused(void **state) {
    (void)state;
    static const char *const bad[] = {"", "[]", "null", "{", "{\"site\":{},\"site\":{}}", "\"x\""};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct mapping mapping;
        struct pt_error err = {0};
        assert_int_not_equal(mapping_parse(pt_bytes_str(bad[i]), &mapping, &err), PT_OK);
        assert_null(mapping.root);
    }
}

static void specifications_are_checked(void **state) {
    (void)state;
    static const struct {
        const char *spec;
        enum scope scope;
        bool good;
    } cases[] = {
        {"=", SCOPE_DOCUMENT, true},          {"=any|thing?", SCOPE_DOCUMENT, true}, {"event.time", SCOPE_DOCUMENT, true},
        {"event.time?#", SCOPE_DOCUMENT, true}, {"sale.x", SCOPE_DOCUMENT, true},      {"line.x", SCOPE_DOCUMENT, false},
        {"line.x", SCOPE_LINE, true},         {"pack.lot", SCOPE_LINE, false},       {"pack.lot|line.lot?", SCOPE_PACK, true},
        {"pack.lot|", SCOPE_PACK, false},     {"|", SCOPE_PACK, false},              {"?", SCOPE_PACK, false},
        {"", SCOPE_PACK, false},              {"sale.", SCOPE_PACK, false},          {"Event.time", SCOPE_PACK, false},
        {"quantity.units#", SCOPE_LINE, true}, {"quantity.units", SCOPE_DOCUMENT, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pt_error err = {0};
        assert_int_equal(source_check(cases[i].spec, cases[i].scope, &err) == PT_OK, cases[i].good);
        assert_int_equal(err.what[0] != 0, !cases[i].good);
    }
}

static void what_is_lacked_is_listed_once(void **state) {
    (void)state;
    struct lacks lacks = {{0}};
    char key[LACK_MAX], long_one[LACKS_MAX];
    size_t at = 0, count = 0;
    assert_false(lacks_next(&lacks, &at, key));
    lacks_add(&lacks, "sale", "A b");
    lacks_add(&lacks, "pack", "urn:x");
    lacks_add(&lacks, "sale", "A b");
    memset(long_one, 'x', sizeof long_one - 1);
    long_one[sizeof long_one - 1] = 0;
    for (int i = 0; i < 10; i++) {
        long_one[0] = (char)('a' + i);
        lacks_add(&lacks, "product", long_one);
    }
    while (lacks_next(&lacks, &at, key)) {
        if (count == 0) assert_string_equal(key, "sale/A b");
        if (count == 1) assert_string_equal(key, "pack/urn:x");
        count++;
    }
    assert_int_equal(count, 5);  // of the long ones, cut to their key's length, as many as fit
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_shipped_example_is_whole), cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(hostile_files_are_refused),    cmocka_unit_test(specifications_are_checked),
        cmocka_unit_test(what_is_lacked_is_listed_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
