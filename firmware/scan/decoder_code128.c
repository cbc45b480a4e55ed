// Our own reading of Code 128 along rows and columns. ZBar finds more of them in poor pictures, but drops FNC4, so that
// characters above 127 come out as others: this decoder rereads what ZBar found.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "firmware/scan/code128.h"
#include "firmware/scan/decoder.h"

#define LEAST_LINES 2
#define LINES_ACROSS 160  // lines laid over the picture each way

struct line {
    uint8_t *grey;
    float *widths;  // from the first dark edge on: bar, space, bar, …; [0] is the space before it
    float *edges;   // where widths[i] begins
    size_t count;
};

static uint8_t darkest(const uint8_t *grey, uint32_t from, uint32_t to, bool light) {
    uint8_t found = grey[from];
    for (uint32_t i = from; i < to; i++)
        if (light ? grey[i] > found : grey[i] < found) found = grey[i];
    return found;
}

// Cuts a line into bars and spaces at the middle between the local extremes, with the crossing interpolated.
static void cut(struct line *line, uint32_t length) {
    uint32_t block = length / 24 < 24 ? 24 : length / 24;
    float edge = 0, before = 0;
    bool dark = false;
    line->count = 0;
    for (uint32_t from = 0; from < length; from += block) {
        uint32_t to = from + block < length ? from + block : length;
        uint32_t wide_from = from > block ? from - block : 0, wide_to = to + block < length ? to + block : length;
        uint8_t low = darkest(line->grey, wide_from, wide_to, false), high = darkest(line->grey, wide_from, wide_to, true);
        float level = high - low < 24 ? 0 : (float)(low + high) / 2;
        for (uint32_t x = from; x < to; x++) {
            float value = (float)line->grey[x] - level;
            if ((value < 0) != dark) {
                float part = fabsf(before) + fabsf(value) > 0 ? fabsf(before) / (fabsf(before) + fabsf(value)) : 0.5F;
                float at = x == 0 ? 0 : (float)x - 1 + part;
                line->widths[line->count] = at - edge;
                line->edges[line->count++] = edge;
                edge = at;
                dark = !dark;
            }
            before = value;
        }
    }
    line->widths[line->count] = (float)length - edge;
    line->edges[line->count++] = edge;
}

struct search {
    const struct scan_frame *frame;
    struct scan_symbols *out;
    struct pt_error *err;
    size_t first;  // symbols before this one are other decoders'
};

static void widen(struct scan_point box[4], const struct scan_point ends[2]) {
    double low_x = fmin(box[0].x, fmin(ends[0].x, ends[1].x)), high_x = fmax(box[2].x, fmax(ends[0].x, ends[1].x));
    double low_y = fmin(box[0].y, fmin(ends[0].y, ends[1].y)), high_y = fmax(box[2].y, fmax(ends[0].y, ends[1].y));
    box[0] = (struct scan_point){low_x, low_y};
    box[1] = (struct scan_point){high_x, low_y};
    box[2] = (struct scan_point){high_x, high_y};
    box[3] = (struct scan_point){low_x, high_y};
}

static enum pt_code add(struct search *search, const uint8_t *values, size_t count, const struct scan_point ends[2]) {
    struct scan_symbol *symbol;
    enum pt_code code = scan_symbols_add(search->out, SCAN_CODE_128, "]C0", &symbol, search->err);
    if (code != PT_OK) return code;
    symbol->box[0] = symbol->box[2] = ends[0];
    widen(symbol->box, ends);
    if (scan_code128_text(values, count, symbol, NULL) != PT_OK) {
        scan_symbols_remove(search->out, search->out->count - 1);
        return PT_OK;
    }
    double reach = (symbol->box[2].x - symbol->box[0].x + symbol->box[2].y - symbol->box[0].y) / 4;
    struct scan_point near[4] = {{symbol->box[0].x - reach, symbol->box[0].y - reach},
                                 {symbol->box[1].x + reach, symbol->box[1].y - reach},
                                 {symbol->box[2].x + reach, symbol->box[2].y + reach},
                                 {symbol->box[3].x - reach, symbol->box[3].y + reach}};
    for (size_t i = search->first; i + 1 < search->out->count; i++) {
        struct scan_symbol *before = &search->out->items[i];
        if (!pt_bytes_equal(pt_buf_bytes(&before->bytes), pt_buf_bytes(&symbol->bytes)) ||
            !scan_boxes_touch(before->box, near) || strcmp(before->aim, symbol->aim) != 0)
            continue;
        before->support++;
        widen(before->box, ends);
        scan_symbols_remove(search->out, search->out->count - 1);
        return PT_OK;
    }
    return PT_OK;
}

