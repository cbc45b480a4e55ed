#include "tests/unit/firmware/feed_lab.h"

#include <string.h>

#include "common/base/cleanup.h"
#include "tests/support/support.h"

void feed_key_make(struct feed_key *key, enum actor_role role) {
    PT_CLEANUP(pt_buf_free) struct pt_buf pem = PT_BUF_INIT(4096);
    struct pt_error err = {0};
    assert_ok(signer_mbedtls_generate(&pem, &err), &err);
    assert_ok(signer_mbedtls_from_pem(pt_buf_bytes(&pem), &key->signer, &err), &err);
    key->actor = (struct actor){.role = role, .kid = verify_key_thumbprint(key->signer.key), .name = "x", .party = "urn:packtrail:party:1"};
    key->actor.tls = key->actor.kid;
    pt_buf_init(&key->actor.key, 1024);
    verify_key_to_cose(key->signer.key, &key->actor.key);
    key->next = 0;
    memset(&key->previous, 0, sizeof key->previous);
}

void feed_key_free(struct feed_key *key) {
    signer_mbedtls_free(&key->signer);
    actor_free(&key->actor);
}

void feed_sign(struct feed_key *key, const char *content_type, struct pt_bytes payload, const struct pt_digest *ledger, struct pt_buf *out) {
    struct pt_error err = {0};
    const struct statement_draft draft = {.content_type = content_type, .issuer = "urn:packtrail:party:1", .subject = "urn:x:y",
                                          .genesis = *ledger, .sequence = key->next++, .previous = key->previous, .payload = payload};
    assert_ok(statement_sign(&draft, &key->signer, out, &err), &err);
    key->previous = statement_id(pt_buf_bytes(out));
}
