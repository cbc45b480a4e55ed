// Data Matrix ECC 200 (ISO/IEC 16022) and its rectangular extension (ISO/IEC 21471), from sampled modules to text.
// Pure; finding the symbol in the picture is the decoder's work.
#ifndef PACKTRAIL_FIRMWARE_SCAN_DATAMATRIX_H
#define PACKTRAIL_FIRMWARE_SCAN_DATAMATRIX_H

#include "firmware/scan/symbol.h"

#define SCAN_DM_MAX_SIDE 144u
#define SCAN_DM_MAX_WORDS 2178u

// One symbol size. rows and cols include finder and alignment patterns; a region is a data region without them.
struct scan_dm_size {
    uint8_t rows, cols;
    uint8_t region_rows, region_cols;
    uint16_t data_words, check_words;
    uint8_t blocks;
};

extern const struct scan_dm_size scan_dm_sizes[];
extern const size_t scan_dm_size_count;

// The size of this many modules, or NULL.
const struct scan_dm_size *scan_dm_size_of(unsigned rows, unsigned cols);

// Share of the finder, timing and alignment modules that are as they must be, 0 to 1.
double scan_dm_finder_match(const struct scan_dm_size *size, const uint8_t *modules);

// Reads the data: `modules` holds rows x cols values, 1 dark, top row first, the L at left and bottom. Corrects
// errors, decodes and fills aim, bytes and text of *out. `finder` (0 to 1) is how well the finder pattern matched:
// a poor one allows fewer corrections. PT_INVALID when it is not a readable symbol.
enum pt_code scan_dm_read(const struct scan_dm_size *size, const uint8_t *modules, double finder,
                          struct scan_symbol *out, struct pt_error *err) PT_NODISCARD;

// Data codewords (corrected, in order) to bytes and text.
enum pt_code scan_dm_decodation(const uint8_t *words, size_t count, struct scan_symbol *out,
                                struct pt_error *err) PT_NODISCARD;

// Reed-Solomon over GF(256) with 0x12D, roots alpha^1 to alpha^check: corrects in place. Gives the number of corrected
// words, or -1.
int scan_dm_correct(uint8_t *words, unsigned count, unsigned check);

#endif
