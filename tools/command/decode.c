// packtrail decode: the symbols in picture files.
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <jansson.h>

#include "common/base/cleanup.h"
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
    PT_FCLOSE FILE *in = fopen(path, "rb");
    struct stat status;
    if (!in || fstat(fileno(in), &status) != 0) return pt_fail_errno(err, path, "cannot open the picture");
    if (S_ISDIR(status.st_mode)) return pt_fail(err, PT_INVALID, path, "is a directory");
    size_t got;
    uint8_t piece[65536];
    while ((got = fread(piece, 1, sizeof piece, in)) > 0) pt_buf_append(&file, piece, got);
    if (ferror(in)) return pt_fail_errno(err, path, "cannot read the picture");
    enum pt_code code = pt_buf_check(&file, err);
    if (code == PT_OK) code = scan_image_read(pt_buf_bytes(&file), out, err);
    return code;
}

static bool print_symbol(const char *path, const struct scan_symbol *symbol) {
    PT_CLEANUP(pt_buf_free) struct pt_buf hex = PT_BUF_INIT(SCAN_SYMBOL_MAX_BYTES * 2);
    pt_hex_append(&hex, pt_buf_bytes(&symbol->bytes));
    json_t *text = symbol->has_text ? json_stringn((const char *)symbol->text.data, symbol->text.len) : json_null();
    json_t *box = json_array();
    for (int i = 0; i < 4; i++)
        json_array_append_new(box, json_pack("[i,i]", (int)lround(symbol->box[i].x), (int)lround(symbol->box[i].y)));
    json_t *name = json_string(path);
    json_t *line = json_pack("{s:o?,s:s,s:s,s:o?,s:s,s:o}", "image", name, "symbology", scan_symbol_name(symbol), "aim",
                             symbol->aim, "text", text, "hex", pt_buf_cstr(&hex), "box", box);
    bool good = line && json_dumpf(line, stdout, JSON_COMPACT) == 0 && fputc('\n', stdout) != EOF;
    json_decref(line);
    return good;
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
        if (code == PT_NOT_FOUND || code == PT_LIMIT) err.code = PT_INVALID;
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
    if (scan_reader_open(&(struct scan_reader_options){.budget_ms = BUDGET_MS, .thorough = true}, &reader, &err) != PT_OK)
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
