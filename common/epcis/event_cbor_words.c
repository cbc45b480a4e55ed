#include "common/epcis/event_cbor_words.h"

#include <string.h>

#include "common/base/text.h"

// --- The tables of event.cddl. An entry's number is its position, from 1: append, never insert or remove. ---

static const char *const biz_steps[] = {
    "accepting", "arriving", "assembling", "collecting", "commissioning", "consigning", "creating_class_instance",
    "cycle_counting", "decommissioning", "departing", "destroying", "disassembling", "dispensing", "encoding",
    "entering_exiting", "holding", "inspecting", "installing", "killing", "loading", "other", "packing", "picking",
    "receiving", "removing", "repackaging", "repairing", "replacing", "reserving", "retail_selling", "sampling",
    "sensor_reporting", "shipping", "staging_outbound", "stock_taking", "stocking", "storing", "transporting",
    "unloading", "unpacking", "void_shipping"};

static const char *const dispositions[] = {
    "active", "available", "completeness_inferred", "completeness_verified", "conformant", "container_closed",
    "container_open", "damaged", "destroyed", "dispensed", "disposed", "encoded", "expired", "in_progress",
    "in_transit", "inactive", "mismatch_class", "mismatch_instance", "mismatch_quantity", "needs_replacement",
    "no_pedigree_match", "non_conformant", "non_sellable_other", "partially_dispensed", "recalled", "reserved",
    "retail_sold", "returned", "sellable_accessible", "sellable_not_accessible", "stolen", "unavailable", "unknown"};

static const char *const biz_transaction_types[] = {"bol", "cert", "desadv", "inv", "pedigree", "po", "poc",
                                                    "prodorder", "recadv", "rma", "testprd", "testres", "upevt"};

static const char *const source_dest_types[] = {"location", "owning_party", "possessing_party"};

static const char *const error_reasons[] = {"did_not_occur", "incorrect_data"};

static const char *const measurements[] = {
    "AbsoluteHumidity", "AbsorbedDose", "AbsorbedDoseRate", "Acceleration", "Altitude", "AmountOfSubstance",
    "AmountOfSubstancePerUnitVolume", "Angle", "AngularAcceleration", "AngularMomentum", "AngularVelocity", "Area",
    "Capacitance", "Conductance", "Conductivity", "Count", "Density", "Dimensionless", "DoseEquivalent",
    "DoseEquivalentRate", "DynamicViscosity", "ElectricCharge", "ElectricCurrent", "ElectricCurrentDensity",
    "ElectricFieldStrength", "Energy", "Exposure", "Force", "Frequency", "Illuminance", "Inductance", "Irradiance",
    "KinematicViscosity", "Length", "LinearMomentum", "Luminance", "LuminousFlux", "LuminousIntensity", "MagneticFlux",
    "MagneticFluxDensity", "MagneticVectorPotential", "Mass", "MassConcentration", "MassFlowRate", "MassPerAreaTime",
    "MemoryCapacity", "MolalityOfSolute", "MolarEnergy", "MolarMass", "MolarVolume", "Power", "Pressure",
    "RadiantFlux", "RadiantIntensity", "Radioactivity", "RelativeHumidity", "Resistance", "Resistivity", "SolidAngle",
    "SpecificVolume", "Speed", "SurfaceDensity", "SurfaceTension", "Temperature", "Time", "Torque", "Voltage",
    "Volume", "VolumeFlowRate", "VolumeFraction", "VolumetricFlux", "Wavenumber"};

static const char *const sensor_alerts[] = {"ALARM_CONDITION", "ERROR_CONDITION"};

static const char *const components[] = {"altitude", "axial_distance", "azimuth", "easting", "elevation_angle",
                                         "height", "latitude", "longitude", "northing", "polar_angle",
                                         "spherical_radius", "x", "y", "z"};

struct word_table {
    const char *const *words;
    uint64_t count;
};

#define WORDS(list) {list, sizeof(list) / sizeof *(list)}

static const struct word_table word_tables[] = {
    [CBV_BIZ_STEP] = WORDS(biz_steps),
    [CBV_DISPOSITION] = WORDS(dispositions),
    [CBV_BIZ_TRANSACTION_TYPE] = WORDS(biz_transaction_types),
    [CBV_SOURCE_DEST_TYPE] = WORDS(source_dest_types),
    [CBV_ERROR_REASON] = WORDS(error_reasons),
    [CBV_MEASUREMENT] = WORDS(measurements),
    [CBV_SENSOR_ALERT] = WORDS(sensor_alerts),
    [CBV_COMPONENT] = WORDS(components),
};

