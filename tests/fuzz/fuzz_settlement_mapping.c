// The settlement's mapping file, and what a mapping that was let in makes of an event.
#include "gateway/settlement/derive.h"

static const struct master_product *no_product(void *ctx, const char *identifier, pt_millis at) {
    (void)ctx, (void)identifier, (void)at;
    return NULL;
}
static const json_t *no_sale(void *ctx, const char *token) {
    (void)ctx, (void)token;
    return NULL;
}
static bool no_pack(void *ctx, const char *uri, const char **lot, const char **expiry) {
    (void)ctx, (void)uri, (void)lot, (void)expiry;
    return false;
}

static void derive(const struct mapping *mapping, enum platform platform, const char *kind) {
    const char *epcs[] = {"urn:packtrail:cn:trace:81234560000000014321", "https://id.gs1.org/01/09506000134352/21/S1"};
    const struct epcis_event event = {.type = EPCIS_OBJECT, .epcs = {epcs, 2}, .biz_step = "dispensing"};
    const struct derive_request request = {.platform = platform, .kind = kind, .serial = "PT1", .statement = "00",
                                           .document = {.document = cn_document_by_kind(CN_OUT_SUPPLY)}};
    const struct fact_lookup lookup = {no_product, no_sale, no_pack, NULL};
    struct pt_arena arena = {0};
    struct pt_buf out = PT_BUF_INIT(65536);
    struct lacks lacks;
    struct facts facts;
    struct pt_error err;
    if (derive_facts(mapping, &event, &request, &lookup, &arena, &facts, &err) == PT_OK &&
        derive_document(mapping, &request, &facts, &out, &lacks, &err) == PT_OK) {}
    pt_buf_clear(&out);
    if (derive_question(mapping, platform, "PT1", kind, &out, &err) == PT_OK) {}
    pt_buf_free(&out);
    pt_arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct mapping mapping;
    struct pt_error err = {0};
    if (mapping_parse(pt_bytes_of(data, size), &mapping, &err) != PT_OK) return 0;
    for (size_t i = 0; i < mapping.kind_count; i++)
        for (unsigned p = 0; p < PLATFORMS; p++)
            if (mapping.kinds[i].outputs[p].as) derive(&mapping, (enum platform)p, mapping.kinds[i].outputs[p].as);
    mapping_free(&mapping);
    return 0;
}
