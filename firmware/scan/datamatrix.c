#include "firmware/scan/datamatrix.h"

#include <string.h>

// ISO/IEC 16022 table 7, then ISO/IEC 21471 table 1.
const struct scan_dm_size scan_dm_sizes[] = {
    {10, 10, 8, 8, 3, 5, 1},          {12, 12, 10, 10, 5, 7, 1},        {14, 14, 12, 12, 8, 10, 1},
    {16, 16, 14, 14, 12, 12, 1},      {18, 18, 16, 16, 18, 14, 1},      {20, 20, 18, 18, 22, 18, 1},
    {22, 22, 20, 20, 30, 20, 1},      {24, 24, 22, 22, 36, 24, 1},      {26, 26, 24, 24, 44, 28, 1},
    {32, 32, 14, 14, 62, 36, 1},      {36, 36, 16, 16, 86, 42, 1},      {40, 40, 18, 18, 114, 48, 1},
    {44, 44, 20, 20, 144, 56, 1},     {48, 48, 22, 22, 174, 68, 1},     {52, 52, 24, 24, 204, 84, 2},
    {64, 64, 14, 14, 280, 112, 2},    {72, 72, 16, 16, 368, 144, 4},    {80, 80, 18, 18, 456, 192, 4},
    {88, 88, 20, 20, 576, 224, 4},    {96, 96, 22, 22, 696, 272, 4},    {104, 104, 24, 24, 816, 336, 6},
    {120, 120, 18, 18, 1050, 408, 6}, {132, 132, 20, 20, 1304, 496, 8}, {144, 144, 22, 22, 1558, 620, 10},
    {8, 18, 6, 16, 5, 7, 1},          {8, 32, 6, 14, 10, 11, 1},        {12, 26, 10, 24, 16, 14, 1},
    {12, 36, 10, 16, 22, 18, 1},      {16, 36, 14, 16, 32, 24, 1},      {16, 48, 14, 22, 49, 28, 1},
    {8, 48, 6, 22, 18, 15, 1},        {8, 64, 6, 14, 24, 18, 1},        {8, 80, 6, 18, 32, 22, 1},
    {8, 96, 6, 22, 38, 28, 1},        {8, 120, 6, 18, 49, 32, 1},       {8, 144, 6, 22, 63, 36, 1},
    {12, 64, 10, 14, 43, 27, 1},      {12, 88, 10, 20, 64, 36, 1},      {16, 64, 14, 14, 62, 36, 1},
    {20, 36, 18, 16, 44, 28, 1},      {20, 44, 18, 20, 56, 34, 1},      {20, 64, 18, 14, 84, 42, 1},
    {22, 48, 20, 22, 72, 38, 1},      {24, 48, 22, 22, 80, 41, 1},      {24, 64, 22, 14, 108, 46, 1},
    {26, 40, 24, 18, 70, 38, 1},      {26, 48, 24, 22, 90, 42, 1},      {26, 64, 24, 14, 118, 50, 1},
};
const size_t scan_dm_size_count = sizeof scan_dm_sizes / sizeof *scan_dm_sizes;

const struct scan_dm_size *scan_dm_size_of(unsigned rows, unsigned cols) {
    for (size_t i = 0; i < scan_dm_size_count; i++)
        if (scan_dm_sizes[i].rows == rows && scan_dm_sizes[i].cols == cols) return &scan_dm_sizes[i];
    return NULL;
}

// Each region is framed: solid dark at left and below, alternating above (dark at even columns) and at right
// (light at the top).
double scan_dm_finder_match(const struct scan_dm_size *size, const uint8_t *modules) {
    unsigned good = 0, all = 0;
    unsigned high = size->region_rows + 2u, wide = size->region_cols + 2u;
    for (unsigned row = 0; row < size->rows; row++) {
        for (unsigned col = 0; col < size->cols; col++) {
            unsigned r = row % high, c = col % wide;
            bool edge = r == 0 || r == high - 1 || c == 0 || c == wide - 1;
            if (!edge) continue;
            bool dark = c == 0 || r == high - 1 || (r == 0 ? c % 2 == 0 : r % 2 == 1);
            all++;
            good += (modules[row * size->cols + col] != 0) == dark;
        }
    }
    return (double)good / all;
}

// ---- where each bit of each codeword stands (ISO/IEC 16022 annex F)

struct placement {
    int rows, cols;
    const uint8_t *bits;  // rows x cols, alignment patterns taken out
    uint8_t used[SCAN_DM_MAX_SIDE * SCAN_DM_MAX_SIDE];
};

static unsigned module_at(struct placement *p, int row, int col) {
    if (row < 0) {
        row += p->rows;
        col += 4 - (p->rows + 4) % 8;
    }
    if (col < 0) {
        col += p->cols;
        row += 4 - (p->cols + 4) % 8;
    }
    if (row >= p->rows) row -= p->rows;  // only the rectangular extension wraps here
    p->used[row * p->cols + col] = 1;
    return p->bits[row * p->cols + col];
}

// The eight modules of a word, first bit first, as offsets from its last one.
static uint8_t utah(struct placement *p, int row, int col) {
    static const int8_t offset[8][2] = {{-2, -2}, {-2, -1}, {-1, -2}, {-1, -1}, {-1, 0}, {0, -2}, {0, -1}, {0, 0}};
    unsigned word = 0;
    for (int i = 0; i < 8; i++) word = word << 1 | module_at(p, row + offset[i][0], col + offset[i][1]);
    return (uint8_t)word;
}

