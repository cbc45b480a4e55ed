// Words to operations: the CBV's business steps and dispositions, our own dispositions, China's kinds of documents.
#include <string.h>

#include "common/epcis/cbv.h"
#include "common/epcis/cn_document.h"
#include "common/epcis/packtrail_terms.h"
#include "ledger/contracts/lifecycle_table.h"

// The first row that fits counts; "*": any, or none. A disposition may also be one of persistentDisposition's `set`.
static const struct {
    const char *step, *disposition;
    enum lifecycle_operation operation;
} words[] = {
    // What became of the thing, whatever the step.
    {"*", "stolen", OPERATION_STEAL},
    {"*", PACKTRAIL_DISPOSITION_WITHDRAWN, OPERATION_WITHDRAW},
    {"*", "recalled", OPERATION_RECALL},
    {"destroying", "*", OPERATION_DESTROY},
    {"*", "destroyed", OPERATION_DESTROY},
    {"*", PACKTRAIL_DISPOSITION_EXPORTED, OPERATION_EXPORT},
    {"*", PACKTRAIL_DISPOSITION_CHECKED_OUT, OPERATION_CHECK_OUT},
    {"*", PACKTRAIL_DISPOSITION_FREE_SAMPLE, OPERATION_FREE_SAMPLE},
    {"*", PACKTRAIL_DISPOSITION_LOCKED, OPERATION_LOCK},
    // Made, and taken out of use.
    {"commissioning", "*", OPERATION_COMMISSION},
    {"decommissioning", "*", OPERATION_DECOMMISSION},
    {"sampling", "*", OPERATION_SAMPLE},
    // On the way.
    {"shipping", "returned", OPERATION_SEND_BACK},
    {"departing", "returned", OPERATION_SEND_BACK},
    {"consigning", "returned", OPERATION_SEND_BACK},
    {"shipping", "*", OPERATION_SHIP},
    {"departing", "*", OPERATION_SHIP},
    {"consigning", "*", OPERATION_SHIP},
    {"void_shipping", "*", OPERATION_VOID_SHIP},
    {"receiving", "returned", OPERATION_TAKE_BACK},
    {"accepting", "returned", OPERATION_TAKE_BACK},
    {"arriving", "returned", OPERATION_TAKE_BACK},
    {"collecting", "returned", OPERATION_TAKE_BACK},
    {"receiving", "disposed", OPERATION_HOLD},  // scrap comes in: it waits for its destruction
    {"receiving", "damaged", OPERATION_HOLD},
    {"receiving", "expired", OPERATION_HOLD},
    {"receiving", "non_conformant", OPERATION_HOLD},
    {"receiving", "non_sellable_other", OPERATION_HOLD},
    {"receiving", "*", OPERATION_RECEIVE},
    {"arriving", "*", OPERATION_RECEIVE},
    {"accepting", "*", OPERATION_RECEIVE},
    {"collecting", "*", OPERATION_RECEIVE},
    // To the public.
    {"retail_selling", "*", OPERATION_DISPENSE},
    {"dispensing", "*", OPERATION_DISPENSE},
    {"*", "dispensed", OPERATION_DISPENSE},
    {"*", "partially_dispensed", OPERATION_DISPENSE},
    {"*", "retail_sold", OPERATION_DISPENSE},
    // Set aside, and found good.
    {"inspecting", "sellable_accessible", OPERATION_RELEASE},
    {"inspecting", "sellable_not_accessible", OPERATION_RELEASE},
    {"inspecting", "conformant", OPERATION_RELEASE},
    {"inspecting", "available", OPERATION_RELEASE},
    {"inspecting", "active", OPERATION_RELEASE},
    {"holding", "active", OPERATION_RELEASE},
    {"storing", "sellable_accessible", OPERATION_RELEASE},
    {"storing", "sellable_not_accessible", OPERATION_RELEASE},
    {"storing", "available", OPERATION_RELEASE},
    {"stocking", "sellable_accessible", OPERATION_RELEASE},
    {"stocking", "sellable_not_accessible", OPERATION_RELEASE},
    {"stocking", "available", OPERATION_RELEASE},
    {"stock_taking", "sellable_accessible", OPERATION_RELEASE},  // counted over: it is there
    {"stock_taking", "unavailable", OPERATION_HOLD},             // counted short: it is missed
    {"holding", "*", OPERATION_HOLD},
    {"repackaging", "*", OPERATION_HOLD},
    {"*", "inactive", OPERATION_LOCK},  // "may be reintroduced" (CBV 7.2)
    {"*", "damaged", OPERATION_HOLD},
    {"*", "disposed", OPERATION_DECOMMISSION},
    {"*", "expired", OPERATION_HOLD},
    {"*", "mismatch_class", OPERATION_HOLD},
    {"*", "mismatch_instance", OPERATION_HOLD},
    {"*", "mismatch_quantity", OPERATION_HOLD},
    {"*", "needs_replacement", OPERATION_HOLD},
    {"*", "no_pedigree_match", OPERATION_HOLD},
    {"*", "non_conformant", OPERATION_HOLD},
    {"*", "non_sellable_other", OPERATION_HOLD},
    {"*", "returned", OPERATION_HOLD},
    // What says nothing about where a thing is or what it may be used for.
    {"assembling", "*", OPERATION_OBSERVE},
    {"creating_class_instance", "*", OPERATION_OBSERVE},
    {"cycle_counting", "*", OPERATION_OBSERVE},
    {"disassembling", "*", OPERATION_OBSERVE},
    {"encoding", "*", OPERATION_OBSERVE},
    {"entering_exiting", "*", OPERATION_OBSERVE},
    {"inspecting", "*", OPERATION_OBSERVE},
    {"installing", "*", OPERATION_OBSERVE},
    {"killing", "*", OPERATION_OBSERVE},  // of the tag, not of the pack
    {"loading", "*", OPERATION_OBSERVE},
    {"other", "*", OPERATION_OBSERVE},
    {"packing", "*", OPERATION_OBSERVE},
    {"picking", "*", OPERATION_OBSERVE},
    {"removing", "*", OPERATION_OBSERVE},
    {"repairing", "*", OPERATION_OBSERVE},
    {"replacing", "*", OPERATION_OBSERVE},
    {"reserving", "*", OPERATION_OBSERVE},
    {"sensor_reporting", "*", OPERATION_OBSERVE},
    {"staging_outbound", "*", OPERATION_OBSERVE},
    {"stock_taking", "*", OPERATION_OBSERVE},
    {"stocking", "*", OPERATION_OBSERVE},
    {"storing", "*", OPERATION_OBSERVE},
    {"transporting", "*", OPERATION_OBSERVE},
    {"unloading", "*", OPERATION_OBSERVE},
    {"unpacking", "*", OPERATION_OBSERVE},
    {"*", "*", OPERATION_OBSERVE},
};

