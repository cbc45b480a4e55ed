#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "ledger/apply/executor_internal.h"
#include "ledger/state/varint.h"

static int compare(const struct held_entry *a, const struct pt_digest *kid, uint64_t sequence) {
    const int order = memcmp(a->kid.bytes, kid->bytes, PT_DIGEST_SIZE);
    return order ? order : (a->sequence > sequence) - (a->sequence < sequence);
}

// Where (kid, sequence) is or would stand.
static size_t place(const struct executor *executor, const struct pt_digest *kid, uint64_t sequence) {
    size_t low = 0, high = executor->held_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (compare(&executor->held[middle], kid, sequence) < 0) low = middle + 1;
        else high = middle;
    }
    return low;
}

bool executor_holds(const struct executor *executor, const struct pt_digest *kid, uint64_t sequence, struct held_record *out) {
    const size_t at = place(executor, kid, sequence);
    if (at == executor->held_count || compare(&executor->held[at], kid, sequence) != 0) return false;
    *out = executor->held[at].record;
    return true;
}

static enum pt_code remember(struct executor *executor, const struct held_entry *entry, struct pt_error *err) {
    if (executor->held_count == executor->held_cap) {
        const size_t cap = executor->held_cap ? executor->held_cap * 2 : 64;
        struct held_entry *grown = realloc(executor->held, cap * sizeof *grown);
        if (!grown) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
        executor->held = grown;
        executor->held_cap = cap;
    }
    const size_t at = place(executor, &entry->kid, entry->sequence);
    memmove(&executor->held[at + 1], &executor->held[at], (executor->held_count - at) * sizeof *executor->held);
    executor->held[at] = *entry;
    executor->held_count++;
    return PT_OK;
}

static void forget(struct executor *executor, size_t at) {
    executor->held_count--;
    memmove(&executor->held[at], &executor->held[at + 1], (executor->held_count - at) * sizeof *executor->held);
}

static enum pt_code apply_held(struct executor *executor, const struct held_entry *entry, struct key_chain *chain,
                               const char *chain_alert, struct pt_error *err) {
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    PT_CLEANUP(statement_input_free) struct statement_input input = {0};
    struct statement statement;
    struct pt_bytes bytes;
    struct pt_digest id;
    uint8_t result;
    const struct actor *signer;
    enum pt_code code = executor_logged(executor, entry->record.leaf, &arena, &bytes, &id, err);
    if (code == PT_OK) code = statement_decode(bytes, &statement, err);
    if (code == PT_OK) code = executor_actor(executor, &entry->kid, &signer, err);
    if (code != PT_OK) return code;
    if (!signer) return pt_fail(err, PT_INTERNAL, NULL, "a held statement has no signer");
    static const struct pt_digest none;
    if (!chain_alert && !pt_digest_equal(&chain->head, &none) && !pt_digest_equal(&chain->head, &statement.previous))
        chain_alert = "does not name the statement before it";
    chain->next = entry->sequence + 1;
    chain->head = id;
    if (signer->revoked && entry->sequence > signer->last_trusted) return PT_OK;  // revoked while it waited
    struct due_statement due = {.input = &input.input, .leaf = entry->record.leaf, .signer = signer, .chain_alert = chain_alert, .result = &result};
    due.input_code = statement_input_decode(&statement, &arena, &input, NULL);
    input.input.id = id;
    code = executor_apply(executor, &due, err);
    return code == PT_OK ? executor_settle(executor, err) : code;
}

static enum pt_code release_one(struct executor *executor, size_t at, struct key_chain *chain, struct pt_error *err) {
    const struct held_entry entry = executor->held[at];
    uint8_t key[HELD_KEY];
    held_key(&entry.kid, entry.sequence, key);
    forget(executor, at);
    const enum pt_code code = executor_delete(executor, STATE_HELD, pt_bytes_of(key, HELD_KEY), err);
    return code == PT_OK ? apply_held(executor, &entry, chain, NULL, err) : code;
}

