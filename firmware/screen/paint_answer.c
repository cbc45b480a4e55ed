#include <string.h>

#include "firmware/screen/paint_parts.h"

enum { LINES_MOST = 12, HEADLINE_LINES = 3, REASON_LINES = 6, ADVICE_LINES = 6 };

struct paint_colours paint_tone(enum page_tone tone) {
    switch (tone) {
    case PAGE_GOOD: return (struct paint_colours){0x0b6b34, 0xffffff, 0x0b6b34};
    case PAGE_ATTENTION: return (struct paint_colours){0xf5b800, 0x14181c, 0xd99b00};
    case PAGE_STOP: return (struct paint_colours){0xb00020, 0xffffff, 0xb00020};
    default: return (struct paint_colours){0xe4eaf0, 0x14181c, 0x8fa3b5};
    }
}

void paint_sign(struct canvas *canvas, enum page_tone tone, int x, int y, int size) {
    const struct paint_colours colours = paint_tone(tone);
    const int half = size / 2, third = size / 3, stroke = size / 8 + 1;
    if (tone == PAGE_GOOD) {
        canvas_disc(canvas, x + half, y + half, half, colours.ink);
        canvas_stroke(canvas, x + size * 27 / 100, y + size * 52 / 100, x + size * 44 / 100, y + size * 69 / 100, stroke, colours.ground);
        canvas_stroke(canvas, x + size * 44 / 100, y + size * 69 / 100, x + size * 74 / 100, y + size * 33 / 100, stroke, colours.ground);
    } else if (tone == PAGE_ATTENTION) {
        const int triangle[] = {x + half, y, x + size, y + size * 92 / 100, x, y + size * 92 / 100};
        canvas_polygon(canvas, triangle, 3, colours.ink);
        canvas_stroke(canvas, x + half, y + third, x + half, y + size * 58 / 100, stroke, colours.ground);
        canvas_disc(canvas, x + half, y + size * 77 / 100, stroke * 5 / 8 + 1, colours.ground);
    } else if (tone == PAGE_STOP) {
        const int cut = size * 29 / 100;
        const int octagon[] = {x + cut, y, x + size - cut, y, x + size, y + cut, x + size, y + size - cut,
                               x + size - cut, y + size, x + cut, y + size, x, y + size - cut, x, y + cut};
        canvas_polygon(canvas, octagon, 8, colours.ink);
        canvas_stroke(canvas, x + third, y + third, x + size - third, y + size - third, stroke, colours.ground);
        canvas_stroke(canvas, x + size - third, y + third, x + third, y + size - third, stroke, colours.ground);
    }
}

int paint_text(const struct paint *paint, const char *text, int size, struct canvas_rect where, int most_lines, canvas_colour colour, bool draw) {
    const int height = canvas_line_height(paint->canvas, size);
    int lines = 0;
    while (*text && lines < most_lines) {
        const size_t fits = lines + 1 == most_lines ? strlen(text) : canvas_text_fit(paint->canvas, text, size, where.w);
        char line[1024];
        size_t len = fits < sizeof line ? fits : sizeof line - 1;
        memcpy(line, text, len);
        while (len > 0 && (line[len - 1] == ' ' || line[len - 1] == '\n')) len--;
        line[len] = 0;
        if (draw) canvas_text(paint->canvas, line, size, (struct canvas_rect){where.x, where.y + lines * height, where.w, height}, CANVAS_LEFT, colour);
        text += fits;
        lines++;
    }
    return lines * height;
}

