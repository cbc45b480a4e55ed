#include "firmware/history/history.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/log.h"
#include "common/cose/statement.h"

// A record: statement id, sequence (8 bytes big-endian), payload.
#define HEAD (PT_DIGEST_SIZE + 8u)
#define NAMES_MOST 64u  // files; there are about five

struct line {
    struct pt_digest id;
    struct pt_journal_position position;
};

struct history {
    struct pt_journal *journal;
    uint64_t most_bytes;
    struct line *lines;  // oldest first
    size_t count, cap;
};

static enum pt_code remember(struct history *history, struct pt_bytes id, const struct pt_journal_position *position,
                             struct pt_error *err) {
    if (history->count == history->cap) {
        const size_t cap = history->cap ? history->cap * 2 : 64;
        struct line *grown = realloc(history->lines, cap * sizeof *grown);
        if (!grown) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
        history->lines = grown;
        history->cap = cap;
    }
    struct line *line = &history->lines[history->count++];
    line->position = *position;
    memcpy(line->id.bytes, id.data, PT_DIGEST_SIZE);
    return PT_OK;
}

static enum pt_code visit(void *arg, const struct pt_journal_position *position, struct pt_bytes record, struct pt_error *err) {
    if (record.len < HEAD) return pt_fail(err, PT_UNVERIFIED, "history", "a record is too short");
    return remember(arg, record, position, err);
}

// What a directory holds; gone through only after it was listed, because removing disturbs the listing.
struct names {
    char *items[NAMES_MOST];
    size_t count;
};

static void names_free(struct names *names) {
    for (size_t i = 0; i < names->count; i++) free(names->items[i]);
}

static enum pt_code take_name(void *arg, const char *name, struct pt_error *err) {
    struct names *names = arg;
    if (names->count == NAMES_MOST) return PT_OK;
    names->items[names->count] = strdup(name);
    return names->items[names->count++] ? PT_OK : pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
}

static enum pt_code remove_all(const struct pt_disk *disk, struct pt_error *err) {
    PT_CLEANUP(names_free) struct names names = {0};
    enum pt_code code = disk->list(disk->ctx, take_name, &names, err);
    for (size_t i = 0; code == PT_OK && i < names.count; i++) code = disk->remove(disk->ctx, names.items[i], err);
    return code;
}

enum pt_code history_open(const struct pt_disk *disk, uint64_t most_bytes, struct history **out, struct pt_error *err) {
    struct history *history = calloc(1, sizeof *history);
    *out = NULL;
    if (!history) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    history->most_bytes = most_bytes;
    const struct pt_journal_options options = {.segment_bytes = most_bytes / 4 + 1};
    enum pt_code code = pt_journal_open(disk, &options, visit, history, &history->journal, err);
    if (code == PT_UNVERIFIED) {
        // It holds nothing that the ledger does not hold: no reason to stop the terminal's work.
        pt_log_error("history-begun-anew", err);
        history->count = 0;
        code = remove_all(disk, err);
        if (code == PT_OK) code = pt_journal_open(disk, &options, visit, history, &history->journal, err);
    }
    if (code != PT_OK) {
        history_close(history);
        return code;
    }
    *out = history;
    return PT_OK;
}

void history_close(struct history *history) {
    if (!history) return;
    pt_journal_close(history->journal);
    free(history->lines);
    free(history);
}

// Forgets the older half when there is too much.
static enum pt_code drop_old(struct history *history, struct pt_error *err) {
    if (pt_journal_bytes(history->journal) <= history->most_bytes || history->count < 2) return PT_OK;
    const size_t gone = history->count / 2;
    const enum pt_code code = pt_journal_drop_before(history->journal, history->lines[gone].position.number, err);
    memmove(history->lines, history->lines + gone, (history->count - gone) * sizeof *history->lines);
    history->count -= gone;
    return code;
}

enum pt_code history_note(struct history *history, const struct pt_digest *id, uint64_t sequence, struct pt_bytes payload,
                          struct pt_error *err) {
    uint8_t number[8];
    for (unsigned i = 0; i < 8; i++) number[i] = (uint8_t)(sequence >> (56 - 8 * i));
    const struct pt_bytes parts[] = {pt_bytes_digest(id), pt_bytes_of(number, sizeof number), payload};
    struct pt_journal_position position;
    enum pt_code code = pt_journal_append(history->journal, parts, 3, &position, err);
    if (code == PT_OK) code = pt_journal_sync(history->journal, err);
    if (code == PT_OK) code = remember(history, pt_bytes_digest(id), &position, err);
    return code == PT_OK ? drop_old(history, err) : code;
}

size_t history_count(const struct history *history) { return history->count; }

static enum pt_code read_line(struct history *history, const struct line *line, struct history_item *out, struct pt_error *err) {
    *out = (struct history_item){.id = line->id};
    pt_buf_init(&out->payload, STATEMENT_MAX + HEAD);
    const enum pt_code code = pt_journal_read(history->journal, &line->position, &out->payload, err);
    if (code != PT_OK) {
        pt_buf_free(&out->payload);
        return code;
    }
    for (unsigned i = 0; i < 8; i++) out->sequence = out->sequence << 8 | out->payload.data[PT_DIGEST_SIZE + i];
    memmove(out->payload.data, out->payload.data + HEAD, out->payload.len - HEAD);
    out->payload.len -= HEAD;
    return PT_OK;
}

enum pt_code history_read(struct history *history, size_t number, struct history_item *out, struct pt_error *err) {
    *out = (struct history_item){0};
    if (number >= history->count) return pt_fail(err, PT_NOT_FOUND, NULL, "nothing older is kept");
    return read_line(history, &history->lines[history->count - 1 - number], out, err);
}

enum pt_code history_find(struct history *history, const struct pt_digest *id, struct history_item *out, struct pt_error *err) {
    *out = (struct history_item){0};
    for (size_t i = history->count; i > 0; i--)
        if (pt_digest_equal(&history->lines[i - 1].id, id)) return read_line(history, &history->lines[i - 1], out, err);
    return pt_fail(err, PT_NOT_FOUND, NULL, "this terminal has signed no such statement, or it is too long ago");
}
