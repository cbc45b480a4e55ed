#include "firmware/recall/recall_list.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/disk.h"
#include "common/base/log.h"
#include "common/cose/cbor.h"
#include "firmware/recall/recall_signers.h"

#define FILE_MAX ((size_t)64 * 1024 * 1024)
#define FILE_VERSION 1u
#define AGE_SAVED_EVERY 60000  // ms: a terminal that only looks for news need not wear its flash

// The newest notice of one recall, with the statement that it came in. One that has ended stays, so that an older notice
// that is played again changes nothing.
struct known_recall {
    struct pt_arena arena;
    struct recall_notice notice;
    struct pt_buf statement;
};

struct recall_list {
    pthread_mutex_t mutex;
    const struct genesis *genesis;
    char *file;
    struct recall_signers *signers;
    struct known_recall *recalls;  // sorted by id
    size_t count, cap;
    struct pt_buf signer_statements;  // CBOR byte strings, in the order taken
    uint64_t signer_count;
    uint64_t cursor, height;
    pt_millis chain_time, read, saved;
};

static enum pt_code no_memory(struct pt_error *err) { return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory"); }

static void free_recall(struct known_recall *recall) {
    pt_arena_free(&recall->arena);
    pt_buf_free(&recall->statement);
}

// --- Taking statements in ---

static size_t place_of(const struct recall_list *list, const char *id, bool *found) {
    size_t low = 0, high = list->count;
    *found = false;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = strcmp(id, list->recalls[middle].notice.id);
        if (order == 0) return *found = true, middle;
        if (order < 0) high = middle;
        else low = middle + 1;
    }
    return low;
}

static enum pt_code make_room(struct recall_list *list, size_t at, struct pt_error *err) {
    if (list->count == list->cap) {
        const size_t cap = list->cap ? list->cap * 2 : 16;
        struct known_recall *grown = realloc(list->recalls, cap * sizeof *grown);
        if (!grown) return no_memory(err);
        list->recalls = grown;
        list->cap = cap;
    }
    memmove(&list->recalls[at + 1], &list->recalls[at], (list->count - at) * sizeof *list->recalls);
    list->count++;
    return PT_OK;
}

static enum pt_code take_recall(struct recall_list *list, const struct statement *statement, bool *changed, struct pt_error *err) {
    struct known_recall taken = {.statement = PT_BUF_INIT(STATEMENT_MAX)};
    bool found = false;
    size_t at = 0;
    pt_buf_append_bytes(&taken.statement, statement->bytes);
    enum pt_code code = pt_buf_check(&taken.statement, err);
    if (code == PT_OK) code = recall_notice_decode(statement->payload, &taken.arena, &taken.notice, err);
    if (code == PT_OK) at = place_of(list, taken.notice.id, &found);
    const bool older = code == PT_OK && found && list->recalls[at].notice.version >= taken.notice.version;
    if (code == PT_OK && !older && !found) code = make_room(list, at, err);
    if (code != PT_OK || older) {
        free_recall(&taken);
        return code;
    }
    if (found) free_recall(&list->recalls[at]);
    list->recalls[at] = taken;
    *changed = true;
    return PT_OK;
}

static enum pt_code take_statement(struct recall_list *list, struct pt_bytes bytes, bool known, bool *changed, struct pt_error *err) {
    struct statement statement;
    bool kept;
    enum pt_code code = statement_decode(bytes, &statement, err);
    if (code != PT_OK) return code;
    const bool recall = pt_bytes_equal(statement.content_type, pt_bytes_str(STATEMENT_RECALL));
    // Single packs that an event set aside as recalled concern their own place, which scanned them.
    if (pt_bytes_equal(statement.content_type, pt_bytes_str(STATEMENT_EVENT_CBOR)) ||
        pt_bytes_equal(statement.content_type, pt_bytes_str(STATEMENT_EVENT_JSON)))
        return PT_OK;
    code = recall_signers_verify(list->signers, &statement, known, err);
    if (code != PT_OK) return code;
    if (recall) return take_recall(list, &statement, changed, err);
    code = recall_signers_learn(list->signers, &statement, &kept, err);
    if (code != PT_OK || !kept) return code;
    cbor_put_bytes(&list->signer_statements, bytes);
    list->signer_count++;
    *changed = true;
    return pt_buf_check(&list->signer_statements, err);
}

// --- The file: [version, genesis, cursor, height, chain time, read, [* signer statement], [* recall statement]] ---

