// A page onto a canvas: where everything goes at this size, portrait or landscape.
#ifndef PACKTRAIL_FIRMWARE_SCREEN_PAINT_H
#define PACKTRAIL_FIRMWARE_SCREEN_PAINT_H

#include "firmware/screen/canvas.h"
#include "firmware/screen/page.h"

// What can be touched, for the finger to find.
struct paint_targets {
    struct canvas_rect rows[PAGE_ROWS];  // empty where a row is scrolled out of view
    struct canvas_rect soft[3];
};

void paint_page(struct canvas *canvas, const struct page *page, struct paint_targets *targets);

#endif
