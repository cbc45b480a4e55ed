#include "firmware/scan/symbol.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"

const char *scan_symbol_name(const struct scan_symbol *symbol) {
    switch (symbol->symbology) {
        case SCAN_CODE_128: return symbol->aim[2] == '1' ? "GS1-128" : "Code 128";
        case SCAN_EAN_13: return "EAN-13";
        case SCAN_EAN_8: return "EAN-8";
        case SCAN_UPC_A: return "UPC-A";
        case SCAN_UPC_E: return "UPC-E";
        case SCAN_ITF_14: return "ITF-14";
        case SCAN_DATABAR: return "GS1 DataBar";
        case SCAN_DATABAR_EXPANDED: return "GS1 DataBar Expanded";
        case SCAN_QR: return symbol->aim[2] == '3' || symbol->aim[2] == '4' ? "GS1 QR Code" : "QR Code";
        case SCAN_DATAMATRIX: return symbol->aim[2] == '2' || symbol->aim[2] == '5' ? "GS1 DataMatrix" : "Data Matrix";
    }
    return "unknown";
}

bool scan_symbol_is_linear(const struct scan_symbol *symbol) {
    return symbol->symbology != SCAN_QR && symbol->symbology != SCAN_DATAMATRIX;
}

enum pt_code scan_symbols_add(struct scan_symbols *list, enum scan_symbology symbology, const char *aim,
                              struct scan_symbol **out, struct pt_error *err) {
    if (list->count >= SCAN_SYMBOLS_MAX) return pt_fail(err, PT_LIMIT, NULL, "too many symbols in one picture");
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 8;
        struct scan_symbol *items = realloc(list->items, capacity * sizeof *items);
        if (!items) return pt_fail(err, PT_NO_MEMORY, NULL, "no memory for a symbol");
        list->items = items;
        list->capacity = capacity;
    }
    struct scan_symbol *symbol = &list->items[list->count++];
    *symbol = (struct scan_symbol){.symbology = symbology, .support = 1};
    strncpy(symbol->aim, aim, sizeof symbol->aim - 1);
    pt_buf_init(&symbol->bytes, SCAN_SYMBOL_MAX_BYTES);
    pt_buf_init(&symbol->text, SCAN_SYMBOL_MAX_BYTES * 3);
    *out = symbol;
    return PT_OK;
}

static void symbol_free(struct scan_symbol *symbol) {
    pt_buf_free(&symbol->bytes);
    pt_buf_free(&symbol->text);
}

void scan_symbols_remove(struct scan_symbols *list, size_t index) {
    symbol_free(&list->items[index]);
    list->count--;
    memmove(&list->items[index], &list->items[index + 1], (list->count - index) * sizeof *list->items);
}

void scan_symbols_free(struct scan_symbols *list) {
    for (size_t i = 0; i < list->count; i++) symbol_free(&list->items[i]);
    free(list->items);
    *list = (struct scan_symbols){0};
}

void scan_latin1_append(struct pt_buf *out, struct pt_bytes latin1) {
    for (size_t i = 0; i < latin1.len; i++) {
        uint8_t c = latin1.data[i];
        if (c >= 0x80) {
            pt_buf_byte(out, (uint8_t)(0xc0 | c >> 6));
            c = 0x80 | (c & 0x3f);
        }
        pt_buf_byte(out, c);
    }
}

void scan_symbol_guess_text(struct scan_symbol *symbol) {
    struct pt_bytes bytes = pt_buf_bytes(&symbol->bytes);
    pt_buf_clear(&symbol->text);
    symbol->has_text = true;
    if (pt_utf8_valid(bytes)) {
        pt_buf_append_bytes(&symbol->text, bytes);
        return;
    }
    for (size_t i = 0; i < bytes.len; i++)
        if (bytes.data[i] >= 0x80 && bytes.data[i] < 0xa0) symbol->has_text = false;
    if (symbol->has_text) scan_latin1_append(&symbol->text, bytes);
}

bool scan_boxes_touch(const struct scan_point a[4], const struct scan_point b[4]) {
    double low[2][2], high[2][2];
    for (int k = 0; k < 2; k++) {
        const struct scan_point *box = k ? b : a;
        low[k][0] = high[k][0] = box[0].x;
        low[k][1] = high[k][1] = box[0].y;
        for (int i = 1; i < 4; i++) {
            low[k][0] = fmin(low[k][0], box[i].x);
            high[k][0] = fmax(high[k][0], box[i].x);
            low[k][1] = fmin(low[k][1], box[i].y);
            high[k][1] = fmax(high[k][1], box[i].y);
        }
    }
    return low[0][0] <= high[1][0] && low[1][0] <= high[0][0] && low[0][1] <= high[1][1] && low[1][1] <= high[0][1];
}
