// Who is enrolled, what there is to hear, what was suspicious.
#include <string.h>

#include "common/base/cleanup.h"
#include "common/master/master.h"
#include "ledger/ledger_internal.h"
#include "ledger/state/varint.h"

#define ACTOR_BYTES_MAX ((size_t)8192)
#define FEED_MOST 1000u

static enum pt_code read_actor(struct index_reader *index, struct pt_bytes kid, struct actor *out, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf value = PT_BUF_INIT(ACTOR_BYTES_MAX);
    const enum pt_code code = index->get(index, STATE_ACTOR, kid, &value, err);
    return code == PT_OK ? actor_decode(pt_buf_bytes(&value), out, err) : code;
}

enum pt_code ledger_actor(struct ledger *ledger, const struct pt_digest *kid, struct actor *out, struct pt_error *err) {
    struct idle_reader *view;
    enum pt_code code = ledger_view_begin(ledger, &view, err);
    if (code != PT_OK) return code;
    code = read_actor(&view->reader, pt_bytes_digest(kid), out, err);
    ledger_view_end(ledger, view);
    return code;
}

enum pt_code ledger_actor_by_tls(struct ledger *ledger, const struct pt_digest *tls, struct actor *out, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf kid = PT_BUF_INIT(PT_DIGEST_SIZE);
    struct idle_reader *view;
    enum pt_code code = ledger_view_begin(ledger, &view, err);
    if (code != PT_OK) return code;
    code = view->reader.get(&view->reader, INDEX_TLS, pt_bytes_digest(tls), &kid, err);
    if (code == PT_OK) code = read_actor(&view->reader, pt_buf_bytes(&kid), out, err);
    // An actor enrolled anew with another TLS key no longer answers to the old one.
    const bool other = code == PT_OK && !pt_digest_equal(&out->tls, tls);
    ledger_view_end(ledger, view);
    if (!other) return code;
    actor_free(out);
    return pt_fail(err, PT_NOT_FOUND, NULL, "nobody is enrolled with this TLS key");
}

// --- Feed ---

struct feed_line {
    uint64_t leaf;
    unsigned kind;
};

struct feed_lines {
    struct feed_line *lines;
    size_t count, most;
};

static enum pt_code take_line(void *arg, struct pt_bytes key, struct pt_bytes value) {
    struct feed_lines *lines = arg;
    (void)value;
    if (key.len != SIDE_FEED_KEY) return PT_UNVERIFIED;
    if (lines->count == lines->most) return PT_NOT_FOUND;
    lines->lines[lines->count++] = (struct feed_line){be64_get(key.data + 8), key.data[16]};
    return PT_OK;
}

static enum pt_code read_lines(struct index_reader *index, const char *audience, uint64_t since, struct feed_lines *lines,
                               struct pt_error *err) {
    uint8_t from[SIDE_FEED_KEY], to[SIDE_FEED_KEY];
    side_feed_key(audience, since, 0, from);
    side_feed_key(audience, UINT64_MAX, 255, to);
    return index->range(index, INDEX_FEED, pt_bytes_of(from, sizeof from), pt_bytes_of(to, sizeof to), false, take_line, lines, err);
}

static enum pt_code read_statements(struct ledger *ledger, struct index_reader *index, const struct feed_lines *all,
                                    const struct feed_lines *own, size_t most, struct pt_arena *arena,
                                    struct ledger_feed_item *items, size_t *count, struct pt_error *err) {
    size_t a = 0, b = 0;
    while (*count < most && (a < all->count || b < own->count)) {
        const bool first = b == own->count || (a < all->count && all->lines[a].leaf <= own->lines[b].leaf);
        const struct feed_line *line = first ? &all->lines[a++] : &own->lines[b++];
        struct stored_statement stored;
        const enum pt_code code = statement_store_by_leaf(ledger->files.statements, index, line->leaf, arena, &stored, err);
        if (code != PT_OK) return code;
        items[(*count)++] = (struct ledger_feed_item){(enum ledger_feed_kind)line->kind, line->leaf, stored.bytes};
    }
    return PT_OK;
}

enum pt_code ledger_feed(struct ledger *ledger, const char *party, uint64_t since, size_t most, struct pt_arena *arena,
                         struct ledger_feed_item **out, size_t *count, uint64_t *cursor, bool *more, struct pt_error *err) {
    struct idle_reader *view;
    *count = 0;
    *cursor = since;
    if (most == 0 || most > FEED_MOST) most = FEED_MOST;
    // One beyond, to know whether there is more.
    struct feed_lines all = {pt_arena_alloc(arena, most + 1, sizeof(struct feed_line)), 0, most + 1}, own = all;
    own.lines = pt_arena_alloc(arena, most + 1, sizeof(struct feed_line));
    *out = pt_arena_alloc(arena, most, sizeof **out);
    if (!all.lines || !own.lines || !*out) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    enum pt_code code = ledger_view_begin(ledger, &view, err);
    if (code != PT_OK) return code;
    code = read_lines(&view->reader, NULL, since, &all, err);
    if (code == PT_OK && party && party[0]) code = read_lines(&view->reader, party, since, &own, err);
    if (code == PT_OK) code = read_statements(ledger, &view->reader, &all, &own, most, arena, *out, count, err);
    ledger_view_end(ledger, view);
    *more = all.count + own.count > *count;
    if (*count > 0) *cursor = (*out)[*count - 1].leaf_index + 1;
    return code;
}

