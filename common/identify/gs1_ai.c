#include "common/identify/gs1_ai.h"

#include <string.h>

// The table is in the order of its first AIs, so the candidate is the last entry that does not start behind `digits`.
const struct gs1_ai *gs1_ai_find(struct pt_bytes digits) {
    if (digits.len < 2 || digits.len > GS1_AI_MAX) return NULL;
    size_t low = 0;
    size_t high = gs1_ai_count();
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (pt_bytes_compare(pt_bytes_str(gs1_ai_at(middle)->first), digits) <= 0) low = middle + 1;
        else high = middle;
    }
    const struct gs1_ai *ai = gs1_ai_at(low - 1);
    if (!ai || strlen(ai->first) != digits.len) return NULL;
    // A range runs over its last digit only.
    const uint8_t last = digits.data[digits.len - 1];
    const bool same = memcmp(digits.data, ai->first, digits.len - 1) == 0;
    return same && last >= (uint8_t)ai->first[digits.len - 1] && last <= (uint8_t)ai->last[digits.len - 1] ? ai : NULL;
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
