// Data Matrix by a reader of our own: the same search over the picture as it is, halved, inverted, blurred and so on,
// in the order of what they bring for their time.
#include <string.h>

#include "common/base/cleanup.h"
#include "firmware/scan/decoder.h"
#include "firmware/scan/dm_search.h"
#include "firmware/scan/enhance.h"

// Steps for one picture, see dm_work.h.
#define QUICK_WORK 10000000
#define DEEP_WORK 30000000
#define LARGE 800u  // pixels a side: above it the halved picture comes first

enum scale { SAME, WHOLE, HALF, QUARTER, DOUBLE };

struct pass {
    enum scale scale;
    unsigned blur;
    struct dm_search search;
};

struct plan {
    int64_t work, work_a_pass;
    bool till_found;
    size_t count;
    struct pass passes[12];
};

// A large picture is searched at half its size, then whole: small symbols beside large ones.
static const struct plan quick = {
    QUICK_WORK, QUICK_WORK * 6 / 10, false, 2,
    {
        {SAME, 0, {.level = DM_LEVEL_MIDDLE, .window_share = 12}},
        {WHOLE, 0, {.level = DM_LEVEL_MIDDLE, .window_share = 12}},
    },
};
static const struct plan deep = {
    DEEP_WORK, DEEP_WORK / 5, true, 11,
    {
        {SAME, 0, {.window_share = 8}},
        {SAME, 0, {.window_share = 8, .invert = true}},
        {SAME, 0, {.window_share = 24}},
        {SAME, 0, {.window_share = 3}},
        {SAME, 1, {.window_share = 8}},
        {HALF, 0, {.window_share = 8}},
        {DOUBLE, 0, {.window_share = 8}},
        {QUARTER, 0, {.window_share = 8}},
        {SAME, 2, {.window_share = 8}},
        {SAME, 0, {.level = DM_LEVEL_MIDDLE, .window_share = 12, .invert = true}},
        {SAME, 0, {.window_share = 8, .bows = true}},
    },
};

static double factor_of(enum scale scale, bool large) {
    double factor = scale == HALF ? 0.5 : scale == QUARTER ? 0.25 : scale == DOUBLE || scale == WHOLE ? 2 : 1;
    return large ? factor / 2 : factor;
}

// Means of two by two pixels; an odd last row or column is left out.
static enum pt_code halve(const struct scan_frame *from, struct scan_frame *out, struct pt_error *err) {
    enum pt_code code = scan_frame_new(from->width / 2, from->height / 2, out, err);
    if (code != PT_OK) return code;
    for (uint32_t y = 0; y < out->height; y++) {
        const uint8_t *a = scan_frame_row(from, 2 * y), *b = scan_frame_row(from, 2 * y + 1);
        uint8_t *row = scan_frame_row(out, y);
        for (uint32_t x = 0; x < out->width; x++) row[x] = (uint8_t)((a[2 * x] + a[2 * x + 1] + b[2 * x] + b[2 * x + 1] + 2) / 4);
    }
    return PT_OK;
}

// The picture made smaller or larger by a power of two and then blurred.
static enum pt_code version_of(const struct scan_frame *frame, double factor, unsigned blur, struct scan_frame *out,
                               struct pt_error *err) {
    PT_CLEANUP(scan_frame_free) struct scan_frame half = {0}, smaller = {0};
    const struct scan_frame *from = frame;
    struct scan_back back;
    enum pt_code code = PT_OK;
    for (; factor < 1 && code == PT_OK; factor *= 2) {
        code = halve(from, &smaller, err);
        scan_frame_free(&half);
        half = smaller;
        smaller = (struct scan_frame){0};
        from = &half;
    }
    if (code != PT_OK) return code;
    if (factor > 1 || blur > 0) return scan_enhance(from, &(struct scan_enhancement){.scale = factor, .blur = blur}, out, &back, err);
    *out = half;
    half = (struct scan_frame){0};
    return PT_OK;
}

static enum pt_code run(const struct scan_frame *frame, const struct pass *pass, struct dm_work *work, struct scan_symbols *out,
                        struct pt_error *err) {
    bool large = frame->width > LARGE || frame->height > LARGE;
    double factor = factor_of(pass->scale, large);
    if (pass->scale == WHOLE && !large) return PT_OK;
    PT_CLEANUP(scan_frame_free) struct scan_frame picture = {0};
    if (factor == 1 && pass->blur == 0) return dm_search_run(frame, frame, 1, &pass->search, work, out, err);
    double pixels = (double)frame->width * frame->height * factor * factor;
    if (!dm_work_take(work, (size_t)(pixels * 2))) return PT_OK;
    if (frame->width * factor < 1 || frame->height * factor < 1) return PT_OK;
    enum pt_code code = version_of(frame, factor, pass->blur, &picture, err);
    if (code == PT_LIMIT) return PT_OK;
    if (code == PT_OK) code = dm_search_run(&picture, frame, 1 / factor, &pass->search, work, out, err);
    return code;
}

static enum pt_code decode(void *ctx, const struct scan_frame *frame, int64_t deadline, struct scan_symbols *out,
                           struct pt_error *err) {
    const struct plan *plan = ctx;
    struct dm_work work = {plan->work};
    size_t before = out->count;
    enum pt_code code = PT_OK;
    for (size_t i = 0; i < plan->count && code == PT_OK && work.left > 0; i++) {
        if (scan_clock_ms() >= deadline || (plan->till_found && out->count > before)) break;
        struct dm_work pass = {work.left < plan->work_a_pass ? work.left : plan->work_a_pass};
        work.left -= pass.left;
        code = run(frame, &plan->passes[i], &pass, out, err);
        work.left += pass.left;
    }
    return code;
}

static void close_datamatrix(void *ctx) { (void)ctx; }

enum pt_code scan_decoder_datamatrix(enum scan_effort effort, struct scan_decoder *out, struct pt_error *err) {
    (void)err;
    *out = (struct scan_decoder){.name = "datamatrix", .decode = decode, .close = close_datamatrix,
                                 .ctx = (void *)(uintptr_t)(effort == SCAN_QUICK ? &quick : &deep)};
    return PT_OK;
}
