#include <png.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/scan/image.h"

// Everything that must survive a longjmp out of libpng lives here, outside the frame that sets the jump.
struct png_job {
    struct pt_bytes file;
    size_t at;
    struct scan_frame *frame;
    uint8_t *rows;  // grey and alpha interleaved, the whole picture (interlaced files are written in passes)
    struct pt_error *err;
    enum pt_code code;
};

static void fail(png_structp png, png_const_charp what) {
    struct png_job *job = png_get_error_ptr(png);
    if (job->code == PT_OK) job->code = pt_fail(job->err, PT_INVALID, NULL, "damaged PNG: %s", what);
    png_longjmp(png, 1);
}

static void warn(png_structp png, png_const_charp what) {
    (void)png;
    (void)what;
}

static void read_bytes(png_structp png, png_bytep out, size_t len) {
    struct png_job *job = png_get_io_ptr(png);
    if (job->file.len - job->at < len) png_error(png, "the file is cut off");
    memcpy(out, job->file.data + job->at, len);
    job->at += len;
}

// 2 bytes a pixel, grey and alpha, whatever the file holds.
static void ask_grey_alpha(png_structp png, png_infop info) {
    png_set_expand(png);  // palette to RGB, 1/2/4 bits to 8, tRNS to alpha
    png_set_scale_16(png);
    if (png_get_color_type(png, info) & PNG_COLOR_MASK_COLOR)
        png_set_rgb_to_gray_fixed(png, PNG_ERROR_ACTION_NONE, 29900, 58700);
    png_set_add_alpha(png, 0xff, PNG_FILLER_AFTER);
    png_set_interlace_handling(png);
    png_read_update_info(png, info);
}

static void read_picture(png_structp png, png_infop info, struct png_job *job) {
    png_set_read_fn(png, job, read_bytes);
    png_set_user_limits(png, SCAN_FRAME_MAX_SIDE, SCAN_FRAME_MAX_SIDE);
    // Of the ancillary chunks only tRNS changes what is seen; the rest (text, profiles, Exif) is a way to memory and is skipped.
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, (png_const_bytep) "eXIf", 1);
    png_set_chunk_cache_max(png, 8);
    png_set_chunk_malloc_max(png, 1u << 20);
    png_read_info(png, info);
    uint32_t width = png_get_image_width(png, info), height = png_get_image_height(png, info);
    job->code = scan_frame_new(width, height, job->frame, job->err);
    if (job->code != PT_OK) png_error(png, "size");
    ask_grey_alpha(png, info);
    size_t row_len = (size_t)width * 2;
    if (png_get_rowbytes(png, info) != row_len) png_error(png, "unexpected row size");
    job->rows = calloc(height, row_len);
    if (!job->rows) {
        job->code = pt_fail(job->err, PT_NO_MEMORY, NULL, "no memory for a picture of %u x %u", width, height);
        png_error(png, "memory");
    }
    int passes = png_get_interlace_type(png, info) == PNG_INTERLACE_NONE ? 1 : PNG_INTERLACE_ADAM7_PASSES;
    for (int pass = 0; pass < passes; pass++)
        for (uint32_t y = 0; y < height; y++) png_read_row(png, job->rows + y * row_len, NULL);
    for (uint32_t y = 0; y < height; y++) {
        const uint8_t *from = job->rows + y * row_len;
        uint8_t *to = scan_frame_row(job->frame, y);
        for (uint32_t x = 0; x < width; x++) to[x] = scan_on_white(from[2 * x], from[2 * x + 1]);
    }
}

enum pt_code scan_image_read_png(struct pt_bytes file, struct scan_frame *out, struct pt_error *err) {
    *out = (struct scan_frame){0};
    struct png_job job = {.file = file, .frame = out, .err = err, .code = PT_OK};
    png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &job, fail, warn);
    if (!png) return job.code != PT_OK ? job.code : pt_fail(err, PT_NO_MEMORY, NULL, "no memory for a PNG");
    png_infop info = png_create_info_struct(png);
    if (!info)
        job.code = pt_fail(err, PT_NO_MEMORY, NULL, "no memory for a PNG");
    else if (setjmp(png_jmpbuf(png)) == 0)
        read_picture(png, info, &job);
    png_destroy_read_struct(&png, info ? &info : NULL, NULL);
    free(job.rows);
    if (job.code != PT_OK) scan_frame_free(out);
    return job.code;
}
