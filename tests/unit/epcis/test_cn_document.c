// China's document kinds: the table both ways, and what an event may say about itself.
#include "common/epcis/cn_document.h"

#include <string.h>

#include "common/epcis/cbv.h"
#include "common/epcis/epcis_json.h"
#include "common/epcis/event_cbor.h"
#include "common/epcis/event_hash.h"
#include "tests/support/support.h"

// As the platform's documents number them.
static const unsigned kinds[] = {101, 102, 103, 104, 106, 107, 108, 110, 111, 112, 113, 201, 202, 203,
                                 204, 205, 206, 207, 208, 209, 211, 212, 214, 215, 216, 217, 237};

static void every_kind_is_there_once(void **state) {
    (void)state;
    size_t count;
    const struct cn_document *list = cn_document_list(&count);
    assert_int_equal(count, sizeof kinds / sizeof *kinds);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(list[i].kind, kinds[i]);
        assert_ptr_equal(cn_document_by_kind(kinds[i]), &list[i]);
        assert_int_equal(list[i].in, kinds[i] < 200);
        assert_true(list[i].zh[0] && list[i].en[0]);
        assert_string_equal(cbv_word(CBV_BIZ_STEP, list[i].biz_step), list[i].biz_step);
        if (list[i].disposition) assert_string_equal(cbv_word(CBV_DISPOSITION, list[i].disposition), list[i].disposition);
    }
    for (unsigned kind = 0; kind < 1000; kind++) {
        bool known = false;
        for (size_t i = 0; i < count; i++) known = known || kinds[i] == kind;
        assert_int_equal(cn_document_by_kind(kind) != NULL, known);
    }
}

// Builds the row's event, with or without naming the kind.
static struct epcis_event event_of(const struct cn_document *document, struct epcis_reference *reference) {
    struct epcis_event event = {.type = EPCIS_OBJECT, .action = document->action, .biz_step = document->biz_step,
                                .disposition = document->disposition};
    if (reference) event.biz_transactions = (struct epcis_references){reference, 1};
    return event;
}

static void a_usual_kind_comes_back_from_its_words(void **state) {
    (void)state;
    size_t count, usual = 0;
    const struct cn_document *list = cn_document_list(&count);
    for (size_t i = 0; i < count; i++) {
        const struct epcis_event event = event_of(&list[i], NULL);
        struct cn_document_reference found;
        struct pt_arena arena = {0};
        if (list[i].usual) {
            usual++;
            assert_int_equal(cn_document_of_event(&event, &arena, &found, NULL), PT_OK);
            assert_ptr_equal(found.document, &list[i]);
        } else if (cn_document_of_event(&event, &arena, &found, NULL) == PT_OK) {
            assert_ptr_not_equal(found.document, &list[i]);
        }
        pt_arena_free(&arena);
    }
    assert_int_equal(usual, 16);
}

static void every_kind_comes_back_when_named(void **state) {
    (void)state;
    size_t count;
    const struct cn_document *list = cn_document_list(&count);
    static const char *const numbers[] = {NULL, "DB-2026/001", "单据 7"};
    for (size_t i = 0; i < count; i++)
        for (size_t n = 0; n < 3; n++) {
            struct pt_buf id = PT_BUF_INIT(512);
            cn_document_append_uri(&id, list[i].kind, numbers[n]);
            struct epcis_reference reference = {CN_DOCUMENT_TRANSACTION, pt_buf_cstr(&id)};
            const struct epcis_event event = event_of(&list[i], &reference);
            struct pt_arena arena = {0};
            struct cn_document_reference found;
            struct pt_error err = {0};
            assert_ok(cn_document_of_event(&event, &arena, &found, &err), &err);
            assert_ptr_equal(found.document, &list[i]);
            assert_true(found.named);
            if (numbers[n]) assert_string_equal(found.number, numbers[n]);
            else assert_null(found.number);
            pt_arena_free(&arena);
            pt_buf_free(&id);
        }
}

static void check_words(const char *step, const char *disposition, unsigned kind) {
    const struct cn_document *found = cn_document_by_words(step, disposition);
    assert_int_equal(found ? (unsigned)found->kind : 0, kind);
}

static void what_staff_do_has_its_kind(void **state) {
    (void)state;
    check_words("dispensing", "dispensed", 209);
    check_words("dispensing", "partially_dispensed", 209);
    check_words("https://ref.gs1.org/cbv/BizStep-dispensing", "urn:epcglobal:cbv:disp:dispensed", 209);
    check_words("retail_selling", "retail_sold", 209);
    check_words("receiving", NULL, 102);
    check_words("receiving", "returned", 103);
    check_words("shipping", NULL, 201);
    check_words("shipping", "returned", 202);
    check_words("destroying", "destroyed", 205);
    check_words("inspecting", NULL, 0);
    check_words("cycle_counting", NULL, 0);
    check_words("packing", "in_progress", 0);
    check_words(NULL, "dispensed", 0);
    check_words("receiving", "https://example.com/our-own-state", 0);
}

