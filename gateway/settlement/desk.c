#include "gateway/settlement/desk.h"

#include <stdio.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/log.h"
#include "common/base/text.h"
#include "common/cose/statement.h"
#include "common/epcis/epcis_json.h"
#include "common/epcis/event_cbor.h"
#include "common/epcis/event_hash.h"
#include "common/identify/pack_id.h"

#define IDENTITY_MAX 1024u

// An event as it was signed. Views point into `bytes`, the rest lives in the arena.
struct scanned {
    int64_t scan;
    struct pt_buf bytes;
    struct statement statement;
    struct pt_digest id;
    struct pt_arena arena;
    struct epcis_event *event;  // NULL: no event, or one that cannot be read
};

static void scanned_free(struct scanned *scanned) {
    pt_buf_free(&scanned->bytes);
    pt_arena_free(&scanned->arena);
}

static pt_millis now_of(const struct desk *desk) { return desk->env->now(desk->env->ctx); }

static void read_event(struct scanned *scanned) {
    const struct pt_bytes type = scanned->statement.content_type, payload = scanned->statement.payload;
    struct pt_error err = {0};
    if (pt_bytes_equal(type, pt_bytes_str(STATEMENT_EVENT_CBOR))) {
        struct epcis_event *event = pt_arena_alloc(&scanned->arena, 1, sizeof *event);
        if (event && epcis_cbor_decode(payload, &scanned->arena, event, &err) == PT_OK) scanned->event = event;
    } else if (pt_bytes_equal(type, pt_bytes_str(STATEMENT_EVENT_JSON))) {
        struct epcis_document document;
        if (epcis_json_decode(payload, STATEMENT_MAX, EPCIS_FOR_CAPTURE, &scanned->arena, &document, &err) == PT_OK &&
            document.event_count == 1)
            scanned->event = &document.events[0];
    }
    // What cannot be read the ledger refuses, too; there is nothing to report.
    if (err.code) pt_log_error("settlement-event-unreadable", &err);
}

static enum pt_code decode_scan(struct scanned *scanned, struct pt_error *err) {
    const enum pt_code code = statement_decode(pt_buf_bytes(&scanned->bytes), &scanned->statement, err);
    if (code != PT_OK) return code;
    scanned->id = statement_id(pt_buf_bytes(&scanned->bytes));
    read_event(scanned);
    return PT_OK;
}

static const char *place_of(const struct epcis_event *event) {
    return event->biz_location.id ? event->biz_location.id : event->read_point.id;
}

// The event's document; where it names one that cannot be, its words' one, so that the mistake becomes a refused report
// that people see.
static bool document_of(const struct scanned *scanned, struct pt_arena *arena, struct cn_document_reference *out) {
    const enum pt_code code = cn_document_of_event(scanned->event, arena, out, NULL);
    if (code == PT_OK) return true;
    *out = (struct cn_document_reference){0};
    if (code == PT_INVALID) out->document = cn_document_by_words(scanned->event->biz_step, scanned->event->disposition);
    return out->document != NULL;
}

static enum pt_code identity_of(const struct scanned *scanned, char out[IDENTITY_MAX], struct pt_error *err) {
    const struct epcis_event *event = scanned->event;
    if (event->event_id && strlen(event->event_id) < IDENTITY_MAX) {
        snprintf(out, IDENTITY_MAX, "%s", event->event_id);
        return PT_OK;
    }
    char hash[EPCIS_EVENT_HASH_SIZE], statement[65];
    const enum pt_code code = epcis_event_hash(event, NULL, hash, err);
    if (code == PT_OK) snprintf(out, IDENTITY_MAX, "%s", hash);
    if (code != PT_INVALID && code != PT_LIMIT) return code;
    // An event that cannot be hashed is like no other; it must not stand in the way of those behind it.
    pt_digest_hex(&scanned->id, statement);
    snprintf(out, IDENTITY_MAX, "statement %s", statement);
    return PT_OK;
}

static enum pt_code hold_packs(struct desk *desk, const struct scanned *scanned, const struct report *report, struct pt_error *err) {
    enum pt_code code = PT_OK;
    for (size_t i = 0; i < scanned->event->epcs.count && code == PT_OK; i++) {
        struct pack_id id;
        PT_CLEANUP(pt_buf_free) struct pt_buf key = PT_BUF_INIT(PACK_KEY_MAX);
        if (pack_id_from_uri(pt_bytes_str(scanned->event->epcs.items[i]), &id, NULL) != PT_OK) continue;
        code = pack_id_key(&id, &key, err);
        const struct pt_bytes bytes = pt_buf_bytes(&key);
        if (code == PT_OK) code = store_set_packs(desk->store, report, &bytes, 1, err);
    }
    return code;
}

