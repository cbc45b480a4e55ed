// Pictures of one matrix symbol as a camera would see it: turned, tilted, bent around a bottle, blurred, noisy, faint,
// dotted, beside other print. Drawn from the symbol's modules; the same numbers give the same picture.
#ifndef PACKTRAIL_TESTS_SUPPORT_LABEL_SCENE_H
#define PACKTRAIL_TESTS_SUPPORT_LABEL_SCENE_H

#include "firmware/scan/frame.h"

struct label_scene {
    uint32_t width, height;  // 0: as large as the symbol needs
    double module;           // pixels, where the symbol's middle is
    double turn, tilt, pan;  // degrees: in the picture's plane, around its x axis, around its y axis
    double distance;         // of the camera, in symbol widths; small is strong perspective
    double bend;             // degrees of a cylinder that the symbol covers; 0 is flat
    double quiet;            // modules of paper around the symbol, then the ground
    double paper, ink, ground;  // greys
    double shade;            // how much darker one side is lit, 0 to 1
    double growth;           // modules that ink spreads at each edge; negative shrinks
    double dot;              // radius of round dots in modules; 0 draws squares
    double blur;             // standard deviation, pixels
    double noise;            // standard deviation, greys
    unsigned clutter;        // things drawn on the ground
    unsigned scratches;      // paper-coloured lines across the symbol
    bool mirror;
    uint32_t seed;
};

// Draws the symbol of rows x cols modules (1 dark). The caller frees the frame.
enum pt_code label_scene_draw(const struct label_scene *scene, const uint8_t *modules, unsigned rows, unsigned cols,
                              struct scan_frame *out, struct pt_error *err) PT_NODISCARD;

// Numbers for scenes: the next of a seeded row, evenly from low to high.
double label_random(uint32_t *seed, double low, double high);

// The ways in which scenes are hard, by name; NULL behind the last.
const char *label_hardship_name(unsigned index);
// A scene of this kind for a symbol of so many modules, drawn from the seed.
struct label_scene label_scene_of(unsigned hardship, unsigned rows, unsigned cols, uint32_t *seed);

// A symbol drawn by zint: version 1 to 48 as zint numbers Data Matrix sizes (24 square, 6 rectangular, 18 DMRE), its
// content chosen by the seed: plain, GS1 or with a character set (ECI). `text`: what it must say, as UTF-8.
struct label_symbol {
    unsigned rows, cols;
    uint8_t modules[144 * 144];
    struct pt_buf text;
    bool gs1;
};
// False when zint is not there or refuses. `scratch` is a folder for its file.
bool label_symbol_draw(unsigned version, uint32_t *seed, const char *scratch, struct label_symbol *out);

#endif
