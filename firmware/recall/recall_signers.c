#include "firmware/recall/recall_signers.h"

#include <stdlib.h>

#include "common/base/cleanup.h"

struct signer_entry {
    struct pt_digest kid;
    struct verify_key *key;
    enum actor_role role;
    bool revoked;
    uint64_t last_trusted;
};

struct recall_signers {
    struct pt_digest genesis;
    struct signer_entry *entries;
    size_t count, cap;
};

static struct signer_entry *find(const struct recall_signers *signers, const struct pt_digest *kid) {
    for (size_t i = 0; i < signers->count; i++)
        if (pt_digest_equal(&signers->entries[i].kid, kid)) return &signers->entries[i];
    return NULL;
}

static bool may_sign(enum actor_role role) { return role == ACTOR_OPERATOR || role == ACTOR_COMPANY; }

static enum pt_code add(struct recall_signers *signers, const struct actor *actor, struct pt_error *err) {
    struct verify_key *key;
    if (find(signers, &actor->kid)) return PT_OK;
    if (signers->count == signers->cap) {
        const size_t cap = signers->cap ? signers->cap * 2 : 16;
        struct signer_entry *grown = realloc(signers->entries, cap * sizeof *grown);
        if (!grown) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
        signers->entries = grown;
        signers->cap = cap;
    }
    const enum pt_code code = verify_key_from_cose(pt_buf_bytes(&actor->key), &key, err);
    if (code != PT_OK) return code;
    const struct pt_digest kid = verify_key_thumbprint(key);
    if (!pt_digest_equal(&kid, &actor->kid)) {
        verify_key_free(key);
        return pt_fail(err, PT_UNVERIFIED, actor->name, "the key is not the one that the kid names");
    }
    signers->entries[signers->count++] =
        (struct signer_entry){.kid = kid, .key = key, .role = actor->role, .revoked = actor->revoked, .last_trusted = actor->last_trusted};
    return PT_OK;
}

enum pt_code recall_signers_new(const struct genesis *genesis, struct recall_signers **out, struct pt_error *err) {
    struct recall_signers *signers = calloc(1, sizeof *signers);
    if (!signers) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    signers->genesis = genesis->hash;
    enum pt_code code = PT_OK;
    for (size_t i = 0; code == PT_OK && i < genesis->actor_count; i++)
        if (may_sign(genesis->actors[i].role)) code = add(signers, &genesis->actors[i], err);
    if (code != PT_OK) {
        recall_signers_free(signers);
        return code;
    }
    *out = signers;
    return PT_OK;
}

void recall_signers_free(struct recall_signers *signers) {
    if (!signers) return;
    for (size_t i = 0; i < signers->count; i++) verify_key_free(signers->entries[i].key);
    free(signers->entries);
    free(signers);
}

enum pt_code recall_signers_verify(const struct recall_signers *signers, const struct statement *statement, bool known,
                                   struct pt_error *err) {
    const struct signer_entry *signer = find(signers, &statement->kid);
    const bool recall = pt_bytes_equal(statement->content_type, pt_bytes_str(STATEMENT_RECALL));
    if (!signer || (!recall && signer->role != ACTOR_OPERATOR))
        return pt_fail(err, PT_FORBIDDEN, "kid", "signed by nobody who may say this");
    if (!known && signer->revoked && statement->sequence > signer->last_trusted)
        return pt_fail(err, PT_FORBIDDEN, "kid", "signed by a revoked key");
    return statement_verify(statement, signer->key, &signers->genesis, err);
}

enum pt_code recall_signers_learn(struct recall_signers *signers, const struct statement *statement, bool *kept, struct pt_error *err) {
    *kept = false;
    if (pt_bytes_equal(statement->content_type, pt_bytes_str(STATEMENT_ENROLMENT))) {
        PT_CLEANUP(actor_free) struct actor actor = {0};
        const enum pt_code code = actor_decode(statement->payload, &actor, err);
        if (code != PT_OK || !may_sign(actor.role)) return code;
        *kept = find(signers, &actor.kid) == NULL;
        return add(signers, &actor, err);
    }
    struct revocation revocation;
    if (!pt_bytes_equal(statement->content_type, pt_bytes_str(STATEMENT_REVOCATION)))
        return pt_fail(err, PT_INVALID, "content type", "neither an enrolment nor a revocation");
    const enum pt_code code = revocation_decode(statement->payload, &revocation, err);
    struct signer_entry *entry = code == PT_OK ? find(signers, &revocation.kid) : NULL;
    if (!entry || (entry->revoked && entry->last_trusted <= revocation.last_trusted)) return code;
    entry->revoked = true;
    entry->last_trusted = revocation.last_trusted;
    *kept = true;
    return PT_OK;
}
