// Labels drawn by zint and spoilt by ImageMagick: what must be read, several in one picture, and that ZBar's and
// libdmtx's own programs say the same where they read.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "firmware/scan/image.h"
#include "firmware/scan/reader.h"
#include "tests/support/support.h"

struct label {
    const char *name;
    const char *zint;  // its arguments
    const char *symbology;
    const char *aim;
    const char *text;
    const char *check;  // the program that reads it too
};

#define GTIN "09506000134352"
static const struct label labels[] = {
    {"dm", "-b 71 --gs1 --scale 2 -d '[01]" GTIN "[17]261231[10]LOT1[21]SER1'", "GS1 DataMatrix", "]d2",
     "01" GTIN "1726123110LOT1\x1d" "21SER1", "dmtxread -N1 -G29"},
    {"g128", "-b 16 -d '[01]" GTIN "[17]261231[10]AB12'", "GS1-128", "]C1", "01" GTIN "1726123110AB12", "zbarimg -q --raw -Sbinary"},
    {"qr", "-b 58 --scale 2 -d 'https://id.gs1.org/01/" GTIN "/10/LOT1/21/SER1?17=261231'", "QR Code", "]Q1",
     "https://id.gs1.org/01/" GTIN "/10/LOT1/21/SER1?17=261231", "zbarimg -q --raw -Sbinary"},
    {"cn", "-b 20 -d 81234567890123456789", "Code 128", "]C0", "81234567890123456789", "zbarimg -q --raw -Sbinary"},
    {"ean13", "-b 13 -d 590123412345", "EAN-13", "]E0", "5901234123457", "zbarimg -q --raw"},
    {"dmrect", "-b 71 --scale 2 --vers=29 -d 'plain text'", "Data Matrix", "]d1", "plain text", "dmtxread -N1"},
    {"gs1qr", "-b 58 --gs1 --scale 2 -d '[01]" GTIN "[10]A[21]B'", "GS1 QR Code", "]Q3", "01" GTIN "10A\x1d" "21B", NULL},
    {"latin", "-b 20 -d 'señor'", "Code 128", "]C0", "señor", NULL},
    {"ean8", "-b 13 -d 9638507", "EAN-8", "]E4", "96385074", "zbarimg -q --raw"},
    {"upca", "-b 34 -d 03600029145", "UPC-A", "]E0", "0036000291452", NULL},
    {"upce", "-b 37 -d 0123456", "UPC-E", "]E0", "0012345000065", NULL},
    {"itf", "-b 89 -d 1540014128876", "ITF-14", "]I1", "15400141288763", "zbarimg -q --raw"},
    {"bar", "-b 29 -d 0950600013435", "GS1 DataBar", "]e0", "01" GTIN, NULL},
    {"barexp", "-b 31 -d '[01]90012345678908[3103]001750'", "GS1 DataBar Expanded", "]e0", "01900123456789083103001750", NULL},
};
#define LABELS (sizeof labels / sizeof *labels)

// Each way to spoil is tried on the labels that packs bear; the others get the first four.
#define SPOILT_FOR_ALL 4
#define PACK_LABELS 5
static const struct { const char *name, *convert; } spoilt[] = {
    {"plain", "-border 30"},
    {"turned", "-border 30 -background white -rotate 90"},
    {"blurred", "-border 20 -resize 200% -blur 0x1.8"},
    {"uneven", "-border 30 \\( +clone -sparse-color barycentric '0,0,#fff,%w,%h,#444' \\) -compose multiply -composite"},
    {"head-down", "-border 30 -background white -rotate 180"},
    {"slanted", "-border 30 -background white -rotate 17"},
    {"diagonal", "-border 30 -background white -rotate 45"},
    {"noisy", "-border 30 -seed 7 -attenuate 0.4 +noise gaussian"},
    {"faint", "-border 30 +level 40%,62%"},
    {"inverted", "-border 30 -negate"},
    {"jpeg", "-border 30 -quality 25"},
};

static char scratch[256];
static struct scan_reader *reader;

