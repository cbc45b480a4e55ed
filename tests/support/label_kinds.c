// What scenes and symbols the reader is tried on.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/disk.h"
#include "firmware/scan/datamatrix.h"
#include "firmware/scan/image.h"
#include "tests/support/label_scene.h"

enum hardship { CLEAN, TURNED, TILTED, BLURRED, NOISY, FAINT, SHADED, BENT, DOTTED, SMALL, INVERTED, MIRRORED, CLUTTERED, SPREAD,
                SCRATCHED, CAMERA, HARDSHIPS };
static const char *const names[HARDSHIPS] = {
    [CLEAN] = "clean",       [TURNED] = "turned",       [TILTED] = "tilted",     [BLURRED] = "blurred",   [NOISY] = "noisy",
    [FAINT] = "faint",       [SHADED] = "shaded",       [BENT] = "bent",         [DOTTED] = "dotted",     [SMALL] = "small",
    [INVERTED] = "inverted", [MIRRORED] = "mirrored",   [CLUTTERED] = "cluttered", [SPREAD] = "spread",   [SCRATCHED] = "scratched",
    [CAMERA] = "camera",
};

const char *label_hardship_name(unsigned index) { return index < HARDSHIPS ? names[index] : NULL; }

static void fit_camera(struct label_scene *s, unsigned longest, uint32_t *seed) {
    s->width = 1280;
    s->height = 960;
    s->clutter = 300;
    s->module = fmin(label_random(seed, 3, 9), 620.0 / longest);
    s->quiet = label_random(seed, 1, 3);
    s->tilt = label_random(seed, -25, 25);
    s->pan = label_random(seed, -25, 25);
    s->distance = label_random(seed, 2.5, 6);
    s->blur = label_random(seed, 0.4, 0.3 * s->module);
    s->noise = label_random(seed, 2, 7);
    s->shade = label_random(seed, 0, 0.4);
    s->paper = label_random(seed, 150, 235);
    s->ink = label_random(seed, 15, 70);
    s->ground = label_random(seed, 80, 240);
}

static void make_hard(enum hardship kind, struct label_scene *s, uint32_t *seed) {
    if (kind == TILTED) {
        s->tilt = label_random(seed, -45, 45);
        s->pan = label_random(seed, -45, 45);
        s->distance = label_random(seed, 1.6, 4);
    } else if (kind == BLURRED) s->blur = label_random(seed, 0.3, 0.6) * s->module;
    else if (kind == NOISY) s->noise = label_random(seed, 15, 40);
    else if (kind == FAINT) {
        s->paper = label_random(seed, 70, 200);
        s->ink = s->paper - label_random(seed, 14, 40);
        s->ground = s->paper + label_random(seed, 0, 10);
        s->noise = label_random(seed, 1, 3);
    } else if (kind == SHADED) s->shade = label_random(seed, 0.5, 0.85);
    else if (kind == BENT) s->bend = label_random(seed, 30, 85);
    else if (kind == DOTTED) s->dot = label_random(seed, 0.36, 0.5);
    else if (kind == SMALL) s->module = label_random(seed, 1.4, 2.3);
    else if (kind == MIRRORED) s->mirror = true;
    else if (kind == CLUTTERED) {
        s->clutter = 400;
        s->quiet = label_random(seed, 1, 1.5);
    } else if (kind == SPREAD) s->growth = label_random(seed, 0.1, 0.28) * (label_random(seed, 0, 1) < 0.5 ? -1 : 1);
    else if (kind == SCRATCHED) s->scratches = 1 + (unsigned)label_random(seed, 0, 1.99);
    else if (kind == INVERTED) {
        double swap = s->paper;
        s->paper = s->ground = s->ink;
        s->ink = swap;
    }
}

