// The bodies that terminal, gateway and ledger exchange: a CBOR body that decodes encodes to the same bytes.
#include <stdlib.h>
#include <string.h>

#include "common/wire/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define MOST 8u

static void same(enum pt_code code, struct pt_buf *again, struct pt_bytes body) {
    if (code != PT_OK || !pt_bytes_equal(pt_buf_bytes(again), body)) abort();
    pt_buf_clear(again);
}

static void take_cbor(struct pt_bytes body, struct pt_buf *again) {
    struct pt_digest ids[MOST];
    struct pt_bytes receipts[MOST];
    struct wire_feed feed;
    size_t count;
    if (wire_receipt_request_decode(body, ids, MOST, &count, NULL) == PT_OK)
        same(wire_receipt_request_encode(ids, count, again, NULL), again, body);
    for (count = 0; count <= MOST; count++)
        if (wire_receipts_decode(body, receipts, count, NULL) == PT_OK)
            same(wire_receipts_encode(receipts, count, again, NULL), again, body);
    if (wire_feed_decode(body, &feed, NULL) == PT_OK) same(wire_feed_encode(&feed, again, NULL), again, body);
    else if (feed.items || feed.count) abort();
    free(feed.items);
}

static void take_sequence(struct pt_bytes body) {
    struct pt_bytes items[MOST];
    size_t count;
    if (wire_split_sequence(body, items, MOST, &count, NULL) != PT_OK) return;
    const uint8_t *at = body.data;
    for (size_t i = 0; i < count; at += items[i++].len)
        if (items[i].data != at || items[i].len == 0) abort();
    if (count == 0 || at != body.data + body.len) abort();
}

static void take_json(struct pt_bytes body, struct pt_buf *again) {
    struct wire_block_answer answer, answer_again;
    if (wire_block_answer_decode(body, &answer, NULL) == PT_OK) {
        if (wire_block_answer_encode(&answer, again, NULL) != PT_OK) abort();
        if (wire_block_answer_decode(pt_buf_bytes(again), &answer_again, NULL) != PT_OK) abort();
        if (answer.height != answer_again.height || answer.outcome != answer_again.outcome) abort();
        pt_buf_clear(again);
    }
    struct wire_ack acks[2] = {0};
    memset(acks[1].id.bytes, 0x11, PT_DIGEST_SIZE);
    for (size_t count = 0; count <= 2; count++)
        if (wire_acks_decode(body, acks, count, NULL) == PT_OK) {
            if (wire_acks_encode(acks, count, again, NULL) != PT_OK) abort();
            if (wire_acks_decode(pt_buf_bytes(again), acks, count, NULL) != PT_OK) abort();
            pt_buf_clear(again);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct pt_buf again = PT_BUF_INIT(WIRE_MAX_BODY);
    take_cbor(pt_bytes_of(data, len), &again);
    take_sequence(pt_bytes_of(data, len));
    take_json(pt_bytes_of(data, len), &again);
    pt_buf_free(&again);
    return 0;
}
