#include "ledger/state/finding_record.h"

#include "common/cose/cbor.h"

enum pt_code finding_record_encode(const struct finding_record *record, struct pt_buf *out, struct pt_error *err) {
    cbor_put_array(out, 3);
    cbor_put_uint(out, (uint64_t)record->status);
    cbor_put_uint(out, (uint64_t)record->outcome);
    cbor_put_array(out, record->step_count);
    for (size_t i = 0; i < record->step_count; i++) {
        const struct finding_step *step = &record->steps[i];
        cbor_put_array(out, 5);
        cbor_put_uint(out, step->leaf);
        cbor_put_uint(out, (uint64_t)step->status);
        cbor_put_uint(out, (uint64_t)step->outcome);
        cbor_put_bytes(out, pt_bytes_digest(&step->signer));
        cbor_put_int(out, step->time);
    }
    return pt_buf_check(out, err);
}

static enum finding_status get_status(struct cbor_reader *reader) {
    const uint64_t value = cbor_get_uint(reader);
    if (value > FINDING_CLOSED) cbor_fail(reader, "no status of an investigation");
    return (enum finding_status)value;
}

static enum finding_outcome get_outcome(struct cbor_reader *reader) {
    const uint64_t value = cbor_get_uint(reader);
    if (value > FINDING_UNEXPLAINED) cbor_fail(reader, "no outcome of an investigation");
    return (enum finding_outcome)value;
}

enum pt_code finding_record_decode(struct pt_bytes bytes, struct finding_record *out, struct pt_error *err) {
    struct cbor_reader reader = cbor_reader_of(bytes, true, err);
    cbor_expect_array(&reader, 3);
    out->status = get_status(&reader);
    out->outcome = get_outcome(&reader);
    out->step_count = (size_t)cbor_get_array(&reader, FINDING_STEPS_MAX);
    for (size_t i = 0; i < out->step_count && !cbor_failed(&reader); i++) {
        struct finding_step *step = &out->steps[i];
        cbor_expect_array(&reader, 5);
        step->leaf = cbor_get_uint(&reader);
        step->status = get_status(&reader);
        step->outcome = get_outcome(&reader);
        cbor_get_digest(&reader, &step->signer);
        step->time = cbor_get_int(&reader);
    }
    return cbor_finish(&reader);
}
