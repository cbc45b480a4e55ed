#include "firmware/work/remembered.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/journal.h"
#include "common/base/log.h"
#include "common/cose/cbor.h"

// First member of each record, a CBOR array. Never renumbered.
enum record_kind {
    RECORD_DONE = 1,    // [1, [hash, minute, …]]
    RECORD_UNDONE = 2,  // [2, [hash, …]]
    RECORD_BOX = 3,     // [3, key, expiry, units, units left, opened, changed]
    RECORD_LINK = 4,    // [4, other key, pack key]
};

enum { SEGMENT_BYTES = 256 * 1024, CHUNK = 2000, RECORD_BYTES = 64 * 1024, SLACK = 1024 * 1024, NAMES_MOST = 64 };
enum { DONE_BYTES = 15, BOX_BYTES = 128, LINK_BYTES = 128 };  // about, on the disk
#define MINUTE_MS 60000
#define BOX_DAYS 730  // a box that nobody finished in two years is forgotten

static const struct pt_journal_options journal_options = {.segment_bytes = SEGMENT_BYTES};

static void *with_room(void *items, size_t count, size_t *cap, size_t size) {
    if (count < *cap) return items;
    const size_t larger = *cap ? *cap * 2 : 16;
    void *moved = realloc(items, larger * size);
    if (moved) *cap = larger;
    return moved;
}

static uint32_t minute_of(pt_millis at) { return at > 0 ? (uint32_t)(at / MINUTE_MS) : 0; }

static bool is_recent(pt_millis now, uint32_t minute) { return minute != 0 && now / MINUTE_MS - (int64_t)minute <= REMEMBERED_DAYS * 24 * 60; }

// --- Reading ---

static enum pt_code put_box(struct remembered *r, const struct remembered_box *box, struct pt_error *err) {
    size_t at = 0;
    while (at < r->box_count && !pack_id_equal(&r->boxes[at].box.pack, &box->box.pack)) at++;
    if (box->box.units_left == 0) {
        if (at < r->box_count) r->boxes[at] = r->boxes[--r->box_count];
        return PT_OK;
    }
    if (at == r->box_count) {
        struct remembered_box *grown = with_room(r->boxes, r->box_count, &r->box_cap, sizeof *grown);
        if (!grown) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
        r->boxes = grown;
        r->box_count++;
    }
    r->boxes[at] = *box;
    return PT_OK;
}

static enum pt_code put_link(struct remembered *r, const struct pack_id *other, const struct pack_id *pack,
                             const struct pt_journal_position *position, struct pt_error *err) {
    const struct remembered_link link = {work_hash("", other), work_hash("", pack), *position};
    uint32_t at;
    if (work_table_get(&r->links, link.other, &at)) {
        r->link[at] = link;
        return PT_OK;
    }
    struct remembered_link *grown = with_room(r->link, r->link_count, &r->link_cap, sizeof *grown);
    if (!grown) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    r->link = grown;
    r->link[r->link_count] = link;
    return work_table_put(&r->links, link.other, (uint32_t)r->link_count++, err);
}

static enum pt_code read_done(struct remembered *r, struct cbor_reader *reader, bool undone, struct pt_error *err) {
    const uint64_t count = cbor_get_array(reader, 2 * CHUNK);
    enum pt_code code = PT_OK;
    for (uint64_t i = 0; i < count && !cbor_failed(reader) && code == PT_OK; i += undone ? 1 : 2) {
        const uint64_t hash = cbor_get_uint(reader);
        const uint32_t minute = undone ? 0 : (uint32_t)cbor_get_uint(reader);
        if (hash == 0 || (!undone && !is_recent(r->now, minute))) continue;
        if (undone && !work_table_get(&r->done, hash, NULL)) continue;
        code = work_table_put(&r->done, hash, minute, err);
    }
    return code;
}

static enum pt_code read_box(struct remembered *r, struct cbor_reader *reader, struct pt_error *err) {
    struct remembered_box box = {0};
    const struct pt_bytes key = cbor_get_bytes(reader);
    const struct pt_bytes expiry = cbor_expect_text(reader, 0, 10);
    if (expiry.len) memcpy(box.box.expiry, expiry.data, expiry.len);
    box.box.units = cbor_get_int(reader);
    box.box.units_left = cbor_get_int(reader);
    box.box.opened = cbor_get_int(reader);
    box.changed = cbor_get_int(reader);
    if (cbor_failed(reader)) return reader->code;
    const enum pt_code code = pack_id_from_key(key, &box.box.pack, err);
    if (code != PT_OK || r->now - box.box.opened > (pt_millis)BOX_DAYS * 86400000) return code;
    return put_box(r, &box, err);
}

