#include "common/epcis/cbv.h"

#include <stdlib.h>
#include <string.h>

// Each table is sorted by bytes, for bsearch.
static const char *const biz_steps[] = {
    "accepting", "arriving", "assembling", "collecting", "commissioning", "consigning", "creating_class_instance",
    "cycle_counting", "decommissioning", "departing", "destroying", "disassembling", "dispensing", "encoding",
    "entering_exiting", "holding", "inspecting", "installing", "killing", "loading", "other", "packing", "picking",
    "receiving", "removing", "repackaging", "repairing", "replacing", "reserving", "retail_selling", "sampling",
    "sensor_reporting", "shipping", "staging_outbound", "stock_taking", "stocking", "storing", "transporting",
    "unloading", "unpacking", "void_shipping",
};

static const char *const dispositions[] = {
    "active", "available", "completeness_inferred", "completeness_verified", "conformant", "container_closed",
    "container_open", "damaged", "destroyed", "dispensed", "disposed", "encoded", "expired", "in_progress",
    "in_transit", "inactive", "mismatch_class", "mismatch_instance", "mismatch_quantity", "needs_replacement",
    "no_pedigree_match", "non_conformant", "non_sellable_other", "partially_dispensed", "recalled", "reserved",
    "retail_sold", "returned", "sellable_accessible", "sellable_not_accessible", "stolen", "unavailable", "unknown",
};

static const char *const biz_transaction_types[] = {
    "bol", "cert", "desadv", "inv", "pedigree", "po", "poc", "prodorder", "recadv", "rma", "testprd", "testres",
    "upevt",
};

static const char *const source_dest_types[] = {
    "location", "owning_party", "possessing_party",
};

static const char *const error_reasons[] = {
    "did_not_occur", "incorrect_data",
};

static const char *const measurements[] = {
    "AbsoluteHumidity", "AbsorbedDose", "AbsorbedDoseRate", "Acceleration", "Altitude", "AmountOfSubstance",
    "AmountOfSubstancePerUnitVolume", "Angle", "AngularAcceleration", "AngularMomentum", "AngularVelocity", "Area",
    "Capacitance", "Conductance", "Conductivity", "Count", "Density", "Dimensionless", "DoseEquivalent",
    "DoseEquivalentRate", "DynamicViscosity", "ElectricCharge", "ElectricCurrent", "ElectricCurrentDensity",
    "ElectricFieldStrength", "Energy", "Exposure", "Force", "Frequency", "Illuminance", "Inductance", "Irradiance",
    "KinematicViscosity", "Length", "LinearMomentum", "Luminance", "LuminousFlux", "LuminousIntensity",
    "MagneticFlux", "MagneticFluxDensity", "MagneticVectorPotential", "Mass", "MassConcentration", "MassFlowRate",
    "MassPerAreaTime", "MemoryCapacity", "MolalityOfSolute", "MolarEnergy", "MolarMass", "MolarVolume", "Power",
    "Pressure", "RadiantFlux", "RadiantIntensity", "Radioactivity", "RelativeHumidity", "Resistance", "Resistivity",
    "SolidAngle", "SpecificVolume", "Speed", "SurfaceDensity", "SurfaceTension", "Temperature", "Time", "Torque",
    "Voltage", "Volume", "VolumeFlowRate", "VolumeFraction", "VolumetricFlux", "Wavenumber",
};

static const char *const sensor_alerts[] = {
    "ALARM_CONDITION", "ERROR_CONDITION",
};

static const char *const components[] = {
    "altitude", "axial_distance", "azimuth", "easting", "elevation_angle", "height", "latitude", "longitude",
    "northing", "polar_angle", "spherical_radius", "x", "y", "z",
};

struct table {
    const char *const *words;
    size_t count;
    const char *uri, *curie, *urn;  // prefixes; urn: that of EPCIS 1.x and of the XML binding, NULL if there is none
};

#define WORDS(list) list, sizeof(list) / sizeof *(list)

static const struct table tables[] = {
    [CBV_BIZ_STEP] = {WORDS(biz_steps), "https://ref.gs1.org/cbv/BizStep-", "cbv:BizStep-", "urn:epcglobal:cbv:bizstep:"},
    [CBV_DISPOSITION] = {WORDS(dispositions), "https://ref.gs1.org/cbv/Disp-", "cbv:Disp-", "urn:epcglobal:cbv:disp:"},
    [CBV_BIZ_TRANSACTION_TYPE] = {WORDS(biz_transaction_types), "https://ref.gs1.org/cbv/BTT-", "cbv:BTT-",
                                  "urn:epcglobal:cbv:btt:"},
    [CBV_SOURCE_DEST_TYPE] = {WORDS(source_dest_types), "https://ref.gs1.org/cbv/SDT-", "cbv:SDT-",
                              "urn:epcglobal:cbv:sdt:"},
    [CBV_ERROR_REASON] = {WORDS(error_reasons), "https://ref.gs1.org/cbv/ER-", "cbv:ER-", "urn:epcglobal:cbv:er:"},
    [CBV_MEASUREMENT] = {WORDS(measurements), "https://gs1.org/voc/", "gs1:", NULL},
    [CBV_SENSOR_ALERT] = {WORDS(sensor_alerts), "https://gs1.org/voc/", "gs1:", NULL},
    [CBV_COMPONENT] = {WORDS(components), "https://ref.gs1.org/cbv/Comp-", "cbv:Comp-", NULL},
};

static const char *behind(const char *text, const char *prefix) {
    const size_t len = prefix ? strlen(prefix) : 0;
    return prefix && strncmp(text, prefix, len) == 0 ? text + len : NULL;
}

// The word of `text` in the table's vocabulary, standard or not; NULL if it belongs to another one.
static const char *local_part(const struct table *table, const char *text) {
    if (!strchr(text, ':')) return text;
    // The same addresses are in use with http and, for the web vocabulary, with www.
    const char *rest = behind(text, "http://");
    if (rest) {
        const char *host = behind(rest, "www.gs1.org/voc/") ? rest + 4 : rest;
        return behind(host, table->uri + strlen("https://"));
    }
    rest = behind(text, "https://www.");
    if (rest && behind(rest, "gs1.org/voc/")) return behind(rest, table->uri + strlen("https://"));
    rest = behind(text, table->uri);
    if (!rest) rest = behind(text, table->curie);
    return rest ? rest : behind(text, table->urn);
}

static int by_bytes(const void *key, const void *item) { return strcmp(key, *(const char *const *)item); }

const char *cbv_word(enum cbv_vocabulary vocabulary, const char *text) {
    const struct table *table = &tables[vocabulary];
    const char *local = local_part(table, text);
    const char *const *found =
        local ? bsearch(local, table->words, table->count, sizeof *table->words, by_bytes) : NULL;
    return found ? *found : NULL;
}

bool cbv_is_word(enum cbv_vocabulary vocabulary, const char *text) {
    return !strchr(text, ':') && cbv_word(vocabulary, text);
}

void cbv_append_uri(struct pt_buf *out, enum cbv_vocabulary vocabulary, const char *text) {
    const char *local = local_part(&tables[vocabulary], text);
    if (local) pt_buf_str(out, tables[vocabulary].uri);
    pt_buf_str(out, local ? local : text);
}

const char *const *cbv_words(enum cbv_vocabulary vocabulary, size_t *count) {
    *count = tables[vocabulary].count;
    return tables[vocabulary].words;
}
