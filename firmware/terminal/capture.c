#include "firmware/terminal/capture.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/log.h"
#include "common/epcis/event_cbor.h"
#include "common/epcis/event_hash.h"
#include "common/epcis/epcis_validate.h"

struct capture {
    struct capture_options options;
    capture_signed *told;
    void *told_arg;
    struct task_pack *packs;
    size_t count, cap;
    void *seen;  // search tree of seen_key: all of this work, also those signed already
    struct pack_id parent;
    bool has_parent;
    struct recall_warning recall;
    bool is_recalled;
};

enum pt_code capture_new(const struct capture_options *options, struct capture **out, struct pt_error *err) {
    struct capture *capture = calloc(1, sizeof *capture);
    if (!capture) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    capture->options = *options;
    *out = capture;
    return PT_OK;
}

void capture_free(struct capture *capture) {
    if (!capture) return;
    free(capture->packs);
    tdestroy(capture->seen, free);
    free(capture);
}

void capture_on_signed(struct capture *capture, capture_signed *told, void *arg) {
    capture->told = told;
    capture->told_arg = arg;
}

const struct recall_warning *capture_recall(const struct capture *capture) { return capture->is_recalled ? &capture->recall : NULL; }

size_t capture_count(const struct capture *capture) { return capture->count; }

static struct identify_options identify_options_of(const struct capture *capture, const char *aim) {
    int64_t year;
    unsigned month;
    unsigned day;
    pt_civil_from_days(capture->options.env->now(capture->options.env->ctx) / 86400000, &year, &month, &day);
    return (struct identify_options){.symbology = aim, .year = (int)year};
}

enum pt_code capture_set_parent(struct capture *capture, struct pt_bytes code, struct pt_error *err) {
    struct identification found;
    const struct identify_options options = identify_options_of(capture, NULL);
    const enum pt_code result = identify(code, &options, &found, err);
    if (result != PT_OK) return result;
    if (found.pack.kind == PACK_NONE) return pt_fail(err, PT_INVALID, "parent", "the code names no single case or pallet");
    capture->parent = found.pack;
    capture->has_parent = true;
    return PT_OK;
}

// What is seen may be a week's packs: their keys take a tenth of the room of a pack_id.
struct seen_key {
    size_t len;
    uint8_t bytes[];
};

static int by_bytes(const void *a, const void *b) {
    const struct seen_key *left = a, *right = b;
    const int order = memcmp(left->bytes, right->bytes, left->len < right->len ? left->len : right->len);
    return order != 0 ? order : (left->len > right->len) - (left->len < right->len);
}

static struct seen_key *key_of(const struct pack_id *id) {
    PT_CLEANUP(pt_buf_free) struct pt_buf bytes = PT_BUF_INIT(PACK_KEY_MAX);
    if (pack_id_key(id, &bytes, NULL) != PT_OK) return NULL;
    struct seen_key *key = malloc(sizeof *key + bytes.len);
    if (!key) return NULL;
    key->len = bytes.len;
    memcpy(key->bytes, bytes.data, bytes.len);
    return key;
}

static bool is_seen(const struct capture *capture, const struct pack_id *id) {
    if (capture->has_parent && pack_id_equal(&capture->parent, id)) return true;
    PT_FREE struct seen_key *key = key_of(id);
    return key && tfind(key, &capture->seen, by_bytes) != NULL;
}

static enum pt_code remember(struct capture *capture, const struct pack_id *id, struct pt_error *err) {
    struct seen_key *key = key_of(id);
    if (key && tsearch(key, &capture->seen, by_bytes)) return PT_OK;
    free(key);
    return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
}

// Grows an array by doubling; NULL without memory.
static void *with_room(void *items, size_t count, size_t *cap, size_t size) {
    if (count < *cap) return items;
    const size_t larger = *cap ? *cap * 2 : 64;
    void *moved = realloc(items, larger * size);
    if (moved) *cap = larger;
    return moved;
}

static enum pt_code add_pack(struct capture *capture, const struct identification *found, struct pt_error *err) {
    struct task_pack *packs = with_room(capture->packs, capture->count, &capture->cap, sizeof *packs);
    if (!packs) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    capture->packs = packs;
    const enum pt_code code = remember(capture, &found->pack, err);
    if (code != PT_OK) return code;
    struct task_pack *pack = &packs[capture->count];
    *pack = (struct task_pack){.id = found->pack};
    const char *lot = gs1_elements_value(&found->elements, "10");
    if (lot) memcpy(pack->lot, lot, strnlen(lot, sizeof pack->lot - 1));
    if (found->expiry.year) gs1_date_format(&found->expiry, pack->expiry);
    capture->count++;
    return PT_OK;
}