struct uri_prefix {
    const char *text;
    unsigned digits;  // a rest of exactly so many is a number; 0: never
};

static const struct uri_prefix uri_prefixes[] = {
    {"https://id.gs1.org/00/", 18},
    {"https://id.gs1.org/01/", 14},
    {"https://id.gs1.org/414/", 13},
    {"https://id.gs1.org/417/", 13},
    {"https://id.gs1.org/253/", 0},
    {"https://id.gs1.org/255/", 0},
    {"https://id.gs1.org/401/", 0},
    {"https://id.gs1.org/402/", 17},
    {"https://id.gs1.org/8003/", 0},
    {"https://id.gs1.org/8004/", 0},
    {"https://id.gs1.org/8006/", 0},
    {"https://id.gs1.org/8010/", 0},
    {"https://id.gs1.org/8017/", 18},
    {"https://id.gs1.org/8018/", 18},
    {"urn:packtrail:place:", 0},
    {"urn:packtrail:party:", 0},
    {"urn:packtrail:cn:trace:", 0},
    {"urn:packtrail:", 0},
    {"urn:epc:id:sgtin:", 0},
    {"urn:epc:id:sscc:", 0},
    {"urn:epc:id:sgln:", 0},
    {"urn:epc:id:pgln:", 0},
    {"urn:epc:id:gdti:", 0},
    {"urn:epc:id:", 0},
    {"urn:epc:class:lgtin:", 0},
    {"urn:epc:idpat:sgtin:", 0},
    {"urn:epcglobal:cbv:bt:", 0},
    {"urn:epcglobal:cbv:", 0},
    {"https://ref.gs1.org/cbv/", 0},
    {"https://gs1.org/voc/", 0},
    {"https://id.gs1.org/", 0},
    {"https://", 0},
    {"http://", 0},
    {"urn:", 0},
};

enum { URI_PREFIXES = sizeof uri_prefixes / sizeof *uri_prefixes };

// --- Digits ---

bool event_all_digits(const char *text, size_t len) {
    for (size_t i = 0; i < len; i++)
        if (text[i] < '0' || text[i] > '9') return false;
    return true;
}

uint64_t event_read_digits(const char *text, size_t len) {
    uint64_t value = 0;
    for (size_t i = 0; i < len; i++) value = value * 10 + (uint64_t)(text[i] - '0');
    return value;
}

void event_write_digits(char *to, uint64_t value, unsigned digits) {
    while (digits-- > 0) {
        to[digits] = (char)('0' + value % 10);
        value /= 10;
    }
}

uint64_t event_power_of_ten(unsigned digits) {
    uint64_t power = 1;
    while (digits-- > 0) power *= 10;
    return power;
}

// --- Memory and plain texts ---

void event_writer_fail(struct event_writer *writer, enum pt_code code, const char *what) {
    if (writer->code == PT_OK) writer->code = pt_fail(writer->err, code, NULL, "%s", what);
}

void *event_alloc(struct cbor_reader *reader, struct pt_arena *arena, size_t count, size_t size) {
    if (cbor_failed(reader)) return NULL;
    void *memory = pt_arena_alloc(arena, count, size);
    if (!memory)
        reader->code = pt_fail_at(reader->err, PT_LIMIT, (long)reader->at, NULL, "the event takes too much memory");
    return memory;
}

const char *event_copy_text(struct cbor_reader *reader, struct pt_bytes text, struct pt_arena *arena) {
    if (cbor_failed(reader)) return NULL;
    if (text.len > EVENT_TEXT_MAX || (text.len > 0 && memchr(text.data, 0, text.len))) {
        cbor_fail(reader, "text with a NUL or of more than %u bytes", EVENT_TEXT_MAX);
        return NULL;
    }
    char *copy = event_alloc(reader, arena, text.len + 1, 1);
    if (copy && text.len > 0) memcpy(copy, text.data, text.len);
    return copy;
}

void event_put_text(struct event_writer *writer, const char *text) {
    const struct pt_bytes bytes = pt_bytes_str(text);
    if (bytes.len > EVENT_TEXT_MAX) event_writer_fail(writer, PT_LIMIT, "a text of more than 65535 bytes");
    else if (!pt_utf8_valid(bytes)) event_writer_fail(writer, PT_INVALID, "a text that is not UTF-8");
    else cbor_put_text_bytes(writer->out, bytes);
}

