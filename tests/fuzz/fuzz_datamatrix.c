#include <stdlib.h>

#include "firmware/scan/datamatrix.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

// The first byte chooses a size; the rest is its modules, and also a list of codewords.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    static uint8_t modules[SCAN_DM_MAX_SIDE * SCAN_DM_MAX_SIDE];
    if (len < 1) return 0;
    const struct scan_dm_size *size = &scan_dm_sizes[data[0] % scan_dm_size_count];
    for (size_t i = 0; i < (size_t)size->rows * size->cols; i++)
        modules[i] = i / 8 + 1 < len && (data[i / 8 + 1] >> (i % 8) & 1);
    struct scan_symbols list = {0};
    struct scan_symbol *symbol;
    if (scan_symbols_add(&list, SCAN_DATAMATRIX, "]d1", &symbol, NULL) != PT_OK) return 0;
    (void)!scan_dm_read(size, modules, 1.0, symbol, NULL);
    if (scan_dm_decodation(data + 1, len - 1, symbol, NULL) == PT_OK && symbol->bytes.len == 0) abort();
    scan_symbols_free(&list);
    return 0;
}
