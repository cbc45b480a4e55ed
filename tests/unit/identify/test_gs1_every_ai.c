// Cases for every AI of the GS1 Syntax Dictionary, derived from it at run time.
#include <stdio.h>
#include <string.h>

#include "common/identify/gs1_digital_link.h"
#include "common/identify/gs1_element_string.h"
#include "common/identify/identification.h"
#include "tests/support/support.h"
#include "tests/unit/identify/dictionary.h"

static const struct identify_options options = {.year = 2026};

struct set {
    char codes[16][5];
    size_t count;
};

static bool fits(const char *code, const char *pattern, size_t len) {
    if (strlen(code) != len) return false;
    for (size_t i = 0; i < len; i++)
        if (pattern[i] != 'n' && pattern[i] != code[i]) return false;
    return true;
}

static bool has(const struct set *set, const char *pattern, size_t len) {
    for (size_t i = 0; i < set->count; i++)
        if (fits(set->codes[i], pattern, len)) return true;
    return false;
}

static bool conflict(const struct set *set) {
    for (size_t i = 0; i < set->count; i++) {
        for (const char *at = dictionary_find(set->codes[i])->ex; *at;) {
            const size_t len = strcspn(at, ",");
            for (size_t k = 0; k < set->count; k++)
                if (strcmp(set->codes[k], set->codes[i]) != 0 && fits(set->codes[k], at, len)) return true;
            at += len + (at[len] == ',');
        }
    }
    return false;
}

static bool add_group(struct set *set, const char *group, size_t len) {
    for (size_t at = 0; at < len;) {
        const size_t part = strcspn(group + at, "+,");
        char pattern[5] = "";
        memcpy(pattern, group + at, part);
        if (!has(set, pattern, part)) {
            if (set->count == 16 || !dictionary_first(pattern, set->codes[set->count])) return false;
            set->count++;
        }
        at += part + 1;
    }
    return !conflict(set);
}

static bool group_there(const struct set *set, const char *group, size_t len) {
    for (size_t at = 0; at < len;) {
        const size_t part = strcspn(group + at, "+,");
        if (!has(set, group + at, part)) return false;
        at += part + 1;
    }
    return true;
}

// Adds companions until every requirement of every member is met.
static bool complete(struct set *set) {
    for (size_t i = 0; i < set->count; i++) {
        const char *req = dictionary_find(set->codes[i])->req;
        bool met = !req[0];
        for (const char *at = req; *at && !met;) {
            const size_t len = strcspn(at, ",");
            met = group_there(set, at, len);
            at += len + (at[len] == ',');
        }
        if (met) continue;
        for (const char *at = req; *at;) {
            const size_t len = strcspn(at, ",");
            struct set bigger = *set;
            if (add_group(&bigger, at, len) && complete(&bigger)) {
                *set = bigger;
                return true;
            }
            at += len + (at[len] == ',');
        }
        return false;
    }
    return true;
}

// "(AI)value" of the AI under test, then its companions with good values.
static void spell(const char *code, const char *value, bool companions, char *out, size_t size) {
    struct set set = {.count = 1};
    snprintf(set.codes[0], 5, "%s", code);
    if (companions && !complete(&set)) fail_msg("no companions found for (%s)", code);
    size_t used = (size_t)snprintf(out, size, "(%s)%s", code, value);
    for (size_t i = 1; i < set.count; i++) {
        char good[128];
        dictionary_good_value(dictionary_find(set.codes[i]), false, good);
        used += (size_t)snprintf(out + used, size - used, "(%s)%s", set.codes[i], good);
    }
}

