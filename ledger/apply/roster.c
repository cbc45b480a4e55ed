#include <stdlib.h>

#include "common/base/siphash.h"
#include "ledger/apply/executor_internal.h"

#define BUCKETS 4096u
#define KEPT_MOST 65536u

struct roster_entry {
    struct roster_entry *next;
    struct actor actor;
};

struct roster {
    struct roster_entry *buckets[BUCKETS];
    size_t count;
    struct pt_siphash_key secret;
};

enum pt_code roster_new(const struct pt_env *env, struct roster **out, struct pt_error *err) {
    struct roster *roster = calloc(1, sizeof *roster);
    *out = NULL;
    if (!roster) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    const enum pt_code code = env->random(env->ctx, (uint8_t *)&roster->secret, sizeof roster->secret, err);
    if (code != PT_OK) {
        free(roster);
        return code;
    }
    *out = roster;
    return PT_OK;
}

static void empty(struct roster *roster) {
    for (size_t i = 0; i < BUCKETS; i++) {
        for (struct roster_entry *next, *entry = roster->buckets[i]; entry; entry = next) {
            next = entry->next;
            actor_free(&entry->actor);
            free(entry);
        }
        roster->buckets[i] = NULL;
    }
    roster->count = 0;
}

void roster_free(struct roster *roster) {
    if (!roster) return;
    empty(roster);
    free(roster);
}

static struct roster_entry **bucket(struct roster *roster, const struct pt_digest *kid) {
    return &roster->buckets[pt_siphash(roster->secret, pt_bytes_digest(kid)) % BUCKETS];
}

enum pt_code executor_actor(struct executor *executor, const struct pt_digest *kid, const struct actor **out,
                            struct pt_error *err) {
    struct roster_entry **at = bucket(executor->roster, kid);
    struct pt_bytes value;
    bool found;
    *out = NULL;
    for (struct roster_entry *entry = *at; entry; entry = entry->next)
        if (pt_digest_equal(&entry->actor.kid, kid)) {
            *out = &entry->actor;
            return PT_OK;
        }
    enum pt_code code = executor_get(executor, STATE_ACTOR, pt_bytes_digest(kid), &value, &found, err);
    if (code != PT_OK || !found) return code;
    struct roster_entry *entry = calloc(1, sizeof *entry);
    if (!entry) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    code = actor_decode(value, &entry->actor, err);
    if (code != PT_OK) {
        free(entry);
        return code;
    }
    entry->next = *at;
    *at = entry;
    executor->roster->count++;
    *out = &entry->actor;
    return PT_OK;
}

void executor_forget_actor(struct executor *executor, const struct pt_digest *kid) {
    for (struct roster_entry **at = bucket(executor->roster, kid); *at; at = &(*at)->next) {
        struct roster_entry *entry = *at;
        if (!pt_digest_equal(&entry->actor.kid, kid)) continue;
        *at = entry->next;
        actor_free(&entry->actor);
        free(entry);
        executor->roster->count--;
        return;
    }
}

void roster_trim(struct roster *roster) {
    if (roster->count > KEPT_MOST) empty(roster);
}
