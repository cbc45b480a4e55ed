// JSON documents by template: the template has the form of the document, and a source in place of each text.
//
//   {"a": "event.time"}                        a member for each member; one whose optional source is unknown is left out
//   [{"*": "line", "b": "product.name"}]       a list with an item for each product of the event
//   [{"*": "pack", "c": "pack.code"}]          … for each pack: of the line it stands in, or of the whole event
//   "@interface"                               in an envelope: the interface's own part
// Numbers, booleans and null stand for themselves.
#ifndef PACKTRAIL_GATEWAY_SETTLEMENT_TEMPLATE_H
#define PACKTRAIL_GATEWAY_SETTLEMENT_TEMPLATE_H

#include "gateway/settlement/source.h"

#define TEMPLATE_INTERFACE "@interface"

// PT_INVALID with the JSON Pointer within the template. `envelope`: "@interface" must stand in it, once.
enum pt_code template_check(const json_t *template, bool envelope, struct pt_error *err) PT_NODISCARD;

// Fills a template that was checked. `interface`: what stands for "@interface", or NULL. Errors as of source_value.
enum pt_code template_fill(const json_t *template, const json_t *interface, const struct facts *facts, json_t **out,
                           struct lacks *lacks, struct pt_error *err) PT_NODISCARD;

#endif