// --- Alerts ---

struct alerts {
    struct index_reader *index;
    struct pt_arena *arena;
    struct alert_record *items;
    size_t count, most;
    struct pt_error *err;
};

static enum pt_code keep_alert(struct alerts *alerts, struct pt_bytes key, struct pt_bytes value) {
    if (alerts->count == alerts->most) return PT_NOT_FOUND;
    uint8_t *copy = pt_arena_alloc(alerts->arena, 1, value.len + 1);
    if (!copy) return pt_fail(alerts->err, PT_NO_MEMORY, NULL, "out of memory");
    memcpy(copy, value.data, value.len);
    return alert_record_decode(key, pt_bytes_of(copy, value.len), &alerts->items[alerts->count++], alerts->err);
}

static enum pt_code each_alert(void *arg, struct pt_bytes key, struct pt_bytes value) { return keep_alert(arg, key, value); }

static enum pt_code each_pack_alert(void *arg, struct pt_bytes key, struct pt_bytes value) {
    struct alerts *alerts = arg;
    PT_CLEANUP(pt_buf_free) struct pt_buf record = PT_BUF_INIT(4096);
    (void)value;
    if (key.len < 8) return PT_UNVERIFIED;
    const struct pt_bytes number = pt_bytes_of(key.data + key.len - 8, 8);
    if (alerts->count == alerts->most) return PT_NOT_FOUND;
    const enum pt_code code = alerts->index->get(alerts->index, STATE_ALERT, number, &record, alerts->err);
    return code == PT_OK ? keep_alert(alerts, number, pt_buf_bytes(&record)) : PT_UNVERIFIED;
}

static enum pt_code alert_bounds(const struct pack_id *pack, uint64_t since, bool newest, struct pt_buf *from, struct pt_buf *to,
                                 struct pt_error *err) {
    uint8_t low[8], high[8];
    enum pt_code code = PT_OK;
    alert_record_key(newest ? 0 : since, low);
    // Numbers stay below 2^56, so that their first byte, 0, sorts before every character that a longer key goes on with.
    alert_record_key(newest && since ? since : UINT64_MAX >> 8, high);
    if (pack) code = pack_id_key(pack, from, err);
    if (code != PT_OK) return code;
    pt_buf_append_bytes(to, pt_buf_bytes(from));
    pt_buf_append(from, low, 8);
    pt_buf_append(to, high, 8);
    code = pt_buf_check(from, err);
    return code == PT_OK ? pt_buf_check(to, err) : code;
}

enum pt_code ledger_alerts(struct ledger *ledger, const struct pack_id *pack, uint64_t since, bool newest, size_t most,
                           struct pt_arena *arena, struct alert_record **out, size_t *count, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf from = PT_BUF_INIT(PACK_KEY_MAX + 8);
    PT_CLEANUP(pt_buf_free) struct pt_buf to = PT_BUF_INIT(PACK_KEY_MAX + 8);
    struct idle_reader *view;
    *count = 0;
    *out = pt_arena_alloc(arena, most + 1, sizeof **out);
    if (!*out) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    enum pt_code code = alert_bounds(pack, since, newest, &from, &to, err);
    if (code == PT_OK) code = ledger_view_begin(ledger, &view, err);
    if (code != PT_OK) return code;
    struct alerts alerts = {&view->reader, arena, *out, 0, most, err};
    code = view->reader.range(&view->reader, pack ? INDEX_PACK_ALERT : (unsigned)STATE_ALERT, pt_buf_bytes(&from), pt_buf_bytes(&to),
                              newest, pack ? each_pack_alert : each_alert, &alerts, err);
    ledger_view_end(ledger, view);
    *count = alerts.count;
    return code;
}

// --- Master records ---

static enum pt_code take_master(void *arg, struct pt_bytes key, struct pt_bytes value) {
    (void)key;
    pt_buf_append_bytes(arg, value);
    return PT_NOT_FOUND;  // the newest one only
}

enum pt_code ledger_master(struct ledger *ledger, unsigned kind, const char *identifier, pt_millis at, struct pt_buf *out,
                           struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf from = PT_BUF_INIT(4096);
    PT_CLEANUP(pt_buf_free) struct pt_buf to = PT_BUF_INIT(4096);
    struct idle_reader *view;
    const size_t before = out->len;
    master_key((enum master_kind)kind, identifier, INT64_MIN, 0, &from);
    master_key((enum master_kind)kind, identifier, at, UINT64_MAX, &to);
    enum pt_code code = pt_buf_check(&to, err);
    if (code == PT_OK) code = ledger_view_begin(ledger, &view, err);
    if (code != PT_OK) return code;
    code = view->reader.range(&view->reader, STATE_MASTER, pt_buf_bytes(&from), pt_buf_bytes(&to), true, take_master, out, err);
    ledger_view_end(ledger, view);
    if (code == PT_OK) code = pt_buf_check(out, err);
    if (code == PT_OK && out->len == before) code = pt_fail(err, PT_NOT_FOUND, identifier, "there is no master record");
    return code;
}
