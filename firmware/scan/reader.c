#include "firmware/scan/reader.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/cleanup.h"
#include "firmware/scan/enhance.h"

int64_t scan_clock_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

enum { LINEAR = 1, MATRIX = 2, BOTH = 3 };

// In the order of what they bring for their time.
// Above `most_pixels` a pass is left out: its enlarged picture would cost more than it gives.
struct pass {
    int decoders;
    enum { ALWAYS, NOTHING_YET } when;
    uint32_t most_pixels;
    struct scan_enhancement what;
};

static const struct pass passes[] = {
    {LINEAR, ALWAYS, UINT32_MAX, {0}},
    {MATRIX, ALWAYS, UINT32_MAX, {.pad = 10}},
    {MATRIX, ALWAYS, 1200 * 1200, {.pad = 10, .scale = 2}},
    {LINEAR, NOTHING_YET, 1200 * 1200, {.pad = 20, .scale = 2}},
    {BOTH, NOTHING_YET, UINT32_MAX, {.pad = 10, .scale = 0.5}},
    {BOTH, NOTHING_YET, 2000 * 2000, {.pad = 10, .level = true}},
    {BOTH, NOTHING_YET, 2000 * 2000, {.pad = 10, .invert = true}},
    {BOTH, NOTHING_YET, 2000 * 2000, {.pad = 10, .blur = 1}},
    {LINEAR, NOTHING_YET, 2000 * 2000, {.pad = 10, .sharpen = 2}},
    {LINEAR, NOTHING_YET, 1200 * 1200, {.pad = 10, .scale = 2, .sharpen = 3}},
    {LINEAR, NOTHING_YET, 2000 * 2000, {.pad = 10, .turn = 45}},
    {LINEAR, NOTHING_YET, 2000 * 2000, {.pad = 10, .turn = 22.5}},
    {LINEAR, NOTHING_YET, 2000 * 2000, {.pad = 10, .turn = -22.5}},
    {MATRIX, NOTHING_YET, 700 * 700, {.pad = 20, .scale = 4}},
};

struct scan_reader {
    struct scan_reader_options options;
    struct scan_decoder linear;
    struct scan_decoder code128;
    struct scan_decoder matrix;
};

enum pt_code scan_reader_open(const struct scan_reader_options *options, struct scan_reader **out, struct pt_error *err) {
    *out = NULL;
    struct scan_reader *reader = calloc(1, sizeof *reader);
    if (!reader) return pt_fail(err, PT_NO_MEMORY, NULL, "no memory for the barcode reader");
    reader->options = *options;
    enum pt_code code = scan_decoder_zbar(&reader->linear, err);
    if (code == PT_OK) code = scan_decoder_code128(&reader->code128, err);
    if (code == PT_OK) code = scan_decoder_dmtx(&reader->matrix, err);
    if (code != PT_OK) {
        scan_reader_close(reader);
        return code;
    }
    *out = reader;
    return PT_OK;
}

void scan_reader_close(struct scan_reader *reader) {
    if (!reader) return;
    if (reader->linear.close) reader->linear.close(reader->linear.ctx);
    if (reader->code128.close) reader->code128.close(reader->code128.ctx);
    if (reader->matrix.close) reader->matrix.close(reader->matrix.ctx);
    free(reader);
}

// Whether `plain` is what is left of `full` when FNC4 is ignored.
static bool lost_fnc4(const struct scan_symbol *plain, const struct scan_symbol *full) {
    bool high = false;
    if (plain->bytes.len != full->bytes.len) return false;
    for (size_t i = 0; i < full->bytes.len; i++) {
        if ((full->bytes.data[i] & 0x7f) != plain->bytes.data[i]) return false;
        high |= full->bytes.data[i] >= 0x80;
    }
    return high;
}

static void drop_lost_fnc4(struct scan_symbols *list) {
    for (size_t i = 0; i < list->count;) {
        bool lost = false;
        for (size_t k = 0; k < list->count && !lost; k++)
            lost = k != i && list->items[i].symbology == SCAN_CODE_128 && list->items[k].symbology == SCAN_CODE_128 &&
                   scan_boxes_touch(list->items[i].box, list->items[k].box) && lost_fnc4(&list->items[i], &list->items[k]);
        if (lost) scan_symbols_remove(list, i);
        else i++;
    }
}

// A symbol seen again by another pass is dropped; its reading counts as support for the first.
static void drop_repeated(struct scan_symbols *list, size_t fresh) {
    for (size_t i = fresh; i < list->count;) {
        struct scan_symbol *now = &list->items[i];
        bool again = false;
        for (size_t k = 0; k < i && !again; k++) {
            struct scan_symbol *before = &list->items[k];
            again = before->symbology == now->symbology && scan_boxes_touch(before->box, now->box) &&
                    pt_bytes_equal(pt_buf_bytes(&before->bytes), pt_buf_bytes(&now->bytes));
            if (again) before->support += now->support;
        }
        if (again) scan_symbols_remove(list, i);
        else i++;
    }
}

