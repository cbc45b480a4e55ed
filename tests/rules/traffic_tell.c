#include "tests/rules/traffic_tell.h"

#include <stdio.h>
#include <string.h>

#include "common/epcis/packtrail_terms.h"

static const struct {
    enum epcis_event_type type;
    enum epcis_action action;
    const char *step, *disposition;
} words[TELLINGS] = {
    [TELL_COMMISSION] = {EPCIS_OBJECT, EPCIS_ADD, "commissioning", "active"},
    [TELL_PACK] = {EPCIS_AGGREGATION, EPCIS_ADD, "packing", "in_progress"},
    [TELL_UNPACK] = {EPCIS_AGGREGATION, EPCIS_DELETE, "unpacking", "in_progress"},
    [TELL_SHIP] = {EPCIS_OBJECT, EPCIS_OBSERVE, "shipping", "in_transit"},
    [TELL_RECEIVE] = {EPCIS_OBJECT, EPCIS_OBSERVE, "receiving", "in_progress"},
    [TELL_DISPENSE] = {EPCIS_OBJECT, EPCIS_OBSERVE, "dispensing", "dispensed"},
    [TELL_DISPENSE_PART] = {EPCIS_OBJECT, EPCIS_OBSERVE, "dispensing", "partially_dispensed"},
    [TELL_SEND_BACK] = {EPCIS_OBJECT, EPCIS_OBSERVE, "shipping", "returned"},
    [TELL_TAKE_BACK] = {EPCIS_OBJECT, EPCIS_OBSERVE, "receiving", "returned"},
    [TELL_DESTROY] = {EPCIS_OBJECT, EPCIS_DELETE, "destroying", "destroyed"},
    [TELL_SAMPLE] = {EPCIS_OBJECT, EPCIS_OBSERVE, "sampling", NULL},
    [TELL_STEAL] = {EPCIS_OBJECT, EPCIS_OBSERVE, NULL, "stolen"},
    [TELL_RECALL] = {EPCIS_OBJECT, EPCIS_OBSERVE, "holding", "recalled"},
    [TELL_COUNT] = {EPCIS_OBJECT, EPCIS_OBSERVE, "cycle_counting", NULL},
    [TELL_HOLD] = {EPCIS_OBJECT, EPCIS_OBSERVE, "holding", "non_sellable_other"},
    [TELL_RELEASE] = {EPCIS_OBJECT, EPCIS_OBSERVE, "inspecting", "sellable_accessible"},
    [TELL_EXPORT] = {EPCIS_OBJECT, EPCIS_DELETE, "decommissioning", PACKTRAIL_DISPOSITION_EXPORTED},
};

#define MEMBERS_MAX 6u
#define REPORTS_MAX 12u

// What an event is made of; one at a time.
struct making {
    struct epcis_event event;
    struct epcis_member ilmd[MEMBERS_MAX], extensions[MEMBERS_MAX];
    struct epcis_reference source, destination;
    struct epcis_sensor_element sensor;
    struct epcis_sensor_report reports[REPORTS_MAX];
    char uris[512][128], parent[128], event_id[64];
    const char *epcs[512];
};

static void add_text(struct epcis_members *members, const char *ns, const char *local, const char *text) {
    members->items[members->count++] = (struct epcis_member){.ns = ns, .local = local, .value = {.kind = EPCIS_TEXT, .text = text}};
}

static struct epcis_number integer(int64_t value) { return (struct epcis_number){.present = true, .is_integer = true, .integer = value, .real = (double)value}; }

static void add_count(struct epcis_members *members, const char *local, int64_t value) {
    members->items[members->count++] =
        (struct epcis_member){.ns = PACKTRAIL_TERMS_NAMESPACE, .local = local, .value = {.kind = EPCIS_NUMBER, .number = integer(value)}};
}

static struct pt_instant instant(int64_t seconds) { return (struct pt_instant){.seconds = seconds}; }

