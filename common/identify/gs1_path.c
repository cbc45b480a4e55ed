#include "common/identify/gs1_path.h"

#include <string.h>

// The next AI of one alternative ("22,10,21"), empty at its end.
static struct pt_bytes next_code(const char **at) {
    const size_t len = strcspn(*at, ",|");
    const struct pt_bytes code = pt_bytes_of(*at, len);
    *at += len;
    if (**at == ',') (*at)++;
    return code;
}

static const char *alternative(const struct gs1_ai *key, size_t number) {
    const char *at = key->qualifiers;
    for (size_t i = 0; at && i < number; i++) {
        at = strchr(at, '|');
        if (at) at++;
    }
    return at;
}

bool gs1_path_accepts(struct gs1_path *path, struct pt_bytes code) {
    bool accepted = false;
    for (size_t n = 0; n < GS1_QUALIFIERS_MAX; n++) {
        const char *at = alternative(path->key, n);
        size_t place = 0;
        bool found = false;
        for (struct pt_bytes one; at && !path->dropped[n] && !found && (one = next_code(&at)).len > 0;) {
            place++;
            found = place > path->reached[n] && pt_bytes_equal(one, code);
        }
        if (found) path->reached[n] = place;
        else path->dropped[n] = true;
        accepted = accepted || found;
    }
    return accepted;
}

size_t gs1_path_qualifiers(const struct gs1_ai *key, const struct gs1_elements *elements,
                           const struct gs1_element *out[GS1_QUALIFIERS_MAX]) {
    size_t best = 0;
    for (size_t n = 0; n < GS1_QUALIFIERS_MAX; n++) {
        const struct gs1_element *found[GS1_QUALIFIERS_MAX];
        size_t count = 0;
        const char *at = alternative(key, n);
        for (struct pt_bytes one; at && count < GS1_QUALIFIERS_MAX && (one = next_code(&at)).len > 0;)
            for (size_t i = 0; i < elements->count; i++)
                if (pt_bytes_equal(pt_bytes_str(elements->items[i].code), one)) {
                    found[count++] = &elements->items[i];
                    break;
                }
        if (count > best) {
            memcpy(out, found, count * sizeof *found);
            best = count;
        }
    }
    return best;
}
