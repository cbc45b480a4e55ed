#include "tests/unit/gateway/settlement_fixture.h"

#include <stdio.h>
#include <string.h>

#include "common/cose/statement.h"
#include "common/epcis/epcis_json.h"

json_t *fixture_mapping_json(void) {
    struct pt_buf file = test_read_file(MAPPING_EXAMPLE);
    json_t *root = NULL;
    struct pt_error err = {0};
    assert_ok(pt_json_parse(pt_buf_bytes(&file), MAPPING_MAX, &root, &err), &err);
    pt_buf_free(&file);
    return root;
}

void fixture_mapping(struct mapping *out) {
    struct pt_buf file = test_read_file(MAPPING_EXAMPLE);
    struct pt_error err = {0};
    assert_ok(mapping_parse(pt_buf_bytes(&file), out, &err), &err);
    pt_buf_free(&file);
}

const char *fixture_event_text(const char *epcs, const char *inner) {
    static char text[16384];
    snprintf(text, sizeof text,
             "{\"@context\":[\"https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld\",{\"packtrail\":\"urn:packtrail:terms:\"}],"
             "\"type\":\"ObjectEvent\",\"eventTime\":\"2026-06-01T10:20:30.000+08:00\",\"eventTimeZoneOffset\":\"+08:00\",\"action\":\"OBSERVE\","
             "\"epcList\":[%s],\"readPoint\":{\"id\":\"https://id.gs1.org/414/9506000300004\"}%s}",
             epcs, inner);
    return text;
}

struct epcis_event *fixture_event(struct pt_arena *arena, const char *epcs, const char *inner) {
    struct epcis_document *document = pt_arena_alloc(arena, 1, sizeof *document);
    struct pt_error err = {0};
    assert_ok(epcis_json_decode(pt_bytes_str(fixture_event_text(epcs, inner)), 65536, EPCIS_FOR_CAPTURE, arena, document, &err), &err);
    return &document->events[0];
}

const struct master_product *fixture_product(void) {
    static struct master_level levels[] = {{1, 24, "09506000134352", "8123456"}, {2, 240, NULL, "8123457"}};
    static const struct master_product product = {
        .id = "https://id.gs1.org/01/09506000134352",
        .name = {"阿莫西林胶囊", "Amoxicillin capsules"},
        .levels = {levels, 2},
        .insurance_code = "XJ01CAA040E001",
        .smallest_unit = {"粒", "capsule"},
        .prescription_only = true,
    };
    return &product;
}

// The same event and number give the same bytes, as a terminal sends them again: signatures differ each time.
struct kept {
    char *event;
    uint64_t sequence;
    struct pt_buf bytes;
};
static struct kept kept[256];
static size_t kept_count;

void fixture_sign(const char *event, uint64_t sequence, struct pt_buf *out) {
    static struct signer signer;
    for (size_t i = 0; i < kept_count; i++)
        if (kept[i].sequence == sequence && strcmp(kept[i].event, event) == 0) {
            pt_buf_append_bytes(out, pt_buf_bytes(&kept[i].bytes));
            return;
        }
    struct pt_error err = {0};
    if (!signer.key) {
        struct pt_buf pem = PT_BUF_INIT(4096);
        assert_ok(signer_openssl_generate(&pem, &err), &err);
        assert_ok(signer_openssl_from_pem(pt_buf_bytes(&pem), &signer, &err), &err);
        pt_buf_free(&pem);
    }
    const struct statement_draft draft = {.content_type = STATEMENT_EVENT_JSON, .issuer = "urn:device", .subject = "event",
                                          .genesis = {{7}}, .sequence = sequence, .previous = {{sequence ? 1 : 0}}, .payload = pt_bytes_str(event)};
    assert_true(kept_count < sizeof kept / sizeof *kept);
    struct kept *added = &kept[kept_count++];
    *added = (struct kept){.event = strdup(event), .sequence = sequence, .bytes = PT_BUF_INIT(STATEMENT_MAX)};
    assert_ok(statement_sign(&draft, &signer, &added->bytes, &err), &err);
    pt_buf_append_bytes(out, pt_buf_bytes(&added->bytes));
}
