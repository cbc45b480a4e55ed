// What a page is painted with: filled shapes and text on a surface of pixels. Knows nothing of pages; behind it is SDL.
#ifndef PACKTRAIL_FIRMWARE_SCREEN_CANVAS_H
#define PACKTRAIL_FIRMWARE_SCREEN_CANVAS_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

struct canvas;

struct canvas_rect {
    int x, y, w, h;
};

// 0xRRGGBB
typedef uint32_t canvas_colour;

enum canvas_align { CANVAS_LEFT, CANVAS_CENTRE, CANVAS_RIGHT };

void canvas_size(const struct canvas *canvas, int *width, int *height);
void canvas_fill(struct canvas *canvas, struct canvas_rect rect, canvas_colour colour);
// With rounded corners.
void canvas_fill_round(struct canvas *canvas, struct canvas_rect rect, int radius, canvas_colour colour);
// A convex polygon; points as x, y pairs.
void canvas_polygon(struct canvas *canvas, const int *points, size_t count, canvas_colour colour);
// A line with round ends.
void canvas_stroke(struct canvas *canvas, int x0, int y0, int x1, int y1, int thickness, canvas_colour colour);
void canvas_disc(struct canvas *canvas, int x, int y, int radius, canvas_colour colour);

// One line of UTF-8 text of that size (pixels of the font's em), in the middle of the rectangle's height, shortened with "…" to its
// width. Returns the width that was used.
int canvas_text(struct canvas *canvas, const char *text, int size, struct canvas_rect where, enum canvas_align align, canvas_colour colour);
int canvas_text_width(struct canvas *canvas, const char *text, int size);
int canvas_line_height(struct canvas *canvas, int size);
// How many bytes of `text` fit on a line of that width, broken where that script breaks: after a space, between Chinese
// characters, never before their closing punctuation. At least one character, so that a caller gets on.
size_t canvas_text_fit(struct canvas *canvas, const char *text, int size, int width);

#endif
