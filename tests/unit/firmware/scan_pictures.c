// Public photographs and drawings: how many are read, and that none is read as something else.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "firmware/scan/image.h"
#include "firmware/scan/reader.h"
#include "tests/support/support.h"

struct folder {
    const char *name;
    size_t least;  // pictures that must be read; the rest may stay unread
};

static struct scan_reader *reader;

static int open_reader(void **state) {
    (void)state;
    return scan_reader_open(&(struct scan_reader_options){.budget_ms = 4000}, &reader, NULL) == PT_OK ? 0 : -1;
}

static int close_reader(void **state) {
    (void)state;
    scan_reader_close(reader);
    return 0;
}

// What the picture says: as UTF-8 in NAME.txt, as bytes in NAME.bin.
static bool says(const char *stem, const struct scan_symbol *symbol) {
    char path[4200];
    for (int binary = 0; binary < 2; binary++) {
        snprintf(path, sizeof path, "%s.%s", stem, binary ? "bin" : "txt");
        if (access(path, R_OK) != 0) continue;
        PT_CLEANUP(pt_buf_free) struct pt_buf want = test_read_file(path);
        const struct pt_buf *got = binary ? &symbol->bytes : &symbol->text;
        if ((binary || symbol->has_text) && pt_bytes_equal(pt_buf_bytes(&want), pt_buf_bytes(got))) return true;
    }
    return false;
}

// NAME.result.txt may name the symbology identifier.
static bool identifier_fits(const char *stem, const char *aim) {
    char path[4200];
    snprintf(path, sizeof path, "%s.result.txt", stem);
    if (access(path, R_OK) != 0) return true;
    PT_CLEANUP(pt_buf_free) struct pt_buf facts = test_read_file(path);
    const char *found = strstr(pt_buf_cstr(&facts), "symbologyIdentifier=");
    return !found || strncmp(found + strlen("symbologyIdentifier="), aim, 3) == 0;
}

static void pictures_are_read(void **state) {
    const struct folder *folder = *state;
    char dir[4096];
    snprintf(dir, sizeof dir, "zxing-samples/%s", folder->name);
    snprintf(dir, sizeof dir, "%s", test_data(dir));
    struct test_names names = test_list(dir, ".png");
    size_t read = 0, wrong = 0;
    for (size_t i = 0; i < names.count; i++) {
        char path[4200];
        struct pt_error err = {0};
        snprintf(path, sizeof path, "%s/%s", dir, names.names[i]);
        PT_CLEANUP(pt_buf_free) struct pt_buf file = test_read_file(path);
        PT_CLEANUP(scan_frame_free) struct scan_frame frame = {0};
        PT_CLEANUP(scan_symbols_free) struct scan_symbols found = {0};
        assert_ok(scan_image_read(pt_buf_bytes(&file), &frame, &err), &err);
        assert_ok(scan_reader_read(reader, &frame, &found, &err), &err);
        path[strlen(path) - 4] = 0;
        size_t right = 0;
        for (size_t k = 0; k < found.count; k++) {
            if (says(path, &found.items[k]) && identifier_fits(path, found.items[k].aim)) {
                right++;
                continue;
            }
            wrong++;
            print_message("# %s misread as %s %s \"%s\"\n", path, scan_symbol_name(&found.items[k]), found.items[k].aim,
                          pt_buf_cstr(&found.items[k].text));
        }
        if (right > 1) print_message("# %s is reported %zu times\n", path, right);
        assert_true(right <= 1);
        if (right == 1) read++;
        else print_message("# %s is not read\n", path);
    }
    print_message("# %s: %zu of %zu read, %zu wrong\n", folder->name, read, names.count, wrong);
    assert_int_equal(wrong, 0);
    assert_true(read >= folder->least);
    test_names_free(&names);
}

int main(int argc, char **argv) {
    static struct folder folders[] = {
        {"code128-1", 6}, {"code128-2", 14}, {"datamatrix-1", 30}, {"datamatrix-3", 25},
        {"ean13-1", 12},  {"qrcode-1", 8},   {"qrcode-3", 17},     {"rssexpanded-1", 35},
    };
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        if (argc < 2 || strcmp(argv[1], folders[i].name) != 0) continue;
        const struct CMUnitTest tests[] = {
            {.name = folders[i].name, .test_func = pictures_are_read, .initial_state = &folders[i]}};
        return cmocka_run_group_tests(tests, open_reader, close_reader);
    }
    fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
    return 2;
}
