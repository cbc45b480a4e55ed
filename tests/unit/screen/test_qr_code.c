// What is shown is read again by our own reader: the symbol, and its picture in letters.
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "firmware/scan/reader.h"
#include "firmware/screen/qr_code.h"
#include "tests/support/support.h"

static void read_back(const struct scan_frame *frame, struct pt_bytes expected) {
    PT_CLEANUP(scan_symbols_free) struct scan_symbols symbols = {0};
    struct scan_reader *reader;
    const struct scan_reader_options options = {.budget_ms = 2000};
    assert_int_equal(scan_reader_open(&options, &reader, NULL), PT_OK);
    assert_int_equal(scan_reader_read(reader, frame, &symbols, NULL), PT_OK);
    assert_int_equal(symbols.count, 1);
    assert_int_equal(symbols.items[0].symbology, SCAN_QR);
    assert_int_equal(symbols.items[0].bytes.len, expected.len);
    assert_memory_equal(symbols.items[0].bytes.data, expected.data, expected.len);
    scan_reader_close(reader);
}

static struct qr_code code;

static void shown_is_read(void **state) {
    (void)state;
    const char *const texts[] = {"A", "https://example.com/01/09506000134352/21/PT282137", "PTENROL1:0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF%*+-./"};
    for (size_t t = 0; t < sizeof texts / sizeof *texts; t++) {
        struct scan_frame frame;
        assert_int_equal(qr_code_make(pt_bytes_str(texts[t]), &code, NULL), PT_OK);
        const unsigned side = (code.side + 8) * 4;
        assert_int_equal(scan_frame_new(side, side, &frame, NULL), PT_OK);
        for (unsigned y = 0; y < code.side * 4; y++)
            for (unsigned x = 0; x < code.side * 4; x++)
                if (code.dark[y / 4 * code.side + x / 4]) scan_frame_row(&frame, y + 16)[x + 16] = 0;
        read_back(&frame, pt_bytes_str(texts[t]));
        scan_frame_free(&frame);
    }
}

// A cell of the text is two modules: full, lower half, upper half, space, as light.
static void paint_text(struct pt_buf *text, struct scan_frame *frame) {
    unsigned row = 0, column = 0;
    for (size_t i = 0; i < text->len;) {
        if (text->data[i] == '\n') {
            row++;
            column = 0;
            i++;
            continue;
        }
        const bool space = text->data[i] == ' ';
        const bool upper = space || memcmp(text->data + i, "\u2584", 3) == 0, lower = space || memcmp(text->data + i, "\u2580", 3) == 0;
        for (unsigned y = 0; y < 8; y++)
            for (unsigned x = 0; x < 4; x++)
                if (y < 4 ? upper : lower) scan_frame_row(frame, row * 8 + y)[column * 4 + x] = 0;
        i += space ? 1 : 3;
        column++;
    }
}

static void text_is_read(void **state) {
    (void)state;
    const struct pt_bytes content = pt_bytes_str("PTENROL1:ABCDEFGH0123456789");
    PT_CLEANUP(pt_buf_free) struct pt_buf text = PT_BUF_INIT(65536);
    struct scan_frame frame;
    assert_int_equal(qr_code_make(content, &code, NULL), PT_OK);
    qr_code_text(&code, &text);
    assert_int_equal(scan_frame_new((code.side + 8) * 4, (code.side + 9) * 4, &frame, NULL), PT_OK);
    paint_text(&text, &frame);
    read_back(&frame, content);
    scan_frame_free(&frame);
}

static void refusals(void **state) {
    (void)state;
    static uint8_t much[3000];
    struct pt_error err = {0};
    assert_int_equal(qr_code_make(pt_bytes_of(much, sizeof much), &code, &err), PT_LIMIT);
    assert_int_equal(qr_code_make(pt_bytes_of(much, 0), &code, &err), PT_INVALID);
    assert_int_equal(qr_code_make(pt_bytes_of(much, 2331), &code, &err), PT_OK);
    assert_int_equal(code.side, QR_CODE_SIDE_MAX);
    assert_int_equal(qr_code_make(pt_bytes_of(much, 2332), &code, &err), PT_LIMIT);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(shown_is_read), cmocka_unit_test(text_is_read), cmocka_unit_test(refusals)};
    return cmocka_run_group_tests_name("screen-qr_code", tests, NULL, NULL);
}
