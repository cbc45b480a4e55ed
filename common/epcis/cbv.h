// The words of the GS1 Core Business Vocabulary 2.0 (and of the GS1 Web Vocabulary that EPCIS refers to), in the four
// spellings that occur: bare word ("receiving"), compact IRI ("cbv:BizStep-receiving", "gs1:Temperature"),
// URN of EPCIS 1.x and XML ("urn:epcglobal:cbv:bizstep:receiving"), URI ("https://ref.gs1.org/cbv/BizStep-receiving").
#ifndef PACKTRAIL_COMMON_EPCIS_CBV_H
#define PACKTRAIL_COMMON_EPCIS_CBV_H

#include "common/base/bytes.h"

enum cbv_vocabulary {
    CBV_BIZ_STEP,
    CBV_DISPOSITION,
    CBV_BIZ_TRANSACTION_TYPE,
    CBV_SOURCE_DEST_TYPE,
    CBV_ERROR_REASON,
    CBV_MEASUREMENT,
    CBV_SENSOR_ALERT,
    CBV_COMPONENT,
};

// The bare word that `text` (any spelling) stands for; static. NULL if it is no standard word of this vocabulary.
const char *cbv_word(enum cbv_vocabulary vocabulary, const char *text);

// Whether `text` is a standard word, spelled bare.
bool cbv_is_word(enum cbv_vocabulary vocabulary, const char *text);

// Appends the URI form, which is what the event hash uses and what compares. A bare word or a URN that is not in the
// standard is translated in the same way; what belongs to another vocabulary is appended as it is.
void cbv_append_uri(struct pt_buf *out, enum cbv_vocabulary vocabulary, const char *text);

// All standard words, sorted by bytes; static.
const char *const *cbv_words(enum cbv_vocabulary vocabulary, size_t *count);

#endif
