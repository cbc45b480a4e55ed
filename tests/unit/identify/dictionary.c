#include "tests/unit/identify/dictionary.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/support.h"

static void read_part(struct dictionary_entry *entry, char *word) {
    struct dictionary_part *part = &entry->parts[entry->part_count++];
    part->optional = word[0] == '[';
    char *at = word + (part->optional ? 1 : 0);
    part->charset = *at++;
    const bool variable = at[0] == '.';
    part->max = (unsigned)strtoul(at + (variable ? 2 : 0), &at, 10);
    part->min = variable ? 1 : part->max;
    char *rest = strchr(at, ',');
    char *save = NULL;
    for (char *name = rest ? strtok_r(rest, ",", &save) : NULL; name; name = strtok_r(NULL, ",", &save))
        snprintf(part->linters[part->linter_count++], sizeof part->linters[0], "%s", name);
}

static void read_entry(struct dictionary *dictionary, char *line) {
    struct dictionary_entry *entry = &dictionary->entries[dictionary->count++];
    char *title = strchr(line, '#');
    if (title) {
        *title++ = '\0';
        while (*title == ' ') title++;
        snprintf(entry->title, sizeof entry->title, "%s", title);
    }
    char *save = NULL;
    char *word = strtok_r(line, " \t", &save);
    char *dash = strchr(word, '-');
    if (dash) *dash = '\0';
    snprintf(entry->first, sizeof entry->first, "%s", word);
    snprintf(entry->last, sizeof entry->last, "%s", dash ? dash + 1 : word);
    while ((word = strtok_r(NULL, " \t", &save))) {
        if (strncmp(word, "req=", 4) == 0) snprintf(entry->req, sizeof entry->req, "%s", word + 4);
        else if (strncmp(word, "ex=", 3) == 0) snprintf(entry->ex, sizeof entry->ex, "%s", word + 3);
        else if (strncmp(word, "dlpkey", 6) == 0) {
            entry->is_key = true;
            if (word[6] == '=') snprintf(entry->dlpkey, sizeof entry->dlpkey, "%s", word + 7);
        } else if (strspn(word, "*?") == strlen(word)) snprintf(entry->flags, sizeof entry->flags, "%s", word);
        else read_part(entry, word);
    }
}

const struct dictionary *dictionary_read(void) {
    static struct dictionary dictionary;
    if (dictionary.count) return &dictionary;
    struct pt_buf file = test_read_file(test_data("gs1-syntax-dictionary/gs1-syntax-dictionary.txt"));
    char *text = strdup(pt_buf_cstr(&file));
    char *save = NULL;
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
        if (line[0] != '#' && line[0]) read_entry(&dictionary, line);
    free(text);
    pt_buf_free(&file);
    assert_true(dictionary.count > 200);
    return &dictionary;
}

const struct dictionary_entry *dictionary_find(const char *code) {
    const struct dictionary *dictionary = dictionary_read();
    for (size_t i = 0; i < dictionary->count; i++) {
        const struct dictionary_entry *entry = &dictionary->entries[i];
        if (strlen(code) == strlen(entry->first) && strcmp(code, entry->first) >= 0 && strcmp(code, entry->last) <= 0)
            return entry;
    }
    return NULL;
}

bool dictionary_first(const char *pattern, char code[5]) {
    const struct dictionary *dictionary = dictionary_read();
    for (size_t i = 0; i < dictionary->count; i++) {
        const char *first = dictionary->entries[i].first;
        bool fits = strlen(first) == strlen(pattern);
        for (size_t k = 0; fits && first[k]; k++) fits = pattern[k] == 'n' || pattern[k] == first[k];
        if (!fits) continue;
        snprintf(code, 5, "%s", first);
        return true;
    }
    return false;
}

static const char *sample_for(const char *linter) {
    static const char *const samples[][2] = {
        {"csumalpha", "1987654Ad4X4bL5ttr2310c2K"},
        {"couponcode", "012345612345611110123"},
        {"couponposoffer", "001234561234560123456"},
        {"hh", "23"},
        {"hhmi", "2359"},
        {"hyphen", "-"},
        {"iban", "DE91100000000123456789"},
        {"importeridx", "B"},
        {"iso3166", "156"},
        {"iso3166999", "999"},
        {"iso3166alpha2", "CN"},
        {"iso4217", "156"},
        {"iso5218", "9"},
        {"latitude", "1800000000"},
        {"longitude", "3600000000"},
        {"mediatype", "10"},
        {"mi", "59"},
        {"nozeroprefix", "120"},
        {"packagetype", "BX"},
        {"pcenc", "a%20b"},
        {"pieceoftotal", "0102"},
        {"posinseqslash", "2/3"},
        {"ss", "59"},
        {"winding", "9"},
        {"yesno", "1"},
        {"yymmd0", "271200"},
        {"yymmdd", "280229"},
        {"yyyymmdd", "19901231"},
        {"zero", "0"},
    };
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++)
        if (strcmp(samples[i][0], linter) == 0) return samples[i][1];
    return NULL;
}

static char check_digit(const char *digits, size_t len) {
    int sum = 0;
    for (size_t i = 0; i < len; i++) sum += (digits[len - 1 - i] - '0') * (i % 2 ? 1 : 3);
    return (char)('0' + (10 - sum % 10) % 10);
}

static void good_part(const struct dictionary_part *part, char *out) {
    for (size_t i = 0; i < part->linter_count; i++) {
        const char *sample = sample_for(part->linters[i]);
        if (sample) {
            strcpy(out, sample);
            return;
        }
    }
    for (unsigned i = 0; i < part->max; i++)
        out[i] = (char)(part->charset == 'N' || i < 6 ? '0' + (i + 1) % 10 : 'A' + i % 26);
    out[part->max] = '\0';
    for (size_t i = 0; i < part->linter_count; i++)
        if (strcmp(part->linters[i], "csum") == 0) out[part->max - 1] = check_digit(out, part->max - 1);
}

void dictionary_good_value(const struct dictionary_entry *entry, bool shortest, char out[128]) {
    out[0] = '\0';
    for (size_t i = 0; i < entry->part_count; i++) {
        if (shortest && entry->parts[i].optional) break;
        good_part(&entry->parts[i], out + strlen(out));
    }
}

size_t dictionary_part_offset(const struct dictionary_entry *entry, size_t part) {
    char text[128];
    size_t offset = 0;
    for (size_t i = 0; i < part; i++) {
        good_part(&entry->parts[i], text);
        offset += strlen(text);
    }
    return offset;
}