// The scan counts already; a history that cannot be written only means that this event cannot be undone here.
static void note(struct history *history, const struct captured_event *event, struct pt_bytes payload) {
    struct pt_error err = {0};
    if (history_note(history, &event->id, event->sequence, payload, &err) != PT_OK) pt_log_error("history-not-written", &err);
}

// Signs packs[0 … count) as one event.
static enum pt_code sign_event(struct capture *capture, const struct task_pack *packs, size_t count, struct pt_error *err) {
    PT_CLEANUP(pt_arena_free) struct pt_arena arena = {0};
    PT_CLEANUP(pt_buf_free) struct pt_buf payload = PT_BUF_INIT(STATEMENT_MAX);
    const struct capture_options *o = &capture->options;
    const struct task_input input = {
        .task = o->task,
        .packs = packs,
        .count = count,
        .parent = capture->has_parent ? &capture->parent : NULL,
        .place = o->place,
        .source = o->source,
        .destination = o->destination,
        .biz_transaction_type = o->biz_transaction_type,
        .biz_transaction = o->biz_transaction,
        .units = o->units,
        .now = o->env->now(o->env->ctx),
        .zone_minutes = o->zone_minutes,
        .clock_error_s = -1,
    };
    struct epcis_event event;
    char hash[EPCIS_EVENT_HASH_SIZE];
    struct captured_event told = {.packs = count};
    enum pt_code code = task_event(&input, &arena, &event, err);
    if (code == PT_OK) code = epcis_event_validate(&event, err);
    if (code == PT_OK) code = epcis_event_hash(&event, NULL, hash, err);
    if (code == PT_OK) code = epcis_cbor_encode(&event, &payload, err);
    if (code == PT_OK)
        code = outbox_sign(o->outbox, EPCIS_EVENT_CONTENT_TYPE_CBOR, hash, pt_buf_bytes(&payload), &told.id, &told.sequence, err);
    if (code == PT_OK) note(o->history, &told, pt_buf_bytes(&payload));
    if (code == PT_OK && capture->told) capture->told(capture->told_arg, &told);
    return code;
}

enum pt_code capture_code(struct capture *capture, struct pt_bytes code, const char *aim, enum capture_outcome *outcome,
                          struct identification *found, struct pt_error *why, struct pt_error *err) {
    const struct identify_options options = identify_options_of(capture, aim);
    *outcome = CAPTURE_REJECTED;
    capture->is_recalled = false;
    if (identify(code, &options, found, why) != PT_OK) return PT_OK;
    if (found->scheme == IDENTIFY_PRODUCT_CODE) {
        *outcome = CAPTURE_PRODUCT_CODE;
        return PT_OK;
    }
    if (found->pack.kind == PACK_NONE) {
        pt_fail(why, PT_INVALID, NULL, "the code names no single pack (its serial number is missing)");
        return PT_OK;
    }
    if (is_seen(capture, &found->pack)) {
        *outcome = CAPTURE_DUPLICATE;
        return PT_OK;
    }
    // The first logistic unit scanned at packing is the case, unless one was named before.
    if (capture->options.task->needs_parent && !capture->has_parent && found->pack.kind == PACK_SSCC) {
        capture->parent = found->pack;
        capture->has_parent = true;
        *outcome = CAPTURE_PARENT;
        return PT_OK;
    }
    if (capture->options.recalls)
        capture->is_recalled = recall_list_covers(capture->options.recalls, &found->pack, gs1_elements_value(&found->elements, "10"), &capture->recall);
    if (capture->is_recalled && capture->recall.certain && capture->options.task->stops_recalled && !capture->options.despite_recall) {
        *outcome = CAPTURE_RECALLED;
        return PT_OK;
    }
    *outcome = CAPTURE_ADDED;
    return add_pack(capture, found, err);
}

enum pt_code capture_settle(struct capture *capture, struct pt_error *err) {
    return capture->options.each ? capture_finish(capture, err) : PT_OK;
}

// Moves the packs that go with the first one to the front; returns how many there are.
static size_t gather_lot(struct capture *capture) {
    if (!capture->options.task->makes_packs) return capture->count;
    size_t together = 1;
    for (size_t i = 1; i < capture->count; i++) {
        if (!task_same_lot(&capture->packs[0], &capture->packs[i])) continue;
        const struct task_pack moved = capture->packs[i];
        memmove(&capture->packs[together + 1], &capture->packs[together], (i - together) * sizeof moved);
        capture->packs[together++] = moved;
    }
    return together;
}

enum pt_code capture_finish(struct capture *capture, struct pt_error *err) {
    while (capture->count > 0) {
        size_t count = gather_lot(capture);
        if (count > capture->options.most_packs) count = capture->options.most_packs;
        const enum pt_code code = sign_event(capture, capture->packs, count, err);
        if (code != PT_OK) return code;
        capture->count -= count;
        memmove(capture->packs, capture->packs + count, capture->count * sizeof *capture->packs);
    }
    return PT_OK;
}
