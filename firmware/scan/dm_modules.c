#include "firmware/scan/dm_modules.h"

// Below this share of right finder modules a grid is not looked at.
#define LEAST_FINDER 0.80
#define SHARPEN 0.25f
// Few check words catch few mistakes, so such a symbol must show itself clearly.
#define FEW_CHECK_WORDS 7
#define LEAST_FINDER_FEW 0.88

// Otsu's threshold over the modules.
static double threshold_global(const struct dm_modules *s) {
    unsigned histogram[256] = {0}, count = s->rows * s->cols, below = 0;
    double all = 0, sum = 0, best = -1, at = 128;
    for (unsigned i = 0; i < count; i++) histogram[(unsigned)s->grey[i] & 255]++;
    for (unsigned v = 0; v < 256; v++) all += v * (double)histogram[v];
    for (unsigned v = 0; v < 255; v++) {
        below += histogram[v];
        sum += v * (double)histogram[v];
        if (below == 0 || below == count) continue;
        double low = sum / below, high = (all - sum) / (count - below);
        double spread = (double)below * (count - below) * (high - low) * (high - low);
        if (spread > best) {
            best = spread;
            at = (low + high) / 2;
        }
    }
    return at;
}

// Middle between the darkest and the lightest module within `reach`, for uneven light.
static double threshold_local(const struct dm_modules *s, unsigned row, unsigned col, unsigned reach) {
    float low = 255, high = 0;
    unsigned r0 = row > reach ? row - reach : 0, c0 = col > reach ? col - reach : 0;
    for (unsigned r = r0; r <= row + reach && r < s->rows; r++)
        for (unsigned c = c0; c <= col + reach && c < s->cols; c++) {
            float v = s->grey[r * s->cols + c];
            if (v < low) low = v;
            if (v > high) high = v;
        }
    return (low + high) / 2.0;
}

enum rule { SURROUNDINGS, GLOBAL, CLOSE, WIDE, SHARPENED, RULES };

// Blur lets each module shine into its neighbours; taking a part of them off again undoes most of that.
static void sharpen(const struct dm_modules *s, struct dm_modules *out) {
    *out = (struct dm_modules){.rows = s->rows, .cols = s->cols};
    for (unsigned row = 0; row < s->rows; row++)
        for (unsigned col = 0; col < s->cols; col++) {
            const float *at = &s->grey[row * s->cols + col];
            float left = col > 0 ? at[-1] : *at, right = col + 1 < s->cols ? at[1] : *at;
            float above = row > 0 ? *(at - s->cols) : *at, below = row + 1 < s->rows ? at[s->cols] : *at;
            float v = *at + SHARPEN * (4 * *at - left - right - above - below);
            out->grey[row * s->cols + col] = v < 0 ? 0 : v > 255 ? 255 : v;
        }
}

static void apply(const struct dm_modules *s, enum rule rule, uint8_t *out) {
    double global = rule == GLOBAL ? threshold_global(s) : 0;
    for (unsigned row = 0; row < s->rows; row++)
        for (unsigned col = 0; col < s->cols; col++) {
            double level = rule == CLOSE || rule == SHARPENED ? threshold_local(s, row, col, 2) : rule == WIDE ? threshold_local(s, row, col, 5) : global;
            out[row * s->cols + col] = s->grey[row * s->cols + col] < level;
        }
}

static bool read_dark(const struct scan_dm_size *size, const uint8_t *dark, struct scan_symbol *out) {
    double match = scan_dm_finder_match(size, dark);
    double least = size->check_words <= FEW_CHECK_WORDS ? LEAST_FINDER_FEW : LEAST_FINDER;
    return match >= least && scan_dm_read(size, dark, match, out, NULL) == PT_OK;
}

bool dm_modules_read(const struct dm_modules *modules, const struct dm_modules *near, const struct scan_dm_size *size,
                     struct scan_symbol *out) {
    uint8_t dark[SCAN_DM_MAX_SIDE * SCAN_DM_MAX_SIDE];
    struct dm_modules sharp;
    for (enum rule rule = near ? SURROUNDINGS : GLOBAL; rule < RULES; rule++) {
        if (rule == SHARPENED) sharpen(modules, &sharp);
        apply(rule == SURROUNDINGS ? near : rule == SHARPENED ? &sharp : modules, rule, dark);
        if (read_dark(size, dark, out)) return true;
    }
    return false;
}

void dm_modules_mirror(const struct dm_modules *modules, struct dm_modules *out) {
    out->rows = modules->cols;
    out->cols = modules->rows;
    for (unsigned row = 0; row < modules->rows; row++)
        for (unsigned col = 0; col < modules->cols; col++)
            out->grey[(out->rows - 1 - col) * out->cols + (out->cols - 1 - row)] = modules->grey[row * modules->cols + col];
}