// China's documents: an event that names its kind is what the kind is.
static const struct {
    enum cn_document_kind kind;
    enum lifecycle_operation operation;
} documents[] = {
    {CN_IN_PRODUCTION, OPERATION_COMMISSION}, {CN_IN_PURCHASE, OPERATION_RECEIVE},     {CN_IN_RETURN, OPERATION_TAKE_BACK},
    {CN_IN_TRANSFER, OPERATION_RECEIVE},      {CN_IN_ODD_LOT, OPERATION_RECEIVE},      {CN_IN_SUPPLY, OPERATION_RECEIVE},
    {CN_IN_RECALL, OPERATION_RECALL},         {CN_IN_GIFT, OPERATION_RECEIVE},         {CN_IN_SURPLUS, OPERATION_RELEASE},
    {CN_IN_SCRAP, OPERATION_HOLD},            {CN_IN_OTHER, OPERATION_RECEIVE},        {CN_OUT_SALE, OPERATION_SHIP},
    {CN_OUT_RETURN, OPERATION_SEND_BACK},     {CN_OUT_TRANSFER, OPERATION_SHIP},       {CN_OUT_REWORK, OPERATION_HOLD},
    {CN_OUT_DESTRUCTION, OPERATION_DESTROY},  {CN_OUT_SAMPLING, OPERATION_SAMPLE},     {CN_OUT_DIRECT, OPERATION_SHIP},
    {CN_OUT_PRODUCTION, OPERATION_DECOMMISSION}, {CN_OUT_SUPPLY, OPERATION_DISPENSE},  {CN_OUT_RECALL, OPERATION_RECALL},
    {CN_OUT_GIFT, OPERATION_SHIP},            {CN_OUT_SHORTAGE, OPERATION_HOLD},       {CN_OUT_DAMAGE, OPERATION_DECOMMISSION},
    {CN_OUT_SCRAP, OPERATION_DECOMMISSION},   {CN_OUT_OTHER, OPERATION_SHIP},          {CN_OUT_DIRECT_RETURN, OPERATION_SEND_BACK},
};

static bool fits(const char *wanted, const char *word) { return wanted[0] == '*' || (word && strcmp(wanted, word) == 0); }

