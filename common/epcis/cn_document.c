#include "common/epcis/cn_document.h"

#include <stdio.h>
#include <string.h>

#include "common/epcis/cbv.h"
#include "common/identify/percent.h"

enum { IN = 1, OUT = 0, USUAL = 1, NAMED = 0 };

// One row a kind. A row that is only NAMED shares its words with another, or its words alone would say too little: an
// event is of that kind only if it says so itself.
static const struct cn_document documents[] = {
    {CN_IN_PRODUCTION, IN, USUAL, EPCIS_ADD, "生产入库", "production", "commissioning", "active"},
    {CN_IN_PURCHASE, IN, USUAL, EPCIS_OBSERVE, "采购入库", "purchase", "receiving", "in_progress"},
    {CN_IN_RETURN, IN, USUAL, EPCIS_OBSERVE, "退货入库", "return", "receiving", "returned"},
    {CN_IN_TRANSFER, IN, NAMED, EPCIS_OBSERVE, "调拨入库", "transfer", "receiving", "in_progress"},
    {CN_IN_ODD_LOT, IN, NAMED, EPCIS_OBSERVE, "零头入库", "odd lot", "receiving", "in_progress"},
    {CN_IN_SUPPLY, IN, NAMED, EPCIS_OBSERVE, "供应入库", "supply", "receiving", "in_progress"},
    {CN_IN_RECALL, IN, USUAL, EPCIS_OBSERVE, "召回入库", "recall", "receiving", "recalled"},
    {CN_IN_GIFT, IN, NAMED, EPCIS_OBSERVE, "赠品入库", "gift", "receiving", "in_progress"},
    {CN_IN_SURPLUS, IN, USUAL, EPCIS_OBSERVE, "盘盈入库", "surplus at stock-taking", "stock_taking", "sellable_accessible"},
    {CN_IN_SCRAP, IN, USUAL, EPCIS_OBSERVE, "报废入库", "scrap", "receiving", "disposed"},
    {CN_IN_OTHER, IN, NAMED, EPCIS_OBSERVE, "其他入库", "other", "receiving", NULL},
    {CN_OUT_SALE, OUT, USUAL, EPCIS_OBSERVE, "销售出库", "sale", "shipping", "in_transit"},
    {CN_OUT_RETURN, OUT, USUAL, EPCIS_OBSERVE, "退货出库", "return", "shipping", "returned"},
    {CN_OUT_TRANSFER, OUT, NAMED, EPCIS_OBSERVE, "调拨出库", "transfer", "shipping", "in_transit"},
    {CN_OUT_REWORK, OUT, USUAL, EPCIS_OBSERVE, "返工出库", "rework", "repackaging", "in_progress"},
    {CN_OUT_DESTRUCTION, OUT, USUAL, EPCIS_DELETE, "销毁出库", "destruction", "destroying", "destroyed"},
    {CN_OUT_SAMPLING, OUT, USUAL, EPCIS_OBSERVE, "抽检出库", "sampling", "sampling", "unavailable"},
    {CN_OUT_DIRECT, OUT, NAMED, EPCIS_OBSERVE, "直调出库", "direct delivery", "shipping", "in_transit"},
    {CN_OUT_PRODUCTION, OUT, NAMED, EPCIS_OBSERVE, "生产出库", "issue to production", "picking", "unavailable"},
    {CN_OUT_SUPPLY, OUT, USUAL, EPCIS_OBSERVE, "供应出库", "supply", "dispensing", "dispensed"},
    {CN_OUT_RECALL, OUT, USUAL, EPCIS_OBSERVE, "召回出库", "recall", "shipping", "recalled"},
    {CN_OUT_GIFT, OUT, NAMED, EPCIS_OBSERVE, "赠品出库", "gift", "shipping", "in_transit"},
    {CN_OUT_SHORTAGE, OUT, USUAL, EPCIS_OBSERVE, "盘亏出库", "shortage at stock-taking", "stock_taking", "unavailable"},
    {CN_OUT_DAMAGE, OUT, USUAL, EPCIS_DELETE, "损坏出库", "damage", "decommissioning", "damaged"},
    {CN_OUT_SCRAP, OUT, USUAL, EPCIS_DELETE, "报废出库", "scrap", "decommissioning", "disposed"},
    {CN_OUT_OTHER, OUT, NAMED, EPCIS_OBSERVE, "其他出库", "other", "shipping", NULL},
    {CN_OUT_DIRECT_RETURN, OUT, NAMED, EPCIS_OBSERVE, "直调退货出库", "return of a direct delivery", "shipping", "returned"},
};

enum { COUNT = sizeof documents / sizeof *documents };

// Other words for the same thing: what they mean in the table. ANY: whatever the disposition is; NULL: there is none.
#define ANY "*"
static const struct {
    const char *biz_step, *disposition;
    enum cn_document_kind kind;
} synonyms[] = {
    {"dispensing", ANY, CN_OUT_SUPPLY},
    {"retail_selling", ANY, CN_OUT_SUPPLY},
    {"receiving", NULL, CN_IN_PURCHASE},
    {"receiving", "sellable_accessible", CN_IN_PURCHASE},
    {"receiving", "sellable_not_accessible", CN_IN_PURCHASE},
    {"shipping", NULL, CN_OUT_SALE},
    {"commissioning", ANY, CN_IN_PRODUCTION},
    {"destroying", ANY, CN_OUT_DESTRUCTION},
    {"sampling", ANY, CN_OUT_SAMPLING},
};

