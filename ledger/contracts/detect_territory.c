// Territory: supplied to the public where the product is not licensed. Trade passes through other countries' hubs
// lawfully, so that receiving there is only noted.
#include <stdio.h>
#include <string.h>

#include "ledger/contracts/detect.h"

// "CN" covers "CN-ZJ"; nothing said: anywhere.
static bool licensed(const struct product_facts *product, const char *territory) {
    for (size_t i = 0; i < product->territory_count; i++) {
        const char *allowed = product->territories[i];
        const size_t len = strlen(allowed);
        if (strncmp(territory, allowed, len) == 0 && (territory[len] == 0 || territory[len] == '-')) return true;
    }
    return product->territory_count == 0;
}

enum pt_code detect_territory(const struct detect_look *look, struct pt_error *err) {
    const struct sighting *sighting = look->sighting;
    const struct place_facts *here = sighting->place.facts;
    const bool supplied = sighting->operation == OPERATION_DISPENSE;
    if (!here || !here->territory[0] || (!supplied && sighting->operation != OPERATION_RECEIVE)) return PT_OK;
    if (licensed(sighting->product, here->territory)) return PT_OK;
    char detail[ALERT_DETAIL_MAX + 1];
    // A terminal that is told to stand in a place of somebody else's is set up wrongly.
    const bool foreign = here->party[0] && strcmp(here->party, sighting->context->signer->party) != 0;
    snprintf(detail, sizeof detail, "%s in %s, where the product is not licensed%s", supplied ? "supplied" : "received", here->territory,
             foreign ? "; the place is not the signer's" : "");
    if (supplied && !foreign) return detect_raise(look, ALERT_TERRITORY, ALERT_ENFORCE, 85, detail, err);
    return detect_raise(look, ALERT_TERRITORY, ALERT_SHADOW, supplied ? 30 : 40, detail, err);
}