// --- What an error declaration takes back ---

static enum pt_code void_report(struct desk *desk, struct report *report, const char *why, struct pt_error *err) {
    report_void(report, why, now_of(desk));
    return store_save_report(desk->store, report, err);
}

// Decides what becomes of a reversal before it is stored.
static enum pt_code link_reversal(struct desk *desk, const char *identity, struct report *reversal, struct pt_error *err) {
    struct report original, earlier;
    const pt_millis now = now_of(desk);
    enum pt_code code = store_report_by_identity(desk->store, reversal->platform, identity, true, &earlier, err);
    if (code == PT_OK && earlier.state != REPORT_VOID) {
        report_void(reversal, "the event was taken back before", now);
        return PT_OK;
    }
    if (code != PT_OK && code != PT_NOT_FOUND) return code;
    code = store_report_by_identity(desk->store, reversal->platform, identity, false, &original, err);
    if (code == PT_NOT_FOUND) {
        struct lacks lacks = {{0}};
        lacks_add(&lacks, "original", identity);
        report_waits_for(reversal, &lacks, "the event that it takes back has not been seen here; `retry` sends it all the same", now);
        return PT_OK;
    }
    if (code != PT_OK) return code;
    reversal->reverses = original.number;
    switch (original.state) {
    case REPORT_WAITING:
        // The platform never had it: there is nothing to tell.
        report_void(reversal, "what it takes back was never sent", now);
        return void_report(desk, &original, "taken back before it was sent", err);
    case REPORT_UNKNOWN:
    case REPORT_ACCEPTED: return PT_OK;
    case REPORT_REFUSED: report_void(reversal, "what it takes back was refused", now); return PT_OK;
    case REPORT_REVERSED:
    case REPORT_VOID: report_void(reversal, "there is nothing left to take back", now); return PT_OK;
    }
    return PT_OK;
}

// The original of a reversal that came first; or an event that came twice, in two statements.
static enum pt_code link_original(struct desk *desk, const char *identity, struct report *report, struct pt_error *err) {
    struct report other;
    const pt_millis now = now_of(desk);
    enum pt_code code = store_report_by_identity(desk->store, report->platform, identity, false, &other, err);
    if (code == PT_OK) {
        report_void(report, "the same event came in another statement", now);
        return PT_OK;
    }
    if (code != PT_NOT_FOUND) return code;
    code = store_report_by_identity(desk->store, report->platform, identity, true, &other, err);
    if (code == PT_NOT_FOUND) return PT_OK;
    if (code != PT_OK || other.state != REPORT_WAITING || strncmp(other.lacks.keys, "original/", 9) != 0) return code;
    report_void(report, "taken back before it was sent", now);
    return void_report(desk, &other, "what it takes back was never sent", err);
}

// --- Sorting ---

static const char *kind_for(const struct mapping_output *output, bool undo) { return undo ? output->undo : output->as; }

static enum pt_code add_report(struct desk *desk, const struct scanned *scanned, const struct mapping_kind *kind, enum platform platform,
                               const char *identity, struct pt_error *err) {
    const bool undo = scanned->event->error_declaration.present;
    const char *name = kind_for(&kind->outputs[platform], undo);
    const pt_millis now = now_of(desk);
    struct report report = {
        .scan = scanned->scan,
        .statement = scanned->id,
        .platform = platform,
        .undo = undo,
        .state = REPORT_WAITING,
        .generation = 1,
        .created = now,
        .changed = now,
        .due = now,
    };
    snprintf(report.kind, sizeof report.kind, "%s", name ? name : "");
    enum pt_code code = undo ? link_reversal(desk, identity, &report, err) : link_original(desk, identity, &report, err);
    if (code == PT_OK) code = store_add_report(desk->store, &report, identity, err);
    if (code == PT_OK && report_is_open(&report)) code = hold_packs(desk, scanned, &report, err);
    return code;
}