// The four special words of a corner; negative numbers count from the far edge.
static uint8_t corner(struct placement *p, int which) {
    static const int8_t cells[4][8][2] = {
        {{-1, 0}, {-1, 1}, {-1, 2}, {0, -2}, {0, -1}, {1, -1}, {2, -1}, {3, -1}},
        {{-3, 0}, {-2, 0}, {-1, 0}, {0, -4}, {0, -3}, {0, -2}, {0, -1}, {1, -1}},
        {{-3, 0}, {-2, 0}, {-1, 0}, {0, -2}, {0, -1}, {1, -1}, {2, -1}, {3, -1}},
        {{-1, 0}, {-1, -1}, {0, -3}, {0, -2}, {0, -1}, {1, -3}, {1, -2}, {1, -1}},
    };
    unsigned word = 0;
    for (int i = 0; i < 8; i++) {
        int row = cells[which][i][0], col = cells[which][i][1];
        word = word << 1 | module_at(p, row < 0 ? row + p->rows : row, col < 0 ? col + p->cols : col);
    }
    return (uint8_t)word;
}

static size_t read_words(struct placement *p, uint8_t *words, size_t max) {
    int row = 4, col = 0;
    size_t n = 0;
    do {
        int which = -1;
        if (row == p->rows && col == 0) which = 0;
        else if (row == p->rows - 2 && col == 0 && p->cols % 4 != 0) which = 1;
        else if (row == p->rows + 4 && col == 2 && p->cols % 8 == 0) which = 3;
        else if (row == p->rows - 2 && col == 0 && p->cols % 8 == 4) which = 2;
        // The second corner stands for widths not divisible by four, the third for those of 4 mod 8.
        if (which >= 0 && n < max) words[n++] = corner(p, which);
        for (; row >= 0 && col < p->cols; row -= 2, col += 2)
            if (row < p->rows && col >= 0 && !p->used[row * p->cols + col] && n < max) words[n++] = utah(p, row, col);
        row += 1;
        col += 3;
        for (; row < p->rows && col >= 0; row += 2, col -= 2)
            if (row >= 0 && col < p->cols && !p->used[row * p->cols + col] && n < max) words[n++] = utah(p, row, col);
        row += 3;
        col += 1;
    } while (row < p->rows || col < p->cols);
    return n;
}

// ---- errors

// With few check words a random grid has a fair chance to come out as "corrected", so a symbol whose finder pattern is
// not nearly perfect may use only part of its correcting power.
static unsigned corrections_allowed(unsigned check, double finder) {
    unsigned most = check / 2;
    if (finder >= 0.97) return most;
    if (check <= 12) return most > 1 ? most - 2 + (finder >= 0.93) : 0;
    return finder >= 0.9 ? most : most * 3 / 4;
}

static bool correct_blocks(const struct scan_dm_size *size, const uint8_t *in, unsigned shift, double finder, uint8_t *data) {
    unsigned blocks = size->blocks, check = size->check_words / blocks;
    uint8_t block[255];
    for (unsigned b = 0; b < blocks; b++) {
        unsigned n = 0;
        for (unsigned i = b; i < size->data_words; i += blocks) block[n++] = in[i];
        unsigned first = (b + shift) % blocks;
        for (unsigned i = first; i < size->check_words; i += blocks) block[n++] = in[size->data_words + i];
        int corrected = scan_dm_correct(block, n, check);
        if (corrected < 0 || (unsigned)corrected > corrections_allowed(check, finder)) return false;
        n = 0;
        for (unsigned i = b; i < size->data_words; i += blocks) data[i] = block[n++];
    }
    return true;
}

enum pt_code scan_dm_read(const struct scan_dm_size *size, const uint8_t *modules, double finder,
                          struct scan_symbol *out, struct pt_error *err) {
    uint8_t bits[SCAN_DM_MAX_SIDE * SCAN_DM_MAX_SIDE];
    unsigned high = size->region_rows + 2u, wide = size->region_cols + 2u, n = 0;
    for (unsigned row = 0; row < size->rows; row++)
        for (unsigned col = 0; col < size->cols; col++) {
            unsigned r = row % high, c = col % wide;
            if (r != 0 && r != high - 1 && c != 0 && c != wide - 1) bits[n++] = modules[row * size->cols + col] != 0;
        }
    struct placement p = {.bits = bits,
                          .rows = size->rows / (int)high * size->region_rows,
                          .cols = size->cols / (int)wide * size->region_cols};
    uint8_t words[SCAN_DM_MAX_WORDS], data[SCAN_DM_MAX_WORDS];
    if (read_words(&p, words, sizeof words) < (size_t)size->data_words + size->check_words)
        return pt_fail(err, PT_INTERNAL, NULL, "Data Matrix placement of %u x %u", size->rows, size->cols);
    // Encoders disagree on which block the check words of 144 x 144 begin with; both are in use.
    bool good = correct_blocks(size, words, size->blocks == 10 ? 2 : 0, finder, data) ||
                (size->blocks == 10 && correct_blocks(size, words, 0, finder, data));
    if (!good) return pt_fail(err, PT_INVALID, NULL, "too many errors in a Data Matrix symbol");
    return scan_dm_decodation(data, size->data_words, out, err);
}
