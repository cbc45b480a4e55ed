// What the platforms call things, from a configuration file (JSON; mapping.example.json beside this file shows all of it):
// which document kind leads to which report, the fields of each report and where they come from, and how the platforms'
// answers are read. Platforms change these; a change here is no change of the program.
#ifndef PACKTRAIL_GATEWAY_SETTLEMENT_MAPPING_H
#define PACKTRAIL_GATEWAY_SETTLEMENT_MAPPING_H

#include "common/base/json.h"
#include "common/epcis/cn_document.h"

#define MAPPING_MAX ((size_t)1024 * 1024)

enum platform { PLATFORM_TRACE = 0, PLATFORM_INSURER = 1 };
#define PLATFORMS 2u

const char *platform_name(enum platform platform);               // "trace", "insurer"
bool platform_named(const char *name, enum platform *out);

// How one kind of answer is read. Places are JSON Pointers; values are compared as text ("0" is also the number 0).
struct answer_rules {
    const char *transport_at;                // whether the platform took the message at all
    const json_t *good, *again;              // again: not taken, the same document may be sent later
    const char *transport_code, *transport_text;
    const char *business_at;                 // what it says about the document
    const json_t *accepted, *refused, *pending, *absent;  // absent: it does not have the document; only where it was asked
    const char *business_code, *business_text;
};

// Kinds of pack codes that a platform takes.
enum { CODES_CN_TRACE = 1, CODES_CN_COMPANY = 2, CODES_GS1 = 4 };

struct mapping_platform {
    unsigned codes;
    const char *send_path, *ask_path;
    const json_t *ask_body;                  // template of the question about an earlier document
    struct answer_rules sent, asked;
};

// What an event of a document kind leads to on a platform; NULL: nothing. For the trace platform a document kind ("209"),
// for the insurer the number of an interface ("3505").
struct mapping_output {
    const char *as, *undo;
};

struct mapping_kind {
    unsigned kind;
    struct mapping_output outputs[PLATFORMS];
};

struct mapping {
    json_t *root;            // owns all the texts
    const json_t *site;      // constants of the pharmacy, texts
    const json_t *places;    // URIs; NULL: events at every place count
    const json_t *uncoded;   // insurance codes of products that may be settled without a code; NULL: none
    struct mapping_platform platforms[PLATFORMS];
    const json_t *xml_document, *xml_data;   // attributes of the trace document: name to source
    const json_t *documents;                 // kind to {"Name","MainAction"}
    const json_t *envelope;                  // template of every insurer's message; "@interface" stands for its own part
    const json_t *interfaces;                // number to template
    struct mapping_kind kinds[32];
    size_t kind_count;
};

// Reads and checks everything. PT_INVALID with the JSON Pointer of what is wrong. Freed by mapping_free.
enum pt_code mapping_parse(struct pt_bytes text, struct mapping *out, struct pt_error *err) PT_NODISCARD;
void mapping_free(struct mapping *mapping);

// The outputs of a kind; NULL if the mapping does not name it: such events are none of these platforms' business.
const struct mapping_kind *mapping_kind_of(const struct mapping *mapping, unsigned kind);

bool mapping_has_place(const struct mapping *mapping, const char *place);  // NULL place: false unless all count

#endif
