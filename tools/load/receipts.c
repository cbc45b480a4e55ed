#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "tools/load/run.h"

enum { ASK_AT_ONCE = 512 };

struct outstanding {
    struct pt_digest id;
    double sent;
};

struct receipt_watch {
    struct load_run *run;
    struct genesis genesis;
    struct verify_key **keys;  // of the genesis' executors
    size_t key_count;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct outstanding *asked;  // in the order sent
    size_t count, room;
    bool finishing;
    struct samples times;
    uint64_t wrong;
    double last;
};

static bool verified(const struct receipt_watch *watch, struct pt_bytes bytes, const struct pt_digest *id,
                     struct pt_error *err) {
    struct receipt receipt;
    if (receipt_decode(bytes, &receipt, err) != PT_OK) return false;
    if (!receipt.has_genesis || !pt_digest_equal(&receipt.genesis, &watch->run->consortium.genesis)) {
        pt_fail(err, PT_UNVERIFIED, NULL, "the receipt is of another ledger");
        return false;
    }
    for (size_t i = 0; i < watch->key_count; i++) {
        const struct pt_digest kid = verify_key_thumbprint(watch->keys[i]);
        if (pt_digest_equal(&kid, &receipt.kid)) return receipt_verify(&receipt, watch->keys[i], id, err) == PT_OK;
    }
    pt_fail(err, PT_UNVERIFIED, NULL, "no executor of the genesis signed the receipt");
    return false;
}

// Takes the oldest without removing them.
static size_t take_oldest(struct receipt_watch *watch, struct outstanding *out) {
    pthread_mutex_lock(&watch->lock);
    while (watch->count == 0 && !watch->finishing && !watch->run->stopping)
        pthread_cond_wait(&watch->changed, &watch->lock);
    const size_t count = watch->count < ASK_AT_ONCE ? watch->count : ASK_AT_ONCE;
    memcpy(out, watch->asked, count * sizeof *out);
    pthread_mutex_unlock(&watch->lock);
    return count;
}

// Drops those of the oldest `count` that were answered.
static void drop_answered(struct receipt_watch *watch, const struct outstanding *asked, const bool *answered, size_t count) {
    pthread_mutex_lock(&watch->lock);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (!answered[i]) watch->asked[kept++] = asked[i];
    memmove(watch->asked + kept, watch->asked + count, (watch->count - count) * sizeof *watch->asked);
    watch->count -= count - kept;
    pthread_mutex_unlock(&watch->lock);
}

static size_t take_receipts(struct receipt_watch *watch, const struct outstanding *asked, const struct pt_bytes *receipts,
                            size_t count) {
    bool answered[ASK_AT_ONCE] = {0};
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        if (receipts[i].len == 0) continue;
        struct pt_error err = {0};
        answered[i] = true;
        found++;
        if (!verified(watch, receipts[i], &asked[i].id, &err)) {
            watch->wrong++;
            load_say_refusal(watch->run, err.what);
        }
        watch->last = load_clock();
        samples_add(&watch->times, (watch->last - asked[i].sent) * 1000);
        watch->run->receipts++;
    }
    if (found) load_progress_made(watch->run);
    drop_answered(watch, asked, answered, count);
    return found;
}

static enum pt_code ask(struct receipt_watch *watch, struct https_client *client, const struct outstanding *asked,
                        size_t count, size_t *found, unsigned *retry_after, struct pt_error *err) {
    struct pt_digest ids[ASK_AT_ONCE];
    struct pt_bytes receipts[ASK_AT_ONCE];
    PT_CLEANUP(pt_buf_free) struct pt_buf body = PT_BUF_INIT(WIRE_MAX_BODY);
    PT_CLEANUP(https_client_response_free) struct https_client_response response = {0};
    for (size_t i = 0; i < count; i++) ids[i] = asked[i].id;
    enum pt_code code = wire_receipt_request_encode(ids, count, &body, err);
    if (code == PT_OK)
        code = load_request(watch->run, client, WIRE_PATH_RECEIPTS, WIRE_TYPE_CBOR, pt_buf_bytes(&body), &response,
                            retry_after, err);
    if (code == PT_OK) code = wire_receipts_decode(pt_buf_bytes(&response.body), receipts, count, err);
    if (code == PT_OK) *found = take_receipts(watch, asked, receipts, count);
    return code;
}

