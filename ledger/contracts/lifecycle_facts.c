#include <string.h>

#include "common/epcis/cbv.h"
#include "common/epcis/packtrail_terms.h"
#include "ledger/contracts/lifecycle.h"

#define EPOCH_2000 10957  // days from 1970-01-01
#define CLOCK_ERROR_MAX ((int64_t)7 * 86400)  // more is no measurement

static const struct epcis_member *member(const struct epcis_members *members, const char *ns, const char *local) {
    for (size_t i = 0; i < members->count; i++) {
        const struct epcis_member *item = &members->items[i];
        if (item->ns && strcmp(item->ns, ns) == 0 && strcmp(item->local, local) == 0) return item;
    }
    return NULL;
}

static const char *member_text(const struct epcis_members *members, const char *ns, const char *local) {
    const struct epcis_member *found = member(members, ns, local);
    if (!found || found->value.kind != EPCIS_TEXT || !found->value.text || !found->value.text[0]) return NULL;
    return found->value.text;
}

static uint64_t member_count(const struct epcis_members *members, const char *local) {
    const struct epcis_member *found = member(members, PACKTRAIL_TERMS_NAMESPACE, local);
    if (!found || found->value.kind != EPCIS_NUMBER || !found->value.number.is_integer || found->value.number.integer < 0) return 0;
    return (uint64_t)found->value.number.integer;
}

// The CBV's names (section 9.2), and those of the GS1 Web Vocabulary.
static const char *ilmd_lot(const struct epcis_members *ilmd) {
    const char *lot = member_text(ilmd, "urn:epcglobal:cbv:mda", "lotNumber");
    if (!lot) lot = member_text(ilmd, "urn:epcglobal:cbv:mda:", "lotNumber");
    if (!lot) lot = member_text(ilmd, "https://ref.gs1.org/cbv/mda/", "lotNumber");
    return lot ? lot : member_text(ilmd, "https://gs1.org/voc/", "hasBatchLotNumber");
}

static const char *ilmd_expiry(const struct epcis_members *ilmd) {
    const char *date = member_text(ilmd, "urn:epcglobal:cbv:mda", "itemExpirationDate");
    if (!date) date = member_text(ilmd, "urn:epcglobal:cbv:mda:", "itemExpirationDate");
    if (!date) date = member_text(ilmd, "https://ref.gs1.org/cbv/mda/", "itemExpirationDate");
    return date ? date : member_text(ilmd, "https://gs1.org/voc/", "expirationDate");
}

static int64_t digits(const char *text, size_t count) {
    int64_t value = 0;
    for (size_t i = 0; i < count; i++) {
        if (text[i] < '0' || text[i] > '9') return -1;
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

uint32_t lifecycle_expiry(const char *text) {
    if (!text || strnlen(text, 10) < 10 || text[4] != '-' || text[7] != '-') return 0;
    const int64_t year = digits(text, 4), month = digits(text + 5, 2), day = digits(text + 8, 2);
    if (year < 2000 || month < 1 || month > 12 || day < 1 || day > (int64_t)pt_days_in_month(year, (unsigned)month)) return 0;
    return (uint32_t)(pt_days_from_civil(year, (unsigned)month, (unsigned)day) - EPOCH_2000 + 1);
}

// Good until the end of the last day in the zone where it ends last: no pharmacy is told "expired" too early.
bool lifecycle_expired(uint32_t expiry, int64_t seconds) {
    if (expiry == 0) return false;
    const int64_t end = ((int64_t)expiry + EPOCH_2000) * 86400;
    return seconds >= end + 12 * 3600;
}

// Whom the goods are shipped to: who will hold them, else who will own them.
static const char *awaited_party(const struct epcis_references *destinations) {
    const char *owner = NULL;
    for (size_t i = 0; i < destinations->count; i++) {
        const struct epcis_reference *item = &destinations->items[i];
        const char *type = item->type ? cbv_word(CBV_SOURCE_DEST_TYPE, item->type) : NULL;
        if (type && strcmp(type, "possessing_party") == 0) return item->id;
        if (type && strcmp(type, "owning_party") == 0) owner = item->id;
    }
    return owner;
}

void lifecycle_facts_read(const struct contract_input *input, const struct contract_context *context, struct lifecycle_facts *out) {
    const struct epcis_event *event = input->event;
    *out = (struct lifecycle_facts){.event_seconds = event->event_time.seconds,
                                    .profile = lifecycle_profile_of(context->profile, PROFILE_EU)};
    out->declared_seconds = out->event_seconds;
    if (event->error_declaration.present && event->error_declaration.declaration_time.seconds > out->event_seconds)
        out->declared_seconds = event->error_declaration.declaration_time.seconds;
    const uint64_t clock_error = member_count(&event->extensions, PACKTRAIL_TERM_CLOCK_ERROR);
    out->clock_error = clock_error < CLOCK_ERROR_MAX ? (int64_t)clock_error : CLOCK_ERROR_MAX;
    out->place = event->biz_location.id ? event->biz_location.id : event->read_point.id;
    if (!out->place && context->signer->place[0]) out->place = context->signer->place;
    out->lot = ilmd_lot(&event->ilmd);
    out->expiry = lifecycle_expiry(ilmd_expiry(&event->ilmd));
    out->content = member_count(&event->ilmd, PACKTRAIL_TERM_CONTENT);
    out->units = member_count(&event->extensions, PACKTRAIL_TERM_UNITS);
    const char *disposition = event->disposition ? cbv_word(CBV_DISPOSITION, event->disposition) : NULL;
    out->partial = disposition && strcmp(disposition, "partially_dispensed") == 0;
    out->container_open = disposition && strcmp(disposition, "container_open") == 0;
    out->contents_verified = disposition && strcmp(disposition, "completeness_verified") == 0;
    out->awaited = awaited_party(&event->destinations);
}
