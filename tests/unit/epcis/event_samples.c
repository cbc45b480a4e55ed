#include "tests/unit/epcis/event_samples.h"

#define COUNT(list) (sizeof(list) / sizeof *(list))
#define TEXTS(list) {list, COUNT(list)}
#define INTEGER(n) ((struct epcis_number){.present = true, .is_integer = true, .integer = (n), .real = (double)(n)})
#define REAL(x) ((struct epcis_number){.present = true, .real = (x)})
#define AT(s, n, o) ((struct pt_instant){(s), (n), (o)})

#define NS "https://ns.example.com/epcis/"

static const char *object_epcs[] = {
    "https://id.gs1.org/01/06901234567892/21/100000000001",
    "https://id.gs1.org/01/06901234567892/21/000000000002",
    "https://id.gs1.org/01/06901234567892/21/AB-12",
    "https://id.gs1.org/01/06901234567892/21/12345678901234567890",
    "https://id.gs1.org/01/06901234567892/21/3",
    "https://id.gs1.org/01/06901234567908/21/3",
    "https://id.gs1.org/00/069012345000000018",
    "https://id.gs1.org/00/069012345000000025",
    "urn:packtrail:cn:trace:81234560123456789012",
    "urn:epc:id:sgtin:4012345.011111.9876",
    "urn:epc:id:sgtin:4012345.011111.9877",
    "urn:epc:id:sscc:4012345.3111111111",
    "https://id.gs1.org/01/06901234567892",
    "https://example.org/药/",
    "plain",
    "",
    "42",
};

static struct epcis_value deep_items[] = {
    {.kind = EPCIS_NULL},
    {.kind = EPCIS_BOOLEAN, .boolean = true},
    {.kind = EPCIS_NUMBER, .number = {.present = true, .real = -0.125}},
    {.kind = EPCIS_LIST, .items = (struct epcis_value[]){{.kind = EPCIS_TEXT, .text = "inner"}}, .count = 1},
    {.kind = EPCIS_LIST, .items = (struct epcis_value[1]){{0}}, .count = 0},
};

static struct epcis_member inner_members[] = {
    {.ns = NS, .prefix = "example", .local = "list", .value = {.kind = EPCIS_LIST, .items = deep_items, .count = COUNT(deep_items)}},
    {.local = "type", .value = {.kind = EPCIS_TEXT, .text = "x"}},
    {.prefix = "unknown", .local = "n", .value = {.kind = EPCIS_BOOLEAN}},
};

static struct epcis_member some_members[] = {
    {.ns = NS, .prefix = "example", .local = "text", .value = {.kind = EPCIS_TEXT, .text = "值 “x”"}},
    {.ns = NS, .prefix = "other", .local = "number",
     .value = {.kind = EPCIS_NUMBER, .number = {.present = true, .is_integer = true, .integer = -7, .real = -7}}},
    {.ns = "urn:x:", .local = "object",
     .value = {.kind = EPCIS_OBJECT_VALUE, .members = {inner_members, COUNT(inner_members)}}},
};

#define MEMBERS ((struct epcis_members){some_members, COUNT(some_members)})
#define ONE_MEMBER ((struct epcis_members){inner_members + 1, 1})

static struct epcis_quantity quantities[] = {
    {"https://id.gs1.org/01/06901234567892/10/L1", {.present = true, .is_integer = true, .integer = 12, .real = 12}, NULL},
    {"urn:epc:class:lgtin:4012345.012345.Lot987", {.present = true, .real = 0.3434}, "KGM"},
    {"https://id.gs1.org/01/06901234567892", {0}, "XBX"},
    {"urn:epc:idpat:sgtin:4012345.012345.*", {0}, NULL},
};

static struct epcis_reference references[] = {
    {"po", "urn:epcglobal:cbv:bt:4012345123456:RE1099"},
    {"https://ref.gs1.org/cbv/BTT-inv", "https://example.com/po/1"},
    {NULL, "urn:uuid:403ef762-4e0c-4f9a-8f4b-0123456789ab"},
    {"location", "https://id.gs1.org/414/4012345000054"},
};

static const char *certificates[] = {"https://example.org/c1", "urn:c2"};
static const char *corrections[] = {"urn:uuid:404d95fc-9457-4a51-bd6a-0bba133845a8", "urn:other"};
static const char *input_epcs[] = {"urn:epc:id:sgtin:4012345.011111.1"};
static const char *dispositions_set[] = {"active", "urn:own:word"};
static const char *dispositions_unset[] = {"cbv:Disp-damaged"};
static struct epcis_prefix prefixes[] = {{"example", NS}, {"unused", "urn:u:"}};

static struct epcis_sensor_report reports[2];
static struct epcis_sensor_element sensors[3];