static enum pt_code save(struct recall_list *list, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf file = PT_BUF_INIT(FILE_MAX);
    cbor_put_array(&file, 8);
    cbor_put_uint(&file, FILE_VERSION);
    cbor_put_bytes(&file, pt_bytes_digest(&list->genesis->hash));
    cbor_put_uint(&file, list->cursor);
    cbor_put_uint(&file, list->height);
    cbor_put_int(&file, list->chain_time);
    cbor_put_int(&file, list->read);
    cbor_put_array(&file, list->signer_count);
    pt_buf_append_bytes(&file, pt_buf_bytes(&list->signer_statements));
    cbor_put_array(&file, list->count);
    for (size_t i = 0; i < list->count; i++) cbor_put_bytes(&file, pt_buf_bytes(&list->recalls[i].statement));
    enum pt_code code = pt_buf_check(&file, err);
    if (code == PT_OK) code = pt_file_replace(list->file, pt_buf_bytes(&file), 0600, err);
    if (code == PT_OK) list->saved = list->read;
    return code;
}

// An item that does not verify any more was changed on the disk. The cursor is past it, so only reading everything again
// brings it back.
static enum pt_code load_statements(struct recall_list *list, struct cbor_reader *reader) {
    const uint64_t count = cbor_get_array(reader, UINT32_MAX);
    for (uint64_t i = 0; i < count && !cbor_failed(reader); i++) {
        const struct pt_bytes bytes = cbor_get_bytes(reader);
        bool changed = false;
        if (cbor_failed(reader)) break;
        const enum pt_code code = take_statement(list, bytes, true, &changed, reader->err);
        if (code != PT_OK) return code == PT_NO_MEMORY ? code : pt_fail(reader->err, PT_INVALID, NULL, "an item of the list does not verify");
    }
    return reader->code;
}

static enum pt_code load(struct recall_list *list, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf file = PT_BUF_INIT(FILE_MAX);
    struct pt_digest genesis = {0};
    enum pt_code code = pt_file_read(list->file, &file, err);
    if (code != PT_OK) return code == PT_NOT_FOUND ? PT_OK : code;
    struct cbor_reader reader = cbor_reader_of(pt_buf_bytes(&file), true, err);
    cbor_expect_array(&reader, 8);
    cbor_expect_int(&reader, FILE_VERSION);
    cbor_get_digest(&reader, &genesis);
    if (!cbor_failed(&reader) && !pt_digest_equal(&genesis, &list->genesis->hash)) cbor_fail(&reader, "the list is of another ledger");
    const uint64_t cursor = cbor_get_count(&reader), height = cbor_get_count(&reader);
    const pt_millis chain_time = cbor_get_int(&reader), read = cbor_get_int(&reader);
    code = load_statements(list, &reader);
    if (code == PT_OK) code = load_statements(list, &reader);
    if (code == PT_OK) code = cbor_finish(&reader);
    if (code != PT_OK) return code;
    list->cursor = cursor;
    list->height = height;
    list->chain_time = chain_time;
    list->read = list->saved = read;
    return PT_OK;
}

static void empty(struct recall_list *list) {
    for (size_t i = 0; i < list->count; i++) free_recall(&list->recalls[i]);
    list->count = 0;
    pt_buf_clear(&list->signer_statements);
    list->signer_count = 0;
    recall_signers_free(list->signers);
    list->signers = NULL;
}

enum pt_code recall_list_open(const struct genesis *genesis, const char *file, struct recall_list **out, struct pt_error *err) {
    struct recall_list *list = calloc(1, sizeof *list);
    struct pt_error why = {0};
    if (!list) return no_memory(err);
    pthread_mutex_init(&list->mutex, NULL);
    list->genesis = genesis;
    list->signer_statements = PT_BUF_INIT(FILE_MAX);
    list->file = strdup(file);
    enum pt_code code = list->file ? recall_signers_new(genesis, &list->signers, err) : no_memory(err);
    if (code == PT_OK) {
        code = load(list, &why);
        if (code == PT_INVALID || code == PT_LIMIT) {  // it only repeats what the feed says: read that again
            char aside[1024];
            pt_log_error("recall-list-damaged", &why);
            snprintf(aside, sizeof aside, "%s.bad", file);
            if (rename(file, aside) != 0) pt_log(PT_LOG_WARNING, "recall-list-not-put-aside", "file=%s", file);
            empty(list);
            code = recall_signers_new(genesis, &list->signers, err);
        } else if (code != PT_OK && err) *err = why;
    }
    if (code != PT_OK) {
        recall_list_close(list);
        return code;
    }
    *out = list;
    return PT_OK;
}

void recall_list_close(struct recall_list *list) {
    if (!list) return;
    empty(list);
    free(list->recalls);
    free(list->file);
    pt_buf_free(&list->signer_statements);
    pthread_mutex_destroy(&list->mutex);
    free(list);
}

