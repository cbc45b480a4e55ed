#include "ledger/apply/key_ring.h"

#include <pthread.h>
#include <stdlib.h>

#include "common/base/siphash.h"

struct entry {
    struct entry *next;
    struct pt_digest kid;
    struct verify_key *key;
};

struct key_ring {
    pthread_rwlock_t lock;
    struct entry **buckets;
    size_t bucket_count, count;
    struct pt_siphash_key secret;
};

enum pt_code key_ring_new(const struct pt_env *env, struct key_ring **out, struct pt_error *err) {
    struct key_ring *ring = calloc(1, sizeof *ring);
    *out = NULL;
    if (!ring) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    pthread_rwlock_init(&ring->lock, NULL);
    ring->bucket_count = 4096;
    ring->buckets = calloc(ring->bucket_count, sizeof(struct entry *));
    enum pt_code code = ring->buckets ? PT_OK : pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    if (code == PT_OK) code = env->random(env->ctx, (uint8_t *)&ring->secret, sizeof ring->secret, err);
    if (code != PT_OK) {
        key_ring_free(ring);
        return code;
    }
    *out = ring;
    return PT_OK;
}

void key_ring_free(struct key_ring *ring) {
    if (!ring) return;
    for (size_t i = 0; ring->buckets && i < ring->bucket_count; i++)
        for (struct entry *next, *entry = ring->buckets[i]; entry; entry = next) {
            next = entry->next;
            verify_key_free(entry->key);
            free(entry);
        }
    free(ring->buckets);
    pthread_rwlock_destroy(&ring->lock);
    free(ring);
}

static struct entry **bucket(const struct key_ring *ring, const struct pt_digest *kid) {
    return &ring->buckets[pt_siphash(ring->secret, pt_bytes_digest(kid)) & (ring->bucket_count - 1)];
}

static struct entry *look_up(const struct key_ring *ring, const struct pt_digest *kid) {
    struct entry *entry = *bucket(ring, kid);
    while (entry && !pt_digest_equal(&entry->kid, kid)) entry = entry->next;
    return entry;
}

const struct verify_key *key_ring_find(struct key_ring *ring, const struct pt_digest *kid) {
    pthread_rwlock_rdlock(&ring->lock);
    const struct entry *entry = look_up(ring, kid);
    pthread_rwlock_unlock(&ring->lock);
    return entry ? entry->key : NULL;
}

static void spread(struct key_ring *ring) {
    if (ring->count < ring->bucket_count) return;
    struct entry **old = ring->buckets;
    const size_t old_count = ring->bucket_count;
    struct entry **grown = calloc(old_count * 4, sizeof(struct entry *));
    if (!grown) return;  // slower, not wrong
    ring->buckets = grown;
    ring->bucket_count = old_count * 4;
    for (size_t i = 0; i < old_count; i++)
        for (struct entry *next, *entry = old[i]; entry; entry = next) {
            next = entry->next;
            struct entry **at = bucket(ring, &entry->kid);
            entry->next = *at;
            *at = entry;
        }
    free(old);
}

enum pt_code key_ring_add(struct key_ring *ring, const struct actor *actor, const struct verify_key **out, struct pt_error *err) {
    struct verify_key *key = NULL;
    *out = key_ring_find(ring, &actor->kid);
    if (*out) return PT_OK;
    enum pt_code code = verify_key_from_cose(pt_buf_bytes(&actor->key), &key, err);
    if (code != PT_OK) return code;
    const struct pt_digest thumbprint = verify_key_thumbprint(key);
    struct entry *entry = calloc(1, sizeof *entry);
    if (!entry) code = pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    else if (!pt_digest_equal(&thumbprint, &actor->kid)) code = pt_fail(err, PT_UNVERIFIED, NULL, "a key that is not its kid's");
    if (code != PT_OK) {
        verify_key_free(key);
        free(entry);
        return code;
    }
    pthread_rwlock_wrlock(&ring->lock);
    const struct entry *there = look_up(ring, &actor->kid);  // another thread may have been quicker
    if (there) {
        *out = there->key;
        verify_key_free(key);
        free(entry);
    } else {
        spread(ring);
        struct entry **at = bucket(ring, &actor->kid);
        *entry = (struct entry){*at, actor->kid, key};
        *at = entry;
        ring->count++;
        *out = key;
    }
    pthread_rwlock_unlock(&ring->lock);
    return PT_OK;
}