static void check_good(const char *code, const char *value) {
    char text[1024];
    spell(code, value, true, text, sizeof text);
    static struct identification found;
    struct pt_error err = {0};
    if (identify(pt_bytes_str(text), &options, &found, &err) != PT_OK) fail_msg("%s: %s", text, err.what);
    assert_string_equal(found.elements.items[0].value, value);
    assert_int_equal(found.warnings.count, 0);

    struct pt_buf raw = PT_BUF_INIT(2000);
    pt_buf_str(&raw, "]d2");
    gs1_element_string_append(&raw, &found.elements);
    static struct identification again;
    if (identify(pt_buf_bytes(&raw), &options, &again, &err) != PT_OK) fail_msg("%s: %s", pt_buf_cstr(&raw), err.what);
    assert_int_equal(again.elements.count, found.elements.count);
    for (size_t i = 0; i < again.elements.count; i++) {
        assert_string_equal(again.elements.items[i].code, found.elements.items[i].code);
        assert_string_equal(again.elements.items[i].value, found.elements.items[i].value);
    }
    pt_buf_free(&raw);
}

// Refused with a message that starts with `rule`, at a position within the text.
static void check_bad(const char *code, const char *value, bool companions, const char *rule) {
    char text[1024];
    spell(code, value, companions, text, sizeof text);
    static struct identification found;
    struct pt_error err = {.position = -7};
    if (identify(pt_bytes_str(text), &options, &found, &err) != PT_INVALID) fail_msg("%s was accepted", text);
    if (strncmp(err.what, rule, strlen(rule)) != 0) fail_msg("%s: '%s' does not name %s", text, err.what, rule);
    if (err.position < 0 || (size_t)err.position > strlen(text)) fail_msg("%s: position %ld", text, err.position);
    assert_int_equal(found.scheme, IDENTIFY_NONE);
}

typedef void for_each_function(const char *code, const struct dictionary_entry *entry);

static void for_each_ai(for_each_function *function) {
    const struct dictionary *dictionary = dictionary_read();
    for (size_t i = 0; i < dictionary->count; i++) {
        const struct dictionary_entry *entry = &dictionary->entries[i];
        char code[5];
        strcpy(code, entry->first);
        for (;;) {
            function(code, entry);
            if (strcmp(code, entry->last) == 0) break;
            code[strlen(code) - 1]++;
        }
    }
}

static void good(const char *code, const struct dictionary_entry *entry) {
    char value[128];
    dictionary_good_value(entry, false, value);
    check_good(code, value);
    dictionary_good_value(entry, true, value);
    check_good(code, value);
}

static void too_long_and_too_short(const char *code, const struct dictionary_entry *entry) {
    char value[128];
    dictionary_good_value(entry, false, value);
    const struct dictionary_part *last = &entry->parts[entry->part_count - 1];
    size_t len = strlen(value);
    size_t longest = dictionary_part_offset(entry, entry->part_count - 1) + last->max;
    while (len < longest + 1) value[len++] = '1';
    value[len] = '\0';
    check_bad(code, value, true, len > 90 || last->linter_count == 0 ? "length" : "");
    dictionary_good_value(entry, true, value);
    if (entry->parts[0].min == entry->parts[0].max) {
        value[entry->parts[0].max - 1] = '\0';
        check_bad(code, value, true, "length");
    }
    check_bad(code, "", true, "length");
}

static void bad_characters(const char *code, const struct dictionary_entry *entry) {
    for (size_t i = 0; i < entry->part_count; i++) {
        char value[128];
        dictionary_good_value(entry, false, value);
        char *at = value + dictionary_part_offset(entry, i);
        at[0] = entry->parts[i].charset == 'N' ? 'A' : '~';
        check_bad(code, value, true, "charset");
    }
}