struct label_scene label_scene_of(unsigned hardship, unsigned rows, unsigned cols, uint32_t *seed) {
    struct label_scene s = {.paper = label_random(seed, 200, 250), .ink = label_random(seed, 10, 60), .distance = 8};
    unsigned longest = rows > cols ? rows : cols;
    s.module = fmin(label_random(seed, 3, 8), 500.0 / longest);
    s.quiet = label_random(seed, 1.5, 4);
    s.ground = label_random(seed, 0, 1) < 0.5 ? s.paper : label_random(seed, 100, 255);
    s.blur = label_random(seed, 0, 0.5);
    s.noise = label_random(seed, 0, 4);
    s.seed = (uint32_t)label_random(seed, 1, 4e9);
    if (hardship != CLEAN) s.turn = label_random(seed, 0, 1) < 0.3 ? label_random(seed, -4, 4) : label_random(seed, 0, 360);
    if (hardship == CAMERA) fit_camera(&s, longest, seed);
    else make_hard((enum hardship)hardship, &s, seed);
    return s;
}

static void letters(struct pt_buf *out, unsigned count, uint32_t *seed) {
    static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcxyz-./";
    for (unsigned i = 0; i < count; i++) pt_buf_byte(out, (uint8_t)set[(size_t)label_random(seed, 0, sizeof set - 1.001)]);
}

// zint's arguments for some content of about so many codewords, and what it says.
static void choose_content(unsigned words, uint32_t *seed, struct pt_buf *arguments, struct label_symbol *out) {
    PT_CLEANUP(pt_buf_free) struct pt_buf serial = PT_BUF_INIT(4096);
    double kind = label_random(seed, 0, 1);
    out->gs1 = false;
    if (words >= 24 && kind < 0.6) {
        unsigned most = words - 21 < 18 ? words - 21 : 18;
        letters(&serial, 1 + (unsigned)label_random(seed, 0, most - 0.001), seed);
        out->gs1 = true;
        pt_buf_printf(arguments, "--gs1 -d '[01]09506000134352[17]291231[10]L%u[21]%s'", words % 10, pt_buf_cstr(&serial));
        pt_buf_printf(&out->text, "01095060001343521729123110L%u\x1d" "21%s", words % 10, pt_buf_cstr(&serial));
        return;
    }
    letters(&serial, 1 + (unsigned)label_random(seed, 0, (words > 14 ? words * 0.6 : words * 0.7) - 1), seed);
    bool eci = words >= 40 && kind > 0.85;
    pt_buf_printf(arguments, "%s -d '%s%s'", eci ? "--eci=26" : "", eci ? "药品é" : "", pt_buf_cstr(&serial));
    pt_buf_printf(&out->text, "%s%s", eci ? "药品é" : "", pt_buf_cstr(&serial));
}

bool label_symbol_draw(unsigned version, uint32_t *seed, const char *scratch, struct label_symbol *out) {
    // zint's numbers run through the squares, the rectangles, the DMRE sizes by width; only the capacity matters here.
    static const uint8_t words[48] = {3, 5, 8, 12, 18, 22, 30, 36, 44, 62, 86, 114, 144, 174, 204, 255, 255, 255, 255, 255, 255, 255, 255, 255,
                                      5, 10, 16, 22, 32, 49, 18, 24, 32, 38, 49, 63, 43, 64, 62, 44, 56, 84, 72, 80, 108, 70, 90, 118};
    PT_CLEANUP(pt_buf_free) struct pt_buf arguments = PT_BUF_INIT(4096);
    PT_CLEANUP(pt_buf_free) struct pt_buf file = PT_BUF_INIT(1 << 20);
    PT_CLEANUP(scan_frame_free) struct scan_frame frame = {0};
    char path[300], command[4600];
    out->text = PT_BUF_INIT(4096);
    choose_content(words[version - 1], seed, &arguments, out);
    snprintf(path, sizeof path, "%s/symbol.png", scratch);
    snprintf(command, sizeof command, "zint -b 71 --dmre --vers=%u --scale 0.5 %s -o %s >/dev/null 2>&1", version,
             pt_buf_cstr(&arguments), path);
    if (system(command) != 0 || pt_file_read(path, &file, NULL) != PT_OK ||
        scan_image_read(pt_buf_bytes(&file), &frame, NULL) != PT_OK || frame.width > 144 || frame.height > 144) {
        pt_buf_free(&out->text);
        return false;
    }
    out->rows = frame.height;
    out->cols = frame.width;
    for (unsigned r = 0; r < out->rows; r++)
        for (unsigned c = 0; c < out->cols; c++) out->modules[r * out->cols + c] = scan_frame_row(&frame, r)[c] < 128;
    return true;
}
