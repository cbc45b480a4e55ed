// What was odd about an input that could be read all the same: repaired, padded, deprecated.
#ifndef PACKTRAIL_COMMON_IDENTIFY_WARNINGS_H
#define PACKTRAIL_COMMON_IDENTIFY_WARNINGS_H

#include "common/base/bytes.h"

#define IDENTIFY_WARNINGS_MAX 8u
#define IDENTIFY_WARNING_SIZE 200u

struct identify_warnings {
    size_t count;
    char text[IDENTIFY_WARNINGS_MAX][IDENTIFY_WARNING_SIZE];
};

// Adds "word: explanation"; `word` is fixed for programs, the explanation is for people. `list` may be NULL.
// Once the list is full, further warnings are dropped: the first ones say enough to look at the code again.
void identify_warn(struct identify_warnings *list, const char *word, const char *fmt, ...) PT_PRINTF(3, 4);

#endif
