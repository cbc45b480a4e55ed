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

enum { LINEAR = 1, MATRIX = 2, MATRIX_DEEP = 4, MATRIX_LAST = 8 };

// In the order of what they bring for their time. Our own Data Matrix reader improves pictures by itself; libdmtx comes
// last. Above `most_pixels` a pass is left out: its enlarged picture would cost more than it gives.
struct pass {
    int decoders;
    enum { ALWAYS, NOTHING_YET } when;
    uint32_t most_pixels;
    struct scan_enhancement what;
};

static const struct pass passes[] = {
    {LINEAR | MATRIX, ALWAYS, UINT32_MAX, {0}},
    {LINEAR, NOTHING_YET, 1200 * 1200, {.pad = 20, .scale = 2}},
    {MATRIX_DEEP, NOTHING_YET, UINT32_MAX, {0}},
    {LINEAR, NOTHING_YET, UINT32_MAX, {.pad = 10, .scale = 0.5}},
    {LINEAR, NOTHING_YET, 2000 * 2000, {.pad = 10, .level = true}},
    {LINEAR, NOTHING_YET, 2000 * 2000, {.pad = 10, .invert = true}},
    {LINEAR, NOTHING_YET, 2000 * 2000, {.pad = 10, .blur = 1}},
    {LINEAR, NOTHING_YET, 2000 * 2000, {.pad = 10, .sharpen = 2}},
    {LINEAR, NOTHING_YET, 1200 * 1200, {.pad = 10, .scale = 2, .sharpen = 3}},
    {LINEAR, NOTHING_YET, 2000 * 2000, {.pad = 10, .turn = 45}},
    {LINEAR, NOTHING_YET, 2000 * 2000, {.pad = 10, .turn = 22.5}},
    {LINEAR, NOTHING_YET, 2000 * 2000, {.pad = 10, .turn = -22.5}},
    {MATRIX_LAST, NOTHING_YET, UINT32_MAX, {.pad = 10}},
    {MATRIX_LAST, NOTHING_YET, 1200 * 1200, {.pad = 10, .scale = 2}},
};

enum { ZBAR, CODE128, DM_QUICK, DM_DEEP, DM_LIBDMTX, DECODERS };
// Which pass a decoder takes part in, in their order.
static const int takes_part[DECODERS] = {LINEAR, LINEAR, MATRIX, MATRIX_DEEP, MATRIX_LAST};

struct scan_reader {
    struct scan_reader_options options;
    struct scan_decoder decoders[DECODERS];
};

enum pt_code scan_reader_open(const struct scan_reader_options *options, struct scan_reader **out, struct pt_error *err) {
    *out = NULL;
    struct scan_reader *reader = calloc(1, sizeof *reader);
    if (!reader) return pt_fail(err, PT_NO_MEMORY, NULL, "no memory for the barcode reader");
    reader->options = *options;
    enum pt_code code = scan_decoder_zbar(&reader->decoders[ZBAR], err);
    if (code == PT_OK) code = scan_decoder_code128(&reader->decoders[CODE128], err);
    if (code == PT_OK) code = scan_decoder_datamatrix(SCAN_QUICK, &reader->decoders[DM_QUICK], err);
    if (code == PT_OK) code = scan_decoder_datamatrix(SCAN_DEEP, &reader->decoders[DM_DEEP], err);
    if (code == PT_OK) code = scan_decoder_dmtx(&reader->decoders[DM_LIBDMTX], err);
    if (code != PT_OK) {
        scan_reader_close(reader);
        return code;
    }
    *out = reader;
    return PT_OK;
}

void scan_reader_close(struct scan_reader *reader) {
    if (!reader) return;
    for (int i = 0; i < DECODERS; i++)
        if (reader->decoders[i].close) reader->decoders[i].close(reader->decoders[i].ctx);
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

static bool changes(const struct scan_enhancement *what) {
    return what->pad || what->scale > 0 || what->blur || what->sharpen > 0 || what->level || what->invert || what->turn != 0;
}

static enum pt_code run_pass(struct scan_reader *reader, const struct scan_frame *frame, const struct pass *pass,
                             int64_t deadline, struct scan_symbols *out, struct pt_error *err) {
    PT_CLEANUP(scan_frame_free) struct scan_frame better = {0};
    struct scan_back back = {.xx = 1, .yy = 1};
    const struct scan_frame *seen = frame;
    enum pt_code code = PT_OK;
    if (changes(&pass->what)) {
        code = scan_enhance(frame, &pass->what, &better, &back, err);
        if (code == PT_LIMIT) return PT_OK;  // grown above the ceiling: the other passes must do
        seen = &better;
    }
    size_t fresh = out->count;
    for (int i = 0; i < DECODERS && code == PT_OK; i++)
        if (pass->decoders & takes_part[i])
            code = reader->decoders[i].decode(reader->decoders[i].ctx, seen, deadline, out, err);
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