static bool counts(const struct desk *desk, const struct scanned *scanned) {
    return scanned->event && mapping_has_place(desk->mapping, place_of(scanned->event)) &&
           (!desk->trusted || desk->trusted(desk->arg, &scanned->statement.kid, scanned->statement.sequence));
}

static enum pt_code sort_scan(struct desk *desk, struct scanned *scanned, struct pt_error *err) {
    struct cn_document_reference document;
    char identity[IDENTITY_MAX];
    // A stored statement was decoded before: what cannot be read now is the disk's fault, and said.
    enum pt_code code = decode_scan(scanned, err);
    if (code != PT_OK) return code;
    if (!counts(desk, scanned) || !document_of(scanned, &scanned->arena, &document)) return PT_OK;
    const struct mapping_kind *kind = mapping_kind_of(desk->mapping, document.document->kind);
    if (!kind) return PT_OK;
    code = identity_of(scanned, identity, err);
    for (unsigned p = 0; p < PLATFORMS && code == PT_OK; p++)
        if (kind->outputs[p].as) code = add_report(desk, scanned, kind, (enum platform)p, identity, err);
    return code;
}

// Ends the transaction that store_begin opened.
static enum pt_code end(struct desk *desk, enum pt_code code, struct pt_error *err) {
    if (code == PT_OK) return store_commit(desk->store, err);
    store_rollback(desk->store);
    return code;
}

enum pt_code desk_sort_one(struct desk *desk, struct pt_error *err) {
    PT_CLEANUP(scanned_free) struct scanned scanned = {.bytes = PT_BUF_INIT(STATEMENT_MAX)};
    enum pt_code code = store_begin(desk->store, err);
    if (code != PT_OK) return code;
    code = store_unsorted_scan(desk->store, &scanned.scan, &scanned.bytes, err);
    if (code == PT_OK) code = sort_scan(desk, &scanned, err);
    if (code == PT_OK) code = store_scan_sorted(desk->store, scanned.scan, err);
    return end(desk, code, err);
}

// --- Deriving ---

struct known {
    struct store *store;
    struct pt_arena *arena;
    json_t *sale;
    enum pt_code code;  // a store that failed is not the same as a record that is not there
    struct pt_error *err;
};

static void keep_failure(struct known *known, enum pt_code code) {
    if (code != PT_OK && code != PT_NOT_FOUND) known->code = code;
}

static const struct master_product *find_product(void *ctx, const char *identifier, pt_millis at) {
    struct known *known = ctx;
    PT_CLEANUP(pt_buf_free) struct pt_buf bytes = PT_BUF_INIT(MASTER_RECORD_MAX);
    enum pt_code code = store_master(known->store, MASTER_PRODUCT, identifier, at, &bytes, known->err);
    struct master_record *record = code == PT_OK ? pt_arena_alloc(known->arena, 1, sizeof *record) : NULL;
    // Decoded texts may be views: they must live as long as the record.
    const char *copy = record ? pt_arena_strdup(known->arena, pt_buf_bytes(&bytes)) : NULL;
    if (copy) code = master_decode(pt_bytes_of(copy, bytes.len), known->arena, record, known->err);
    keep_failure(known, code);
    return copy && code == PT_OK && !record->withdrawn ? &record->product : NULL;
}

static const json_t *find_sale(void *ctx, const char *token) {
    struct known *known = ctx;
    PT_CLEANUP(pt_buf_free) struct pt_buf bytes = PT_BUF_INIT(ANSWER_MAX);
    enum pt_code code = store_sale(known->store, token, &bytes, known->err);
    if (code == PT_OK && !known->sale) code = pt_json_parse(pt_buf_bytes(&bytes), ANSWER_MAX, &known->sale, known->err);
    keep_failure(known, code);
    return known->sale;
}

static bool find_pack(void *ctx, const char *uri, const char **lot, const char **expiry) {
    struct known *known = ctx;
    *lot = *expiry = NULL;
    const enum pt_code code = store_pack(known->store, uri, known->arena, lot, expiry, known->err);
    keep_failure(known, code);
    return code == PT_OK;
}

// The serial under which what it takes back was sent.
static enum pt_code original_serial(struct desk *desk, const struct report *report, char out[REPORT_SERIAL_MAX + 1], struct pt_error *err) {
    struct report original;
    out[0] = 0;
    if (!report->reverses) return PT_OK;
    const enum pt_code code = store_report(desk->store, report->reverses, &original, err);
    if (code == PT_OK) report_serial(&original, out);
    return code;
}