static void *collect(void *arg) {
    struct receipt_watch *watch = arg;
    struct pt_error err = {0};
    PT_CLEANUP(load_client_free) struct https_client *client = NULL;
    enum pt_code code = load_client(watch->run, &client, &err);
    unsigned attempt = 0;
    struct outstanding asked[ASK_AT_ONCE];
    for (size_t count; code == PT_OK && !watch->run->stopping && (count = take_oldest(watch, asked)) > 0;) {
        size_t found = 0;
        unsigned retry_after = 0;
        code = ask(watch, client, asked, count, &found, &retry_after, &err);
        if (code == PT_OK && found == 0) pt_fail(&err, PT_UNAVAILABLE, "receipts", "no receipt arrives any more");
        if ((code == PT_OK && found == 0) || code == PT_UNAVAILABLE)
            code = load_pause(watch->run, code == PT_OK ? 1 : ++attempt, retry_after, &err);
        else attempt = 0;
    }
    if (code != PT_OK) load_fail(watch->run, &err);
    return NULL;
}

static void watch_free(struct receipt_watch *watch) {
    for (size_t i = 0; i < watch->key_count; i++) verify_key_free(watch->keys[i]);
    free(watch->keys);
    genesis_free(&watch->genesis);
    samples_free(&watch->times);
    free(watch->asked);
    pthread_cond_destroy(&watch->changed);
    pthread_mutex_destroy(&watch->lock);
    free(watch);
}

static enum pt_code read_keys(struct receipt_watch *watch, struct pt_error *err) {
    enum pt_code code = consortium_genesis(&watch->run->consortium, &watch->genesis, err);
    if (code != PT_OK) return code;
    watch->keys = calloc(watch->genesis.actor_count, sizeof(struct verify_key *));
    if (!watch->keys) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    for (size_t i = 0; code == PT_OK && i < watch->genesis.actor_count; i++) {
        const struct actor *actor = &watch->genesis.actors[i];
        if (actor->role != ACTOR_EXECUTOR) continue;
        code = verify_key_from_cose(pt_buf_bytes(&actor->key), &watch->keys[watch->key_count], err);
        if (code == PT_OK) watch->key_count++;
    }
    return code;
}

enum pt_code receipt_watch_start(struct load_run *run, struct receipt_watch **out, struct pt_error *err) {
    struct receipt_watch *watch = calloc(1, sizeof *watch);
    if (!watch) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    watch->run = run;
    pthread_mutex_init(&watch->lock, NULL);
    pthread_cond_init(&watch->changed, NULL);
    enum pt_code code = read_keys(watch, err);
    if (code == PT_OK && pthread_create(&watch->thread, NULL, collect, watch) != 0)
        code = pt_fail(err, PT_IO, NULL, "cannot start a thread");
    if (code == PT_OK) *out = watch;
    else watch_free(watch);
    return code;
}

void receipt_watch_add(struct receipt_watch *watch, const struct pt_digest *id, double sent) {
    pthread_mutex_lock(&watch->lock);
    if (watch->count == watch->room) {
        const size_t room = watch->room * 2 + 1024;
        struct outstanding *asked = realloc(watch->asked, room * sizeof *asked);
        if (asked) {
            watch->asked = asked;
            watch->room = room;
        }
    }
    if (watch->count < watch->room) watch->asked[watch->count++] = (struct outstanding){*id, sent};
    else watch->wrong++;  // out of memory: not silently passed over
    pthread_cond_signal(&watch->changed);
    pthread_mutex_unlock(&watch->lock);
}

size_t receipt_watch_outstanding(struct receipt_watch *watch) {
    pthread_mutex_lock(&watch->lock);
    const size_t count = watch->count;
    pthread_mutex_unlock(&watch->lock);
    return count;
}

void receipt_watch_finish(struct receipt_watch *watch, struct samples *times, uint64_t *wrong, double *last) {
    pthread_mutex_lock(&watch->lock);
    watch->finishing = true;
    pthread_cond_broadcast(&watch->changed);
    pthread_mutex_unlock(&watch->lock);
    pthread_join(watch->thread, NULL);
    samples_append(times, &watch->times);
    *wrong = watch->wrong;
    *last = watch->last;
    watch_free(watch);
}
