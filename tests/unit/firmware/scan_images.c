// Picture files: what they show, and that hostile ones are refused without harm.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <png.h>

#include "common/base/cleanup.h"
#include "firmware/scan/image.h"
#include "tests/support/support.h"

#define READ(text, frame) scan_image_read(pt_bytes_of(text, sizeof text - 1), frame, NULL)

static void pgm_and_ppm_are_read(void **state) {
    (void)state;
    PT_CLEANUP(scan_frame_free) struct scan_frame frame = {0};
    assert_int_equal(READ("P5 # a comment\n3 2 255\n\x00\x7f\xff\x01\x02\x03", &frame), PT_OK);
    assert_int_equal(frame.width, 3);
    assert_int_equal(frame.height, 2);
    assert_int_equal(scan_frame_row(&frame, 0)[1], 0x7f);
    assert_int_equal(scan_frame_row(&frame, 1)[2], 3);
    scan_frame_free(&frame);
    assert_int_equal(READ("P6 1 1 255 \xff\x00\x00", &frame), PT_OK);
    assert_int_equal(frame.pixels[0], 76);
    scan_frame_free(&frame);
    assert_int_equal(READ("P5 2 1 65535\n\xff\xff\x80\x00", &frame), PT_OK);
    assert_int_equal(frame.pixels[0], 255);
    assert_int_equal(frame.pixels[1], 128);
    scan_frame_free(&frame);
    assert_int_equal(READ("P5 2 1 15\n\x0f\xff", &frame), PT_OK);
    assert_int_equal(frame.pixels[0], 255);
    assert_int_equal(frame.pixels[1], 255);  // above maxval: clamped
}

static void bad_netpbm_is_refused(void **state) {
    (void)state;
    static const char *const bad[] = {"P5", "P5 ", "P5 3", "P5 3 2 255", "P5 0 2 255 ", "P5 2 0 255 ", "P5 2 2 0 xxxx",
                                      "P5 -1 2 255 ", "P5 2 2 255 xxx", "P5 2 2 255xxxx", "P4 2 2 ", "P5 a 2 255 ",
                                      "P5 2 2 # no end", "P6 2 1 255 xxxxx"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct scan_frame frame = {0};
        assert_int_equal(scan_image_read(pt_bytes_str(bad[i]), &frame, NULL), PT_INVALID);
        assert_null(frame.pixels);
    }
    struct scan_frame frame = {0};
    assert_int_equal(READ("P5 65535 65535 255\n", &frame), PT_LIMIT);
    assert_int_equal(READ("P5 99999999999999999999 1 255\n", &frame), PT_LIMIT);
    assert_int_equal(READ("P5 20000 20000 255\n", &frame), PT_LIMIT);
    assert_int_equal(scan_image_read(pt_bytes_of(NULL, 0), &frame, NULL), PT_INVALID);
}

static void a_written_pgm_reads_the_same(void **state) {
    (void)state;
    PT_CLEANUP(scan_frame_free) struct scan_frame frame = {0}, again = {0};
    PT_CLEANUP(pt_buf_free) struct pt_buf file = PT_BUF_INIT(1024);
    size_t used = 0;
    assert_int_equal(scan_frame_new(5, 4, &frame, NULL), PT_OK);
    for (unsigned i = 0; i < 20; i++) frame.pixels[i] = (uint8_t)(i * 12);
    scan_image_write_pgm(&frame, &file);
    size_t whole = file.len;
    pt_buf_str(&file, "P5 next");
    assert_int_equal(scan_image_read_pnm(pt_buf_bytes(&file), &again, &used, NULL), PT_OK);
    assert_int_equal(used, whole);
    assert_memory_equal(frame.pixels, again.pixels, 20);
}

// ---- PNG of every kind, made here

static void put_bytes(png_structp png, png_bytep data, size_t len) { pt_buf_append(png_get_io_ptr(png), data, len); }
static void no_flush(png_structp png) { (void)png; }