static enum pt_code read_link(struct cbor_reader *reader, struct pack_id *other, struct pack_id *pack, struct pt_error *err) {
    const struct pt_bytes other_key = cbor_get_bytes(reader);
    const struct pt_bytes pack_key = cbor_get_bytes(reader);
    if (cbor_finish(reader) != PT_OK) return reader->code;
    const enum pt_code code = pack_id_from_key(other_key, other, err);
    return code == PT_OK ? pack_id_from_key(pack_key, pack, err) : code;
}

static enum pt_code visit(void *arg, const struct pt_journal_position *position, struct pt_bytes record, struct pt_error *err) {
    struct remembered *r = arg;
    struct cbor_reader reader = cbor_reader_of(record, true, err);
    struct pack_id other;
    struct pack_id pack;
    enum pt_code code = PT_OK;
    cbor_get_array(&reader, 7);
    switch (cbor_get_uint(&reader)) {
    case RECORD_DONE: code = read_done(r, &reader, false, err); break;
    case RECORD_UNDONE: code = read_done(r, &reader, true, err); break;
    case RECORD_BOX: code = read_box(r, &reader, err); break;
    case RECORD_LINK:
        code = read_link(&reader, &other, &pack, err);
        if (code == PT_OK) code = put_link(r, &other, &pack, position, err);
        break;
    default: return pt_fail(err, PT_UNVERIFIED, "remembered", "a record is of an unknown kind");
    }
    if (code == PT_OK) code = cbor_finish(&reader);
    return code == PT_NO_MEMORY || code == PT_OK ? code : pt_fail(err, PT_UNVERIFIED, "remembered", "a record is damaged");
}

static void forget(struct remembered *r) {
    work_table_free(&r->done);
    work_table_free(&r->links);
    free(r->boxes);
    free(r->link);
    r->boxes = NULL;
    r->link = NULL;
    r->box_count = r->box_cap = r->link_count = r->link_cap = 0;
}

void remembered_free(struct remembered *remembered) { forget(remembered); }

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

static enum pt_code open_journal(struct remembered *r, pt_journal_visit *each, struct pt_journal **out, struct pt_error *err) {
    return pt_journal_open(&r->disk.disk, &journal_options, each, r, out, err);
}

enum pt_code remembered_load(const struct pt_disk *disk, pt_millis now, struct remembered *out, struct pt_error *err) {
    *out = (struct remembered){.now = now};
    work_disk_init(&out->disk, disk, "remembered.");
    struct pt_journal *journal = NULL;
    enum pt_code code = open_journal(out, visit, &journal, err);
    if (code == PT_UNVERIFIED) {
        // The ledger holds all of it: no reason to stop the terminal's work.
        pt_log_error("remembered-begun-anew", err);
        forget(out);
        code = remove_all(&out->disk.disk, err);
        if (code == PT_OK) code = open_journal(out, visit, &journal, err);
    }
    if (code != PT_OK) return code;
    out->bytes = pt_journal_bytes(journal);
    pt_journal_close(journal);
    return PT_OK;
}

// --- Asking ---

bool remembered_done(const struct remembered *remembered, const char *task, const struct pack_id *pack, pt_millis now) {
    uint32_t minute;
    return work_table_get(&remembered->done, work_hash(task, pack), &minute) && is_recent(now, minute);
}

const struct remembered_box *remembered_box(const struct remembered *remembered, const struct pack_id *pack) {
    for (size_t i = 0; i < remembered->box_count; i++)
        if (pack_id_equal(&remembered->boxes[i].box.pack, pack)) return &remembered->boxes[i];
    return NULL;
}

int remembered_box_order(const void *a, const void *b) {
    const struct open_box *left = a;
    const struct open_box *right = b;
    // A box whose expiry is not known comes behind those that are known to end.
    if (!left->expiry[0] != !right->expiry[0]) return left->expiry[0] ? -1 : 1;
    const int expiry = strcmp(left->expiry, right->expiry);
    if (expiry != 0) return expiry;
    if (left->opened != right->opened) return left->opened < right->opened ? -1 : 1;
    return strcmp(left->pack.serial, right->pack.serial);
}

