// packtrail decode: the symbols in picture files.
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/disk.h"
#include "common/base/json.h"
#include "common/base/text.h"
#include "firmware/scan/image.h"
#include "firmware/scan/reader.h"
#include "tools/command/command.h"

#define BUDGET_MS 4000

static void print_help(FILE *out) {
    fputs("usage: packtrail decode IMAGE…\n\n"
          "Reads the barcodes in pictures (PNG, JPEG, PGM, PPM) and prints one JSON object a symbol:\n"
          "  image      the file\n"
          "  symbology  GS1 DataMatrix, Data Matrix, GS1-128, Code 128, QR Code, EAN-13, …\n"
          "  aim        AIM symbology identifier, as identify --symbology takes it\n"
          "  text       the content (FNC1 between elements as \\u001d), null where its character set is unknown\n"
          "  hex        the content's bytes\n"
          "  box        the four corners [x, y] in pixels\n\n"
          "Exit 1 when a picture cannot be read or has no symbol; the others are read all the same.\n",
          out);
}

static enum pt_code read_picture(const char *path, struct scan_frame *out, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf file = PT_BUF_INIT(SCAN_IMAGE_MAX_BYTES);
    enum pt_code code = pt_file_read(path, &file, err);
    if (code == PT_OK) code = scan_image_read(pt_buf_bytes(&file), out, err);
    return code;
}

static bool print_symbol(const char *path, const struct scan_symbol *symbol) {
    PT_CLEANUP(pt_buf_free) struct pt_buf line = PT_BUF_INIT(SCAN_SYMBOL_MAX_BYTES * 32);
    pt_buf_str(&line, "{\"image\":");
    pt_json_append_string(&line, pt_bytes_str(path));
    pt_buf_printf(&line, ",\"symbology\":\"%s\",\"aim\":\"%s\",\"text\":", scan_symbol_name(symbol), symbol->aim);
    if (symbol->has_text) pt_json_append_string(&line, pt_buf_bytes(&symbol->text));
    else pt_buf_str(&line, "null");
    pt_buf_str(&line, ",\"hex\":\"");
    pt_hex_append(&line, pt_buf_bytes(&symbol->bytes));
    pt_buf_str(&line, "\",\"box\":[");
    for (int i = 0; i < 4; i++)
        pt_buf_printf(&line, "%s[%ld,%ld]", i ? "," : "", lround(symbol->box[i].x), lround(symbol->box[i].y));
    pt_buf_str(&line, "]}");
    return pt_buf_check(&line, NULL) == PT_OK && puts(pt_buf_cstr(&line)) != EOF;
}

// Status of one picture; a file that fails names itself and the others go on.
static int decode_file(struct scan_reader *reader, const char *path) {
    struct pt_error err = {0};
    PT_CLEANUP(scan_frame_free) struct scan_frame frame = {0};
    struct scan_symbols symbols = {0};
    enum pt_code code = read_picture(path, &frame, &err);
    if (code == PT_OK) code = scan_reader_read(reader, &frame, &symbols, &err);
    if (code == PT_OK && symbols.count == 0) code = pt_fail(&err, PT_INVALID, path, "no symbol found");
    if (code != PT_OK) {
        if (!err.where[0]) snprintf(err.where, sizeof err.where, "%s", path);
        if (code != PT_NO_MEMORY && code != PT_INTERNAL) err.code = PT_INVALID;  // a picture that cannot be had is bad input
        return command_failed("decode", &err);
    }
    int status = 0;
    for (size_t i = 0; i < symbols.count; i++)
        if (!print_symbol(path, &symbols.items[i])) status = 3;
    scan_symbols_free(&symbols);
    return status;
}

int command_decode(int argc, char **argv) {
    if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        print_help(stdout);
        return 0;
    }
    int first = argc >= 2 && strcmp(argv[1], "--") == 0 ? 2 : 1;
    if (argc <= first || (first == 1 && argv[1][0] == '-' && argv[1][1])) {
        print_help(stderr);
        return 2;
    }
    struct pt_error err = {0};
    struct scan_reader *reader;
    if (scan_reader_open(&(struct scan_reader_options){.budget_ms = BUDGET_MS}, &reader, &err) != PT_OK)
        return command_failed("decode", &err);
    int worst = 0;
    for (int i = first; i < argc; i++) {
        int status = decode_file(reader, argv[i]);
        if (status > worst) worst = status;
    }
    scan_reader_close(reader);
    if (fflush(stdout) != 0) worst = 3;
    return worst;
}
