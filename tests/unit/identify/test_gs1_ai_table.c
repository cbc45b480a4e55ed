#include <stdio.h>
#include <string.h>

#include "common/identify/gs1_check.h"
#include "tests/support/support.h"
#include "tests/unit/identify/dictionary.h"

static const char *or_empty(const char *text) {
    return text ? text : "";
}

static void check_parts(const struct gs1_ai *ai, const struct dictionary_entry *entry) {
    for (size_t i = 0; i < entry->part_count; i++) {
        const struct dictionary_part *part = &entry->parts[i];
        const struct gs1_component *component = &ai->components[i];
        assert_int_equal(component->charset, part->charset);
        assert_int_equal(component->min, part->min);
        assert_int_equal(component->max, part->max);
        assert_int_equal(component->optional, part->optional);
        for (size_t k = 0; k < GS1_CHECKS_MAX; k++)
            assert_string_equal(gs1_check_name(component->checks[k]), k < part->linter_count ? part->linters[k] : "");
    }
    if (entry->part_count < GS1_COMPONENTS_MAX) assert_int_equal(ai->components[entry->part_count].charset, 0);
}

static void the_table_is_the_dictionary(void **state) {
    (void)state;
    const struct dictionary *dictionary = dictionary_read();
    assert_int_equal(gs1_ai_count(), dictionary->count);
    for (size_t i = 0; i < dictionary->count; i++) {
        const struct dictionary_entry *entry = &dictionary->entries[i];
        const struct gs1_ai *ai = gs1_ai_at(i);
        assert_string_equal(ai->first, entry->first);
        assert_string_equal(ai->last, entry->last);
        assert_int_equal(!!(ai->flags & GS1_PREDEFINED), strchr(entry->flags, '*') != NULL);
        assert_int_equal(!!(ai->flags & GS1_ATTRIBUTE), strchr(entry->flags, '?') != NULL);
        assert_int_equal(!!(ai->flags & GS1_KEY), entry->is_key);
        assert_string_equal(or_empty(ai->needs), entry->req);
        assert_string_equal(or_empty(ai->excludes), entry->ex);
        assert_string_equal(or_empty(ai->qualifiers), entry->dlpkey);
        assert_string_equal(or_empty(ai->title), entry->title);
        check_parts(ai, entry);
    }
}

static bool listed(const char *qualifiers, const char *code) {
    for (const char *at = qualifiers; *at;) {
        const size_t len = strcspn(at, ",|");
        if (len == strlen(code) && strncmp(at, code, len) == 0) return true;
        at += len + (at[len] != '\0');
    }
    return false;
}

static void qualifiers_are_what_some_key_lists(void **state) {
    (void)state;
    const struct dictionary *dictionary = dictionary_read();
    for (size_t i = 0; i < dictionary->count; i++) {
        bool qualifier = false;
        for (size_t k = 0; k < dictionary->count && !qualifier; k++)
            qualifier = listed(dictionary->entries[k].dlpkey, dictionary->entries[i].first);
        assert_int_equal(!!(gs1_ai_at(i)->flags & GS1_QUALIFIER), qualifier);
    }
}

static void every_ai_is_found_and_nothing_else(void **state) {
    (void)state;
    dictionary_read();
    char code[16];
    size_t found = 0;
    for (unsigned width = 1; width <= 4; width++) {
        unsigned limit = 1;
        for (unsigned i = 0; i < width; i++) limit *= 10;
        for (unsigned number = 0; number < limit; number++) {
            snprintf(code, sizeof code, "%0*u", (int)width, number);
            const struct gs1_ai *ai = gs1_ai_find(pt_bytes_str(code));
            const struct dictionary_entry *entry = dictionary_find(code);
            assert_int_equal(ai != NULL, entry != NULL);
            if (!ai) continue;
            assert_string_equal(ai->first, entry->first);
            assert_int_equal(gs1_ai_length(pt_bytes_str(code)), width);
            found++;
        }
    }
    assert_true(found > 500);
    assert_null(gs1_ai_find(pt_bytes_str("310:")));
    assert_int_equal(gs1_ai_length(pt_bytes_str("9:")), 0);
    assert_int_equal(gs1_ai_length(pt_bytes_str("05")), 0);
}

static void code_lists_know_their_members(void **state) {
    (void)state;
    assert_true(gs1_is_country(156) && gs1_is_country(4) && !gs1_is_country(999) && !gs1_is_country(1004));
    assert_true(gs1_is_currency(156) && gs1_is_currency(999) && !gs1_is_currency(1));
    assert_true(gs1_is_country_alpha((const uint8_t *)"CN") && !gs1_is_country_alpha((const uint8_t *)"XX"));
    assert_true(gs1_is_package_type(pt_bytes_str("BX")) && gs1_is_package_type(pt_bytes_str("8")));
    assert_false(gs1_is_package_type(pt_bytes_str("BX ")));
    assert_false(gs1_is_package_type(pt_bytes_str("")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_is_the_dictionary),
        cmocka_unit_test(qualifiers_are_what_some_key_lists),
        cmocka_unit_test(every_ai_is_found_and_nothing_else),
        cmocka_unit_test(code_lists_know_their_members),
    };
    return cmocka_run_group_tests_name("identify gs1_ai_table", tests, NULL, NULL);
}