static void check_refused(struct epcis_references references, const char *step, const char *where) {
    const struct epcis_event event = {.type = EPCIS_OBJECT, .action = EPCIS_OBSERVE, .biz_step = step, .biz_transactions = references};
    struct pt_arena arena = {0};
    struct cn_document_reference found;
    struct pt_error err = {0};
    assert_int_equal(cn_document_of_event(&event, &arena, &found, &err), PT_INVALID);
    assert_string_equal(err.where, where);
    assert_true(err.what[0]);
    assert_int_equal(cn_document_of_event(&event, &arena, &found, NULL), PT_INVALID);
    pt_arena_free(&arena);
}

static void a_wrong_name_is_refused(void **state) {
    (void)state;
    static const char *const bad[] = {"", "urn:x", CN_DOCUMENT_URI, CN_DOCUMENT_URI "10", CN_DOCUMENT_URI "1020", CN_DOCUMENT_URI "105",
                                      CN_DOCUMENT_URI "102x", CN_DOCUMENT_URI "102:", CN_DOCUMENT_URI "102:%zz", CN_DOCUMENT_URI "102:%00"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct epcis_reference items[] = {{"po", "urn:order:1"}, {CN_DOCUMENT_TRANSACTION, bad[i]}};
        check_refused((struct epcis_references){items, 2}, "receiving", "/bizTransactionList/1/bizTransaction");
    }
    char long_id[256] = CN_DOCUMENT_URI "102:";
    memset(long_id + strlen(long_id), 'a', CN_DOCUMENT_NUMBER_MAX + 1);
    struct epcis_reference too_long = {CN_DOCUMENT_TRANSACTION, long_id};
    check_refused((struct epcis_references){&too_long, 1}, "receiving", "/bizTransactionList/0/bizTransaction");
    struct epcis_reference twice[] = {{CN_DOCUMENT_TRANSACTION, CN_DOCUMENT_URI "102"}, {CN_DOCUMENT_TRANSACTION, CN_DOCUMENT_URI "107"}};
    check_refused((struct epcis_references){twice, 2}, "receiving", "/bizTransactionList/1/bizTransaction");
    struct epcis_reference out = {CN_DOCUMENT_TRANSACTION, CN_DOCUMENT_URI "201"}, in = {CN_DOCUMENT_TRANSACTION, CN_DOCUMENT_URI "102"};
    check_refused((struct epcis_references){&out, 1}, "receiving", "/bizTransactionList/0/bizTransaction");
    check_refused((struct epcis_references){&in, 1}, "dispensing", "/bizTransactionList/0/bizTransaction");
}

static void packing_is_no_document(void **state) {
    (void)state;
    const struct epcis_event event = {.type = EPCIS_AGGREGATION, .action = EPCIS_ADD, .biz_step = "receiving"};
    struct pt_arena arena = {0};
    struct cn_document_reference found;
    assert_int_equal(cn_document_of_event(&event, &arena, &found, NULL), PT_NOT_FOUND);
    pt_arena_free(&arena);
}

// The business transaction must be lawful EPCIS: JSON at capture strictness, and CBOR and back with the same hash.
static void the_name_is_lawful_epcis(void **state) {
    (void)state;
    static const char text[] =
        "{\"@context\":[\"https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld\"],\"type\":\"ObjectEvent\","
        "\"eventTime\":\"2026-03-04T10:00:00Z\",\"eventTimeZoneOffset\":\"+08:00\",\"action\":\"OBSERVE\",\"bizStep\":\"receiving\","
        "\"epcList\":[\"urn:packtrail:cn:trace:81234560000000592183\"],\"bizTransactionList\":[{\"type\":\"" CN_DOCUMENT_TRANSACTION
        "\",\"bizTransaction\":\"" CN_DOCUMENT_URI "107:GH-1\"}]}";
    struct pt_arena arena = {0};
    struct epcis_document document;
    struct pt_error err = {0};
    assert_ok(epcis_json_decode(pt_bytes_str(text), 65536, EPCIS_FOR_CAPTURE, &arena, &document, &err), &err);
    struct pt_buf cbor = PT_BUF_INIT(4096);
    assert_ok(epcis_cbor_encode(&document.events[0], &cbor, &err), &err);
    struct epcis_event back;
    assert_ok(epcis_cbor_decode(pt_buf_bytes(&cbor), &arena, &back, &err), &err);
    struct cn_document_reference found;
    assert_ok(cn_document_of_event(&back, &arena, &found, &err), &err);
    assert_int_equal(found.document->kind, CN_IN_SUPPLY);
    assert_string_equal(found.number, "GH-1");
    pt_buf_free(&cbor);
    pt_arena_free(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_is_there_once),
        cmocka_unit_test(a_usual_kind_comes_back_from_its_words),
        cmocka_unit_test(every_kind_comes_back_when_named),
        cmocka_unit_test(what_staff_do_has_its_kind),
        cmocka_unit_test(a_wrong_name_is_refused),
        cmocka_unit_test(packing_is_no_document),
        cmocka_unit_test(the_name_is_lawful_epcis),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