const struct open_box *remembered_first_box(const struct remembered *remembered, const char *product) {
    const struct open_box *first = NULL;
    for (size_t i = 0; i < remembered->box_count; i++) {
        const struct open_box *box = &remembered->boxes[i].box;
        if (strcmp(box->pack.product, product) != 0) continue;
        if (!first || remembered_box_order(box, first) < 0) first = box;
    }
    return first;
}

uint64_t remembered_identity(const struct remembered *remembered, const struct pack_id *pack) {
    const uint64_t own = work_hash("", pack);
    uint32_t at;
    return work_table_get(&remembered->links, own, &at) ? remembered->link[at].pack : own;
}

enum pt_code remembered_linked(const struct remembered *remembered, const struct pack_id *other, struct pack_id *out, struct pt_error *err) {
    uint32_t at;
    struct pack_id found;
    struct pt_journal *journal = NULL;
    PT_CLEANUP(pt_buf_free) struct pt_buf record = PT_BUF_INIT(RECORD_BYTES);
    if (!work_table_get(&remembered->links, work_hash("", other), &at)) return pt_fail(err, PT_NOT_FOUND, NULL, "it is linked to no pack here");
    enum pt_code code = pt_journal_open(&remembered->disk.disk, &journal_options, NULL, NULL, &journal, err);
    if (code == PT_OK) code = pt_journal_read(journal, &remembered->link[at].position, &record, err);
    pt_journal_close(journal);
    if (code != PT_OK) return code;
    struct cbor_reader reader = cbor_reader_of(pt_buf_bytes(&record), true, err);
    cbor_expect_array(&reader, 3);
    cbor_expect_int(&reader, RECORD_LINK);
    code = read_link(&reader, &found, out, err);
    if (code != PT_OK) return code;
    return pack_id_equal(&found, other) ? PT_OK : pt_fail(err, PT_NOT_FOUND, NULL, "it is linked to no pack here");
}

// --- Writing ---

static enum pt_code append(struct pt_journal *journal, const struct pt_buf *record, struct pt_journal_position *position, struct pt_error *err) {
    const struct pt_bytes part = pt_buf_bytes(record);
    const enum pt_code code = pt_buf_check(record, err);
    return code == PT_OK ? pt_journal_append(journal, &part, 1, position, err) : code;
}

static enum pt_code append_packs(struct pt_journal *journal, const struct remembered_change *change, pt_millis now, struct pt_error *err) {
    enum pt_code code = PT_OK;
    for (size_t at = 0; at < change->count && code == PT_OK; at += CHUNK) {
        PT_CLEANUP(pt_buf_free) struct pt_buf record = PT_BUF_INIT(RECORD_BYTES);
        const size_t count = change->count - at < CHUNK ? change->count - at : CHUNK;
        cbor_put_array(&record, 2);
        cbor_put_uint(&record, change->undone ? RECORD_UNDONE : RECORD_DONE);
        cbor_put_array(&record, change->undone ? count : 2 * count);
        for (size_t i = at; i < at + count; i++) {
            cbor_put_uint(&record, work_hash(change->task, &change->packs[i]));
            if (!change->undone) cbor_put_uint(&record, minute_of(now));
        }
        code = append(journal, &record, NULL, err);
    }
    return code;
}

static void put_key(struct pt_buf *record, const struct pack_id *pack) {
    uint8_t bytes[PACK_KEY_MAX + 2];
    struct pt_buf key = PT_BUF_OVER(bytes);
    if (pack_id_key(pack, &key, NULL) == PT_OK) cbor_put_bytes(record, pt_buf_bytes(&key));
    else record->failed = true;
}

static enum pt_code append_box(struct pt_journal *journal, const struct remembered_box *box, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf record = PT_BUF_INIT(RECORD_BYTES);
    cbor_put_array(&record, 7);
    cbor_put_uint(&record, RECORD_BOX);
    put_key(&record, &box->box.pack);
    cbor_put_text(&record, box->box.expiry);
    cbor_put_int(&record, box->box.units);
    cbor_put_int(&record, box->box.units_left);
    cbor_put_int(&record, box->box.opened);
    cbor_put_int(&record, box->changed);
    return append(journal, &record, NULL, err);
}