// The CBV's word, or one of our own; NULL: another vocabulary's, which says nothing here.
static const char *disposition_word(const char *text) {
    if (!text) return NULL;
    return strncmp(text, PACKTRAIL_DISPOSITION, strlen(PACKTRAIL_DISPOSITION)) == 0 ? text : cbv_word(CBV_DISPOSITION, text);
}

static enum lifecycle_operation by_step_and(const char *step, const char *disposition) {
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (fits(words[i].step, step) && fits(words[i].disposition, disposition)) return words[i].operation;
    return OPERATION_OBSERVE;
}

static enum lifecycle_operation by_words(const struct epcis_event *event) {
    const char *step = event->biz_step ? cbv_word(CBV_BIZ_STEP, event->biz_step) : NULL;
    enum lifecycle_operation operation = by_step_and(step, disposition_word(event->disposition));
    for (size_t i = 0; i < event->disposition_set.count && operation == OPERATION_OBSERVE; i++)
        operation = by_step_and(step, disposition_word(event->disposition_set.items[i]));
    return operation;
}

static bool by_document(const struct epcis_event *event, enum lifecycle_operation *out) {
    struct cn_document_reference reference = {0};
    struct pt_arena arena = {0};
    bool named = false;
    for (size_t i = 0; i < event->biz_transactions.count && !named; i++)
        named = event->biz_transactions.items[i].type && strcmp(event->biz_transactions.items[i].type, CN_DOCUMENT_TRANSACTION) == 0;
    if (!named) return false;
    // A kind that does not exist, or that the step contradicts, says nothing: the words count.
    const bool good = cn_document_of_event(event, &arena, &reference, NULL) == PT_OK && reference.named;
    pt_arena_free(&arena);
    for (size_t i = 0; good && i < sizeof documents / sizeof documents[0]; i++) {
        if (documents[i].kind != reference.document->kind) continue;
        *out = documents[i].operation;
        return true;
    }
    return false;
}

static enum lifecycle_operation by_event(const struct epcis_event *event) {
    enum lifecycle_operation operation;
    return by_document(event, &operation) ? operation : by_words(event);
}

static enum lifecycle_operation of_object(const struct epcis_event *event) {
    const enum lifecycle_operation operation = by_event(event);
    if (event->type != EPCIS_OBJECT) return operation;
    if (event->action == EPCIS_ADD && operation == OPERATION_OBSERVE) return OPERATION_COMMISSION;
    // Deleted is deleted: setting aside would leave it there.
    if (event->action == EPCIS_DELETE && (operation == OPERATION_OBSERVE || operation == OPERATION_HOLD)) return OPERATION_DECOMMISSION;
    return operation;
}

static enum lifecycle_operation of_aggregation(const struct epcis_event *event, enum pack_role role) {
    const bool parent = role == PACK_ROLE_PARENT;
    if (event->action == EPCIS_ADD) return parent ? OPERATION_FILL : OPERATION_PACK;
    if (event->action == EPCIS_DELETE) return parent ? OPERATION_EMPTY : OPERATION_UNPACK;
    return parent ? by_event(event) : OPERATION_OBSERVE;  // the contents move with it
}

enum lifecycle_operation lifecycle_operation_taking_back(enum lifecycle_operation declared) {
    switch (declared) {
    case OPERATION_SHIP: return OPERATION_VOID_SHIP;
    case OPERATION_DISPENSE:
    case OPERATION_EXPORT:
    case OPERATION_CHECK_OUT:
    case OPERATION_SAMPLE:
    case OPERATION_FREE_SAMPLE:
    case OPERATION_LOCK: return OPERATION_UNDO;
    default: return OPERATION_OBSERVE;
    }
}

enum lifecycle_operation lifecycle_operation_of(const struct epcis_event *event, enum pack_role role) {
    const enum lifecycle_operation said = lifecycle_operation_declared(event, role);
    // An error declaration says that the event it repeats did not happen (EPCIS 2.0 section 7.4.1.3).
    return event->error_declaration.present ? lifecycle_operation_taking_back(said) : said;
}

enum lifecycle_operation lifecycle_operation_declared(const struct epcis_event *event, enum pack_role role) {
    switch (event->type) {
    case EPCIS_AGGREGATION: return of_aggregation(event, role);
    case EPCIS_TRANSFORMATION: return role == PACK_ROLE_INPUT ? OPERATION_DECOMMISSION : OPERATION_COMMISSION;
    case EPCIS_OBJECT:
    case EPCIS_TRANSACTION: return of_object(event);
    default: return OPERATION_OBSERVE;
    }
}
