// Texts, URIs and words of the CBV in event.cddl's compact forms. Inside of event_cbor*.c.
#ifndef PACKTRAIL_COMMON_EPCIS_EVENT_CBOR_WORDS_H
#define PACKTRAIL_COMMON_EPCIS_EVENT_CBOR_WORDS_H

#include "common/base/arena.h"
#include "common/cose/cbor.h"
#include "common/epcis/cbv.h"

#define EVENT_TEXT_MAX 65535u

// The first failure sticks; what is written after it is of no use.
struct event_writer {
    struct pt_buf *out;
    struct pt_error *err;  // may be NULL
    enum pt_code code;     // PT_OK while nothing failed
};

void event_writer_fail(struct event_writer *writer, enum pt_code code, const char *what);

// Texts are UTF-8, without NUL when read, of at most EVENT_TEXT_MAX bytes. Copies live in `arena`; NULL only after a
// failure, which sticks in the reader.
void event_put_text(struct event_writer *writer, const char *text);
const char *event_get_text(struct cbor_reader *reader, struct pt_arena *arena);

void event_put_uri(struct event_writer *writer, const char *uri);
const char *event_get_uri(struct cbor_reader *reader, struct pt_arena *arena);

void event_put_word(struct event_writer *writer, enum cbv_vocabulary vocabulary, const char *word);
const char *event_get_word(struct cbor_reader *reader, enum cbv_vocabulary vocabulary, struct pt_arena *arena);

// A NUL-terminated copy of read text; refuses a NUL inside.
const char *event_copy_text(struct cbor_reader *reader, struct pt_bytes text, struct pt_arena *arena);

// Memory of the arena; fails the reader when there is none (PT_LIMIT, since the arena has a ceiling).
void *event_alloc(struct cbor_reader *reader, struct pt_arena *arena, size_t count, size_t size);

// `value` in decimal with leading zeros, exactly `digits` bytes, without NUL.
void event_write_digits(char *to, uint64_t value, unsigned digits);
bool event_all_digits(const char *text, size_t len);
uint64_t event_read_digits(const char *text, size_t len);  // at most 19 digits
uint64_t event_power_of_ten(unsigned digits);              // at most 19

#endif
