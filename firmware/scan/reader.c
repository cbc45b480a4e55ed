#include "firmware/scan/reader.h"

#include <stdlib.h>
#include <time.h>

#include "common/base/cleanup.h"
#include "firmware/scan/enhance.h"

int64_t scan_clock_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

enum { LINEAR = 1, MATRIX = 2, BOTH = 3 };

// In the order of what they bring for their time. The first ones run always, the rest only while nothing is found.
// Above `most_pixels` a pass is left out: its enlarged picture would cost more than it gives.
struct pass {
    int decoders;
    bool always;
    uint32_t most_pixels;
    struct scan_enhancement what;
};

static const struct pass passes[] = {
    {LINEAR, true, UINT32_MAX, {0}},
    {MATRIX, true, UINT32_MAX, {.pad = 10}},
    {MATRIX, true, 1200 * 1200, {.pad = 10, .scale = 2}},
    {LINEAR, false, 1200 * 1200, {.pad = 20, .scale = 2}},
    {BOTH, false, UINT32_MAX, {.pad = 10, .scale = 0.5}},
    {BOTH, false, 2000 * 2000, {.pad = 10, .level = true}},
    {BOTH, false, 2000 * 2000, {.pad = 10, .invert = true}},
    {BOTH, false, 2000 * 2000, {.pad = 10, .blur = 1}},
    {LINEAR, false, 2000 * 2000, {.pad = 10, .sharpen = 2}},
    {LINEAR, false, 1200 * 1200, {.pad = 10, .scale = 2, .sharpen = 3}},
    {LINEAR, false, 2000 * 2000, {.pad = 10, .turn = 45}},
    {LINEAR, false, 2000 * 2000, {.pad = 10, .turn = 22.5}},
    {LINEAR, false, 2000 * 2000, {.pad = 10, .turn = -22.5}},
    {MATRIX, false, 700 * 700, {.pad = 20, .scale = 4}},
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

static enum pt_code run_pass(struct scan_reader *reader, const struct scan_frame *frame, const struct pass *pass,
                             int64_t deadline, struct scan_symbols *out, struct pt_error *err) {
    PT_CLEANUP(scan_frame_free) struct scan_frame better = {0};
    struct scan_back back;
    enum pt_code code = scan_enhance(frame, &pass->what, &better, &back, err);
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
        if (!pass->always && out->count > 0) break;
        if ((uint64_t)frame->width * frame->height > pass->most_pixels) continue;
        code = run_pass(reader, frame, pass, deadline, out, err);
    }
    if (code == PT_LIMIT) code = PT_OK;  // more symbols than a list holds: those are enough
    if (code != PT_OK) scan_symbols_free(out);
    return code;
}