static enum pt_code append_change(struct pt_journal *journal, const struct remembered_change *change, pt_millis now,
                                  struct pt_journal_position *link, struct pt_error *err) {
    enum pt_code code = append_packs(journal, change, now, err);
    for (size_t i = 0; i < change->box_count && code == PT_OK; i++) code = append_box(journal, &change->boxes[i], err);
    if (code != PT_OK || !change->other) return code;
    PT_CLEANUP(pt_buf_free) struct pt_buf record = PT_BUF_INIT(RECORD_BYTES);
    cbor_put_array(&record, 3);
    cbor_put_uint(&record, RECORD_LINK);
    put_key(&record, change->other);
    put_key(&record, change->pack);
    return append(journal, &record, link, err);
}

static enum pt_code rewrite_done(const struct remembered *r, struct pt_journal *journal, struct pt_error *err) {
    enum pt_code code = PT_OK;
    for (size_t at = 0; at < r->done.cap && code == PT_OK;) {
        PT_CLEANUP(pt_buf_free) struct pt_buf pairs = PT_BUF_INIT(RECORD_BYTES), record = PT_BUF_INIT(RECORD_BYTES);
        size_t count = 0;
        for (; at < r->done.cap && count < CHUNK; at++) {
            const struct work_slot *slot = &r->done.slots[at];
            if (slot->hash == 0 || !is_recent(r->now, slot->value)) continue;
            cbor_put_uint(&pairs, slot->hash);
            cbor_put_uint(&pairs, slot->value);
            count++;
        }
        if (count == 0) break;
        cbor_put_array(&record, 2);
        cbor_put_uint(&record, RECORD_DONE);
        cbor_put_array(&record, 2 * count);
        pt_buf_append_bytes(&record, pt_buf_bytes(&pairs));
        code = append(journal, &record, NULL, err);
    }
    return code;
}

// Says everything that still counts once more, and lets the old segments go.
static enum pt_code compact(struct remembered *r, struct pt_journal *journal, struct pt_error *err) {
    const uint64_t live = r->done.count * DONE_BYTES + r->box_count * BOX_BYTES + r->link_count * LINK_BYTES;
    if (pt_journal_bytes(journal) < SLACK + 3 * live) return PT_OK;
    const uint64_t from = pt_journal_next(journal);
    enum pt_code code = rewrite_done(r, journal, err);
    for (size_t i = 0; i < r->box_count && code == PT_OK; i++) code = append_box(journal, &r->boxes[i], err);
    for (size_t i = 0; i < r->link_count && code == PT_OK; i++) {
        PT_CLEANUP(pt_buf_free) struct pt_buf record = PT_BUF_INIT(RECORD_BYTES);
        code = pt_journal_read(journal, &r->link[i].position, &record, err);
        if (code == PT_OK) code = append(journal, &record, &r->link[i].position, err);
    }
    if (code == PT_OK) code = pt_journal_sync(journal, err);
    return code == PT_OK ? pt_journal_drop_before(journal, from, err) : code;
}

static enum pt_code apply(struct remembered *r, const struct remembered_change *change, pt_millis now,
                          const struct pt_journal_position *link, struct pt_error *err) {
    enum pt_code code = PT_OK;
    for (size_t i = 0; i < change->count && code == PT_OK; i++)
        code = work_table_put(&r->done, work_hash(change->task, &change->packs[i]), change->undone ? 0 : minute_of(now), err);
    for (size_t i = 0; i < change->box_count && code == PT_OK; i++) code = put_box(r, &change->boxes[i], err);
    if (code == PT_OK && change->other) code = put_link(r, change->other, change->pack, link, err);
    return code;
}

enum pt_code remembered_note(struct remembered *remembered, const struct remembered_change *change, pt_millis now, struct pt_error *err) {
    struct pt_journal *journal = NULL;
    struct pt_journal_position link = {0};
    remembered->now = now;
    enum pt_code code = open_journal(remembered, NULL, &journal, err);
    if (code == PT_OK) code = append_change(journal, change, now, &link, err);
    if (code == PT_OK) code = pt_journal_sync(journal, err);
    if (code == PT_OK) code = apply(remembered, change, now, &link, err);
    if (code == PT_OK) code = compact(remembered, journal, err);
    if (code == PT_OK) remembered->bytes = pt_journal_bytes(journal);
    pt_journal_close(journal);
    return code;
}