// Eight hours on the way, a reading each hour; or told as least, most and mean.
static void add_sensors(struct making *making, const struct happening *happening) {
    const uint64_t drawn = traffic_hash(happening->order, happening->lot->number, 7);
    const size_t readings = 9;
    double values[9], least = 1e9, most = -1e9, sum = 0;
    for (size_t i = 0; i < readings; i++) {
        double value = 3.0 + (double)((drawn >> (i * 4)) % 40) / 10;  // 3.0 to 6.9
        if (happening->logger == LOGGER_SPIKE && i == drawn % 9) value = drawn & 64 ? 14.5 : -1.5;
        if (happening->logger == LOGGER_WRONG_UNIT) value = value * 9 / 5 + 32;
        if (happening->logger == LOGGER_OUTSIDE && i == 8) value = 19.0 + (double)(drawn % 5);
        if (happening->logger == LOGGER_WARM && i >= 3) value = 12.0 + (double)((drawn >> i) % 100) / 10;
        if (happening->logger == LOGGER_FROZEN && i >= 4) value = -1.0 - (double)((drawn >> i) % 40) / 10;
        values[i] = value;
        sum += value;
        least = value < least ? value : least;
        most = value > most ? value : most;
    }
    making->sensor = (struct epcis_sensor_element){.reports = making->reports};
    const bool summed = drawn & 1;
    for (size_t i = 0; i < readings && !summed; i++)
        making->reports[i] = (struct epcis_sensor_report){.type = "Temperature", .uom = "CEL", .has_time = true,
                                                          .time = instant(happening->sensors_from + (int64_t)i * 3600 - (i == 8 ? 3000 : 0)),
                                                          .value = {.present = true, .real = values[i]}};
    if (summed) {
        making->sensor.metadata = (struct epcis_sensor_metadata){.present = true, .has_start_time = true, .has_end_time = true,
                                                                 .start_time = instant(happening->sensors_from),
                                                                 .end_time = instant(happening->sensors_from + 8 * 3600)};
        making->reports[0] = (struct epcis_sensor_report){.type = "Temperature", .uom = "CEL", .min_value = {.present = true, .real = least},
                                                          .max_value = {.present = true, .real = most},
                                                          .mean_value = {.present = true, .real = sum / (double)readings}};
    }
    making->sensor.report_count = summed ? 1 : readings;
    making->event.sensor_elements = &making->sensor;
    making->event.sensor_element_count = 1;
}

static void add_parties(struct making *making, const struct happening *happening) {
    making->source = (struct epcis_reference){"possessing_party", happening->source};
    making->destination = (struct epcis_reference){"possessing_party", happening->destination};
    if (happening->source) making->event.sources = (struct epcis_references){&making->source, 1};
    if (happening->destination) making->event.destinations = (struct epcis_references){&making->destination, 1};
}

static void add_members(struct making *making, const struct happening *happening) {
    struct epcis_event *event = &making->event;
    const struct lot *lot = happening->lot;
    event->ilmd.items = making->ilmd;
    event->extensions.items = making->extensions;
    if (happening->telling == TELL_COMMISSION) {
        event->has_ilmd = true;
        add_text(&event->ilmd, "urn:epcglobal:cbv:mda", "lotNumber", happening->lot_text ? happening->lot_text : lot->text);
        add_text(&event->ilmd, "urn:epcglobal:cbv:mda", "itemExpirationDate", lot->announced_expiry);
        add_count(&event->ilmd, PACKTRAIL_TERM_CONTENT, lot->product->content);
    }
    if (happening->units) add_count(&event->extensions, PACKTRAIL_TERM_UNITS, happening->units);
    if (happening->told_error >= 0) add_count(&event->extensions, PACKTRAIL_TERM_CLOCK_ERROR, happening->told_error);
    if (happening->label_lot) add_text(&event->extensions, PACKTRAIL_TERMS_NAMESPACE, PACKTRAIL_TERM_LOT, happening->label_lot);
    if (happening->label_expiry) add_text(&event->extensions, PACKTRAIL_TERMS_NAMESPACE, PACKTRAIL_TERM_EXPIRY, happening->label_expiry);
}

static void make(struct making *making, const struct happening *happening) {
    struct epcis_event *event = &making->event;
    *event = (struct epcis_event){.type = words[happening->telling].type, .action = words[happening->telling].action, .has_event_time = true,
                                  .event_time = instant(happening->seconds), .has_event_time_zone_offset = true,
                                  .biz_step = words[happening->telling].step, .disposition = words[happening->telling].disposition};
    for (uint32_t i = 0; i < happening->count; i++) {
        thing_uri(happening->lot, happening->things[i], making->uris[i]);
        making->epcs[i] = making->uris[i];
    }
    event->epcs = (struct epcis_texts){making->epcs, happening->count};
    if (happening->parent != THING_NONE) {
        thing_uri(happening->lot, happening->parent, making->parent);
        event->parent_id = making->parent;
    }
    if (happening->event_id) {
        snprintf(making->event_id, sizeof making->event_id, "urn:uuid:00000000-0000-4000-8000-%012llx",
                 (unsigned long long)(happening->event_id & 0xffffffffffffu));
        event->event_id = making->event_id;
    }
    if (happening->declared) {
        event->error_declaration = (struct epcis_error_declaration){.present = true, .declaration_time = instant(happening->declared), .reason = "incorrect_data"};
    }
    const struct site *where = happening->at ? happening->at : happening->site;
    event->read_point.id = where->place;
    event->biz_location.id = where->place;
    add_parties(making, happening);
    add_members(making, happening);
    if (happening->logger != LOGGER_NONE) add_sensors(making, happening);
}

enum statement_result traffic_apply(struct world *world, const struct happening *happening) {
    static struct making making;
    make(&making, happening);
    world->lab->chain_time = happening->arrival;
    rules_lab_next_block(world->lab);
    return rules_lab_event(world->lab, happening->site->terminals[happening->terminal], &making.event);
}
