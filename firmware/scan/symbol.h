// What decoders find in a frame.
#ifndef PACKTRAIL_FIRMWARE_SCAN_SYMBOL_H
#define PACKTRAIL_FIRMWARE_SCAN_SYMBOL_H

#include "common/base/bytes.h"

#define SCAN_SYMBOL_MAX_BYTES 16384u
#define SCAN_SYMBOLS_MAX 512u

enum scan_symbology {
    SCAN_CODE_128,
    SCAN_EAN_13,
    SCAN_EAN_8,
    SCAN_UPC_A,
    SCAN_UPC_E,
    SCAN_ITF_14,
    SCAN_DATABAR,
    SCAN_DATABAR_EXPANDED,
    SCAN_QR,
    SCAN_DATAMATRIX,
};

struct scan_point {
    double x;
    double y;
};

// bytes: as ISO/IEC 15424 transmits them, GS for an FNC1 that separates; a leading FNC1 shows in `aim` alone
// ("]C1", "]d2", "]Q3"). UPC-A and UPC-E come as the 13 digits that ]E0 stands for. text: the bytes as UTF-8 after
// the symbol's character set (ECI), empty with has_text false when that is unknown. box: corners in frame pixels,
// clockwise on the picture from where the symbol begins, as far as the decoder knows that.
struct scan_symbol {
    enum scan_symbology symbology;
    char aim[4];
    struct pt_buf bytes;
    struct pt_buf text;
    bool has_text;
    struct scan_point box[4];
    int support;  // how many separate readings agree; more is surer
};

struct scan_symbols {
    struct scan_symbol *items;
    size_t count;
    size_t capacity;
};

// "GS1-128", "EAN-13", "GS1 DataMatrix", …: GS1's name where the symbol says that it carries GS1 data.
const char *scan_symbol_name(const struct scan_symbol *symbol);

bool scan_symbol_is_linear(const struct scan_symbol *symbol);

// Adds an empty symbol at the end (valid until the next addition). PT_LIMIT above SCAN_SYMBOLS_MAX.
enum pt_code scan_symbols_add(struct scan_symbols *list, enum scan_symbology symbology, const char *aim,
                              struct scan_symbol **out, struct pt_error *err) PT_NODISCARD;
void scan_symbols_remove(struct scan_symbols *list, size_t index);
void scan_symbols_free(struct scan_symbols *list);

// Sets text from bytes: UTF-8 where they are UTF-8, else ISO 8859-1 unless they hold C1 control codes, which no
// Latin text has (then has_text stays false).
void scan_symbol_guess_text(struct scan_symbol *symbol);

// Appends ISO 8859-1 bytes as UTF-8.
void scan_latin1_append(struct pt_buf *out, struct pt_bytes latin1);

// Whether the two boxes' bounding rectangles touch.
bool scan_boxes_touch(const struct scan_point a[4], const struct scan_point b[4]);

#endif
