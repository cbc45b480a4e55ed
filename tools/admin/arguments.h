// The words after `packtrail admin COMMAND`: options in any place, and positional words.
#ifndef PACKTRAIL_TOOLS_ADMIN_ARGUMENTS_H
#define PACKTRAIL_TOOLS_ADMIN_ARGUMENTS_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

#define ARGUMENT_LIST_MAX 16u

struct argument_list {
    const char *values[ARGUMENT_LIST_MAX];
    size_t count;
};

// Exactly one of value and list is set. A value may be given once.
struct argument {
    const char *name; // "--name"
    const char **value;
    struct argument_list *list;
    const char *needed_for; // NULL: may be left out; else what it says to people
};

// Both arrays end with an entry whose name is NULL. `words` are the positional ones in order, all required.
struct argument_word {
    const char *name;
    const char **value;
};
enum pt_code arguments_parse(int argc, char **argv, const struct argument_word *words, const struct argument *arguments,
                             struct pt_error *err) PT_NODISCARD;

// A whole decimal number from least to most.
enum pt_code argument_number(const char *name, const char *text, uint64_t least, uint64_t most, uint64_t *out,
                             struct pt_error *err) PT_NODISCARD;

#endif
