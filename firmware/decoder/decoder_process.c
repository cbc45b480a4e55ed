#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "firmware/decoder/decoder.h"
#include "firmware/decoder/decoder_sandbox.h"
#include "firmware/decoder/decoder_wire.h"

static bool read_whole(void *out, size_t len) {
    for (size_t got = 0; got < len;) {
        const ssize_t more = read(DECODER_SOCKET, (uint8_t *)out + got, len - got);
        if (more < 0 && errno == EINTR) continue;
        if (more <= 0) return false;
        got += (size_t)more;
    }
    return true;
}

static bool write_whole(struct pt_bytes bytes) {
    while (bytes.len > 0) {
        const ssize_t gone = write(DECODER_SOCKET, bytes.data, bytes.len);
        if (gone < 0 && errno == EINTR) continue;
        if (gone <= 0) return false;
        bytes = pt_bytes_of(bytes.data + gone, bytes.len - (size_t)gone);
    }
    return true;
}

static bool answer(struct scan_reader *reader, const struct decoder_question *question, uint8_t *pixels) {
    PT_CLEANUP(scan_symbols_free) struct scan_symbols symbols = {0};
    PT_CLEANUP(pt_buf_free) struct pt_buf bytes = PT_BUF_INIT(DECODER_ANSWER_MAX);
    const struct scan_frame frame = {.pixels = pixels, .width = question->width, .height = question->height, .stride = question->width};
    if (question->width == 0 || question->height == 0 || (uint64_t)question->width * question->height > SCAN_FRAME_MAX_PIXELS) return false;
    const enum pt_code code = scan_reader_read(reader, &frame, &symbols, NULL);
    if (decoder_answer_encode(code, &symbols, &bytes, NULL) != PT_OK) return false;
    const uint32_t len = (uint32_t)bytes.len;
    return write_whole(pt_bytes_of((const uint8_t *)&len, sizeof len)) && write_whole(pt_buf_bytes(&bytes));
}

int decoder_process(void) {
    struct scan_reader_options reading;
    struct scan_reader *reader;
    struct decoder_question question;
    struct pt_error err = {0};
    if (!read_whole(&reading, sizeof reading)) return 2;
    uint8_t *pixels = mmap(NULL, SCAN_FRAME_MAX_PIXELS, PROT_READ, MAP_SHARED, DECODER_MEMORY, 0);
    close(DECODER_MEMORY);
    if (pixels == MAP_FAILED || scan_reader_open(&reading, &reader, &err) != PT_OK || decoder_sandbox_enter(&err) != PT_OK) {
        fprintf(stderr, "packtrail-scanner: the decoder cannot start: %s\n", err.what);
        return 3;
    }
    if (!write_whole(pt_bytes_of((const uint8_t *)"!", 1))) return 3;  // ready, and shut in
    while (read_whole(&question, sizeof question) && answer(reader, &question, pixels)) continue;
    scan_reader_close(reader);
    return 0;
}
