#include "firmware/decoder/decoder_wire.h"

#include <math.h>
#include <string.h>

#include "common/base/text.h"

struct symbol_head {
    uint32_t symbology;
    char aim[4];
    uint32_t support, has_text;
    struct scan_point box[4];
    uint32_t bytes_len, text_len;
};

struct answer_head {
    uint32_t code, count;
};

enum pt_code decoder_answer_encode(enum pt_code code, const struct scan_symbols *symbols, struct pt_buf *out,
                                   struct pt_error *err) {
    const struct answer_head head = {(uint32_t)code, (uint32_t)symbols->count};
    pt_buf_append(out, (const uint8_t *)&head, sizeof head);
    for (size_t i = 0; i < symbols->count; i++) {
        const struct scan_symbol *symbol = &symbols->items[i];
        struct symbol_head item;
        memset(&item, 0, sizeof item);  // also what lies between the members
        item.symbology = (uint32_t)symbol->symbology;
        memcpy(item.aim, symbol->aim, sizeof item.aim);
        item.support = (uint32_t)symbol->support;
        item.has_text = symbol->has_text;
        memcpy(item.box, symbol->box, sizeof item.box);
        item.bytes_len = (uint32_t)symbol->bytes.len;
        item.text_len = (uint32_t)symbol->text.len;
        pt_buf_append(out, (const uint8_t *)&item, sizeof item);
        pt_buf_append_bytes(out, pt_buf_bytes(&symbol->bytes));
        pt_buf_append_bytes(out, pt_buf_bytes(&symbol->text));
    }
    return pt_buf_check(out, err);
}

static bool take(struct pt_bytes *from, void *out, size_t len) {
    if (from->len < len) return false;
    memcpy(out, from->data, len);
    *from = pt_bytes_of(from->data + len, from->len - len);
    return true;
}

static bool take_text(struct pt_bytes *from, size_t len, struct pt_buf *out) {
    if (from->len < len) return false;
    pt_buf_append(out, from->data, len);
    *from = pt_bytes_of(from->data + len, from->len - len);
    return !out->failed;
}

static bool good_head(const struct symbol_head *head) {
    for (int i = 0; i < 4; i++)
        if (!isfinite(head->box[i].x) || !isfinite(head->box[i].y)) return false;
    return head->symbology <= SCAN_DATAMATRIX && head->aim[0] == ']' && head->aim[3] == 0 && strlen(head->aim) == 3 &&
           head->support >= 1 && head->support <= 10000 && head->has_text <= 1 && head->bytes_len <= SCAN_SYMBOL_MAX_BYTES &&
           head->text_len <= SCAN_SYMBOL_MAX_BYTES * 3;
}

static enum pt_code take_symbol(struct pt_bytes *from, struct scan_symbols *out, struct pt_error *err) {
    struct symbol_head head;
    struct scan_symbol *symbol;
    if (!take(from, &head, sizeof head) || !good_head(&head)) return pt_fail(err, PT_INVALID, "decoder", "it names no proper symbol");
    const enum pt_code code = scan_symbols_add(out, (enum scan_symbology)head.symbology, head.aim, &symbol, err);
    if (code != PT_OK) return code;
    symbol->support = (int)head.support;
    symbol->has_text = head.has_text;
    memcpy(symbol->box, head.box, sizeof symbol->box);
    if (!take_text(from, head.bytes_len, &symbol->bytes) || !take_text(from, head.text_len, &symbol->text))
        return pt_fail(err, PT_INVALID, "decoder", "its answer is cut off");
    if (!pt_utf8_valid(pt_buf_bytes(&symbol->text))) return pt_fail(err, PT_INVALID, "decoder", "its text is not UTF-8");
    return PT_OK;
}

enum pt_code decoder_answer_decode(struct pt_bytes answer, enum pt_code *code, struct scan_symbols *out, struct pt_error *err) {
    struct answer_head head;
    *out = (struct scan_symbols){0};
    if (!take(&answer, &head, sizeof head) || head.count > SCAN_SYMBOLS_MAX)
        return pt_fail(err, PT_INVALID, "decoder", "its answer is no answer");
    *code = (enum pt_code)head.code;
    enum pt_code result = PT_OK;
    for (uint32_t i = 0; result == PT_OK && i < head.count; i++) result = take_symbol(&answer, out, err);
    if (result == PT_OK && answer.len > 0) result = pt_fail(err, PT_INVALID, "decoder", "its answer is too long");
    if (result != PT_OK) scan_symbols_free(out);
    return result;
}
