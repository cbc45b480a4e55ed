#include "common/net/rate_limit.h"

#include <pthread.h>
#include <stdlib.h>

#include "common/base/siphash.h"

#define CLIENTS 4096u
#define WAYS 8u  // buckets in which a client may stand

struct bucket {
    uint64_t client;     // hash; 0: free
    int64_t thousandths; // of tokens
    int64_t at;          // ms, when that was so
};

struct rate_limit {
    struct rate_limit_options options;
    struct pt_siphash_key secret;
    size_t sets;  // a power of two
    pthread_mutex_t mutex;
    struct bucket buckets[];
};

enum pt_code rate_limit_new(const struct rate_limit_options *options, const struct pt_env *env, struct rate_limit **out,
                            struct pt_error *err) {
    const size_t clients = options->clients ? options->clients : CLIENTS;
    size_t sets = 1;
    *out = NULL;
    while (sets * WAYS < clients) sets *= 2;
    struct rate_limit *limit = calloc(1, sizeof *limit + sets * WAYS * sizeof(struct bucket));
    if (!limit) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    limit->options = *options;
    if (limit->options.burst == 0) limit->options.burst = 1;
    limit->sets = sets;
    pthread_mutex_init(&limit->mutex, NULL);
    const enum pt_code code = env->random(env->ctx, (uint8_t *)&limit->secret, sizeof limit->secret, err);
    if (code != PT_OK) {
        rate_limit_free(limit);
        return code;
    }
    *out = limit;
    return PT_OK;
}

void rate_limit_free(struct rate_limit *limit) {
    if (!limit) return;
    pthread_mutex_destroy(&limit->mutex);
    free(limit);
}

static int64_t filled(const struct rate_limit *limit, const struct bucket *bucket, int64_t now) {
    const int64_t full = (int64_t)limit->options.burst * 1000, passed = now > bucket->at ? now - bucket->at : 0;
    const int64_t rate = limit->options.per_second;  // a second is 1,000 ms and a token 1,000 thousandths
    if (rate > 0 && passed > full / rate) return full;
    const int64_t level = bucket->thousandths + passed * rate;
    return level < full ? level : full;
}

// The client's bucket, or the free or fullest one of its set made its own.
static struct bucket *bucket_of(struct rate_limit *limit, uint64_t client, int64_t now) {
    struct bucket *set = &limit->buckets[(client & (limit->sets - 1)) * WAYS], *best = set;
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].client == client) return &set[i];
        if (best->client == 0) continue;
        if (set[i].client == 0 || filled(limit, &set[i], now) > filled(limit, best, now)) best = &set[i];
    }
    *best = (struct bucket){client, (int64_t)limit->options.burst * 1000, now};
    return best;
}

bool rate_limit_take(struct rate_limit *limit, struct pt_bytes client, int64_t now_ms, int64_t *wait_ms) {
    const uint64_t hash = pt_siphash(limit->secret, client) | 1;
    *wait_ms = 0;
    pthread_mutex_lock(&limit->mutex);
    struct bucket *bucket = bucket_of(limit, hash, now_ms);
    bucket->thousandths = filled(limit, bucket, now_ms);
    bucket->at = now_ms;
    const bool taken = bucket->thousandths >= 1000;
    if (taken) bucket->thousandths -= 1000;
    else if (limit->options.per_second > 0) *wait_ms = (1000 - bucket->thousandths + limit->options.per_second - 1) / limit->options.per_second;
    else *wait_ms = INT64_MAX;
    pthread_mutex_unlock(&limit->mutex);
    return taken;
}