const char *event_get_text(struct cbor_reader *reader, struct pt_arena *arena) {
    return event_copy_text(reader, cbor_get_text(reader), arena);
}

// --- Identifiers of 32 and 16 bytes ---

static const char ni_head[] = "ni:///sha-256;";
static const char ni_tail[] = "?ver=CBV2.0";
static const char uuid_head[] = "urn:uuid:";
enum { NI_LENGTH = sizeof ni_head - 1 + 64 + sizeof ni_tail - 1, UUID_LENGTH = sizeof uuid_head - 1 + 36 };

static int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_uuid_dash(size_t position) {
    return position == 8 || position == 13 || position == 18 || position == 23;
}

// Lower-case hex into bytes; with `dashes` those of a UUID stand between.
static bool read_hex(const char *text, bool dashes, uint8_t *out, size_t count) {
    size_t at = 0;
    for (size_t i = 0; i < 2 * count; i++, at++) {
        if (dashes && is_uuid_dash(at) && text[at++] != '-') return false;
        const int value = hex_value(text[at]);
        if (value < 0) return false;
        out[i / 2] = (uint8_t)(i % 2 ? out[i / 2] | value : value << 4);
    }
    return true;
}

static void write_hex(char *to, bool dashes, const uint8_t *bytes, size_t count) {
    static const char digits[] = "0123456789abcdef";
    size_t at = 0;
    for (size_t i = 0; i < 2 * count; i++) {
        if (dashes && is_uuid_dash(at)) to[at++] = '-';
        to[at++] = digits[i % 2 ? bytes[i / 2] & 15 : bytes[i / 2] >> 4];
    }
}

// The bytes that stand for the identifier: 32, 16, or 0 if it is none of the two forms.
static size_t identifier_bytes(const char *uri, size_t len, uint8_t out[32]) {
    if (len == NI_LENGTH && memcmp(uri, ni_head, sizeof ni_head - 1) == 0 &&
        memcmp(uri + sizeof ni_head - 1 + 64, ni_tail, sizeof ni_tail - 1) == 0)
        return read_hex(uri + sizeof ni_head - 1, false, out, 32) ? 32 : 0;
    if (len == UUID_LENGTH && memcmp(uri, uuid_head, sizeof uuid_head - 1) == 0)
        return read_hex(uri + sizeof uuid_head - 1, true, out, 16) ? 16 : 0;
    return 0;
}

static const char *identifier_text(struct cbor_reader *reader, struct pt_bytes bytes, struct pt_arena *arena) {
    char text[NI_LENGTH];
    if (bytes.len == 32) {
        memcpy(text, ni_head, sizeof ni_head - 1);
        write_hex(text + sizeof ni_head - 1, false, bytes.data, 32);
        memcpy(text + sizeof ni_head - 1 + 64, ni_tail, sizeof ni_tail - 1);
        return event_copy_text(reader, pt_bytes_of(text, NI_LENGTH), arena);
    }
    if (bytes.len == 16) {
        memcpy(text, uuid_head, sizeof uuid_head - 1);
        write_hex(text + sizeof uuid_head - 1, true, bytes.data, 16);
        return event_copy_text(reader, pt_bytes_of(text, UUID_LENGTH), arena);
    }
    cbor_fail(reader, "identifier of %zu bytes, not 16 or 32", bytes.len);
    return NULL;
}

// --- URIs ---

// The number of the longest prefix, 0 if none fits.
static unsigned prefix_of(const char *uri, size_t len) {
    unsigned found = 0;
    size_t longest = 0;
    for (unsigned i = 0; i < URI_PREFIXES; i++) {
        const size_t size = strlen(uri_prefixes[i].text);
        if (size <= longest || size > len || memcmp(uri, uri_prefixes[i].text, size) != 0) continue;
        longest = size;
        found = i + 1;
    }
    return found;
}

static bool is_number_rest(const struct uri_prefix *prefix, const char *rest, size_t len) {
    return prefix->digits > 0 && len == prefix->digits && event_all_digits(rest, len);
}

void event_put_uri(struct event_writer *writer, const char *uri) {
    const size_t len = strlen(uri);
    uint8_t identifier[32];
    const size_t identifier_len = identifier_bytes(uri, len, identifier);
    if (identifier_len > 0) {
        cbor_put_bytes(writer->out, pt_bytes_of(identifier, identifier_len));
        return;
    }
    const unsigned number = len > EVENT_TEXT_MAX ? 0 : prefix_of(uri, len);
    if (number == 0) {
        event_put_text(writer, uri);
        return;
    }
    const struct uri_prefix *prefix = &uri_prefixes[number - 1];
    const char *rest = uri + strlen(prefix->text);
    cbor_put_array(writer->out, 2);
    cbor_put_uint(writer->out, number);
    if (is_number_rest(prefix, rest, strlen(rest))) cbor_put_uint(writer->out, event_read_digits(rest, prefix->digits));
    else event_put_text(writer, rest);
}