static void run(const char *command) {
    if (system(command) != 0) fail_msg("failed: %s", command);
}

static int setup(void **state) {
    (void)state;
    test_scratch(scratch);
    return scan_reader_open(&(struct scan_reader_options){.budget_ms = 6000}, &reader, NULL) == PT_OK ? 0 : -1;
}

static int teardown(void **state) {
    (void)state;
    scan_reader_close(reader);
    test_scratch_remove(scratch);
    return 0;
}

static void draw_all(void) {
    char command[1024];
    if (system("command -v zint >/dev/null 2>&1 && command -v convert >/dev/null 2>&1") != 0) {
        print_message("# skipped: zint or ImageMagick is not installed\n");
        skip();
    }
    for (size_t i = 0; i < LABELS; i++) {
        snprintf(command, sizeof command, "zint %s --notext -o %s/%s.png", labels[i].zint, scratch, labels[i].name);
        run(command);
    }
}

static struct scan_symbols read_picture(const char *path) {
    struct pt_error err = {0};
    struct scan_symbols found = {0};
    PT_CLEANUP(pt_buf_free) struct pt_buf file = test_read_file(path);
    PT_CLEANUP(scan_frame_free) struct scan_frame frame = {0};
    assert_ok(scan_image_read(pt_buf_bytes(&file), &frame, &err), &err);
    assert_ok(scan_reader_read(reader, &frame, &found, &err), &err);
    return found;
}

static bool is_label(const struct scan_symbol *symbol, const struct label *label) {
    return symbol->has_text && pt_bytes_equal(pt_buf_bytes(&symbol->text), pt_bytes_str(label->text)) &&
           strcmp(symbol->aim, label->aim) == 0 && strcmp(scan_symbol_name(symbol), label->symbology) == 0;
}

static void every_label_is_read(void **state) {
    (void)state;
    draw_all();
    for (size_t s = 0; s < sizeof spoilt / sizeof *spoilt; s++) {
        for (size_t i = 0; i < (s < SPOILT_FOR_ALL ? LABELS : PACK_LABELS); i++) {
            char path[400], command[1400];
            snprintf(path, sizeof path, "%s/%s-%s.%s", scratch, labels[i].name, spoilt[s].name,
                     strcmp(spoilt[s].name, "jpeg") == 0 ? "jpg" : "png");
            snprintf(command, sizeof command, "convert %s/%s.png -colorspace gray -bordercolor white %s %s", scratch,
                     labels[i].name, spoilt[s].convert, path);
            run(command);
            PT_CLEANUP(scan_symbols_free) struct scan_symbols found = read_picture(path);
            if (found.count != 1 || !is_label(&found.items[0], &labels[i]))
                fail_msg("%s %s: %zu symbols, the first %s \"%s\"", labels[i].name, spoilt[s].name, found.count,
                         found.count ? found.items[0].aim : "", found.count ? pt_buf_cstr(&found.items[0].text) : "");
        }
    }
}

// Boxes must tell the labels of one picture apart.
static void all_labels_of_one_picture_are_read(void **state) {
    (void)state;
    char command[1024], path[400];
    draw_all();
    snprintf(path, sizeof path, "%s/all.png", scratch);
    snprintf(command, sizeof command,
             "cd %s && montage dm.png qr.png cn.png g128.png ean13.png dmrect.png -colorspace gray -background white "
             "-geometry 500x200+20+20\\> -tile 2x3 all.png", scratch);
    run(command);
    PT_CLEANUP(scan_symbols_free) struct scan_symbols found = read_picture(path);
    static const char *const there[] = {"dm", "qr", "cn", "g128", "ean13", "dmrect"};
    for (size_t k = 0; k < 6; k++) {
        size_t times = 0;
        for (size_t i = 0; i < LABELS; i++)
            for (size_t j = 0; j < found.count; j++)
                if (strcmp(labels[i].name, there[k]) == 0 && is_label(&found.items[j], &labels[i])) {
                    times++;
                    double x = (found.items[j].box[0].x + found.items[j].box[2].x) / 2;
                    double y = (found.items[j].box[0].y + found.items[j].box[2].y) / 2;
                    assert_int_equal((int)(x / 540), k % 2);
                    assert_int_equal((int)(y / 240), k / 2);
                }
        if (times != 1) fail_msg("%s is read %zu times", there[k], times);
    }
    assert_int_equal(found.count, 6);
}