uint64_t recall_list_cursor(struct recall_list *list) {
    pthread_mutex_lock(&list->mutex);
    const uint64_t cursor = list->cursor;
    pthread_mutex_unlock(&list->mutex);
    return cursor;
}

enum pt_code recall_list_take(struct recall_list *list, const struct wire_feed *feed, pt_millis now, size_t *refused, struct pt_error *err) {
    bool changed = false;
    enum pt_code code = PT_OK;
    *refused = 0;
    pthread_mutex_lock(&list->mutex);
    for (size_t i = 0; code == PT_OK && i < feed->count; i++) {
        struct pt_error why = {0};
        if (feed->items[i].kind != WIRE_FEED_ENROLMENT && feed->items[i].kind != WIRE_FEED_REVOCATION &&
            feed->items[i].kind != WIRE_FEED_RECALL)
            continue;
        const enum pt_code taken = take_statement(list, feed->items[i].statement, false, &changed, &why);
        if (taken == PT_NO_MEMORY) code = pt_fail(err, taken, NULL, "out of memory");
        else if (taken != PT_OK) ++*refused;
    }
    if (code == PT_OK) {
        const bool first = list->read == 0;
        list->cursor = feed->cursor;
        if (!feed->more) {
            list->height = feed->height;
            list->chain_time = feed->time;
            list->read = now;
        }
        if (changed || first || now - list->saved > AGE_SAVED_EVERY || now < list->saved) code = save(list, err);
    }
    pthread_mutex_unlock(&list->mutex);
    return code;
}

// --- Asking ---

static bool names_product(const struct recall_notice *notice, const char *product) {
    for (size_t i = 0; i < notice->product_count; i++)
        if (strcmp(notice->products[i], product) == 0) return true;
    return false;
}

static void copy(char *to, size_t size, const char *from) { snprintf(to, size, "%s", from ? from : ""); }

static void describe(const struct recall_notice *notice, bool certain, struct recall_warning *out) {
    out->level = notice->level;
    out->certain = certain;
    copy(out->id, sizeof out->id, notice->id);
    copy(out->reason_zh, sizeof out->reason_zh, notice->reason.zh);
    copy(out->reason_en, sizeof out->reason_en, notice->reason.en);
    copy(out->instructions_zh, sizeof out->instructions_zh, notice->instructions.zh);
    copy(out->instructions_en, sizeof out->instructions_en, notice->instructions.en);
    size_t at = 0;
    out->lots[0] = 0;
    for (size_t i = 0; i < notice->scope.lot_count; i++) {
        const char *lot = notice->scope.lots[i];
        if (at + strlen(lot) + 3 > sizeof out->lots) break;
        at += (size_t)snprintf(out->lots + at, sizeof out->lots - at, "%s%s", at ? ", " : "", lot);
    }
}

bool recall_list_covers(struct recall_list *list, const struct pack_id *pack, const char *lot, struct recall_warning *out) {
    const struct recall_question question = {.serial = pack->serial, .lot = lot};
    const struct recall_notice *best = NULL;
    bool best_certain = false;
    if (pack->kind != PACK_SGTIN && pack->kind != PACK_CN_TRACE) return false;
    pthread_mutex_lock(&list->mutex);
    for (size_t i = 0; i < list->count; i++) {
        const struct recall_notice *notice = &list->recalls[i].notice;
        unsigned doubt;
        if (notice->action == RECALL_END || !names_product(notice, pack->product)) continue;
        if (!recall_scope_covers(&notice->scope, &question, &doubt)) continue;
        const bool certain = doubt == 0;
        if (best && (best_certain > certain || (best_certain == certain && best->level <= notice->level))) continue;
        best = notice;
        best_certain = certain;
    }
    if (best) describe(best, best_certain, out);
    pthread_mutex_unlock(&list->mutex);
    return best != NULL;
}

void recall_list_status(struct recall_list *list, struct recall_list_status *out) {
    pthread_mutex_lock(&list->mutex);
    *out = (struct recall_list_status){.read = list->read, .chain_time = list->chain_time, .height = list->height};
    for (size_t i = 0; i < list->count; i++) out->in_force += list->recalls[i].notice.action != RECALL_END;
    pthread_mutex_unlock(&list->mutex);
}

void recall_list_each(struct recall_list *list, void (*each)(void *arg, const struct recall_notice *notice), void *arg) {
    pthread_mutex_lock(&list->mutex);
    for (size_t i = 0; i < list->count; i++)
        if (list->recalls[i].notice.action != RECALL_END) each(arg, &list->recalls[i].notice);
    pthread_mutex_unlock(&list->mutex);
}
