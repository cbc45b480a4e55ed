// The parts of a page, from top to bottom; each paints itself into a rectangle. Sizes follow one unit, about a twentieth of the
// screen's width.
#ifndef PACKTRAIL_FIRMWARE_SCREEN_PAINT_PARTS_H
#define PACKTRAIL_FIRMWARE_SCREEN_PAINT_PARTS_H

#include "firmware/screen/paint.h"

struct paint {
    struct canvas *canvas;
    const struct page *page;
    int unit;
    int small, normal, large;  // text sizes
};

// Ink and paper. Each pair of text and ground has a contrast of at least 4.5 : 1 (WCAG 2.1 AA).
enum {
    PAINT_PAPER = 0xf6f7f5,
    PAINT_INK = 0x14181c,
    PAINT_FAINT = 0x56606a,
    PAINT_LINE = 0xc9ced3,
    PAINT_BAR = 0x1f2a36,
    PAINT_BAR_INK = 0xffffff,
    PAINT_CHOSEN = 0x0b4f8a,
    PAINT_TRAINING = 0x6a1b9a,
};

struct paint_colours {
    canvas_colour ground, ink, edge;
};
struct paint_colours paint_tone(enum page_tone tone);

// The sign that goes with a tone, so that nobody needs to see colours: a tick in a disc, an exclamation mark in a triangle, a cross
// in an octagon. Nothing for PAGE_CALM.
void paint_sign(struct canvas *canvas, enum page_tone tone, int x, int y, int size);

// Wrapped text from the top of `where`, at most `most_lines` (the last one shortened); returns the height used. With draw false it
// is only measured.
int paint_text(const struct paint *paint, const char *text, int size, struct canvas_rect where, int most_lines, canvas_colour colour, bool draw);

// Each returns the height that it took.
int paint_bar(const struct paint *paint, int width);
int paint_title(const struct paint *paint, struct canvas_rect where);
int paint_answer_height(const struct paint *paint, int width);
void paint_answer(const struct paint *paint, struct canvas_rect where);
int paint_count(const struct paint *paint, struct canvas_rect where);
int paint_entry(const struct paint *paint, struct canvas_rect where);
void paint_qr(const struct paint *paint, struct canvas_rect where);
void paint_rows(const struct paint *paint, struct canvas_rect where, struct paint_targets *targets);
int paint_soft_height(const struct paint *paint);
void paint_soft(const struct paint *paint, struct canvas_rect where, struct paint_targets *targets);

#endif