// The answer's texts, one below the other; draws what still fits into the height.
static int lay_out(const struct paint *paint, struct canvas_rect where, bool draw) {
    const struct page *page = paint->page;
    const struct paint_colours colours = paint_tone(page->tone);
    const struct {
        const char *text;
        int size, lines, before;
    } parts[] = {{page->headline, paint->large, HEADLINE_LINES, 0},
                 {page->reason, paint->normal, REASON_LINES, paint->unit / 3},
                 {page->advice, paint->normal, ADVICE_LINES, paint->unit / 2},
                 {page->age, paint->small, 2, paint->unit / 2}};
    const int sign = page->tone == PAGE_CALM || !page->headline[0] ? 0 : paint->large * 5 / 4;
    int taken = 0;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (!parts[i].text[0]) continue;
        const int indent = i == 0 && sign ? sign + paint->unit / 2 : 0;
        struct canvas_rect part = {where.x + indent, where.y + taken + (taken ? parts[i].before : 0), where.w - indent, 0};
        const int room = where.y + where.h - part.y, line = canvas_line_height(paint->canvas, parts[i].size);
        const int lines = !draw || room >= parts[i].lines * line ? parts[i].lines : room / line;
        if (lines <= 0) break;
        if (draw && i == 2 && taken) canvas_fill(paint->canvas, (struct canvas_rect){where.x, part.y - paint->unit / 4, where.w, 1}, colours.ink);
        if (draw && i == 0 && sign) paint_sign(paint->canvas, page->tone, where.x, part.y + 2, sign);
        int height = paint_text(paint, parts[i].text, parts[i].size, part, lines, colours.ink, draw);
        if (i == 0 && height < sign + 4) height = sign + 4;
        taken = part.y + height - where.y;
    }
    return taken;
}

// A headline whose words must be cut is worse than a smaller one.
static bool longest_word_fits(const struct paint *paint, int width) {
    const int indent = paint->page->tone == PAGE_CALM ? 0 : paint->large * 5 / 4 + paint->unit / 2;
    for (const char *word = paint->page->headline; *word;) {
        char copy[PAGE_TEXT];
        size_t len = strcspn(word, " ");
        // Chinese breaks anywhere.
        if ((unsigned char)word[0] < 0x80 && len < sizeof copy) {
            memcpy(copy, word, len);
            copy[len] = 0;
            if (canvas_text_width(paint->canvas, copy, paint->large) > width - indent) return false;
        }
        word += len + (word[len] == ' ');
    }
    return true;
}

static bool is_empty(const struct page *page) { return !page->headline[0] && !page->reason[0] && !page->advice[0]; }

int paint_answer_height(const struct paint *paint, int width) {
    if (is_empty(paint->page)) return 0;
    return lay_out(paint, (struct canvas_rect){0, 0, width - paint->unit, 100000}, false) + paint->unit;
}

void paint_answer(const struct paint *paint, struct canvas_rect where) {
    if (is_empty(paint->page) || where.h <= 0) return;
    const int half = paint->unit / 2;
    const struct canvas_rect inside = {where.x + half, where.y + half, where.w - paint->unit, where.h - half};
    struct paint sized = *paint;
    canvas_fill_round(paint->canvas, where, half, paint_tone(paint->page->tone).ground);
    // Where there is room to spare all of it is larger, in quarters.
    for (int quarters = 7; quarters > 4; quarters--) {
        sized.small = paint->small * quarters / 4;
        sized.normal = paint->normal * quarters / 4;
        sized.large = paint->large * quarters / 4;
        if (lay_out(&sized, inside, false) + half <= inside.h && longest_word_fits(&sized, inside.w)) break;
        sized = *paint;
    }
    lay_out(&sized, inside, true);
}

// As big as the width allows: read from a distance while both hands are busy.
int paint_count(const struct paint *paint, struct canvas_rect where) {
    int size = paint->unit * 9 / 2;
    while (size > paint->normal && canvas_text_width(paint->canvas, paint->page->count, size) > where.w) size -= 2;
    const int height = canvas_line_height(paint->canvas, size), caption = canvas_line_height(paint->canvas, paint->small);
    canvas_text(paint->canvas, paint->page->count, size, (struct canvas_rect){where.x, where.y, where.w, height}, CANVAS_CENTRE, PAINT_INK);
    if (!paint->page->count_caption[0]) return height;
    canvas_text(paint->canvas, paint->page->count_caption, paint->small, (struct canvas_rect){where.x, where.y + height - paint->unit / 4, where.w, caption},
                CANVAS_CENTRE, PAINT_FAINT);
    return height + caption;
}
