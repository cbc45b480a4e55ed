#include "common/identify/lost_separator.h"

#include <string.h>

#include "common/identify/gs1_associations.h"
#include "common/identify/scanned_text.h"

// Counting stops here: two readings are as unusable as two hundred.
#define READINGS_ENOUGH 2u

// Further AIs would make nearly every serial number ambiguous: (91) alone takes any text behind the digits 91.
static const char *const likely[] = {"10", "11", "17", "21", "710", "711", "712", "713", "714", "715", "716", "717"};

struct search {
    struct pt_bytes text;
    struct gs1_elements stack;
    struct gs1_elements *first;
    size_t found;
    unsigned steps; // bounds the work on hostile input
};

#define STEPS_MAX 20000u

static struct pt_bytes slice(struct pt_bytes text, size_t from, size_t to) {
    return pt_bytes_of(text.data + from, to - from);
}

static bool is_likely(struct pt_bytes code) {
    for (size_t i = 0; i < sizeof likely / sizeof *likely; i++)
        if (pt_bytes_equal(code, pt_bytes_str(likely[i]))) return true;
    return false;
}

static void read_element(struct search *search, size_t at, bool split);

// The element's value ends at `end`; `split` tells whether any separator was put in so far.
static void try_value(struct search *search, struct pt_bytes code, size_t value, size_t end, bool split) {
    struct gs1_elements *stack = &search->stack;
    const size_t depth = stack->count;
    if (gs1_elements_add(stack, code, slice(search->text, value, end), value, GS1_CONTENT, NULL) != PT_OK) return;
    if (end < search->text.len) {
        read_element(search, search->text.data[end] == FNC1 ? end + 1 : end, split);
    } else if (split && gs1_associations_check(stack, NULL) == PT_OK) {
        if (search->found++ == 0) *search->first = *stack;
    }
    stack->count = depth;
}

static void read_element(struct search *search, size_t at, bool split) {
    const struct pt_bytes text = search->text;
    if (++search->steps > STEPS_MAX) search->found = READINGS_ENOUGH; // not searched through counts as ambiguous
    if (at >= text.len || search->found >= READINGS_ENOUGH) return;
    const size_t digits = gs1_ai_length(slice(text, at, text.len));
    if (digits == 0 || at + digits >= text.len) return;
    const struct pt_bytes code = slice(text, at, at + digits);
    const struct gs1_ai *ai = gs1_ai_find(code);
    if (!ai) return;
    const size_t value = at + digits;
    const uint8_t *separator = memchr(text.data + value, FNC1, text.len - value);
    const size_t stop = separator ? (size_t)(separator - text.data) : text.len;
    if (ai->flags & GS1_PREDEFINED) {
        const size_t end = value + gs1_ai_max(ai);
        if (end <= stop) try_value(search, code, value, end, split);
        return;
    }
    try_value(search, code, value, stop, split);
    for (size_t end = value + gs1_ai_min(ai); end < stop && end <= value + gs1_ai_max(ai); end++) {
        const size_t next = gs1_ai_length(slice(text, end, stop));
        if (next == 0 || end + next >= stop) continue;
        const struct pt_bytes following = slice(text, end, end + next);
        char name[GS1_AI_MAX + 1] = "";
        memcpy(name, following.data, following.len);
        const bool again = pt_bytes_equal(following, code) || gs1_elements_find(&search->stack, name) != NULL;
        if (is_likely(following) && !again) try_value(search, code, value, end, true);
    }
}

size_t lost_separator_readings(struct pt_bytes text, struct gs1_elements *out) {
    struct search search = {.text = text, .first = out};
    *out = (struct gs1_elements){0};
    read_element(&search, text.len > 0 && text.data[0] == FNC1 ? 1 : 0, false);
    return search.found;
}
