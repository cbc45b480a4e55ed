// The order of keys and qualifiers in a Digital Link's path.
#ifndef PACKTRAIL_COMMON_IDENTIFY_GS1_PATH_H
#define PACKTRAIL_COMMON_IDENTIFY_GS1_PATH_H

#include "common/identify/gs1_element.h"

#define GS1_QUALIFIERS_MAX 4u

// Where a reader of a path stands: the key, and for each alternative order of its qualifiers how far it has come.
struct gs1_path {
    const struct gs1_ai *key;
    size_t reached[GS1_QUALIFIERS_MAX];
    bool dropped[GS1_QUALIFIERS_MAX];
};

// Whether the qualifier may come next; if so the path has moved on behind it.
bool gs1_path_accepts(struct gs1_path *path, struct pt_bytes code);

// The elements that are qualifiers of `key`, in path order, from the alternative that uses most of them.
size_t gs1_path_qualifiers(const struct gs1_ai *key, const struct gs1_elements *elements,
                           const struct gs1_element *out[GS1_QUALIFIERS_MAX]);

#endif