static struct pt_buf make_png(uint32_t width, uint32_t height, int depth, int kind, bool interlaced, const uint8_t *pixels,
                              size_t row_len, bool clear_first) {
    struct pt_buf out = PT_BUF_INIT(1 << 20);
    static const png_color palette[4] = {{0, 0, 0}, {255, 0, 0}, {128, 128, 128}, {255, 255, 255}};
    static const uint8_t alpha[1] = {0};
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    uint8_t *rows[8];
    if (setjmp(png_jmpbuf(png))) fail_msg("libpng cannot write");
    png_set_write_fn(png, &out, put_bytes, no_flush);
    png_set_IHDR(png, info, width, height, depth, kind, interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, 0, 0);
    if (kind == PNG_COLOR_TYPE_PALETTE) {
        png_set_PLTE(png, info, palette, 4);
        if (clear_first) png_set_tRNS(png, info, alpha, 1, NULL);
    }
    png_write_info(png, info);
    for (uint32_t y = 0; y < height; y++) rows[y] = (uint8_t *)(uintptr_t)(pixels + y * row_len);
    png_write_image(png, rows);
    png_write_end(png, NULL);
    png_destroy_write_struct(&png, &info);
    return out;
}

static void assert_png(struct pt_buf file, const uint8_t *want, size_t count) {
    PT_CLEANUP(scan_frame_free) struct scan_frame frame = {0};
    struct pt_error err = {0};
    assert_ok(scan_image_read(pt_buf_bytes(&file), &frame, &err), &err);
    assert_memory_equal(frame.pixels, want, count);
    pt_buf_free(&file);
}

static void png_of_every_kind_is_read(void **state) {
    (void)state;
    const uint8_t grey[] = {0, 100, 255, 7};
    assert_png(make_png(2, 2, 8, PNG_COLOR_TYPE_GRAY, false, grey, 2, false), grey, 4);
    assert_png(make_png(2, 2, 8, PNG_COLOR_TYPE_GRAY, true, grey, 2, false), grey, 4);
    const uint8_t bits[] = {0xa0};
    assert_png(make_png(4, 1, 1, PNG_COLOR_TYPE_GRAY, false, bits, 1, false), (const uint8_t[]){255, 0, 255, 0}, 4);
    const uint8_t wide[] = {0, 0, 255, 255, 128, 0};
    assert_png(make_png(3, 1, 16, PNG_COLOR_TYPE_GRAY, false, wide, 6, false), (const uint8_t[]){0, 255, 128}, 3);
    const uint8_t index[] = {0, 1, 2, 3};
    assert_png(make_png(4, 1, 8, PNG_COLOR_TYPE_PALETTE, false, index, 4, false), (const uint8_t[]){0, 76, 128, 255}, 4);
    assert_png(make_png(4, 1, 8, PNG_COLOR_TYPE_PALETTE, true, index, 4, true), (const uint8_t[]){255, 76, 128, 255}, 4);
    const uint8_t clear[] = {0, 0, 0, 128, 100, 255};  // clear black, half black, opaque grey
    assert_png(make_png(3, 1, 8, PNG_COLOR_TYPE_GRAY_ALPHA, false, clear, 6, false), (const uint8_t[]){255, 127, 100}, 3);
    const uint8_t colour[] = {0, 255, 0, 255, 0, 0, 0, 0};
    assert_png(make_png(2, 1, 8, PNG_COLOR_TYPE_RGB_ALPHA, false, colour, 8, false), (const uint8_t[]){149, 255}, 2);
}

// Any cut and any changed byte must give a picture or PT_INVALID or PT_LIMIT, never a crash or a leak.
static void assert_survives(const struct pt_buf *file) {
    for (size_t len = 0; len < file->len; len += file->len / 200 + 1) {
        PT_CLEANUP(scan_frame_free) struct scan_frame frame = {0};
        PT_FREE uint8_t *cut = malloc(len + 1);
        memcpy(cut, file->data, len);
        assert_int_not_equal(scan_image_read(pt_bytes_of(cut, len), &frame, NULL), PT_OK);
        assert_null(frame.pixels);
    }
    for (size_t at = 0; at < file->len; at += file->len / 400 + 1) {
        PT_CLEANUP(scan_frame_free) struct scan_frame frame = {0};
        PT_FREE uint8_t *changed = malloc(file->len);
        memcpy(changed, file->data, file->len);
        changed[at] ^= 0x55;
        enum pt_code code = scan_image_read(pt_bytes_of(changed, file->len), &frame, NULL);
        assert_true(code == PT_OK || code == PT_INVALID || code == PT_LIMIT);
        assert_int_equal(code == PT_OK, frame.pixels != NULL);
    }
}

