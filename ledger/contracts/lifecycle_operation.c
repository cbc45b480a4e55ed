#include <string.h>

#include "common/epcis/cbv.h"
#include "ledger/contracts/lifecycle_table.h"

// Business step, and disposition where it makes a difference, to operation; the first row that fits counts. NULL: any.
static const struct {
    const char *step, *disposition;
    enum lifecycle_operation operation;
} words[] = {
    {NULL, "stolen", OPERATION_STEAL},
    {NULL, "recalled", OPERATION_RECALL},
    {"destroying", NULL, OPERATION_DESTROY},
    {NULL, "destroyed", OPERATION_DESTROY},
    {"commissioning", NULL, OPERATION_COMMISSION},
    {"decommissioning", NULL, OPERATION_DECOMMISSION},
    {"shipping", "returned", OPERATION_SEND_BACK},
    {"departing", "returned", OPERATION_SEND_BACK},
    {"shipping", NULL, OPERATION_SHIP},
    {"departing", NULL, OPERATION_SHIP},
    {"consigning", NULL, OPERATION_SHIP},
    {"void_shipping", NULL, OPERATION_VOID_SHIP},
    {"receiving", "returned", OPERATION_TAKE_BACK},
    {"accepting", "returned", OPERATION_TAKE_BACK},
    {"arriving", "returned", OPERATION_TAKE_BACK},
    {"receiving", NULL, OPERATION_RECEIVE},
    {"arriving", NULL, OPERATION_RECEIVE},
    {"accepting", NULL, OPERATION_RECEIVE},
    {"retail_selling", NULL, OPERATION_DISPENSE},
    {"dispensing", NULL, OPERATION_DISPENSE},
    {NULL, "dispensed", OPERATION_DISPENSE},
    {NULL, "partially_dispensed", OPERATION_DISPENSE},
    {NULL, "retail_sold", OPERATION_DISPENSE},
    {"holding", NULL, OPERATION_HOLD},
    {"sampling", NULL, OPERATION_SAMPLE},
    {"inspecting", "sellable_accessible", OPERATION_RELEASE},
    {"inspecting", "sellable_not_accessible", OPERATION_RELEASE},
    {"inspecting", "conformant", OPERATION_RELEASE},
    {"storing", "sellable_accessible", OPERATION_RELEASE},
    {"storing", "sellable_not_accessible", OPERATION_RELEASE},
    {"stocking", "sellable_accessible", OPERATION_RELEASE},
    {"stocking", "sellable_not_accessible", OPERATION_RELEASE},
};

static bool same(const char *wanted, const char *word) { return !wanted || (word && strcmp(wanted, word) == 0); }

static enum lifecycle_operation by_words(const struct epcis_event *event) {
    const char *step = event->biz_step ? cbv_word(CBV_BIZ_STEP, event->biz_step) : NULL;
    const char *disposition = event->disposition ? cbv_word(CBV_DISPOSITION, event->disposition) : NULL;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (same(words[i].step, step) && same(words[i].disposition, disposition)) return words[i].operation;
    return OPERATION_OBSERVE;
}

static enum lifecycle_operation of_object(const struct epcis_event *event) {
    const enum lifecycle_operation operation = by_words(event);
    if (event->action == EPCIS_ADD && (operation == OPERATION_OBSERVE || event->type != EPCIS_OBJECT))
        return event->type == EPCIS_OBJECT ? OPERATION_COMMISSION : operation;
    if (event->action == EPCIS_DELETE && operation == OPERATION_OBSERVE && event->type == EPCIS_OBJECT)
        return OPERATION_DECOMMISSION;
    return operation;
}

static enum lifecycle_operation of_aggregation(const struct epcis_event *event, enum pack_role role) {
    const bool parent = role == PACK_ROLE_PARENT;
    if (event->action == EPCIS_ADD) return parent ? OPERATION_FILL : OPERATION_PACK;
    if (event->action == EPCIS_DELETE) return parent ? OPERATION_EMPTY : OPERATION_UNPACK;
    return parent ? by_words(event) : OPERATION_OBSERVE;  // the contents move with it
}

enum lifecycle_operation lifecycle_operation_of(const struct epcis_event *event, enum pack_role role) {
    // An error declaration says that the event it repeats did not happen (EPCIS 2.0 section 7.4.1.3).
    if (event->error_declaration.present) {
        const enum lifecycle_operation undone = by_words(event);
        if (undone == OPERATION_SHIP) return OPERATION_VOID_SHIP;
        return undone == OPERATION_DISPENSE ? OPERATION_UNDO_DISPENSE : OPERATION_OBSERVE;
    }
    switch (event->type) {
    case EPCIS_AGGREGATION: return of_aggregation(event, role);
    case EPCIS_TRANSFORMATION: return role == PACK_ROLE_INPUT ? OPERATION_DECOMMISSION : OPERATION_COMMISSION;
    case EPCIS_OBJECT:
    case EPCIS_TRANSACTION: return of_object(event);
    default: return OPERATION_OBSERVE;
    }
}
