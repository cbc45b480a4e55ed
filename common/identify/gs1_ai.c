#include "common/identify/gs1_ai.h"

#include <string.h>

const struct gs1_ai *gs1_ai_find(struct pt_bytes digits) {
    if (digits.len < 2 || digits.len > GS1_AI_MAX) return NULL;
    for (size_t i = 0; i < gs1_ai_count(); i++) {
        const struct gs1_ai *ai = gs1_ai_at(i);
        if (strlen(ai->first) == digits.len && memcmp(digits.data, ai->first, digits.len) >= 0 &&
            memcmp(digits.data, ai->last, digits.len) <= 0 &&
            // A range runs over its last digit only, so that 31:1 between 3100 and 3105 does not slip in.
            memcmp(digits.data, ai->first, digits.len - 1) == 0 && digits.data[digits.len - 1] >= '0' &&
            digits.data[digits.len - 1] <= '9')
            return ai;
    }
    return NULL;
}

size_t gs1_ai_length(struct pt_bytes text) {
    if (text.len < 2 || text.data[1] < '0' || text.data[1] > '9') return 0;
    for (size_t i = 0; i < gs1_ai_count(); i++)
        if (memcmp(gs1_ai_at(i)->first, text.data, 2) <= 0 && memcmp(gs1_ai_at(i)->last, text.data, 2) >= 0)
            return strlen(gs1_ai_at(i)->first);
    return 0;
}

size_t gs1_ai_min(const struct gs1_ai *ai) {
    size_t sum = 0;
    for (size_t i = 0; i < GS1_COMPONENTS_MAX && ai->components[i].charset; i++)
        if (!ai->components[i].optional) sum += ai->components[i].min;
    return sum;
}

size_t gs1_ai_max(const struct gs1_ai *ai) {
    size_t sum = 0;
    for (size_t i = 0; i < GS1_COMPONENTS_MAX && ai->components[i].charset; i++) sum += ai->components[i].max;
    return sum;
}

bool gs1_ai_matches(const char *code, struct pt_bytes pattern) {
    if (strlen(code) != pattern.len) return false;
    for (size_t i = 0; i < pattern.len; i++)
        if (pattern.data[i] != 'n' && pattern.data[i] != (uint8_t)code[i]) return false;
    return true;
}
