#include <math.h>
#include <stdlib.h>
#include <time.h>

#include <dmtx.h>

#include "firmware/scan/datamatrix.h"
#include "firmware/scan/decoder.h"
#include "firmware/scan/grid.h"

// libdmtx finds the symbol and its size; sampling, error correction and decodation are ours, because libdmtx loses
// FNC1 and ECI and accepts far-fetched corrections.

// Of the processor's time: it finds nothing more after this long on one picture.
#define SEARCH_MS 120

// Corners from the top left, clockwise, the L at left and below. libdmtx counts rows from below, pixels at centres.
static void corners_of(DmtxRegion *region, uint32_t height, struct scan_point box[4]) {
    static const double unit[4][2] = {{0, 1}, {1, 1}, {1, 0}, {0, 0}};
    for (int i = 0; i < 4; i++) {
        DmtxVector2 p = {unit[i][0], unit[i][1]};
        dmtxMatrix3VMultiplyBy(&p, region->fit2raw);
        box[i] = (struct scan_point){p.X, (double)height - 1 - p.Y};
    }
}

static enum pt_code read_region(const struct scan_frame *frame, DmtxRegion *region, struct scan_symbols *out,
                                struct pt_error *err) {
    struct scan_point box[4];
    const struct scan_dm_size *size = scan_dm_size_of((unsigned)region->symbolRows, (unsigned)region->symbolCols);
    corners_of(region, frame->height, box);
    for (int i = 0; i < 4; i++)
        if (!isfinite(box[i].x) || !isfinite(box[i].y)) return PT_OK;
    if (!size) return PT_OK;
    struct scan_symbol *symbol;
    enum pt_code code = scan_symbols_add(out, SCAN_DATAMATRIX, "]d1", &symbol, err);
    if (code != PT_OK) return code;
    if (!scan_grid_read(frame, box, size, symbol)) {
        scan_symbols_remove(out, out->count - 1);
        return PT_OK;
    }
    for (int i = 0; i < 4; i++) symbol->box[i] = box[i];
    return PT_OK;
}

static int64_t cpu_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

// libdmtx counts wall time only; on a busy machine that would end the search early. The search goes on where it was, so
// it is given slices until it has had its share or comes back before its slice is over.
static enum pt_code search(const struct scan_frame *frame, DmtxDecode *dmtx, int64_t deadline, struct scan_symbols *out,
                           struct pt_error *err) {
    enum pt_code code = PT_OK;
    int64_t cpu_end = cpu_ms() + SEARCH_MS;
    while (code == PT_OK) {
        int64_t now = scan_clock_ms(), slice = cpu_end - cpu_ms();
        if (slice > deadline - now) slice = deadline - now;
        if (slice <= 0) break;
        DmtxTime until = dmtxTimeAdd(dmtxTimeNow(), (long)slice);
        DmtxRegion *region = dmtxRegionFindNext(dmtx, &until);
        if (region) code = read_region(frame, region, out, err);
        else if (scan_clock_ms() - now < slice - 1) break;
        if (region) dmtxRegionDestroy(&region);
    }
    return code;
}

static enum pt_code decode(void *ctx, const struct scan_frame *frame, int64_t deadline, struct scan_symbols *out,
                           struct pt_error *err) {
    (void)ctx;
    if (scan_clock_ms() >= deadline || frame->width < 10 || frame->height < 10) return PT_OK;
    DmtxImage *image = dmtxImageCreate(frame->pixels, (int)frame->width, (int)frame->height, DmtxPack8bppK);
    if (!image) return pt_fail(err, PT_NO_MEMORY, NULL, "no memory to search a picture");
    dmtxImageSetProp(image, DmtxPropRowPadBytes, (int)(frame->stride - frame->width));
    DmtxDecode *dmtx = dmtxDecodeCreate(image, 1);
    enum pt_code code = PT_OK;
    if (dmtx) code = search(frame, dmtx, deadline, out, err);
    else code = pt_fail(err, PT_NO_MEMORY, NULL, "no memory to search a picture");
    if (dmtx) dmtxDecodeDestroy(&dmtx);
    dmtxImageDestroy(&image);
    return code;
}

static void close_dmtx(void *ctx) { (void)ctx; }

enum pt_code scan_decoder_dmtx(struct scan_decoder *out, struct pt_error *err) {
    (void)err;
    *out = (struct scan_decoder){.name = "libdmtx", .decode = decode, .close = close_dmtx};
    return PT_OK;
}
