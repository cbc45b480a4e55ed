#include "ledger/state/alert_record.h"

#include <string.h>

#include "common/cose/cbor.h"
#include "ledger/state/varint.h"

static const char *const names[] = {
    [ALERT_UNKNOWN_SERIAL] = "unknown_serial",
    [ALERT_PRODUCT_WITHOUT_DATA] = "product_without_data",
    [ALERT_DOUBLE_DISPENSE] = "double_dispense",
    [ALERT_SOLD_PACK_IN_TRADE] = "sold_pack_in_trade",
    [ALERT_EXPIRED] = "expired",
    [ALERT_RECALLED] = "recalled",
    [ALERT_NOT_SALEABLE] = "not_saleable",
    [ALERT_DEAD_CODE] = "dead_code",
    [ALERT_DUPLICATE_SERIAL] = "duplicate_serial",
    [ALERT_OUT_OF_ORDER] = "out_of_order",
    [ALERT_BROKEN_HIERARCHY] = "broken_hierarchy",
    [ALERT_EQUIVOCATION] = "equivocation",
    [ALERT_DEVICE_GAP] = "device_gap",
    [ALERT_BROKEN_DEVICE_CHAIN] = "broken_device_chain",
    [ALERT_TOO_FAST] = "too_fast",
    [ALERT_CUSTODY_GAP] = "custody_gap",
    [ALERT_TERRITORY] = "territory",
    [ALERT_TEMPERATURE] = "temperature",
    [ALERT_WRONG_PRODUCT] = "wrong_product",
    [ALERT_EVENT_ID_REUSED] = "event_id_reused",
    [ALERT_OVERCLAIMED] = "overclaimed",
    [ALERT_CLAIMED_NOT_DISPENSED] = "claimed_not_dispensed",
    [ALERT_DOUBLE_SCAN] = "double_scan",
    [ALERT_LATE_DATA] = "late_data",
    [ALERT_LABEL_MISREAD] = "label_misread",
    [ALERT_LABEL_MISMATCH] = "label_mismatch",
};
#define KINDS (sizeof names / sizeof names[0])

const char *alert_kind_name(enum alert_kind kind) {
    return (unsigned)kind < KINDS && names[kind] ? names[kind] : "unknown";
}

void alert_record_key(uint64_t number, uint8_t out[8]) { be64_put(number, out); }

// {1: kind, 2: mode, 3: confidence, 4: pack key, 5: signer, 6: [* leaf], 7: event time, 8: chain time, 9: detail}
enum pt_code alert_record_encode(const struct alert_record *alert, struct pt_buf *out, struct pt_error *err) {
    cbor_put_map(out, 9);
    cbor_put_uint(out, 1);
    cbor_put_uint(out, (uint64_t)alert->kind);
    cbor_put_uint(out, 2);
    cbor_put_uint(out, (uint64_t)alert->mode);
    cbor_put_uint(out, 3);
    cbor_put_uint(out, alert->confidence);
    cbor_put_uint(out, 4);
    cbor_put_bytes(out, alert->pack);
    cbor_put_uint(out, 5);
    cbor_put_bytes(out, pt_bytes_digest(&alert->signer));
    cbor_put_uint(out, 6);
    cbor_put_array(out, alert->evidence_count);
    for (size_t i = 0; i < alert->evidence_count; i++) cbor_put_uint(out, alert->evidence[i]);
    cbor_put_uint(out, 7);
    cbor_put_int(out, alert->event_time);
    cbor_put_uint(out, 8);
    cbor_put_int(out, alert->chain_time);
    cbor_put_uint(out, 9);
    cbor_put_text(out, alert->detail);
    return pt_buf_check(out, err);
}

static void expect_key(struct cbor_reader *reader, uint64_t key) {
    if (cbor_get_uint(reader) != key) cbor_fail(reader, "field %llu of an alert is missing", (unsigned long long)key);
}

static uint64_t number_of_key(struct cbor_reader *reader, struct pt_bytes key) {
    if (key.len == 8) return be64_get(key.data);
    cbor_fail(reader, "an alert's key has 8 bytes");
    return 0;
}

enum pt_code alert_record_decode(struct pt_bytes key, struct pt_bytes value, struct alert_record *out,
                                 struct pt_error *err) {
    struct cbor_reader reader = cbor_reader_of(value, true, err);
    *out = (struct alert_record){.number = number_of_key(&reader, key)};
    if (cbor_get_map(&reader, 9) != 9) cbor_fail(&reader, "an alert has nine fields");
    expect_key(&reader, 1);
    out->kind = (enum alert_kind)cbor_get_uint(&reader);
    expect_key(&reader, 2);
    out->mode = (enum alert_mode)cbor_get_uint(&reader);
    expect_key(&reader, 3);
    out->confidence = (unsigned)cbor_get_uint(&reader);
    expect_key(&reader, 4);
    out->pack = cbor_get_bytes(&reader);
    expect_key(&reader, 5);
    cbor_get_digest(&reader, &out->signer);
    expect_key(&reader, 6);
    out->evidence_count = (size_t)cbor_get_array(&reader, ALERT_EVIDENCE_MAX);
    for (size_t i = 0; i < out->evidence_count; i++) out->evidence[i] = cbor_get_uint(&reader);
    expect_key(&reader, 7);
    out->event_time = cbor_get_int(&reader);
    expect_key(&reader, 8);
    out->chain_time = cbor_get_int(&reader);
    expect_key(&reader, 9);
    const struct pt_bytes detail = cbor_get_text(&reader);
    if (detail.len > ALERT_DETAIL_MAX) cbor_fail(&reader, "an alert's detail is too long");
    else if (detail.len > 0) memcpy(out->detail, detail.data, detail.len);
    return cbor_finish(&reader);
}