enum pt_code executor_release(struct executor *executor, const struct pt_digest *kid, struct key_chain *chain,
                              struct pt_error *err) {
    for (;;) {
        const size_t at = place(executor, kid, chain->next);
        if (at == executor->held_count || compare(&executor->held[at], kid, chain->next) != 0) return PT_OK;
        const enum pt_code code = release_one(executor, at, chain, err);
        if (code != PT_OK) return code;
    }
}

static enum pt_code give_up_waiting(struct executor *executor, size_t at, struct pt_error *err) {
    const struct held_entry first = executor->held[at];
    const uint64_t evidence[1] = {first.record.leaf};
    struct key_chain chain;
    const struct actor *signer;
    char detail[ALERT_DETAIL_MAX + 1];
    enum pt_code code = executor_chain(executor, &first.kid, &chain, err);
    if (code == PT_OK) code = executor_actor(executor, &first.kid, &signer, err);
    if (code != PT_OK) return code;
    snprintf(detail, sizeof detail, "statements %llu to %llu of the device are missing", (unsigned long long)chain.next,
             (unsigned long long)first.sequence - 1);
    code = executor_alert_key(executor, signer, ALERT_DEVICE_GAP, 40, evidence, 1, detail, err);
    chain = (struct key_chain){.next = first.sequence};  // what the head was cannot be known
    if (code == PT_OK) code = executor_release(executor, &first.kid, &chain, err);
    return code == PT_OK ? executor_set_chain(executor, &first.kid, &chain, err) : code;
}

enum pt_code executor_hold(struct executor *executor, const struct pt_digest *kid, uint64_t sequence, uint64_t leaf,
                           struct pt_error *err) {
    const struct held_entry entry = {*kid, sequence, {leaf, executor->now}};
    uint8_t key[HELD_KEY];
    held_key(kid, sequence, key);
    pt_buf_clear(&executor->buffer);
    held_record_encode(&entry.record, &executor->buffer);
    enum pt_code code = executor_put(executor, STATE_HELD, pt_bytes_of(key, HELD_KEY), pt_buf_bytes(&executor->buffer), err);
    if (code == PT_OK) code = remember(executor, &entry, err);
    const size_t first = place(executor, kid, 0);
    if (code != PT_OK || place(executor, kid, UINT64_MAX) - first <= DEVICE_HELD_MOST) return code;
    return give_up_waiting(executor, first, err);
}

enum pt_code executor_time_out_gaps(struct executor *executor, struct pt_error *err) {
    for (size_t at = 0; at < executor->held_count;) {
        const struct pt_digest kid = executor->held[at].kid;
        enum pt_code code = PT_OK;
        if (executor->now - executor->held[at].record.since >= DEVICE_GAP_MILLIS) {
            code = give_up_waiting(executor, at, err);
            at = place(executor, &kid, 0);  // the next gap of the same key is looked at as well
            if (code == PT_OK) continue;
        }
        if (code != PT_OK) return code;
        while (at < executor->held_count && pt_digest_equal(&executor->held[at].kid, &kid)) at++;
    }
    return PT_OK;
}

struct loading {
    struct executor *executor;
    struct pt_error *err;
};

static enum pt_code load_one(void *arg, struct pt_bytes key, struct pt_bytes value) {
    const struct loading *loading = arg;
    struct held_entry entry = {0};
    if (key.len != HELD_KEY) return pt_fail(loading->err, PT_UNVERIFIED, "state", "a held statement's key is damaged");
    memcpy(entry.kid.bytes, key.data, PT_DIGEST_SIZE);
    entry.sequence = be64_get(key.data + PT_DIGEST_SIZE);
    const enum pt_code code = held_record_decode(value, &entry.record, loading->err);
    return code == PT_OK ? remember(loading->executor, &entry, loading->err) : code;
}

enum pt_code executor_load_held(struct executor *executor, struct pt_error *err) {
    struct loading loading = {executor, err};
    struct index_reader *index = executor->parts.index;
    return index->range(index, STATE_HELD, (struct pt_bytes){0}, (struct pt_bytes){0}, false, load_one, &loading, err);
}
