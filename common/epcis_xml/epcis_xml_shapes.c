#include "common/epcis_xml/epcis_xml_shapes.h"

#include <string.h>

static const struct epcis_xml_field fields[] = {
    {"action", SHAPE_TEXT, EPCIS_XML_NO_VOCABULARY, NULL},
    {"baseExtension", SHAPE_UNWRAP, EPCIS_XML_NO_VOCABULARY, NULL},
    {"bizLocation", SHAPE_GROUP, EPCIS_XML_NO_VOCABULARY, NULL},
    {"bizStep", SHAPE_TEXT, CBV_BIZ_STEP, NULL},
    {"bizTransactionList", SHAPE_TYPED, CBV_BIZ_TRANSACTION_TYPE, "bizTransaction"},
    {"certificationInfo", SHAPE_REPEATED, EPCIS_XML_NO_VOCABULARY, NULL},
    {"childEPCs", SHAPE_TEXTS, EPCIS_XML_NO_VOCABULARY, "epc"},
    {"childQuantityList", SHAPE_OBJECTS, EPCIS_XML_NO_VOCABULARY, "quantityElement"},
    {"correctiveEventIDs", SHAPE_TEXTS, EPCIS_XML_NO_VOCABULARY, "correctiveEventID"},
    {"declarationTime", SHAPE_TEXT, EPCIS_XML_NO_VOCABULARY, NULL},
    {"destinationList", SHAPE_TYPED, CBV_SOURCE_DEST_TYPE, "destination"},
    {"disposition", SHAPE_TEXT, CBV_DISPOSITION, NULL},
    {"epcClass", SHAPE_TEXT, EPCIS_XML_NO_VOCABULARY, NULL},
    {"epcList", SHAPE_TEXTS, EPCIS_XML_NO_VOCABULARY, "epc"},
    {"errorDeclaration", SHAPE_GROUP, EPCIS_XML_NO_VOCABULARY, NULL},
    {"eventID", SHAPE_TEXT, EPCIS_XML_NO_VOCABULARY, NULL},
    {"eventTime", SHAPE_TEXT, EPCIS_XML_NO_VOCABULARY, NULL},
    {"eventTimeZoneOffset", SHAPE_TEXT, EPCIS_XML_NO_VOCABULARY, NULL},
    {"extension", SHAPE_UNWRAP, EPCIS_XML_NO_VOCABULARY, NULL},
    {"id", SHAPE_TEXT, EPCIS_XML_NO_VOCABULARY, NULL},
    {"ilmd", SHAPE_MEMBERS, EPCIS_XML_NO_VOCABULARY, NULL},
    {"inputEPCList", SHAPE_TEXTS, EPCIS_XML_NO_VOCABULARY, "epc"},
    {"inputQuantityList", SHAPE_OBJECTS, EPCIS_XML_NO_VOCABULARY, "quantityElement"},
    {"outputEPCList", SHAPE_TEXTS, EPCIS_XML_NO_VOCABULARY, "epc"},
    {"outputQuantityList", SHAPE_OBJECTS, EPCIS_XML_NO_VOCABULARY, "quantityElement"},
    {"parentID", SHAPE_TEXT, EPCIS_XML_NO_VOCABULARY, NULL},
    {"persistentDisposition", SHAPE_GROUP, EPCIS_XML_NO_VOCABULARY, NULL},
    {"quantity", SHAPE_NUMBER, EPCIS_XML_NO_VOCABULARY, NULL},
    {"quantityList", SHAPE_OBJECTS, EPCIS_XML_NO_VOCABULARY, "quantityElement"},
    {"readPoint", SHAPE_GROUP, EPCIS_XML_NO_VOCABULARY, NULL},
    {"reason", SHAPE_TEXT, CBV_ERROR_REASON, NULL},
    {"recordTime", SHAPE_TEXT, EPCIS_XML_NO_VOCABULARY, NULL},
    {"sensorElementList", SHAPE_SENSORS, EPCIS_XML_NO_VOCABULARY, "sensorElement"},
    {"set", SHAPE_REPEATED, CBV_DISPOSITION, NULL},
    {"sourceList", SHAPE_TYPED, CBV_SOURCE_DEST_TYPE, "source"},
    {"transformationID", SHAPE_TEXT, EPCIS_XML_NO_VOCABULARY, NULL},
    {"unset", SHAPE_REPEATED, CBV_DISPOSITION, NULL},
    {"uom", SHAPE_TEXT, EPCIS_XML_NO_VOCABULARY, NULL},
};

const struct epcis_xml_field *epcis_xml_field_named(const char *name) {
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (strcmp(fields[i].name, name) == 0) return &fields[i];
    return NULL;
}

// EPCglobal-epcis-2_0.xsd.
#define BEFORE "eventTime", "recordTime", "eventTimeZoneOffset", "eventID", "errorDeclaration", "certificationInfo"
#define WHY_AND_WHERE "bizStep", "disposition", "readPoint", "bizLocation"
#define PARTIES_AND_SENSORS "sourceList", "destinationList", "sensorElementList", "persistentDisposition"

static const char *const object_order[] = {BEFORE, "epcList", "action", WHY_AND_WHERE, "bizTransactionList", "quantityList", PARTIES_AND_SENSORS, "ilmd", NULL};
static const char *const aggregation_order[] = {BEFORE, "parentID", "childEPCs", "action", WHY_AND_WHERE, "bizTransactionList", "childQuantityList", PARTIES_AND_SENSORS, NULL};
static const char *const transaction_order[] = {BEFORE, "bizTransactionList", "parentID", "epcList", "action", WHY_AND_WHERE, "quantityList", PARTIES_AND_SENSORS, NULL};
static const char *const transformation_order[] = {BEFORE, "inputEPCList", "inputQuantityList", "outputEPCList", "outputQuantityList", "transformationID", WHY_AND_WHERE,
                                                   "bizTransactionList", PARTIES_AND_SENSORS, "ilmd", NULL};
static const char *const association_order[] = {BEFORE, "parentID", "childEPCs", "childQuantityList", "action", WHY_AND_WHERE, "bizTransactionList", PARTIES_AND_SENSORS, NULL};

const char *const *epcis_xml_event_order(enum epcis_event_type type) {
    switch (type) {
    case EPCIS_AGGREGATION: return aggregation_order;
    case EPCIS_TRANSACTION: return transaction_order;
    case EPCIS_TRANSFORMATION: return transformation_order;
    case EPCIS_ASSOCIATION: return association_order;
    default: return object_order;
    }
}

const char *const *epcis_xml_group_order(const char *name) {
    static const char *const error[] = {"declarationTime", "reason", "correctiveEventIDs", NULL}, *const disposition[] = {"unset", "set", NULL};
    static const char *const quantity[] = {"epcClass", "quantity", "uom", NULL}, *const place[] = {"id", NULL}, *const none[] = {NULL};
    if (strcmp(name, "errorDeclaration") == 0) return error;
    if (strcmp(name, "persistentDisposition") == 0) return disposition;
    if (strcmp(name, "quantityElement") == 0) return quantity;
    return strcmp(name, "readPoint") == 0 || strcmp(name, "bizLocation") == 0 ? place : none;
}

int epcis_xml_sensor_vocabulary(const char *attribute) {
    if (strcmp(attribute, "type") == 0) return CBV_MEASUREMENT;
    if (strcmp(attribute, "exception") == 0) return CBV_SENSOR_ALERT;
    return strcmp(attribute, "component") == 0 ? CBV_COMPONENT : EPCIS_XML_NO_VOCABULARY;
}