static const char *get_prefixed(struct cbor_reader *reader, struct pt_arena *arena) {
    if (cbor_get_array(reader, 2) != 2) cbor_fail(reader, "expected a prefix and the rest of a URI");
    const uint64_t number = cbor_get_uint(reader);
    if (!cbor_failed(reader) && (number < 1 || number > URI_PREFIXES)) cbor_fail(reader, "unknown URI prefix");
    if (cbor_failed(reader)) return NULL;
    const struct uri_prefix *prefix = &uri_prefixes[number - 1];
    const size_t prefix_len = strlen(prefix->text);
    char digits[20];
    struct cbor_item rest;
    if (!cbor_next(reader, &rest)) return NULL;
    if (rest.type == CBOR_UINT && prefix->digits > 0 && rest.value < event_power_of_ten(prefix->digits)) {
        event_write_digits(digits, rest.value, prefix->digits);
        rest.bytes = pt_bytes_of(digits, prefix->digits);
    } else if (rest.type != CBOR_TEXT || is_number_rest(prefix, (const char *)rest.bytes.data, rest.bytes.len)) {
        cbor_fail(reader, "rest of a URI not in its only form");
        return NULL;
    }
    if (rest.bytes.len > EVENT_TEXT_MAX - prefix_len || (rest.bytes.len && memchr(rest.bytes.data, 0, rest.bytes.len))) {
        cbor_fail(reader, "URI with a NUL or of more than %u bytes", EVENT_TEXT_MAX);
        return NULL;
    }
    char *uri = event_alloc(reader, arena, prefix_len + rest.bytes.len + 1, 1);
    if (!uri) return NULL;
    memcpy(uri, prefix->text, prefix_len);
    if (rest.bytes.len > 0) memcpy(uri + prefix_len, rest.bytes.data, rest.bytes.len);
    uint8_t identifier[32];
    const size_t len = prefix_len + rest.bytes.len;
    if (prefix_of(uri, len) != number || identifier_bytes(uri, len, identifier) > 0)
        cbor_fail(reader, "URI not with its longest prefix");
    return uri;
}

const char *event_get_uri(struct cbor_reader *reader, struct pt_arena *arena) {
    struct cbor_item item;
    if (!cbor_peek(reader, &item)) {
        (void)cbor_get_text(reader);  // fails, saying where
        return NULL;
    }
    if (item.type == CBOR_ARRAY) return get_prefixed(reader, arena);
    if (item.type == CBOR_BYTES) return identifier_text(reader, cbor_get_bytes(reader), arena);
    const struct pt_bytes text = cbor_get_text(reader);
    const char *uri = event_copy_text(reader, text, arena);
    uint8_t identifier[32];
    if (uri && (prefix_of(uri, text.len) > 0 || identifier_bytes(uri, text.len, identifier) > 0))
        cbor_fail(reader, "URI not in its shortest form");
    return uri;
}

// --- Words ---

static uint64_t number_of_word(enum cbv_vocabulary vocabulary, const char *word) {
    const struct word_table *table = &word_tables[vocabulary];
    for (uint64_t i = 0; i < table->count; i++)
        if (strcmp(table->words[i], word) == 0) return i + 1;
    return 0;
}

void event_put_word(struct event_writer *writer, enum cbv_vocabulary vocabulary, const char *word) {
    const uint64_t number = number_of_word(vocabulary, word);
    if (number > 0) cbor_put_uint(writer->out, number);
    else event_put_uri(writer, word);
}

const char *event_get_word(struct cbor_reader *reader, enum cbv_vocabulary vocabulary, struct pt_arena *arena) {
    struct cbor_item item;
    if (!cbor_peek(reader, &item) || item.type != CBOR_UINT) {
        const char *word = event_get_uri(reader, arena);
        if (word && number_of_word(vocabulary, word) > 0) cbor_fail(reader, "standard word not as its number");
        return word;
    }
    const struct word_table *table = &word_tables[vocabulary];
    const uint64_t number = cbor_get_uint(reader);
    if (number < 1 || number > table->count) {
        cbor_fail(reader, "unknown number of a word");
        return NULL;
    }
    return table->words[number - 1];
}