static const char *const wrong_content[][2] = {
    {"yymmdd", "271301"},
    {"yymmdd", "270001"},
    {"yymmdd", "270230"},
    {"yymmdd", "271200"},
    {"yymmdd", "270229"},
    {"yymmd0", "271301"},
    {"yymmd0", "270001"},
    {"yymmd0", "270431"},
    {"yymmd0", "270229"},
    {"yyyymmdd", "19901301"},
    {"yyyymmdd", "19900229"},
    {"yyyymmdd", "19900200"},
    {"hh", "24"},
    {"hhmi", "2400"},
    {"hhmi", "2360"},
    {"mi", "60"},
    {"ss", "60"},
    {"hyphen", "+"},
    {"iban", "DE91100000000123456780"},
    {"iban", "XX91100000000123456789"},
    {"iban", "DE9110000000012345678a"},
    {"iban", "DE9110"},
    {"importeridx", "+"},
    {"iso3166", "999"},
    {"iso3166", "000"},
    {"iso3166999", "998"},
    {"iso3166alpha2", "XX"},
    {"iso3166alpha2", "cn"},
    {"iso4217", "000"},
    {"iso5218", "3"},
    {"latitude", "1800000001"},
    {"longitude", "3600000001"},
    {"mediatype", "00"},
    {"mediatype", "11"},
    {"nozeroprefix", "01"},
    {"packagetype", "ZZZ"},
    {"pcenc", "a%2"},
    {"pcenc", "%zz"},
    {"pieceoftotal", "0001"},
    {"pieceoftotal", "0201"},
    {"pieceoftotal", "0100"},
    {"posinseqslash", "3/2"},
    {"posinseqslash", "0/2"},
    {"posinseqslash", "1/0"},
    {"posinseqslash", "123"},
    {"posinseqslash", "/12"},
    {"winding", "2"},
    {"yesno", "2"},
    {"zero", "1"},
    {"csumalpha", "1987654Ad4X4bL5ttr2310c2L"},
    {"csumalpha", "1987654Ad4X4bL5ttr2310c22"},
    {"couponcode", "712345612345611110123"},
    {"couponcode", "01234561234561111012"},
    {"couponcode", "0123456123456111151230"},
    {"couponposoffer", "201234561234560123456"},
    {"couponposoffer", "0012345612345601234567"},
};

// Puts wrong content in the place of every part that has a rule for it.
static void wrong_contents(const char *code, const struct dictionary_entry *entry) {
    for (size_t i = 0; i < entry->part_count; i++) {
        for (size_t k = 0; k < entry->parts[i].linter_count; k++) {
            const char *linter = entry->parts[i].linters[k];
            char value[256];
            char good_value[128];
            dictionary_good_value(entry, false, good_value);
            const size_t from = dictionary_part_offset(entry, i);
            const size_t to = dictionary_part_offset(entry, i + 1);
            for (size_t n = 0; n < sizeof wrong_content / sizeof *wrong_content; n++) {
                if (strcmp(wrong_content[n][0], linter) != 0) continue;
                snprintf(value, sizeof value, "%.*s%s%s", (int)from, good_value, wrong_content[n][1], good_value + to);
                check_bad(code, value, true, linter);
            }
            strcpy(value, good_value);
            if (strcmp(linter, "csum") == 0) {
                value[to - 1] = (char)(value[to - 1] == '9' ? '0' : value[to - 1] + 1);
                check_bad(code, value, true, "csum");
            } else if (strcmp(linter, "nonzero") == 0) {
                memset(value + from, '0', to - from);
                check_bad(code, value, true, "nonzero");
            } else if (strcmp(linter, "gcppos1") == 0 && entry->parts[i].charset != 'N' &&
                       entry->parts[i].linter_count == 1) {
                value[from + 2] = 'A';
                check_bad(code, value, true, "gcppos1");
            } else if (strcmp(linter, "hasnondigit") == 0) {
                check_bad(code, "9665917656102599", true, "hasnondigit");
            }
        }
    }
}

static void companions(const char *code, const struct dictionary_entry *entry) {
    char value[128];
    dictionary_good_value(entry, false, value);
    if (entry->req[0]) check_bad(code, value, false, "req");
    for (const char *at = entry->ex; *at;) {
        const size_t len = strcspn(at, ",");
        char pattern[5] = "";
        memcpy(pattern, at, len);
        at += len + (at[len] == ',');
        char other[5];
        if (!dictionary_first(pattern, other)) continue;
        if (strcmp(other, code) == 0) continue; // an AI does not exclude itself
        char other_value[128];
        char both[300];
        dictionary_good_value(dictionary_find(other), false, other_value);
        snprintf(both, sizeof both, "%s(%s)%s", value, other, other_value);
        check_bad(code, both, false, "ex");
    }
}

