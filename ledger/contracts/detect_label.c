// Label: lot and expiry of the scan against what the maker announced. One character that is wrong, a date that alone
// differs, capitals and swallowed separators are people and readers; another lot altogether is another pack.
#include <string.h>

#include "common/epcis/packtrail_terms.h"
#include "ledger/contracts/detect.h"

#define LOT_MAX 64u

static const char *told(const struct epcis_members *members, const char *local) {
    for (size_t i = 0; i < members->count; i++) {
        const struct epcis_member *item = &members->items[i];
        if (item->ns && item->value.kind == EPCIS_TEXT && item->value.text && strcmp(item->local, local) == 0 &&
            strcmp(item->ns, PACKTRAIL_TERMS_NAMESPACE) == 0)
            return item->value.text;
    }
    return NULL;
}

static char capital(char c) { return c >= 'a' && c <= 'z' ? (char)(c - 32) : c; }

enum likeness { SAME, NEARLY, OTHER };

static bool begins_alike(const char *a, const char *b, size_t len) {
    for (size_t i = 0; i < len; i++)
        if (capital(a[i]) != capital(b[i])) return false;
    return true;
}

// Whether one is the other with a character more, less, mistaken or two in the wrong order; or the other with more behind it.
static enum likeness lots_alike(const char *a, const char *b) {
    size_t la = strnlen(a, LOT_MAX), lb = strnlen(b, LOT_MAX), same = 0, end = 0;
    if (la == lb && memcmp(a, b, la) == 0) return SAME;
    const size_t shorter = la < lb ? la : lb, longer = la < lb ? lb : la;
    while (same < shorter && capital(a[same]) == capital(b[same])) same++;
    while (end < shorter - same && capital(a[la - 1 - end]) == capital(b[lb - 1 - end])) end++;
    if (same == shorter && shorter >= 4) return NEARLY;                      // a separator was swallowed, or the end is missing
    if (longer - same - end <= 1) return NEARLY;
    const bool swapped = la == lb && la - same - end == 2 && capital(a[same]) == capital(b[same + 1]) && capital(a[same + 1]) == capital(b[same]);
    return swapped || (la == lb && begins_alike(a, b, la)) ? NEARLY : OTHER;
}

enum pt_code detect_label(const struct detect_look *look, struct pt_error *err) {
    const struct sighting *sighting = look->sighting;
    const struct epcis_members *members = &sighting->input->event->extensions;
    const char *lot = told(members, PACKTRAIL_TERM_LOT);
    const uint32_t expiry = lifecycle_expiry(told(members, PACKTRAIL_TERM_EXPIRY));
    const struct pack_record *record = sighting->record;
    struct pt_bytes announced = {0};
    if ((!lot && expiry == 0) || sighting->around->count == 0 || !(record->flags & PACK_FLAG_ANNOUNCED)) return PT_OK;
    enum likeness lots = SAME;
    if (lot && record->lot) {
        char text[LOT_MAX + 1] = {0};
        const enum pt_code code = state_name_text(look->view, record->lot, &announced, err);
        if (code != PT_OK) return code;
        memcpy(text, announced.data, announced.len < LOT_MAX ? announced.len : LOT_MAX);
        lots = lots_alike(lot, text);
    }
    const bool dates_differ = expiry && record->expiry && expiry != record->expiry;
    if (lots == OTHER && dates_differ)
        return detect_raise(look, ALERT_LABEL_MISMATCH, ALERT_ENFORCE, 85, "lot and expiry on the pack are not those announced", err);
    if (lots == OTHER) return detect_raise(look, ALERT_LABEL_MISMATCH, ALERT_ENFORCE, 60, "the lot on the pack is not the one announced", err);
    if (lots == NEARLY) return detect_raise(look, ALERT_LABEL_MISREAD, ALERT_SHADOW, 15, "the lot differs by a slip of the reader or the hand", err);
    if (dates_differ)
        return detect_raise(look, ALERT_LABEL_MISMATCH, ALERT_SHADOW, 30, "the expiry differs, the lot does not: a slip, or announced wrongly", err);
    return PT_OK;
}
