#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>

#include "firmware/scan/image.h"

// Progressive files make the decoder pass over all coefficients once a scan; a hostile file has thousands.
#define MAX_SCANS 100

struct jpeg_job {
    struct jpeg_error_mgr errors;  // first: libjpeg gives this address back
    struct jpeg_progress_mgr progress;
    struct jpeg_decompress_struct jpeg;
    jmp_buf escape;
    struct scan_frame *frame;
    uint8_t *row;
    struct pt_error *err;
    enum pt_code code;
};

static void fail(j_common_ptr jpeg) {
    struct jpeg_job *job = (struct jpeg_job *)jpeg->err;
    char what[JMSG_LENGTH_MAX];
    job->errors.format_message(jpeg, what);
    if (job->code == PT_OK) job->code = pt_fail(job->err, PT_INVALID, NULL, "damaged JPEG: %s", what);
    longjmp(job->escape, 1);
}

// Level -1 is corrupt data that libjpeg would paint over with grey: a picture that is partly invented is refused.
static void message(j_common_ptr jpeg, int level) {
    if (level < 0) fail(jpeg);
}

static void watch_scans(j_common_ptr jpeg) {
    struct jpeg_job *job = (struct jpeg_job *)jpeg->err;
    if (job->jpeg.input_scan_number <= MAX_SCANS) return;
    job->code = pt_fail(job->err, PT_LIMIT, NULL, "the JPEG has more than %d scans", MAX_SCANS);
    longjmp(job->escape, 1);
}

static void read_rows(struct jpeg_job *job) {
    struct jpeg_decompress_struct *jpeg = &job->jpeg;
    unsigned channels = (unsigned)jpeg->output_components;
    while (jpeg->output_scanline < jpeg->output_height) {
        uint8_t *to = scan_frame_row(job->frame, jpeg->output_scanline);
        JSAMPROW row = job->row;
        jpeg_read_scanlines(jpeg, &row, 1);
        for (uint32_t x = 0; x < job->frame->width; x++) {
            const uint8_t *p = job->row + (size_t)x * channels;
            if (channels == 1) to[x] = p[0];
            else if (channels == 3) to[x] = scan_grey(p[0], p[1], p[2]);
            else to[x] = (uint8_t)(scan_grey(p[0], p[1], p[2]) * p[3] / 255u);  // Adobe CMYK is stored inverted
        }
    }
}

static void read_picture(struct jpeg_job *job, struct pt_bytes file) {
    struct jpeg_decompress_struct *jpeg = &job->jpeg;
    jpeg_create_decompress(jpeg);
    job->progress.progress_monitor = watch_scans;
    jpeg->progress = &job->progress;
    jpeg->mem->max_memory_to_use = 512l << 20;
    jpeg_mem_src(jpeg, file.data, file.len);
    jpeg_read_header(jpeg, TRUE);
    job->code = scan_frame_new(jpeg->image_width, jpeg->image_height, job->frame, job->err);
    if (job->code != PT_OK) return;
    if (jpeg->jpeg_color_space == JCS_CMYK || jpeg->jpeg_color_space == JCS_YCCK) jpeg->out_color_space = JCS_CMYK;
    else if (jpeg->jpeg_color_space == JCS_GRAYSCALE || jpeg->jpeg_color_space == JCS_YCbCr)
        jpeg->out_color_space = JCS_GRAYSCALE;
    else jpeg->out_color_space = JCS_RGB;
    jpeg_start_decompress(jpeg);
    job->row = malloc((size_t)jpeg->output_width * (size_t)jpeg->output_components);
    if (!job->row) {
        job->code = pt_fail(job->err, PT_NO_MEMORY, NULL, "no memory for a picture row");
        return;
    }
    read_rows(job);
    jpeg_finish_decompress(jpeg);
}

enum pt_code scan_image_read_jpeg(struct pt_bytes file, struct scan_frame *out, struct pt_error *err) {
    *out = (struct scan_frame){0};
    struct jpeg_job *job = calloc(1, sizeof *job);
    if (!job) return pt_fail(err, PT_NO_MEMORY, NULL, "no memory for a JPEG");
    job->frame = out;
    job->err = err;
    job->jpeg.err = jpeg_std_error(&job->errors);
    job->errors.error_exit = fail;
    job->errors.emit_message = message;
    if (setjmp(job->escape) == 0) read_picture(job, file);
    jpeg_destroy_decompress(&job->jpeg);
    enum pt_code code = job->code;
    free(job->row);
    free(job);
    if (code != PT_OK) scan_frame_free(out);
    return code;
}
