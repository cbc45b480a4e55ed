#include "common/epcis/cbv.h"

#include <jansson.h>
#include <string.h>

#include "tests/support/support.h"

static void check_uri(enum cbv_vocabulary vocabulary, const char *text, const char *uri) {
    struct pt_buf out = PT_BUF_INIT(200);
    cbv_append_uri(&out, vocabulary, text);
    assert_string_equal(pt_buf_cstr(&out), uri);
    pt_buf_free(&out);
}

static void every_spelling_is_one_uri(void **state) {
    (void)state;
    const char *receiving = "https://ref.gs1.org/cbv/BizStep-receiving";
    check_uri(CBV_BIZ_STEP, "receiving", receiving);
    check_uri(CBV_BIZ_STEP, "cbv:BizStep-receiving", receiving);
    check_uri(CBV_BIZ_STEP, "urn:epcglobal:cbv:bizstep:receiving", receiving);
    check_uri(CBV_BIZ_STEP, "http://ref.gs1.org/cbv/BizStep-receiving", receiving);
    check_uri(CBV_BIZ_STEP, receiving, receiving);
    check_uri(CBV_DISPOSITION, "urn:epcglobal:cbv:disp:in_transit", "https://ref.gs1.org/cbv/Disp-in_transit");
    check_uri(CBV_BIZ_TRANSACTION_TYPE, "po", "https://ref.gs1.org/cbv/BTT-po");
    check_uri(CBV_SOURCE_DEST_TYPE, "urn:epcglobal:cbv:sdt:owning_party", "https://ref.gs1.org/cbv/SDT-owning_party");
    check_uri(CBV_ERROR_REASON, "incorrect_data", "https://ref.gs1.org/cbv/ER-incorrect_data");
    check_uri(CBV_MEASUREMENT, "gs1:Temperature", "https://gs1.org/voc/Temperature");
    check_uri(CBV_MEASUREMENT, "https://www.gs1.org/voc/Temperature", "https://gs1.org/voc/Temperature");
    check_uri(CBV_MEASUREMENT, "http://www.gs1.org/voc/Temperature", "https://gs1.org/voc/Temperature");
    check_uri(CBV_SENSOR_ALERT, "ALARM_CONDITION", "https://gs1.org/voc/ALARM_CONDITION");
    check_uri(CBV_COMPONENT, "latitude", "https://ref.gs1.org/cbv/Comp-latitude");
}

static void foreign_words_stay(void **state) {
    (void)state;
    check_uri(CBV_BIZ_STEP, "https://example.com/step/mixing", "https://example.com/step/mixing");
    check_uri(CBV_BIZ_STEP, "urn:epcglobal:cbv:disp:active", "urn:epcglobal:cbv:disp:active");
    check_uri(CBV_BIZ_STEP, "https://www.ref.gs1.org/cbv/BizStep-receiving", "https://www.ref.gs1.org/cbv/BizStep-receiving");
    check_uri(CBV_BIZ_STEP, "transforming", "https://ref.gs1.org/cbv/BizStep-transforming");
    assert_null(cbv_word(CBV_BIZ_STEP, "transforming"));
    assert_null(cbv_word(CBV_BIZ_STEP, "in_transit"));
    assert_null(cbv_word(CBV_BIZ_STEP, ""));
    assert_null(cbv_word(CBV_MEASUREMENT, "urn:epcglobal:cbv:bizstep:receiving"));
    assert_string_equal(cbv_word(CBV_DISPOSITION, "cbv:Disp-in_transit"), "in_transit");
    assert_true(cbv_is_word(CBV_DISPOSITION, "in_transit"));
    assert_false(cbv_is_word(CBV_DISPOSITION, "cbv:Disp-in_transit"));
}

static void check_words(enum cbv_vocabulary vocabulary, const char *context) {
    char path[200];
    snprintf(path, sizeof path, "gs1-EPCIS/JSON-LD-Context/%s.jsonld", context);
    json_t *document = json_load_file(test_data(path), 0, NULL);
    assert_non_null(document);
    size_t standard = 0;
    const char *word;
    json_t *meaning;
    json_object_foreach(json_object_get(document, "@context"), word, meaning) {
        if (word[0] == '@' || strcmp(word, "cbv") == 0 || strcmp(word, "gs1") == 0) continue;
        standard++;
        assert_true(cbv_is_word(vocabulary, word));
        assert_string_equal(cbv_word(vocabulary, json_string_value(meaning)), word);
    }
    size_t count;
    cbv_words(vocabulary, &count);
    assert_int_equal(count, standard);
    json_decref(document);
}

static void tables_agree_with_the_published_contexts(void **state) {
    (void)state;
    check_words(CBV_BIZ_STEP, "cbv-context-bizstep");
    check_words(CBV_DISPOSITION, "cbv-context-disposition");
    check_words(CBV_BIZ_TRANSACTION_TYPE, "cbv-context-biztransaction-type");
    check_words(CBV_SOURCE_DEST_TYPE, "cbv-context-sourcedest-type");
    check_words(CBV_ERROR_REASON, "cbv-context-error-reason");
    check_words(CBV_MEASUREMENT, "gs1-context-measurement-type");
    check_words(CBV_SENSOR_ALERT, "gs1-context-sensor-alert-type");
    check_words(CBV_COMPONENT, "cbv-context-component");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_spelling_is_one_uri),
        cmocka_unit_test(foreign_words_stay),
        cmocka_unit_test(tables_agree_with_the_published_contexts),
    };
    return cmocka_run_group_tests_name("epcis cbv", tests, NULL, NULL);
}