static void two_packs_with_different_serials_are_two(void **state) {
    (void)state;
    char command[1400], path[400];
    draw_all();
    snprintf(path, sizeof path, "%s/two.png", scratch);
    snprintf(command, sizeof command,
             "cd %s && zint -b 71 --gs1 --scale 2 -d '[01]" GTIN "[21]A1' -o a.png && zint -b 71 --gs1 --scale 2 -d '[01]" GTIN
             "[21]A2' -o b.png && montage a.png b.png a.png -background white -geometry +30+30 -tile 3x1 two.png", scratch);
    run(command);
    PT_CLEANUP(scan_symbols_free) struct scan_symbols found = read_picture(path);
    assert_int_equal(found.count, 3);  // the same label twice in two places is two symbols
}

static void other_readers_agree(void **state) {
    (void)state;
    draw_all();
    for (size_t i = 0; i < LABELS; i++) {
        char command[1024], got[512] = "";
        if (!labels[i].check) continue;
        snprintf(command, sizeof command, "command -v %.*s >/dev/null 2>&1", (int)strcspn(labels[i].check, " "), labels[i].check);
        if (system(command) != 0) continue;
        snprintf(command, sizeof command, "cd %s && convert %s.png -bordercolor white -border 20 check.png && %s check.png 2>/dev/null",
                 scratch, labels[i].name, labels[i].check);
        FILE *out = popen(command, "r");
        size_t len = fread(got, 1, sizeof got - 1, out);
        pclose(out);
        while (len > 0 && got[len - 1] == '\n') got[--len] = 0;
        const char *text = got[0] == 0x1d ? got + 1 : got;  // they keep a leading FNC1
        if (strcmp(text, labels[i].text) != 0) fail_msg("%s says \"%s\" for %s", labels[i].check, got, labels[i].name);
    }
}

static void pictures_without_a_symbol_give_none(void **state) {
    (void)state;
    static const char *const pictures[] = {
        "-size 400x300 gradient:", "-size 300x300 -seed 3 xc:gray +noise random -colorspace gray",
        "-size 500x300 pattern:vertical", "-size 500x300 pattern:checkerboard", "-size 500x300 pattern:bricks",
        "-size 640x200 -seed 5 xc:gray +noise random -colorspace gray -scale 1x200\\! -scale 640x200\\!",
        "-size 600x400 xc:white -fill none -stroke black -draw 'rectangle 100,100 300,300 rectangle 120,120 280,280'",
        "-size 600x100 -seed 9 xc:gray +noise random -colorspace gray -threshold 50% -crop 600x1+0+0 +repage -scale 600x100\\!",
    };
    if (system("command -v convert >/dev/null 2>&1") != 0) skip();
    for (size_t i = 0; i < sizeof pictures / sizeof *pictures; i++) {
        char command[700], path[400];
        snprintf(path, sizeof path, "%s/none%zu.png", scratch, i);
        snprintf(command, sizeof command, "convert %s %s", pictures[i], path);
        run(command);
        PT_CLEANUP(scan_symbols_free) struct scan_symbols found = read_picture(path);
        if (found.count) fail_msg("%s invented %s %s", pictures[i], found.items[0].aim, pt_buf_cstr(&found.items[0].text));
    }
}

#define WITH_SCRATCH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_SCRATCH(every_label_is_read),  WITH_SCRATCH(all_labels_of_one_picture_are_read),
        WITH_SCRATCH(two_packs_with_different_serials_are_two), WITH_SCRATCH(other_readers_agree),
        WITH_SCRATCH(pictures_without_a_symbol_give_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
