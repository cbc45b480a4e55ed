// What the files of the EPCIS JSON decoder share.
#ifndef PACKTRAIL_COMMON_EPCIS_EPCIS_JSON_READER_H
#define PACKTRAIL_COMMON_EPCIS_EPCIS_JSON_READER_H

#include "common/epcis/epcis_check.h"
#include "common/epcis/epcis_json.h"
#include "common/epcis/jsonld_context.h"

#define EPCIS_READER_CACHE 16u

struct epcis_reader {
    struct pt_arena *arena;
    struct pt_error *err;
    bool strict;                              // EPCIS_FOR_CAPTURE
    bool plain_names;                         // names without a prefix have no namespace (master data)
    struct pt_buf scratch;                    // for namespaces
    const char *cache[EPCIS_READER_CACHE];    // prefixes and namespaces that were copied last
    size_t cache_next;
};

// "must be a …", without a place.
enum pt_code epcis_read_expected(const struct epcis_reader *reader, const char *what);
enum pt_code epcis_read_no_room(const struct epcis_reader *reader);

// A copy in the arena; PT_INVALID if it is no string.
enum pt_code epcis_read_string(struct epcis_reader *reader, const json_t *value, const char **out) PT_NODISCARD;
enum pt_code epcis_read_time(struct epcis_reader *reader, const json_t *value, struct pt_instant *out) PT_NODISCARD;

// In strict mode, that the name of an extension has a namespace and looks like a URI, as the schema wants it.
enum pt_code epcis_read_check_name(struct epcis_reader *reader, const char *name) PT_NODISCARD;

// Namespace, prefix and local name of a member.
enum pt_code epcis_read_name(struct epcis_reader *reader, const char *name, const struct jsonld_scope *scope,
                             struct epcis_member *out) PT_NODISCARD;

// An extension's content.
enum pt_code epcis_read_value(struct epcis_reader *reader, const json_t *value, const struct jsonld_scope *scope,
                              struct epcis_value *out) PT_NODISCARD;

// One event, its place left to the caller.
enum pt_code epcis_read_event(struct epcis_reader *reader, const json_t *value, const struct jsonld_scope *outer,
                              struct epcis_event *out) PT_NODISCARD;

// The local name of an EPCIS class or field: behind "epcis:" or its namespace, else the text as it is.
const char *epcis_read_class(const char *text);

// The first of a member's spellings that is there; outside strict mode JSON-LD's keywords and "isA" count too.
const json_t *epcis_read_type_of(const struct epcis_reader *reader, const json_t *object);

#endif
