#include "tests/rules/rules_say.h"

#include "common/epcis/packtrail_terms.h"

#define MASTER_DATA "urn:epcglobal:cbv:mda"

static struct epcis_texts texts(const char *const *items) {
    struct epcis_texts out = {(const char **)items, 0};
    while (out.count < SAY_EPCS && items[out.count]) out.count++;
    return out;
}

static struct epcis_member text_member(const char *local, const char *text) {
    return (struct epcis_member){.ns = MASTER_DATA, .prefix = "cbvmda", .local = local, .value = {.kind = EPCIS_TEXT, .text = text}};
}

static struct epcis_member number_member(const char *local, int64_t number) {
    return (struct epcis_member){.ns = PACKTRAIL_TERMS_NAMESPACE, .prefix = PACKTRAIL_TERMS_PREFIX, .local = local,
                                 .value = {.kind = EPCIS_NUMBER, .number = {true, true, number, (double)number}}};
}

struct epcis_event rules_event_of(const struct say *say, struct say_memory *memory) {
    struct epcis_event event = {.type = say->type ? say->type : EPCIS_OBJECT,
                                .action = say->action ? say->action : EPCIS_OBSERVE,
                                .event_time = {.seconds = RULES_LAB_START / 1000 + say->seconds},
                                .has_event_time = true,
                                .has_event_time_zone_offset = true,
                                .event_id = say->event_id,
                                .parent_id = say->parent,
                                .biz_step = say->step,
                                .disposition = say->disposition,
                                .biz_location = {.id = say->place},
                                .ilmd = {memory->ilmd, 0},
                                .extensions = {memory->extensions, 0}};
    if (event.type == EPCIS_TRANSFORMATION) {
        event.action = EPCIS_ACTION_NONE;
        event.input_epcs = texts(say->epcs);
        event.output_epcs = texts(say->outputs);
    } else {
        event.epcs = texts(say->epcs);
    }
    if (say->destination) {
        memory->destination = (struct epcis_reference){"owning_party", say->destination};
        event.destinations = (struct epcis_references){&memory->destination, 1};
    }
    if (say->lot) memory->ilmd[event.ilmd.count++] = text_member("lotNumber", say->lot);
    if (say->expiry) memory->ilmd[event.ilmd.count++] = text_member("itemExpirationDate", say->expiry);
    if (say->content) memory->ilmd[event.ilmd.count++] = number_member(PACKTRAIL_TERM_CONTENT, say->content);
    event.has_ilmd = event.ilmd.count > 0;
    if (say->units) memory->extensions[event.extensions.count++] = number_member(PACKTRAIL_TERM_UNITS, say->units);
    if (say->error) {
        event.error_declaration = (struct epcis_error_declaration){.present = true, .declaration_time = event.event_time, .reason = "did_not_occur"};
        if (say->corrective) event.error_declaration.corrective_event_ids = (struct epcis_texts){(const char **)&say->corrective, 1};
    }
    return event;
}

enum statement_result rules_say(struct rules_lab *lab, const struct actor *signer, const struct say *say) {
    struct say_memory memory;
    const struct epcis_event event = rules_event_of(say, &memory);
    return rules_lab_event(lab, signer, &event);
}