// One line in one direction; `across` tells rows from columns, `at` which one.
static enum pt_code read_line(struct search *search, struct line *line, bool column, uint32_t at, bool backward) {
    uint32_t length = column ? search->frame->height : search->frame->width;
    for (uint32_t i = 0; i < length; i++) {
        uint32_t k = backward ? length - 1 - i : i;
        line->grey[i] = column ? scan_frame_row(search->frame, k)[at] : scan_frame_row(search->frame, at)[k];
    }
    cut(line, length);
    uint8_t values[SCAN_CODE128_MAX_VALUES];
    size_t count;
    for (size_t i = 1; i < line->count; i += 2) {
        size_t span = scan_code128_match(line->widths, line->count, i, values, &count);
        if (span == 0) continue;
        double from = line->edges[i], to = line->edges[i + span - 1] + line->widths[i + span - 1];
        if (backward) {
            from = length - 1 - from;
            to = length - 1 - to;
        }
        struct scan_point ends[2] = {column ? (struct scan_point){at, from} : (struct scan_point){from, at},
                                     column ? (struct scan_point){at, to} : (struct scan_point){to, at}};
        enum pt_code code = add(search, values, count, ends);
        if (code != PT_OK) return code;
        i += span - 1;
    }
    return PT_OK;
}

static enum pt_code read_all(struct search *search, struct line *line, int64_t deadline) {
    enum pt_code code = PT_OK;
    for (int column = 0; column < 2; column++) {
        uint32_t lines = column ? search->frame->width : search->frame->height;
        uint32_t step = lines / LINES_ACROSS + 1;
        for (uint32_t at = step / 2; at < lines && code == PT_OK; at += step) {
            if (scan_clock_ms() >= deadline) return PT_OK;
            code = read_line(search, line, column, at, false);
            if (code == PT_OK) code = read_line(search, line, column, at, true);
        }
    }
    return code;
}

static enum pt_code decode(void *ctx, const struct scan_frame *frame, int64_t deadline, struct scan_symbols *out,
                           struct pt_error *err) {
    (void)ctx;
    size_t longest = (frame->width > frame->height ? frame->width : frame->height) + 2u;
    PT_FREE uint8_t *grey = malloc(longest);
    PT_FREE float *widths = malloc(2 * longest * sizeof *widths);
    if (!grey || !widths) return pt_fail(err, PT_NO_MEMORY, NULL, "no memory for a line of a picture");
    struct line line = {.grey = grey, .widths = widths, .edges = widths + longest};
    struct search search = {.frame = frame, .out = out, .err = err, .first = out->count};
    enum pt_code code = read_all(&search, &line, deadline);
    for (size_t i = search.first; i < out->count;) {
        if (out->items[i].support < LEAST_LINES) scan_symbols_remove(out, i);
        else i++;
    }
    return code;
}

static void close_code128(void *ctx) { (void)ctx; }

enum pt_code scan_decoder_code128(struct scan_decoder *out, struct pt_error *err) {
    (void)err;
    *out = (struct scan_decoder){.name = "code128", .decode = decode, .close = close_code128};
    return PT_OK;
}