static enum pt_code write_document(struct desk *desk, const struct report *report, struct scanned *scanned, struct pt_buf *out,
                                   struct lacks *lacks, struct pt_error *err) {
    struct derive_request request = {.platform = report->platform, .undo = report->undo, .kind = report->kind};
    char serial[REPORT_SERIAL_MAX + 1], original[REPORT_SERIAL_MAX + 1], statement[65];
    if (!report->kind[0])
        return pt_fail(err, PT_INVALID, NULL, "the mapping names no reversal for this kind of document on this platform");
    enum pt_code code = cn_document_of_event(scanned->event, &scanned->arena, &request.document, err);
    if (code == PT_OK) code = original_serial(desk, report, original, err);
    if (code != PT_OK) return code;
    report_serial(report, serial);
    pt_digest_hex(&report->statement, statement);
    request.serial = serial;
    request.original = original[0] ? original : NULL;
    request.statement = statement;
    struct known known = {.store = desk->store, .arena = &scanned->arena, .err = err};
    const struct fact_lookup lookup = {find_product, find_sale, find_pack, &known};
    struct facts facts;
    code = derive_facts(desk->mapping, scanned->event, &request, &lookup, &scanned->arena, &facts, err);
    if (code == PT_OK && known.code == PT_OK) code = derive_document(desk->mapping, &request, &facts, out, lacks, err);
    json_decref(known.sale);
    return known.code != PT_OK ? known.code : code;
}

// The mapping may have changed since the report was made: what it is sent as is looked up anew.
static void renew_kind(const struct desk *desk, const struct scanned *scanned, struct pt_arena *arena, struct report *report) {
    struct cn_document_reference document;
    if (!document_of(scanned, arena, &document)) return;
    const struct mapping_kind *kind = mapping_kind_of(desk->mapping, document.document->kind);
    const char *name = kind ? kind_for(&kind->outputs[report->platform], report->undo) : NULL;
    snprintf(report->kind, sizeof report->kind, "%s", name ? name : "");
}

static enum pt_code derive_report(struct desk *desk, struct report *report, struct pt_error *err) {
    PT_CLEANUP(scanned_free) struct scanned scanned = {.scan = report->scan, .bytes = PT_BUF_INIT(STATEMENT_MAX)};
    PT_CLEANUP(pt_buf_free) struct pt_buf document = PT_BUF_INIT(DOCUMENT_MAX);
    struct lacks lacks = {{0}};
    struct pt_error why = {0};
    enum pt_code code = store_scan(desk->store, report->scan, &scanned.bytes, err);
    if (code == PT_OK) code = decode_scan(&scanned, err);
    if (code == PT_OK && !scanned.event) code = pt_fail(err, PT_INTERNAL, NULL, "a sorted scan has no event");
    if (code != PT_OK) return code;
    renew_kind(desk, &scanned, &scanned.arena, report);
    const pt_millis now = now_of(desk);
    switch (write_document(desk, report, &scanned, &document, &lacks, &why)) {
    case PT_OK:
        report->ready = true;
        report->changed = now;
        report->reason[0] = report->level[0] = 0;
        code = store_set_document(desk->store, report->number, pt_buf_bytes(&document), err);
        break;
    case PT_UNAVAILABLE:
        if (!lacks.keys[0]) return pt_fail(err, PT_UNAVAILABLE, why.where, "%s", why.what);
        report_waits_for(report, &lacks, why.what, now);
        break;
    case PT_NOT_FOUND: report_void(report, why.what, now); break;
    case PT_IO:
    case PT_NO_MEMORY: return pt_fail(err, why.code, why.where, "%s", why.what);
    default: report_unfit(report, why.what, now); break;  // a report that cannot be made must not stand before the others
    }
    if (code == PT_OK) code = store_save_report(desk->store, report, err);
    // A report that was refused and mended stands among its packs' reports again.
    return code == PT_OK && report_is_open(report) ? hold_packs(desk, &scanned, report, err) : code;
}

enum pt_code desk_derive_one(struct desk *desk, struct pt_error *err) {
    struct report report;
    enum pt_code code = store_begin(desk->store, err);
    if (code != PT_OK) return code;
    code = store_underived_report(desk->store, &report, err);
    if (code == PT_OK) code = derive_report(desk, &report, err);
    return end(desk, code, err);
}
