#include "common/identify/warnings.h"

#include <stdio.h>

void identify_warn(struct identify_warnings *list, const char *word, const char *fmt, ...) {
    if (!list || list->count == IDENTIFY_WARNINGS_MAX) return;
    char *text = list->text[list->count++];
    const int used = snprintf(text, IDENTIFY_WARNING_SIZE, "%s: ", word);
    if (used < 0 || (size_t)used >= IDENTIFY_WARNING_SIZE) return;
    va_list args;
    va_start(args, fmt);
    vsnprintf(text + used, IDENTIFY_WARNING_SIZE - (size_t)used, fmt, args);
    va_end(args);
}