static void repeats(const char *code, const struct dictionary_entry *entry) {
    char value[128];
    char twice[400];
    dictionary_good_value(entry, false, value);
    snprintf(twice, sizeof twice, "(%s)%s(%s)%s", code, value, code, value);
    struct gs1_elements elements;
    assert_int_equal(gs1_bracketed_parse(pt_bytes_str(twice), &elements, NULL, NULL), PT_OK);
    char shorter[128];
    dictionary_good_value(entry, true, shorter);
    if (strcmp(value, shorter) == 0) return;
    snprintf(twice, sizeof twice, "%s(%s)%s", value, code, shorter);
    check_bad(code, twice, false, "repeat");
}

static void digital_links(const char *code, const struct dictionary_entry *entry) {
    char value[128];
    char text[512];
    dictionary_good_value(entry, false, value);
    struct gs1_elements elements = {0};
    struct pt_error err = {0};
    const bool attribute = strchr(entry->flags, '?') != NULL;
    if (!entry->is_key)
        assert_ok(
            gs1_elements_add(&elements, pt_bytes_str("00"), pt_bytes_str("106141412345678908"), 0, GS1_CONTENT, &err),
            &err);
    assert_ok(gs1_elements_add(&elements, pt_bytes_str(code), pt_bytes_str(value), 0, GS1_CONTENT, &err), &err);
    struct pt_buf link = PT_BUF_INIT(2000);
    const enum pt_code composed = gs1_digital_link_compose(&elements, &link, &err);
    assert_int_equal(composed, entry->is_key || attribute ? PT_OK : PT_INVALID);
    if (composed == PT_OK) {
        struct gs1_elements parsed;
        assert_ok(gs1_digital_link_parse(pt_buf_bytes(&link), GS1_CONTENT, &parsed, NULL, &err), &err);
        assert_string_equal(gs1_elements_value(&parsed, code), value);
        assert_int_equal(parsed.count, elements.count);
    }
    snprintf(text, sizeof text, "https://id.gs1.org/00/106141412345678908?%s=1", code);
    if (!attribute)
        assert_int_equal(gs1_digital_link_parse(pt_bytes_str(text), GS1_CONTENT, &elements, NULL, NULL), PT_INVALID);
    pt_buf_free(&link);
}

static void every_ai_accepts_good_values(void **state) {
    (void)state;
    for_each_ai(good);
}
static void every_ai_refuses_wrong_lengths(void **state) {
    (void)state;
    for_each_ai(too_long_and_too_short);
}
static void every_ai_refuses_foreign_characters(void **state) {
    (void)state;
    for_each_ai(bad_characters);
}
static void every_ai_refuses_wrong_content(void **state) {
    (void)state;
    for_each_ai(wrong_contents);
}
static void every_ai_wants_its_companions(void **state) {
    (void)state;
    for_each_ai(companions);
}
static void every_ai_may_repeat_only_the_same(void **state) {
    (void)state;
    for_each_ai(repeats);
}
static void every_ai_has_its_place_in_digital_links(void **state) {
    (void)state;
    for_each_ai(digital_links);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_ai_accepts_good_values),
        cmocka_unit_test(every_ai_refuses_wrong_lengths),
        cmocka_unit_test(every_ai_refuses_foreign_characters),
        cmocka_unit_test(every_ai_refuses_wrong_content),
        cmocka_unit_test(every_ai_wants_its_companions),
        cmocka_unit_test(every_ai_may_repeat_only_the_same),
        cmocka_unit_test(every_ai_has_its_place_in_digital_links),
    };
    return cmocka_run_group_tests_name("identify every AI", tests, NULL, NULL);
}
