#include "common/alert/finding.h"

#include <string.h>

#include "common/base/text.h"
#include "common/cose/cbor.h"

enum { KEY_ALERT = 1, KEY_STATUS, KEY_OUTCOME, KEY_NOTE, KEY_RELATED };

static const char *const statuses[] = {"new", "investigating", "closed"};
static const char *const outcomes[] = {NULL, "confirmed_fake", "confirmed_wrong", "mistake", "late_data", "test", "unexplained"};
#define STATUSES (sizeof statuses / sizeof *statuses)
#define OUTCOMES (sizeof outcomes / sizeof *outcomes)

const char *finding_status_name(enum finding_status status) { return (unsigned)status < STATUSES ? statuses[status] : statuses[0]; }
const char *finding_outcome_name(enum finding_outcome outcome) { return (unsigned)outcome < OUTCOMES ? outcomes[outcome] : NULL; }

bool finding_status_of(const char *name, enum finding_status *out) {
    for (unsigned i = FINDING_INVESTIGATING; i < STATUSES; i++)
        if (strcmp(name, statuses[i]) == 0) return *out = (enum finding_status)i, true;
    return false;
}

bool finding_outcome_of(const char *name, enum finding_outcome *out) {
    for (unsigned i = 1; i < OUTCOMES; i++)
        if (strcmp(name, outcomes[i]) == 0) return *out = (enum finding_outcome)i, true;
    return false;
}

bool finding_clears(enum finding_outcome outcome) {
    return outcome == FINDING_MISTAKE || outcome == FINDING_LATE_DATA || outcome == FINDING_TEST;
}

static enum pt_code check(const struct alert_finding *finding, struct pt_error *err) {
    if (finding->alert == 0 || finding->alert > FINDING_NUMBER_MAX) return pt_fail(err, PT_INVALID, "alert", "must be an alert's number");
    if (finding->status != FINDING_INVESTIGATING && finding->status != FINDING_CLOSED)
        return pt_fail(err, PT_INVALID, "status", "must be investigating or closed");
    const bool known = finding->outcome >= FINDING_CONFIRMED_FAKE && (unsigned)finding->outcome < OUTCOMES;
    if (finding->status == FINDING_CLOSED ? !known : finding->outcome != FINDING_NONE)
        return pt_fail(err, PT_INVALID, "outcome", "stands with closed, and only there");
    const size_t len = finding->note ? strlen(finding->note) : 1;
    if (len == 0 || len > FINDING_NOTE_MAX || (finding->note && !pt_utf8_valid(pt_bytes_str(finding->note))))
        return pt_fail(err, PT_INVALID, "note", "must be UTF-8 of 1 to %u bytes", FINDING_NOTE_MAX);
    if (finding->related_count > FINDING_RELATED_MAX) return pt_fail(err, PT_LIMIT, "related", "more than %u", FINDING_RELATED_MAX);
    for (size_t i = 0; i < finding->related_count; i++) {
        const uint64_t number = finding->related[i];
        if (number == 0 || number > FINDING_NUMBER_MAX || number == finding->alert || (i > 0 && number <= finding->related[i - 1]))
            return pt_fail(err, PT_INVALID, "related", "must be other alerts' numbers, ascending");
    }
    return PT_OK;
}

enum pt_code finding_encode(const struct alert_finding *finding, struct pt_buf *out, struct pt_error *err) {
    const enum pt_code code = check(finding, err);
    if (code != PT_OK) return code;
    cbor_put_map(out, 2u + (finding->outcome != FINDING_NONE) + (finding->note != NULL) + (finding->related_count > 0));
    cbor_put_uint(out, KEY_ALERT);
    cbor_put_uint(out, finding->alert);
    cbor_put_uint(out, KEY_STATUS);
    cbor_put_uint(out, (uint64_t)finding->status);
    if (finding->outcome != FINDING_NONE) {
        cbor_put_uint(out, KEY_OUTCOME);
        cbor_put_uint(out, (uint64_t)finding->outcome);
    }
    if (finding->note) {
        cbor_put_uint(out, KEY_NOTE);
        cbor_put_text(out, finding->note);
    }
    if (finding->related_count > 0) {
        cbor_put_uint(out, KEY_RELATED);
        cbor_put_array(out, finding->related_count);
        for (size_t i = 0; i < finding->related_count; i++) cbor_put_uint(out, finding->related[i]);
    }
    return pt_buf_check(out, err);
}

static unsigned small(struct cbor_reader *reader) {
    const uint64_t value = cbor_get_uint(reader);
    return value < 256 ? (unsigned)value : 255;
}

static void read_note(struct cbor_reader *reader, struct pt_arena *arena, struct alert_finding *out) {
    const struct pt_bytes note = cbor_expect_text(reader, 1, FINDING_NOTE_MAX);
    if (cbor_failed(reader)) return;
    if (memchr(note.data, 0, note.len)) {
        cbor_fail(reader, "a note holds a NUL");
        return;
    }
    out->note = pt_arena_strdup(arena, note);
    if (!out->note) reader->code = pt_fail(reader->err, PT_NO_MEMORY, NULL, "out of memory");
}

static void read_related(struct cbor_reader *reader, struct alert_finding *out) {
    out->related_count = (size_t)cbor_get_array(reader, FINDING_RELATED_MAX);
    if (out->related_count == 0) cbor_fail(reader, "an empty list is left out");
    for (size_t i = 0; i < out->related_count; i++) out->related[i] = cbor_get_uint(reader);
}

enum pt_code finding_decode(struct pt_bytes bytes, struct pt_arena *arena, struct alert_finding *out, struct pt_error *err) {
    *out = (struct alert_finding){0};
    if (bytes.len > FINDING_MAX) return pt_fail(err, PT_LIMIT, NULL, "a finding is too long");
    struct cbor_reader reader = cbor_reader_of(bytes, true, err);
    const uint64_t fields = cbor_get_map(&reader, 5);
    uint64_t last = 0;
    for (uint64_t i = 0; i < fields && !cbor_failed(&reader); i++) {
        const uint64_t key = cbor_get_uint(&reader);
        if (key <= last) cbor_fail(&reader, "keys do not ascend");
        last = key;
        switch (key) {
        case KEY_ALERT: out->alert = cbor_get_uint(&reader); break;
        case KEY_STATUS: out->status = (enum finding_status)small(&reader); break;
        case KEY_OUTCOME:
            out->outcome = (enum finding_outcome)small(&reader);
            if (out->outcome == FINDING_NONE) cbor_fail(&reader, "no outcome is left out");
            break;
        case KEY_NOTE: read_note(&reader, arena, out); break;
        case KEY_RELATED: read_related(&reader, out); break;
        default: cbor_fail(&reader, "a finding has no field %llu", (unsigned long long)key);
        }
    }
    const enum pt_code code = cbor_finish(&reader);
    return code == PT_OK ? check(out, err) : code;
}
