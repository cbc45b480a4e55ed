// The GS1 Syntax Dictionary as the public vectors have it, read at run time: cases are derived from it, not copied.
#ifndef PACKTRAIL_TESTS_UNIT_IDENTIFY_DICTIONARY_H
#define PACKTRAIL_TESTS_UNIT_IDENTIFY_DICTIONARY_H

#include <stdbool.h>
#include <stddef.h>

struct dictionary_part {
    char charset;
    unsigned min;
    unsigned max;
    bool optional;
    char linters[4][24];
    size_t linter_count;
};

struct dictionary_entry {
    char first[5];
    char last[5];
    char flags[8];
    struct dictionary_part parts[6];
    size_t part_count;
    char req[128];
    char ex[128];
    char dlpkey[64]; // qualifiers
    bool is_key;
    char title[64];
};

struct dictionary {
    struct dictionary_entry entries[400];
    size_t count;
};

// Static, read once; skips the calling test when the vectors are missing.
const struct dictionary *dictionary_read(void);

// The entry that an AI ("3102") belongs to, or NULL.
const struct dictionary_entry *dictionary_find(const char *code);

// The first AI that fits a pattern ("31nn"); false when there is none.
bool dictionary_first(const char *pattern, char code[5]);

// A value that satisfies every rule of the entry; with `shortest` only the mandatory parts.
void dictionary_good_value(const struct dictionary_entry *entry, bool shortest, char out[128]);

// Where a part starts in the value of dictionary_good_value (not shortest).
size_t dictionary_part_offset(const struct dictionary_entry *entry, size_t part);

#endif
