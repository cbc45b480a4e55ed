#include "firmware/scan/enhance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "firmware/scan/grid.h"

struct scan_point scan_map_back(const struct scan_back *b, struct scan_point p) {
    return (struct scan_point){b->xx * p.x + b->xy * p.y + b->x0, b->yx * p.x + b->yy * p.y + b->y0};
}

// Makes a picture of width x height whose pixel (X, Y) shows the source at back(X, Y); white outside it.
static enum pt_code resample(const struct scan_frame *from, uint32_t width, uint32_t height, const struct scan_back *back,
                             struct scan_frame *out, struct pt_error *err) {
    enum pt_code code = scan_frame_new(width, height, out, err);
    if (code != PT_OK) return code;
    for (uint32_t y = 0; y < height; y++) {
        uint8_t *row = scan_frame_row(out, y);
        for (uint32_t x = 0; x < width; x++) {
            struct scan_point p = scan_map_back(back, (struct scan_point){x, y});
            if (p.x < -0.5 || p.y < -0.5 || p.x > from->width - 0.5 || p.y > from->height - 0.5) continue;
            row[x] = (uint8_t)(scan_frame_at(from, p.x, p.y) + 0.5);
        }
    }
    return PT_OK;
}

// Sums over rectangles in constant time: table[(y) * (w + 1) + x] is the sum above and left of (x, y).
static uint64_t *integral_of(const struct scan_frame *f) {
    size_t wide = (size_t)f->width + 1;
    uint64_t *table = calloc(wide * ((size_t)f->height + 1), sizeof *table);
    for (uint32_t y = 0; table && y < f->height; y++) {
        const uint8_t *row = scan_frame_row(f, y);
        uint64_t sum = 0;
        for (uint32_t x = 0; x < f->width; x++) {
            sum += row[x];
            table[(y + 1) * wide + x + 1] = table[y * wide + x + 1] + sum;
        }
    }
    return table;
}

static unsigned mean_around(const uint64_t *table, const struct scan_frame *f, uint32_t x, uint32_t y, uint32_t radius) {
    size_t wide = (size_t)f->width + 1;
    uint32_t x0 = x > radius ? x - radius : 0, y0 = y > radius ? y - radius : 0;
    uint32_t x1 = x + radius + 1 < f->width ? x + radius + 1 : f->width;
    uint32_t y1 = y + radius + 1 < f->height ? y + radius + 1 : f->height;
    uint64_t sum = table[y1 * wide + x1] - table[y0 * wide + x1] - table[y1 * wide + x0] + table[y0 * wide + x0];
    uint64_t area = (uint64_t)(x1 - x0) * (y1 - y0);
    return (unsigned)((sum + area / 2) / area);
}

static uint8_t clip(double v) { return v <= 0 ? 0 : v >= 255 ? 255 : (uint8_t)(v + 0.5); }

enum filter { BLUR, SHARPEN, LEVEL };

// Each pixel anew from itself and the mean around it.
static enum pt_code filter(struct scan_frame *f, enum filter kind, uint32_t radius, double amount, struct pt_error *err) {
    PT_FREE uint64_t *table = integral_of(f);
    if (!table) return pt_fail(err, PT_NO_MEMORY, NULL, "no memory to improve a picture");
    for (uint32_t y = 0; y < f->height; y++) {
        uint8_t *row = scan_frame_row(f, y);
        for (uint32_t x = 0; x < f->width; x++) {
            double mean = mean_around(table, f, x, y, radius);
            if (kind == BLUR) row[x] = clip(mean);
            else if (kind == SHARPEN) row[x] = clip(row[x] + amount * (row[x] - mean));
            else row[x] = clip(128 + amount * (row[x] - mean));
        }
    }
    return PT_OK;
}

static struct scan_back geometry(const struct scan_frame *frame, const struct scan_enhancement *what, uint32_t *width,
                                 uint32_t *height) {
    double scale = what->scale > 0 ? what->scale : 1, angle = what->turn * M_PI / 180;
    double wide = frame->width * scale, high = frame->height * scale, c = cos(angle), s = sin(angle);
    double full_w = fabs(wide * c) + fabs(high * s) + 2.0 * what->pad;
    double full_h = fabs(wide * s) + fabs(high * c) + 2.0 * what->pad;
    *width = full_w < 1 ? 1 : full_w > SCAN_FRAME_MAX_SIDE ? SCAN_FRAME_MAX_SIDE : (uint32_t)lround(full_w);
    *height = full_h < 1 ? 1 : full_h > SCAN_FRAME_MAX_SIDE ? SCAN_FRAME_MAX_SIDE : (uint32_t)lround(full_h);
    // Around the two centres, in pixel-centre coordinates.
    struct scan_back b = {.xx = c / scale, .xy = s / scale, .yx = -s / scale, .yy = c / scale};
    double cx = (*width - 1) / 2.0, cy = (*height - 1) / 2.0;
    b.x0 = (frame->width - 1) / 2.0 - b.xx * cx - b.xy * cy;
    b.y0 = (frame->height - 1) / 2.0 - b.yx * cx - b.yy * cy;
    return b;
}

static enum pt_code apply(struct scan_frame *f, const struct scan_enhancement *what, struct pt_error *err) {
    enum pt_code code = PT_OK;
    uint32_t longest = f->width > f->height ? f->width : f->height;
    for (int i = 0; what->blur && i < 3 && code == PT_OK; i++) code = filter(f, BLUR, what->blur, 0, err);
    if (what->sharpen > 0 && code == PT_OK) code = filter(f, SHARPEN, 2, what->sharpen, err);
    if (what->level && code == PT_OK) code = filter(f, LEVEL, longest / 16 + 4, 3, err);
    for (uint32_t y = 0; what->invert && y < f->height; y++) {
        uint8_t *row = scan_frame_row(f, y);
        for (uint32_t x = 0; x < f->width; x++) row[x] = (uint8_t)(255 - row[x]);
    }
    return code;
}

enum pt_code scan_enhance(const struct scan_frame *frame, const struct scan_enhancement *what, struct scan_frame *out,
                          struct scan_back *back, struct pt_error *err) {
    PT_CLEANUP(scan_frame_free) struct scan_frame shrunk = {0};
    const struct scan_frame *from = frame;
    enum pt_code code = PT_OK;
    uint32_t width, height;
    *back = geometry(frame, what, &width, &height);
    if (what->scale > 0 && what->scale < 0.75) {  // averaging first keeps thin bars from vanishing between samples
        struct scan_back same = {.xx = 1, .yy = 1};
        code = resample(frame, frame->width, frame->height, &same, &shrunk, err);
        if (code == PT_OK) code = filter(&shrunk, BLUR, (uint32_t)(0.5 / what->scale), 0, err);
        from = &shrunk;
    }
    if (code == PT_OK) code = resample(from, width, height, back, out, err);
    if (code == PT_OK) code = apply(out, what, err);
    if (code != PT_OK) scan_frame_free(out);
    return code;
}
