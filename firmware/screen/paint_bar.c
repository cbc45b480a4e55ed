#include <stdio.h>

#include "firmware/screen/paint_parts.h"

static void paint_battery(const struct paint *paint, struct canvas_rect where) {
    const struct page *page = paint->page;
    const int cap = where.w / 10 > 2 ? where.w / 10 : 2;
    const struct canvas_rect body = {where.x, where.y, where.w - cap, where.h};
    const struct canvas_rect inside = {body.x + 2, body.y + 2, body.w - 4, body.h - 4};
    const canvas_colour charge = page->charging ? 0x4cc38a : page->battery <= 15 ? 0xff6b5e : PAINT_BAR_INK;
    canvas_fill(paint->canvas, body, PAINT_BAR_INK);
    canvas_fill(paint->canvas, (struct canvas_rect){body.x + body.w, body.y + body.h / 4, cap, body.h / 2}, PAINT_BAR_INK);
    canvas_fill(paint->canvas, inside, PAINT_BAR);
    canvas_fill(paint->canvas, (struct canvas_rect){inside.x + 1, inside.y + 1, (inside.w - 2) * page->battery / 100, inside.h - 2}, charge);
}

// The line to the gateway: three rising bars, crossed out while it is down.
static void paint_line(const struct paint *paint, struct canvas_rect where) {
    const int step = where.w / 3;
    for (int i = 0; i < 3; i++) {
        const int height = where.h * (i + 1) / 3;
        canvas_fill(paint->canvas, (struct canvas_rect){where.x + i * step, where.y + where.h - height, step - 2, height},
                    paint->page->online ? PAINT_BAR_INK : PAINT_FAINT);
    }
    if (!paint->page->online)
        canvas_stroke(paint->canvas, where.x, where.y + where.h, where.x + where.w, where.y, where.h / 5 + 1, 0xff6b5e);
}

// What has not arrived yet: an arrow up and how many.
static int paint_unsent(const struct paint *paint, int right, int top, int height) {
    char number[24];
    if (paint->page->unsent == 0) return 0;
    snprintf(number, sizeof number, "%zu", paint->page->unsent);
    const int width = canvas_text_width(paint->canvas, number, paint->small);
    const int arrow = paint->unit * 3 / 4;
    const int x = right - width - arrow;
    const int middle = top + height / 2;
    const int head[] = {x, middle, x + arrow / 2 - 1, middle - arrow / 2, x + arrow - 2, middle};
    canvas_polygon(paint->canvas, head, 3, 0xffd166);
    canvas_fill(paint->canvas, (struct canvas_rect){x + arrow / 3, middle, arrow / 4 + 1, arrow / 2}, 0xffd166);
    canvas_text(paint->canvas, number, paint->small, (struct canvas_rect){right - width, top, width, height}, CANVAS_LEFT, 0xffd166);
    return width + arrow + paint->unit / 2;
}

static int paint_band(const struct paint *paint, const char *text, int top, int width, canvas_colour ground, canvas_colour ink) {
    const struct canvas_rect inside = {paint->unit / 2, top + paint->unit / 5, width - paint->unit, 0};
    const int height = paint_text(paint, text, paint->small, inside, 2, ink, false) + 2 * (paint->unit / 5);
    canvas_fill(paint->canvas, (struct canvas_rect){0, top, width, height}, ground);
    paint_text(paint, text, paint->small, inside, 2, ink, true);
    return height;
}

int paint_bar(const struct paint *paint, int width) {
    const struct page *page = paint->page;
    const int unit = paint->unit, height = unit * 7 / 4, icon = unit * 3 / 4;
    canvas_fill(paint->canvas, (struct canvas_rect){0, 0, width, height}, PAINT_BAR);
    int left = unit / 2, right = width - unit / 2;
    left += canvas_text(paint->canvas, page->clock, paint->small, (struct canvas_rect){left, 0, width / 4, height}, CANVAS_LEFT, PAINT_BAR_INK) + unit / 2;
    if (page->battery >= 0) {
        right -= icon * 2;
        paint_battery(paint, (struct canvas_rect){right, (height - icon) / 2, icon * 2, icon});
        right -= unit / 2;
    }
    right -= icon * 3 / 2;
    paint_line(paint, (struct canvas_rect){right, (height - icon) / 2, icon * 3 / 2, icon});
    right -= unit / 2;
    right -= paint_unsent(paint, right, 0, height);
    if (right > left) canvas_text(paint->canvas, page->user, paint->small, (struct canvas_rect){left, 0, right - left, height}, CANVAS_LEFT, PAINT_BAR_INK);
    int taken = height;
    if (page->training) taken += paint_band(paint, "练习 · TRAINING · 练习 · TRAINING", taken, width, PAINT_TRAINING, 0xffffff);
    if (page->trouble[0]) taken += paint_band(paint, page->trouble, taken, width, paint_tone(PAGE_ATTENTION).ground, paint_tone(PAGE_ATTENTION).ink);
    return taken;
}

int paint_title(const struct paint *paint, struct canvas_rect where) {
    if (!paint->page->title[0]) return paint->unit / 2;
    const int height = paint->unit * 2;
    canvas_text(paint->canvas, paint->page->title, paint->unit * 19 / 16, (struct canvas_rect){where.x, where.y, where.w, height}, CANVAS_LEFT, PAINT_INK);
    return height;
}

int paint_soft_height(const struct paint *paint) {
    const struct page *page = paint->page;
    return page->soft[0][0] || page->soft[1][0] || page->soft[2][0] ? paint->unit * 3 : 0;
}

void paint_soft(const struct paint *paint, struct canvas_rect where, struct paint_targets *targets) {
    if (where.h == 0) return;
    const int gap = paint->unit / 4, width = (where.w - 4 * gap) / 3;
    canvas_fill(paint->canvas, where, 0xe3e6e9);
    for (int i = 0; i < 3; i++) {
        const struct canvas_rect key = {where.x + gap + i * (width + gap), where.y + gap, width, where.h - 2 * gap};
        if (!paint->page->soft[i][0]) continue;
        canvas_fill_round(paint->canvas, key, paint->unit / 3, PAINT_BAR);
        canvas_text(paint->canvas, paint->page->soft[i], paint->unit, (struct canvas_rect){key.x + 3, key.y, key.w - 6, key.h}, CANVAS_CENTRE, PAINT_BAR_INK);
        targets->soft[i] = key;
    }
}
