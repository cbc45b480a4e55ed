#include "firmware/screen/paint.h"

#include "firmware/screen/paint_parts.h"

// Wide screens show the answer on the left and what can be chosen on the right.
static void paint_landscape(const struct paint *paint, struct canvas_rect where, struct paint_targets *targets) {
    const struct page *page = paint->page;
    const bool two = page->row_count || page->entry_label[0] || page->qr_len;
    const bool answers = page->headline[0] || page->reason[0] || page->count[0];
    struct canvas_rect left = where, right = where;
    if (two && answers) {
        left.w = where.w / 2;
        right.x += left.w + paint->unit / 2;
        right.w -= left.w + paint->unit / 2;
    }
    if (page->count[0]) {
        const int taken = paint_count(paint, left);
        left.y += taken;
        left.h -= taken;
    }
    paint_answer(paint, left);
    const int taken = paint_entry(paint, right);
    right.y += taken;
    right.h -= taken;
    if (page->qr_len) paint_qr(paint, right);
    else paint_rows(paint, right, targets);
}

static void paint_portrait(const struct paint *paint, struct canvas_rect where, struct paint_targets *targets) {
    const struct page *page = paint->page;
    const bool more = page->row_count || page->entry_label[0] || page->qr_len;
    struct canvas_rect answer = where;
    if (page->count[0]) {
        const int taken = paint_count(paint, where);
        where.y += taken;
        where.h -= taken;
        answer = where;
    }
    // Alone on its page an answer fills it: seen from the corner of an eye, at arm's length.
    if (more) {
        const int wanted = paint_answer_height(paint, where.w), most = where.h * 62 / 100;
        answer.h = wanted < most ? wanted : most;
    }
    if (page->headline[0] || page->reason[0] || page->advice[0]) {
        paint_answer(paint, answer);
        where.y += answer.h + paint->unit / 2;
        where.h -= answer.h + paint->unit / 2;
    }
    const int taken = paint_entry(paint, where);
    where.y += taken;
    where.h -= taken;
    if (page->qr_len) paint_qr(paint, where);
    else paint_rows(paint, where, targets);
}

void paint_page(struct canvas *canvas, const struct page *page, struct paint_targets *targets) {
    int width, height;
    canvas_size(canvas, &width, &height);
    const int shorter = width < height ? width : height;
    const int unit = shorter / 20 > 8 ? shorter / 20 : 8;
    const struct paint paint = {.canvas = canvas, .page = page, .unit = unit, .small = unit * 13 / 16, .normal = unit * 17 / 16, .large = unit * 26 / 16};
    *targets = (struct paint_targets){0};
    canvas_fill(canvas, (struct canvas_rect){0, 0, width, height}, PAINT_PAPER);
    const int soft = paint_soft_height(&paint);
    struct canvas_rect where = {unit / 2, 0, width - unit, height - soft};
    const int bar = paint_bar(&paint, width);
    where.y += bar;
    where.h -= bar;
    const int title = paint_title(&paint, where);
    where.y += title;
    where.h -= title + unit / 4;
    if (width > height) paint_landscape(&paint, where, targets);
    else paint_portrait(&paint, where, targets);
    paint_soft(&paint, (struct canvas_rect){0, height - soft, width, soft}, targets);
}
