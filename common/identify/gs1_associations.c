#include "common/identify/gs1_associations.h"

#include <stdio.h>
#include <string.h>

static struct pt_bytes next_until(const char **at, const char *stops) {
    const size_t len = strcspn(*at, stops);
    const struct pt_bytes found = pt_bytes_of(*at, len);
    *at += len;
    if (**at) (*at)++;
    return found;
}

static bool any_matches(const struct gs1_elements *elements, struct pt_bytes pattern) {
    for (size_t i = 0; i < elements->count; i++)
        if (gs1_ai_matches(elements->items[i].code, pattern)) return true;
    return false;
}

// "01+21": every part of the group is there.
static bool group_present(const struct gs1_elements *elements, struct pt_bytes group) {
    size_t from = 0;
    for (size_t i = 0; i <= group.len; i++) {
        if (i < group.len && group.data[i] != '+') continue;
        if (!any_matches(elements, pt_bytes_of(group.data + from, i - from))) return false;
        from = i + 1;
    }
    return true;
}

static bool needs_met(const struct gs1_elements *elements, const char *needs) {
    while (*needs)
        if (group_present(elements, next_until(&needs, ","))) return true;
    return false;
}

// An AI does not exclude itself, even where its own pattern says so.
static const struct gs1_element *excluded(const struct gs1_elements *elements, const struct gs1_element *by) {
    for (const char *at = by->ai->excludes; at && *at;) {
        const struct pt_bytes pattern = next_until(&at, ",");
        for (size_t i = 0; i < elements->count; i++)
            if (strcmp(elements->items[i].code, by->code) != 0 && gs1_ai_matches(elements->items[i].code, pattern))
                return &elements->items[i];
    }
    return NULL;
}

static enum pt_code check_conflicts(const struct gs1_elements *elements, struct pt_error *err) {
    for (size_t i = 0; i < elements->count; i++) {
        const struct gs1_element *item = &elements->items[i];
        char place[GS1_AI_MAX + 3];
        snprintf(place, sizeof place, "(%s)", item->code);
        const struct gs1_element *first = gs1_elements_find(elements, item->code);
        if (first != item && strcmp(first->value, item->value) != 0)
            return pt_fail_at(err, PT_CONFLICT, (long)item->position, place, "repeat: AI %s has two values, %s and %s",
                              place, first->value, item->value);
        const struct gs1_element *other = excluded(elements, item);
        if (other)
            return pt_fail_at(err, PT_CONFLICT, (long)item->position, place, "ex: AI %s may not stand beside AI (%s)",
                              place, other->code);
    }
    return PT_OK;
}

enum pt_code gs1_associations_check(const struct gs1_elements *elements, struct pt_error *err) {
    const enum pt_code code = check_conflicts(elements, err);
    for (size_t i = 0; code == PT_OK && i < elements->count; i++) {
        const struct gs1_element *item = &elements->items[i];
        char place[GS1_AI_MAX + 3];
        snprintf(place, sizeof place, "(%s)", item->code);
        if (item->ai->needs && !needs_met(elements, item->ai->needs))
            return pt_fail_at(err, PT_NOT_FOUND, (long)item->position, place, "req: AI %s lacks its companion %s",
                              place, item->ai->needs);
    }
    return code;
}
