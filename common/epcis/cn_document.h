// The kinds of warehouse documents (出入库单据) of China's trace platform, and the EPCIS event that each of them is.
//
// Two ways lead from an event to its kind:
//   1. The event says it: a business transaction of type CN_DOCUMENT_TRANSACTION whose id is
//      urn:packtrail:cn:document:{kind} or urn:packtrail:cn:document:{kind}:{number, percent-encoded}, where number is
//      the company's own document number. This is how kinds that share one business step (102 purchase, 104 transfer,
//      107 supply, …) are told apart.
//   2. Otherwise business step and disposition decide, by the one row that is marked `usual`.
// Both are pure functions over one table (cn_document.c) that is meant to be read.
#ifndef PACKTRAIL_COMMON_EPCIS_CN_DOCUMENT_H
#define PACKTRAIL_COMMON_EPCIS_CN_DOCUMENT_H

#include "common/epcis/event.h"

#define CN_DOCUMENT_TRANSACTION "urn:packtrail:btt:cn-document"
#define CN_DOCUMENT_URI "urn:packtrail:cn:document:"
#define CN_DOCUMENT_NUMBER_MAX 100u  // bytes, percent-encoded

// The platform's numbers. 1xx goods come in, 2xx goods go out.
enum cn_document_kind {
    CN_IN_PRODUCTION = 101,
    CN_IN_PURCHASE = 102,
    CN_IN_RETURN = 103,
    CN_IN_TRANSFER = 104,
    CN_IN_ODD_LOT = 106,
    CN_IN_SUPPLY = 107,
    CN_IN_RECALL = 108,
    CN_IN_GIFT = 110,
    CN_IN_SURPLUS = 111,
    CN_IN_SCRAP = 112,
    CN_IN_OTHER = 113,
    CN_OUT_SALE = 201,
    CN_OUT_RETURN = 202,
    CN_OUT_TRANSFER = 203,
    CN_OUT_REWORK = 204,
    CN_OUT_DESTRUCTION = 205,
    CN_OUT_SAMPLING = 206,
    CN_OUT_DIRECT = 207,
    CN_OUT_PRODUCTION = 208,
    CN_OUT_SUPPLY = 209,
    CN_OUT_RECALL = 211,
    CN_OUT_GIFT = 212,
    CN_OUT_SHORTAGE = 214,
    CN_OUT_DAMAGE = 215,
    CN_OUT_SCRAP = 216,
    CN_OUT_OTHER = 217,
    CN_OUT_DIRECT_RETURN = 237,
};

// A row of the table.
struct cn_document {
    enum cn_document_kind kind;
    bool in;                 // goods come in; else they go out
    bool usual;              // an event with these words and no business transaction is of this kind
    enum epcis_action action;
    const char *zh, *en;     // its name
    const char *biz_step;    // CBV words
    const char *disposition; // NULL: none
};

const struct cn_document *cn_document_list(size_t *count);         // in the order of their numbers
const struct cn_document *cn_document_by_kind(unsigned kind);      // NULL: there is no such kind

// The usual kind of an event with this business step and disposition, in any spelling of the CBV; disposition may be
// NULL. NULL: an event that is no document (an inspection, a packing, …).
const struct cn_document *cn_document_by_words(const char *biz_step, const char *disposition);

struct cn_document_reference {
    const struct cn_document *document;
    const char *number;  // the company's, decoded, in the arena; NULL if the event names none
    bool named;          // the event said the kind itself
};

// The document that an object or transaction event is. PT_NOT_FOUND: it is none. PT_INVALID, with the JSON Pointer: it
// names a kind that does not exist, two kinds, or one whose direction contradicts its business step (goods cannot be
// received by a document of the 2xx). An error declaration is read like the event that it takes back.
enum pt_code cn_document_of_event(const struct epcis_event *event, struct pt_arena *arena,
                                  struct cn_document_reference *out, struct pt_error *err) PT_NODISCARD;

// The way back: appends the id of the business transaction that names `kind` (and `number`, unless it is NULL). The
// event's other words are the row's.
void cn_document_append_uri(struct pt_buf *out, enum cn_document_kind kind, const char *number);

#endif