// Steps by which goods only ever come in, or only ever go out.
static const char *const steps_in[] = {"accepting", "arriving", "commissioning", "receiving"};
static const char *const steps_out[] = {"consigning", "decommissioning", "departing", "destroying", "dispensing",
                                        "repackaging", "retail_selling", "sampling", "shipping"};

const struct cn_document *cn_document_list(size_t *count) {
    *count = COUNT;
    return documents;
}

const struct cn_document *cn_document_by_kind(unsigned kind) {
    for (size_t i = 0; i < COUNT; i++)
        if ((unsigned)documents[i].kind == kind) return &documents[i];
    return NULL;
}

static bool same(const char *a, const char *b) { return a && b ? strcmp(a, b) == 0 : a == b; }

const struct cn_document *cn_document_by_words(const char *biz_step, const char *disposition) {
    const char *step = biz_step ? cbv_word(CBV_BIZ_STEP, biz_step) : NULL;
    const char *state = disposition ? cbv_word(CBV_DISPOSITION, disposition) : NULL;
    if (!step || (disposition && !state)) return NULL;
    for (size_t i = 0; i < COUNT; i++)
        if (documents[i].usual && same(documents[i].biz_step, step) && same(documents[i].disposition, state))
            return &documents[i];
    for (size_t i = 0; i < sizeof synonyms / sizeof *synonyms; i++)
        if (same(synonyms[i].biz_step, step) && (same(synonyms[i].disposition, ANY) || same(synonyms[i].disposition, state)))
            return cn_document_by_kind(synonyms[i].kind);
    return NULL;
}

static bool listed(const char *const *words, size_t count, const char *word) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(words[i], word) == 0) return true;
    return false;
}

static bool contradicts(const struct cn_document *document, const struct epcis_event *event) {
    const char *step = event->biz_step ? cbv_word(CBV_BIZ_STEP, event->biz_step) : NULL;
    if (!step) return false;
    return document->in ? listed(steps_out, sizeof steps_out / sizeof *steps_out, step)
                        : listed(steps_in, sizeof steps_in / sizeof *steps_in, step);
}

static enum pt_code fail_at(struct pt_error *err, size_t index, const char *what) {
    char where[64];
    snprintf(where, sizeof where, "/bizTransactionList/%zu/bizTransaction", index);
    return pt_fail(err, PT_INVALID, where, "%s", what);
}

static enum pt_code read_number(struct pt_bytes text, struct pt_arena *arena, const char **out, struct pt_error *err) {
    char number[CN_DOCUMENT_NUMBER_MAX + 1];
    size_t len;
    const enum pt_code code = percent_decode(text, number, CN_DOCUMENT_NUMBER_MAX, &len, err);
    if (code != PT_OK) return code;
    if (len == 0) return pt_fail(err, PT_INVALID, NULL, "the document's number is empty");
    *out = pt_arena_strdup(arena, pt_bytes_of(number, len));
    return *out ? PT_OK : pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
}

static enum pt_code read_named(const char *id, struct pt_arena *arena, struct cn_document_reference *out, struct pt_error *err) {
    const size_t stem = strlen(CN_DOCUMENT_URI);
    const char *digits = strncmp(id, CN_DOCUMENT_URI, stem) == 0 ? id + stem : "";
    const size_t count = strspn(digits, "0123456789");
    unsigned kind = 0;
    for (size_t i = 0; count == 3 && i < count; i++) kind = kind * 10 + (unsigned)(digits[i] - '0');
    if (count != 3 || (digits[3] != 0 && digits[3] != ':'))
        return pt_fail(err, PT_INVALID, NULL, "must be " CN_DOCUMENT_URI "{kind} or " CN_DOCUMENT_URI "{kind}:{number}");
    out->document = cn_document_by_kind(kind);
    if (!out->document) return pt_fail(err, PT_INVALID, NULL, "there is no document kind %u", kind);
    out->named = true;
    return digits[3] ? read_number(pt_bytes_str(digits + 4), arena, &out->number, err) : PT_OK;
}

enum pt_code cn_document_of_event(const struct epcis_event *event, struct pt_arena *arena,
                                  struct cn_document_reference *out, struct pt_error *err) {
    *out = (struct cn_document_reference){0};
    if (event->type != EPCIS_OBJECT && event->type != EPCIS_TRANSACTION)
        return pt_fail(err, PT_NOT_FOUND, NULL, "only object and transaction events are documents");
    for (size_t i = 0; i < event->biz_transactions.count; i++) {
        const struct epcis_reference *item = &event->biz_transactions.items[i];
        if (!item->type || strcmp(item->type, CN_DOCUMENT_TRANSACTION) != 0) continue;
        if (out->named) return fail_at(err, i, "an event is one document, this is the second");
        struct pt_error why = {0};
        const enum pt_code code = read_named(item->id, arena, out, &why);
        if (code == PT_NO_MEMORY) return pt_fail(err, code, NULL, "out of memory");
        if (code != PT_OK) return fail_at(err, i, why.what);
        if (contradicts(out->document, event))
            return fail_at(err, i, out->document->in ? "goods that go out are no document of the 1xx"
                                                     : "goods that come in are no document of the 2xx");
    }
    if (!out->named) out->document = cn_document_by_words(event->biz_step, event->disposition);
    return out->document ? PT_OK : pt_fail(err, PT_NOT_FOUND, NULL, "the event is no warehouse document");
}

void cn_document_append_uri(struct pt_buf *out, enum cn_document_kind kind, const char *number) {
    pt_buf_printf(out, CN_DOCUMENT_URI "%u", (unsigned)kind);
    if (!number) return;
    pt_buf_byte(out, ':');
    percent_encode(out, pt_bytes_str(number));
}
