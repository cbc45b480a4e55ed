// What prefixes and terms stand for under the JSON-LD contexts in force. Contexts given by address are never fetched:
// the GS1 EPCIS context's prefixes are always known, an unknown address defines nothing.
#ifndef PACKTRAIL_COMMON_EPCIS_JSONLD_CONTEXT_H
#define PACKTRAIL_COMMON_EPCIS_JSONLD_CONTEXT_H

#include <jansson.h>

#include "common/epcis/event.h"

// One `@context` value inside those of the objects around it. All borrowed; `context` may be NULL.
struct jsonld_scope {
    const struct jsonld_scope *outer;
    const json_t *context;
    size_t depth;
};

#define JSONLD_MAX_CONTEXTS 64u  // entries of one @context array, and contexts within contexts

// Opens a scope. PT_INVALID if the value is no context: a URI, an object, or an array of different ones of them (not
// strict: any string and null too), PT_LIMIT past JSONLD_MAX_CONTEXTS.
enum pt_code jsonld_open(struct jsonld_scope *scope, const struct jsonld_scope *outer, const json_t *context, bool strict,
                         struct pt_error *err) PT_NODISCARD;

// The namespace that a prefix stands for, or NULL. Written to `out` (cleared first); true if there is one.
bool jsonld_prefix(const struct jsonld_scope *scope, const char *prefix, size_t len, struct pt_buf *out);

// The namespace of a name without a prefix: by its own definition, or by @vocab.
bool jsonld_bare_name(const struct jsonld_scope *scope, const char *name, struct pt_buf *out);

// The namespace of one of the prefixes that are known without a context (gs1, cbv, epcis, cbvmda, …); static, or NULL.
const char *jsonld_standard_prefix(const char *prefix, size_t len);

// The prefixes that names and texts of the value begin with and that the scopes define otherwise than the standard
// does, in the order of their first use; events (an "eventList") inside the value are left out.
enum pt_code jsonld_used_prefixes(const struct jsonld_scope *scope, const json_t *value, struct pt_arena *arena,
                                  struct epcis_prefixes *out, struct pt_error *err) PT_NODISCARD;

#endif