static void fill_sensors(void) {
    reports[0] = (struct epcis_sensor_report){
        .type = "Temperature", .exception = "ALARM_CONDITION", .device_id = "urn:epc:id:giai:4000001.111",
        .device_metadata = "https://id.gs1.org/8004/4000001111", .raw_data = "https://example.org/raw",
        .data_processing_method = "https://id.gs1.org/253/4012345000054", .biz_rules = "urn:x:rules",
        .time = AT(1700000000, 0, 480), .has_time = true, .microorganism = "https://example.org/m",
        .chemical_substance = "https://identifiers.org/inchikey:CZMRCDWAGMRECN", .component = "latitude",
        .coordinate_reference_system = "http://www.opengis.net/def/crs/EPSG/0/27700", .value = REAL(26.5),
        .min_value = INTEGER(-3), .max_value = REAL(1e300), .mean_value = REAL(0.1), .s_dev = INTEGER(INT64_MIN),
        .perc_rank = INTEGER(INT64_MAX), .perc_value = REAL(26.0), .string_value = "s", .hex_binary_value = "f0f0",
        .uri_value = "https://example.org/u", .uom = "CEL", .has_boolean_value = true, .boolean_value = false,
        .extensions = MEMBERS};
    reports[1] = (struct epcis_sensor_report){.type = "gs1:Speed", .has_boolean_value = true, .boolean_value = true};
    sensors[0] = (struct epcis_sensor_element){
        .metadata = {.present = true, .time = AT(1700000000, 5000000, 480), .has_time = true,
                     .start_time = AT(-62167219200, 1, -840), .has_start_time = true,
                     .end_time = AT(253402300799, 999999999, 840), .has_end_time = true, .device_id = "d",
                     .device_metadata = "m", .raw_data = "r", .data_processing_method = "p", .biz_rules = "b",
                     .extensions = ONE_MEMBER},
        .reports = reports, .report_count = 2, .extensions = MEMBERS};
    sensors[1] = (struct epcis_sensor_element){.metadata = {.present = true}, .reports = reports, .report_count = 0};
}

struct epcis_event sample_with_every_field(void) {
    fill_sensors();
    return (struct epcis_event){
        .type = EPCIS_AGGREGATION, .event_time = AT(1700000000, 123000000, 480), .has_event_time = true,
        .event_time_zone_offset = 480, .has_event_time_zone_offset = true, .record_time = AT(1700000001, 0, 0),
        .has_record_time = true,
        .event_id = "ni:///sha-256;36abb3a2c0a726de32ac4beafd6b8bc4ba0b1d2de244490312e5cbec7b5ddece?ver=CBV2.0",
        .certification_info = TEXTS(certificates),
        .error_declaration = {.present = true, .declaration_time = AT(1700000002, 999000, 60), .reason = "did_not_occur",
                              .corrective_event_ids = TEXTS(corrections),
                              .extensions = ONE_MEMBER},
        .action = EPCIS_DELETE, .parent_id = "https://id.gs1.org/00/069012345000000018",
        .transformation_id = "urn:epc:id:gdti:4012345.55555.1234",
        .epcs = {object_epcs, COUNT(object_epcs)}, .quantities = {quantities, COUNT(quantities)},
        .input_epcs = TEXTS(input_epcs), .output_epcs = {object_epcs, 0},
        .input_quantities = {quantities, 1}, .output_quantities = {quantities, 0},
        .biz_step = "packing", .disposition = "https://ref.gs1.org/cbv/Disp-in_transit",
        .disposition_set = TEXTS(dispositions_set), .disposition_unset = TEXTS(dispositions_unset),
        .read_point = {"https://id.gs1.org/414/4012345000054", MEMBERS}, .biz_location = {"urn:packtrail:place:1", {0}},
        .biz_transactions = {references, 3}, .sources = {references + 3, 1}, .destinations = {references, 4},
        .sensor_elements = sensors, .sensor_element_count = 3, .ilmd = MEMBERS, .has_ilmd = true, .extensions = MEMBERS,
        .prefixes = {prefixes, COUNT(prefixes)}};
}

struct epcis_event sample_dispensing(struct pt_arena *arena, size_t packs, unsigned seed) {
    const char **epcs = pt_arena_alloc(arena, packs, sizeof *epcs);
    uint64_t state = seed * 2654435761u + 1;
    for (size_t i = 0; i < packs; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        epcs[i] = pt_arena_printf(arena, "https://id.gs1.org/01/06901234567892/21/%012llu",
                                  (unsigned long long)((state >> 20) % 1000000000000u));
    }
    return (struct epcis_event){.type = EPCIS_OBJECT, .event_time = AT(1763913600, 417000000, 480),
                                .has_event_time = true, .event_time_zone_offset = 480,
                                .has_event_time_zone_offset = true, .action = EPCIS_OBSERVE, .epcs = {epcs, packs},
                                .biz_step = "dispensing", .disposition = "dispensed",
                                .read_point = {"https://id.gs1.org/414/6901234000016", {0}},
                                .biz_location = {"https://id.gs1.org/414/6901234000016", {0}}};
}
