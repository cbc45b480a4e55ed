#include <string.h>

#include "firmware/screen/paint_parts.h"
#include "firmware/screen/qr_code.h"

static int row_height(const struct paint *paint, const struct page_row *row) { return row->below[0] ? paint->unit * 27 / 8 : paint->unit * 21 / 8; }

static void paint_row(const struct paint *paint, const struct page_row *row, struct canvas_rect where, bool chosen) {
    const int unit = paint->unit;
    const canvas_colour ground = chosen ? PAINT_CHOSEN : 0xffffff, ink = chosen ? 0xffffff : row->dimmed ? PAINT_FAINT : PAINT_INK;
    canvas_fill_round(paint->canvas, where, unit / 4, ground);
    if (row->tone != PAGE_CALM) canvas_fill(paint->canvas, (struct canvas_rect){where.x, where.y + 2, unit / 2, where.h - 4}, paint_tone(row->tone).edge);
    int left = where.x + unit * 3 / 4, right = where.x + where.w - unit / 2;
    if (row->key) {
        const char key[2] = {row->key, 0};
        const struct canvas_rect box = {left, where.y + (where.h - unit * 3 / 2) / 2, unit * 3 / 2, unit * 3 / 2};
        canvas_fill_round(paint->canvas, box, unit / 4, chosen ? 0xffffff : PAINT_BAR);
        canvas_text(paint->canvas, key, paint->normal, box, CANVAS_CENTRE, chosen ? PAINT_CHOSEN : 0xffffff);
        left += unit * 2;
    }
    if (row->right[0]) {
        const int width = canvas_text_width(paint->canvas, row->right, paint->normal);
        const int most = (right - left) * 3 / 5, used = width < most ? width : most;
        canvas_text(paint->canvas, row->right, paint->normal, (struct canvas_rect){right - used, where.y, used, where.h}, CANVAS_RIGHT, ink);
        right -= used + unit / 2;
    }
    const int below = row->below[0] ? where.h * 2 / 5 : 0;
    canvas_text(paint->canvas, row->left, paint->normal, (struct canvas_rect){left, where.y, right - left, where.h - below}, CANVAS_LEFT, ink);
    if (below)
        canvas_text(paint->canvas, row->below, paint->small, (struct canvas_rect){left, where.y + where.h - below - unit / 4, right - left, below}, CANVAS_LEFT,
                    chosen ? 0xffffff : PAINT_FAINT);
}

// The first row to be shown so that the chosen one is in view, with one more before it where there is one.
static size_t first_row(const struct paint *paint, int height, int gap) {
    const struct page *page = paint->page;
    if (page->selected < 0) return 0;
    size_t chosen = (size_t)page->selected < page->row_count ? (size_t)page->selected : page->row_count - 1;
    int all = 0;
    for (size_t i = 0; i < page->row_count; i++) all += row_height(paint, &page->rows[i]) + gap;
    if (all <= height) return 0;
    const size_t last = chosen + 1 < page->row_count ? chosen + 1 : chosen;
    size_t first = last;
    int used = row_height(paint, &page->rows[last]) + gap;
    while (first > 0 && used + row_height(paint, &page->rows[first - 1]) + gap <= height) used += row_height(paint, &page->rows[--first]) + gap;
    return first > chosen ? chosen : first;
}

void paint_rows(const struct paint *paint, struct canvas_rect where, struct paint_targets *targets) {
    const struct page *page = paint->page;
    const int gap = paint->unit / 4;
    if (page->row_count == 0) return;
    const size_t first = first_row(paint, where.h, gap);
    int y = where.y;
    size_t i = first;
    for (; i < page->row_count; i++) {
        const int height = row_height(paint, &page->rows[i]);
        if (y + height > where.y + where.h) break;
        targets->rows[i] = (struct canvas_rect){where.x, y, where.w - paint->unit / 4, height};
        paint_row(paint, &page->rows[i], targets->rows[i], (int)i == page->selected);
        y += height + gap;
    }
    // A bar beside a list that goes on.
    if (first == 0 && i == page->row_count) return;
    const int count = (int)page->row_count;
    const struct canvas_rect track = {where.x + where.w - paint->unit / 6, where.y, paint->unit / 4, where.h};
    canvas_fill(paint->canvas, track, PAINT_LINE);
    canvas_fill(paint->canvas, (struct canvas_rect){track.x, track.y + track.h * (int)first / count, track.w, track.h * ((int)i - (int)first) / count}, PAINT_FAINT);
}

int paint_entry(const struct paint *paint, struct canvas_rect where) {
    const struct page *page = paint->page;
    if (!page->entry_label[0]) return 0;
    const int unit = paint->unit, label = paint_text(paint, page->entry_label, paint->normal, where, 3, PAINT_INK, true);
    const struct canvas_rect frame = {where.x, where.y + label + unit / 4, where.w, unit * 3};
    const struct canvas_rect field = {frame.x + 2, frame.y + 2, frame.w - 4, frame.h - 4};
    char shown[PAGE_TEXT];
    size_t len = strnlen(page->entry, sizeof shown - 1);
    memcpy(shown, page->entry, len);
    if (page->entry_masked) memset(shown, '*', len);
    shown[len] = 0;
    canvas_fill_round(paint->canvas, frame, unit / 4, PAINT_CHOSEN);
    canvas_fill_round(paint->canvas, field, unit / 4, 0xffffff);
    // Of a text that is too long also in small letters the end is shown: it is there that one types.
    const char *from = shown;
    const int room = field.w - unit;
    int size = paint->large;
    while (size > paint->normal && canvas_text_width(paint->canvas, shown, size) > room) size -= 2;
    while (*from && canvas_text_width(paint->canvas, from, size) > room) {
        from++;
        while (((unsigned char)*from & 0xc0) == 0x80) from++;
    }
    const int used = canvas_text(paint->canvas, from, size, (struct canvas_rect){field.x + unit / 4, field.y, room + unit / 4, field.h}, CANVAS_LEFT, PAINT_INK);
    canvas_fill(paint->canvas, (struct canvas_rect){field.x + unit / 4 + used + 2, field.y + unit / 2, 2, field.h - unit}, PAINT_CHOSEN);
    return label + unit / 4 + frame.h + unit / 2;
}

void paint_qr(const struct paint *paint, struct canvas_rect where) {
    struct qr_code code;
    if (qr_code_make((struct pt_bytes){paint->page->qr, paint->page->qr_len}, &code, NULL) != PT_OK) return;
    const int modules = (int)code.side + 8, space = where.w < where.h ? where.w : where.h, module = space / modules;
    if (module < 1) return;
    const int side = modules * module, x0 = where.x + (where.w - side) / 2, y0 = where.y + (where.h - side) / 2;
    canvas_fill(paint->canvas, (struct canvas_rect){x0, y0, side, side}, 0xffffff);
    for (int y = 0; y < (int)code.side; y++)
        for (int x = 0; x < (int)code.side; x++)
            if (code.dark[y * (int)code.side + x])
                canvas_fill(paint->canvas, (struct canvas_rect){x0 + (x + 4) * module, y0 + (y + 4) * module, module, module}, 0x000000);
}