static void damaged_png_is_refused(void **state) {
    (void)state;
    const uint8_t grey[64] = {0, 100, 255, 7};
    PT_CLEANUP(pt_buf_free) struct pt_buf file = make_png(8, 8, 8, PNG_COLOR_TYPE_GRAY, true, grey, 8, false);
    file.len -= 12;  // without IEND nothing is missing from the picture
    assert_survives(&file);
    struct scan_frame frame = {0};
    memcpy(file.data + 16, "\x00\x00\xff\xff\x00\x00\xff\xff", 8);  // 65535 x 65535 in IHDR
    assert_int_not_equal(scan_image_read(pt_buf_bytes(&file), &frame, NULL), PT_OK);
    assert_null(frame.pixels);
}

static struct pt_buf make_jpeg(bool progressive, int channels) {
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    unsigned char *memory = NULL;
    unsigned long len = 0;
    uint8_t row[64 * 4];
    struct pt_buf out = PT_BUF_INIT(1 << 20);
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &memory, &len);
    jpeg.image_width = 64;
    jpeg.image_height = 32;
    jpeg.input_components = channels;
    jpeg.in_color_space = channels == 1 ? JCS_GRAYSCALE : channels == 3 ? JCS_RGB : JCS_CMYK;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, 95, TRUE);
    if (progressive) jpeg_simple_progression(&jpeg);
    jpeg_start_compress(&jpeg, TRUE);
    for (int x = 0; x < 64 * channels; x++) row[x] = x < 32 * channels ? 20 : 230;
    if (channels == 4)  // stored inverted: 255 is no ink
        for (int x = 0; x < 64; x++) memset(row + 4 * x, x < 32 ? 0 : 255, 4);
    while (jpeg.next_scanline < jpeg.image_height) {
        JSAMPROW rows[1] = {row};
        jpeg_write_scanlines(&jpeg, rows, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    pt_buf_append(&out, memory, len);
    free(memory);
    return out;
}

static void jpeg_of_every_kind_is_read(void **state) {
    (void)state;
    for (int kind = 0; kind < 6; kind++) {
        int channels = kind / 2 == 0 ? 1 : kind / 2 == 1 ? 3 : 4;
        PT_CLEANUP(pt_buf_free) struct pt_buf file = make_jpeg(kind % 2, channels);
        PT_CLEANUP(scan_frame_free) struct scan_frame frame = {0};
        struct pt_error err = {0};
        assert_ok(scan_image_read(pt_buf_bytes(&file), &frame, &err), &err);
        assert_int_equal(frame.width, 64);
        assert_int_equal(frame.height, 32);
        assert_true(scan_frame_row(&frame, 16)[8] < 40);
        assert_true(scan_frame_row(&frame, 16)[56] > 200);
    }
}

static void damaged_jpeg_is_refused(void **state) {
    (void)state;
    for (int progressive = 0; progressive < 2; progressive++) {
        PT_CLEANUP(pt_buf_free) struct pt_buf file = make_jpeg(progressive, 3);
        file.len -= 2;  // without EOI nothing is missing from the picture, but the file counts as cut
        assert_survives(&file);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pgm_and_ppm_are_read),      cmocka_unit_test(bad_netpbm_is_refused),
        cmocka_unit_test(a_written_pgm_reads_the_same), cmocka_unit_test(png_of_every_kind_is_read),
        cmocka_unit_test(damaged_png_is_refused),    cmocka_unit_test(jpeg_of_every_kind_is_read),
        cmocka_unit_test(damaged_jpeg_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
