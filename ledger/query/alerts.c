// Alerts, how far their investigations are, and whether any still stands against a pack.
#include "ledger/query/alerts.h"

#include <string.h>

#include "common/base/cleanup.h"
#include "ledger/query/pack_reader.h"

#define LOOKED_THROUGH_MOST 50000u  // alerts that one question reads
#define VALUE_MAX ((size_t)16 * 1024)

static enum pt_code read_finding(struct index_reader *index, struct pt_bytes key, struct finding_record *out, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf value = PT_BUF_INIT(VALUE_MAX);
    *out = (struct finding_record){.status = FINDING_NEW};
    const enum pt_code code = index->get(index, STATE_FINDING, key, &value, err);
    if (code == PT_NOT_FOUND) return PT_OK;
    return code == PT_OK ? finding_record_decode(pt_buf_bytes(&value), out, err) : code;
}

// --- Many ---

struct collecting {
    struct index_reader *index;
    struct pt_arena *arena;
    const enum finding_status *status;
    struct ledger_alert *items;
    size_t count, most, looked;
    uint64_t last;
    struct pt_error *err;
};

static enum pt_code collect(void *arg, struct pt_bytes key, struct pt_bytes value) {
    struct collecting *to = arg;
    struct finding_record finding;
    if (to->count == to->most || to->looked++ == LOOKED_THROUGH_MOST) return PT_NOT_FOUND;  // ends the range
    enum pt_code code = read_finding(to->index, key, &finding, to->err);
    if (code != PT_OK) return code;
    uint8_t *copy = pt_arena_alloc(to->arena, 1, value.len + 1);
    if (!copy) return pt_fail(to->err, PT_NO_MEMORY, NULL, "out of memory");
    memcpy(copy, value.data, value.len);
    struct ledger_alert *item = &to->items[to->count];
    code = alert_record_decode(key, pt_bytes_of(copy, value.len), &item->alert, to->err);
    if (code != PT_OK) return code;
    item->status = finding.status;
    item->outcome = finding.outcome;
    to->last = item->alert.number;
    if (!to->status || *to->status == finding.status) to->count++;
    return PT_OK;
}

enum pt_code ledger_alerts_of_status(struct ledger *ledger, const enum finding_status *status, uint64_t since, bool newest, size_t most,
                                     struct pt_arena *arena, struct ledger_alert **out, size_t *count, uint64_t *next, struct pt_error *err) {
    uint8_t low[8], high[8];
    struct idle_reader *view;
    alert_record_key(newest ? 0 : since, low);
    alert_record_key(newest && since ? since : FINDING_NUMBER_MAX, high);
    *count = 0;
    *next = 0;
    *out = pt_arena_alloc(arena, most + 1, sizeof **out);
    if (!*out) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    enum pt_code code = ledger_view_begin(ledger, &view, err);
    if (code != PT_OK) return code;
    struct collecting to = {.index = &view->reader, .arena = arena, .status = status, .items = *out, .most = most, .err = err};
    code = view->reader.range(&view->reader, STATE_ALERT, pt_bytes_of(low, 8), pt_bytes_of(high, 8), newest, collect, &to, err);
    ledger_view_end(ledger, view);
    if (code != PT_OK) return code;
    *count = to.count;
    if (to.count == most || to.looked > LOOKED_THROUGH_MOST) *next = newest ? to.last : to.last + 1;
    return PT_OK;
}

// --- One ---

enum pt_code ledger_alert(struct ledger *ledger, uint64_t number, struct pt_arena *arena, struct alert_record *alert,
                          struct finding_record *finding, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf value = PT_BUF_INIT(VALUE_MAX);
    uint8_t key[8];
    struct idle_reader *view;
    if (number == 0 || number > FINDING_NUMBER_MAX) return pt_fail(err, PT_NOT_FOUND, NULL, "there is no such alert");
    alert_record_key(number, key);
    enum pt_code code = ledger_view_begin(ledger, &view, err);
    if (code != PT_OK) return code;
    code = view->reader.get(&view->reader, STATE_ALERT, pt_bytes_of(key, 8), &value, err);
    if (code == PT_OK) code = read_finding(&view->reader, pt_bytes_of(key, 8), finding, err);
    ledger_view_end(ledger, view);
    if (code == PT_NOT_FOUND) return pt_fail(err, PT_NOT_FOUND, NULL, "there is no such alert");
    if (code != PT_OK) return code;
    uint8_t *copy = pt_arena_alloc(arena, 1, value.len + 1);
    if (!copy) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    memcpy(copy, value.data, value.len);
    return alert_record_decode(pt_bytes_of(key, 8), pt_bytes_of(copy, value.len), alert, err);
}

// --- Of a pack ---

struct standing {
    struct index_reader *index;
    struct pt_error *err;
    uint64_t seen;
    bool announced;  // the pack, by its maker
    bool stands;
};

// What was missing has come: nothing is left of these once the maker has announced the pack.
static bool has_passed(enum alert_kind kind) { return kind == ALERT_PRODUCT_WITHOUT_DATA || kind == ALERT_UNKNOWN_SERIAL; }

static enum pt_code look_at(void *arg, struct pt_bytes key, struct pt_bytes value) {
    struct standing *of = arg;
    PT_CLEANUP(pt_buf_free) struct pt_buf record = PT_BUF_INIT(VALUE_MAX);
    struct alert_record alert;
    struct finding_record finding;
    (void)value;
    if (key.len < 8) return PT_UNVERIFIED;
    of->seen++;
    const struct pt_bytes number = pt_bytes_of(key.data + key.len - 8, 8);
    enum pt_code code = of->index->get(of->index, STATE_ALERT, number, &record, of->err);
    if (code == PT_OK) code = alert_record_decode(number, pt_buf_bytes(&record), &alert, of->err);
    if (code == PT_OK && alert.mode == ALERT_ENFORCE) code = read_finding(of->index, number, &finding, of->err);
    if (code != PT_OK) return code == PT_NOT_FOUND ? PT_UNVERIFIED : code;
    if (of->announced && has_passed(alert.kind)) return PT_OK;
    if (alert.mode != ALERT_ENFORCE || (finding.status == FINDING_CLOSED && finding_clears(finding.outcome))) return PT_OK;
    of->stands = true;
    return PT_NOT_FOUND;  // one is enough
}

enum pt_code alerts_stand_against(struct index_reader *index, struct pt_bytes pack, uint64_t counted, bool announced, bool *out,
                                  struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf from = PT_BUF_INIT(PACK_KEY_MAX + 8);
    PT_CLEANUP(pt_buf_free) struct pt_buf to = PT_BUF_INIT(PACK_KEY_MAX + 8);
    struct standing of = {.index = index, .err = err, .announced = announced};
    uint8_t low[8], high[8];
    alert_record_key(0, low);
    alert_record_key(FINDING_NUMBER_MAX, high);
    pt_buf_append_bytes(&from, pack);
    pt_buf_append(&from, low, 8);
    pt_buf_append_bytes(&to, pack);
    pt_buf_append(&to, high, 8);
    enum pt_code code = pt_buf_check(&from, err);
    if (code == PT_OK) code = pt_buf_check(&to, err);
    if (code == PT_OK) code = index->range(index, INDEX_PACK_ALERT, pt_buf_bytes(&from), pt_buf_bytes(&to), false, look_at, &of, err);
    *out = of.stands || of.seen < counted;
    return code;
}
