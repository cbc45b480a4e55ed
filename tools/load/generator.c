#include "tools/load/generator.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/epcis/epcis_json.h"
#include "common/epcis/event_cbor.h"
#include "common/epcis/event_hash.h"
#include "firmware/task/task.h"

#define LOAD_GTIN "09506000134352"
#define LOAD_PARTY "https://id.gs1.org/417/9506000100002"
#define LOAD_PLACE "https://id.gs1.org/414/9506000100002"

enum pt_code load_device_make(struct load_device *out, struct pt_error *err) {
    *out = (struct load_device){0};
    PT_CLEANUP(pt_buf_free) struct pt_buf pem = PT_BUF_INIT(8192);
    const enum pt_code code = signer_openssl_generate(&pem, err);
    return code == PT_OK ? signer_openssl_from_pem(pt_buf_bytes(&pem), &out->signer, err) : code;
}

void load_device_free(struct load_device *device) { signer_openssl_free(&device->signer); }

enum pt_code load_device_actor(const struct load_device *device, unsigned number, struct actor *out, struct pt_error *err) {
    *out = (struct actor){.role = ACTOR_DEVICE, .key = PT_BUF_INIT(512), .party = LOAD_PARTY, .place = LOAD_PLACE};
    snprintf(out->name, sizeof out->name, "Load terminal %u", number);
    out->kid = verify_key_thumbprint(device->signer.key);
    out->tls = out->kid;
    verify_key_to_cose(device->signer.key, &out->key);
    return pt_buf_check(&out->key, err);
}

// A bijection on LOAD_PACKS_MAX, so that serials come in random order and never twice.
static uint64_t scatter(uint64_t number) {
    const uint64_t mask = LOAD_PACKS_MAX - 1;
    for (int round = 0; round < 3; round++) {
        number = (number * UINT64_C(0x5851f42d4c957f2d) + 0x14057b7ef7u) & mask;
        number ^= number >> 20;
    }
    return number;
}

void load_pack(uint64_t number, struct pack_id *out) {
    *out = (struct pack_id){.kind = PACK_SGTIN, .product = LOAD_GTIN};
    snprintf(out->serial, sizeof out->serial, "%012" PRIu64, scatter(number));
}

static enum pt_code encode_payload(const struct load_pattern *pattern, const struct epcis_event *event, struct pt_buf *out,
                                   struct pt_error *err) {
    return pattern->json ? epcis_json_encode_event(event, out, err) : epcis_cbor_encode(event, out, err);
}

enum pt_code load_statement(struct load_device *device, const struct load_pattern *pattern, uint64_t number, pt_millis now,
                            struct pt_buf *out, struct pt_error *err) {
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    PT_CLEANUP(pt_buf_free) struct pt_buf payload = PT_BUF_INIT(STATEMENT_MAX);
    PT_FREE struct task_pack *packs = calloc(pattern->packs, sizeof *packs);
    if (!packs) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    for (unsigned i = 0; i < pattern->packs; i++) {
        load_pack(pattern->first + number * pattern->packs + i, &packs[i].id);
        memcpy(packs[i].lot, "L2026A", 7);
        memcpy(packs[i].expiry, "2028-12-31", 11);
    }
    const struct task_input input = {
        .task = task_by_name(pattern->task), .packs = packs, .count = pattern->packs, .place = LOAD_PLACE, .now = now, .zone_minutes = 480};
    if (!input.task) return pt_fail(err, PT_USAGE, "task", "there is no task '%s'", pattern->task);
    struct epcis_event event;
    char hash[EPCIS_EVENT_HASH_SIZE];
    enum pt_code code = task_event(&input, &arena, &event, err);
    if (code == PT_OK) code = epcis_event_hash(&event, NULL, hash, err);
    if (code == PT_OK) code = encode_payload(pattern, &event, &payload, err);
    if (code != PT_OK) return code;
    const struct statement_draft draft = {
        .content_type = pattern->json ? STATEMENT_EVENT_JSON : STATEMENT_EVENT_CBOR,
        .issuer = LOAD_PARTY,
        .subject = hash,
        .genesis = pattern->genesis,
        .sequence = device->sequence,
        .previous = device->head,
        .payload = pt_buf_bytes(&payload),
    };
    const size_t start = out->len;
    code = statement_sign(&draft, &device->signer, out, err);
    if (code != PT_OK) return code;
    device->sequence++;
    device->head = statement_id(pt_bytes_of(out->data + start, out->len - start));
    return PT_OK;
}