static void bounds(const struct scan_point box[4], double low[2], double high[2]) {
    low[0] = high[0] = box[0].x;
    low[1] = high[1] = box[0].y;
    for (int i = 1; i < 4; i++) {
        low[0] = fmin(low[0], box[i].x);
        high[0] = fmax(high[0], box[i].x);
        low[1] = fmin(low[1], box[i].y);
        high[1] = fmax(high[1], box[i].y);
    }
}

// Whether the point lies within the quadrilateral, whichever way round its corners go.
static bool is_inside(const struct scan_point box[4], double x, double y) {
    int left = 0;
    for (int i = 0; i < 4; i++) {
        const struct scan_point *a = &box[i], *b = &box[(i + 1) % 4];
        left += (b->x - a->x) * (y - a->y) - (b->y - a->y) * (x - a->x) >= 0;
    }
    return left == 0 || left == 4;
}

// A copy on which the symbols found so far are painted white: libdmtx spends its time on any bars and squares it sees.
// A slanted linear code's box covers its surroundings, so only one that lies straight is painted over.
static enum pt_code mask(const struct scan_frame *frame, const struct scan_symbols *found, struct scan_frame *out,
                         struct pt_error *err) {
    enum pt_code code = scan_frame_new(frame->width, frame->height, out, err);
    if (code != PT_OK) return code;
    for (uint32_t y = 0; y < frame->height; y++) memcpy(scan_frame_row(out, y), scan_frame_row(frame, y), frame->width);
    for (size_t i = 0; i < found->count; i++) {
        const struct scan_symbol *symbol = &found->items[i];
        double low[2], high[2];
        bounds(symbol->box, low, high);
        double wide = high[0] - low[0], tall = high[1] - low[1];
        if (scan_symbol_is_linear(symbol) && wide < 3 * tall && tall < 3 * wide) continue;
        for (double y = fmax(floor(low[1]), 0); y <= fmin(high[1] + 1, frame->height - 1.0); y++)
            for (double x = fmax(floor(low[0]), 0); x <= fmin(high[0] + 1, frame->width - 1.0); x++)
                if (is_inside(symbol->box, x, y)) scan_frame_row(out, (uint32_t)y)[(uint32_t)x] = 255;
    }
    return PT_OK;
}

static enum pt_code run_pass(struct scan_reader *reader, const struct scan_frame *frame, const struct pass *pass,
                             int64_t deadline, struct scan_symbols *out, struct pt_error *err) {
    PT_CLEANUP(scan_frame_free) struct scan_frame better = {0};
    PT_CLEANUP(scan_frame_free) struct scan_frame masked = {0};
    struct scan_back back;
    enum pt_code code = PT_OK;
    if (pass->decoders == MATRIX && pass->when == ALWAYS && out->count > 0) code = mask(frame, out, &masked, err);
    if (code == PT_OK) code = scan_enhance(masked.pixels ? &masked : frame, &pass->what, &better, &back, err);
    if (code == PT_LIMIT) return PT_OK;  // grown above the ceiling: the other passes must do
    if (code != PT_OK) return code;
    size_t fresh = out->count;
    if (pass->decoders & LINEAR) code = reader->linear.decode(reader->linear.ctx, &better, deadline, out, err);
    if (code == PT_OK && pass->decoders & LINEAR)
        code = reader->code128.decode(reader->code128.ctx, &better, deadline, out, err);
    if (code == PT_OK && pass->decoders & MATRIX)
        code = reader->matrix.decode(reader->matrix.ctx, &better, deadline, out, err);
    for (size_t i = fresh; i < out->count; i++)
        for (int k = 0; k < 4; k++) out->items[i].box[k] = scan_map_back(&back, out->items[i].box[k]);
    drop_repeated(out, fresh);
    drop_lost_fnc4(out);
    return code;
}

enum pt_code scan_reader_read(struct scan_reader *reader, const struct scan_frame *frame, struct scan_symbols *out,
                              struct pt_error *err) {
    *out = (struct scan_symbols){0};
    int64_t deadline = scan_clock_ms() + reader->options.budget_ms;
    enum pt_code code = PT_OK;
    for (size_t i = 0; i < sizeof passes / sizeof *passes && code == PT_OK; i++) {
        const struct pass *pass = &passes[i];
        if (scan_clock_ms() >= deadline) break;
        if (pass->when == NOTHING_YET && out->count > 0 && !reader->options.thorough) break;
        if ((uint64_t)frame->width * frame->height > pass->most_pixels) continue;
        code = run_pass(reader, frame, pass, deadline, out, err);
    }
    if (code == PT_LIMIT) code = PT_OK;  // more symbols than a list holds: those are enough
    if (code != PT_OK) scan_symbols_free(out);
    return code;
}
