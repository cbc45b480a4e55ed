#include "firmware/screen/canvas_sdl.h"

#include <SDL.h>
#include <SDL_ttf.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SIZES_MOST = 12, TEXT_MOST = 1024, DISC_POINTS = 40 };

// Fonts with Chinese and Latin letters, as Debian installs them.
static const char *const usual_fonts[] = {
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
    "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
};

struct sized_font {
    int size;
    TTF_Font *font;
};

struct canvas {
    SDL_Renderer *renderer;
    const char *file;
    char own_file[512];
    struct sized_font fonts[SIZES_MOST];  // the oldest gives way
    size_t font_count;
};

static const char *usual_font(void) {
    for (size_t i = 0; i < sizeof usual_fonts / sizeof *usual_fonts; i++)
        if (access(usual_fonts[i], R_OK) == 0) return usual_fonts[i];
    return NULL;
}

enum pt_code canvas_open(SDL_Renderer *renderer, const char *font, struct canvas **out, struct pt_error *err) {
    struct canvas *canvas = calloc(1, sizeof *canvas);
    if (!canvas) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    canvas->renderer = renderer;
    if (font && font[0]) snprintf(canvas->own_file, sizeof canvas->own_file, "%s", font);
    canvas->file = canvas->own_file[0] ? canvas->own_file : usual_font();
    if (!canvas->file || access(canvas->file, R_OK) != 0) {
        const enum pt_code code = pt_fail(err, PT_UNAVAILABLE, canvas->own_file,
                                          "no font with Chinese letters: install fonts-wqy-microhei, or name one in [screen] font");
        free(canvas);
        return code;
    }
    *out = canvas;
    return PT_OK;
}

void canvas_close(struct canvas *canvas) {
    if (!canvas) return;
    for (size_t i = 0; i < canvas->font_count; i++) TTF_CloseFont(canvas->fonts[i].font);
    free(canvas);
}

void canvas_size(const struct canvas *canvas, int *width, int *height) { SDL_GetRendererOutputSize(canvas->renderer, width, height); }

// --- Shapes ---

static void use_colour(struct canvas *canvas, canvas_colour colour) {
    SDL_SetRenderDrawColor(canvas->renderer, (Uint8)(colour >> 16), (Uint8)(colour >> 8), (Uint8)colour, 255);
}

void canvas_fill(struct canvas *canvas, struct canvas_rect rect, canvas_colour colour) {
    const SDL_Rect area = {rect.x, rect.y, rect.w, rect.h};
    use_colour(canvas, colour);
    SDL_RenderFillRect(canvas->renderer, &area);
}

void canvas_polygon(struct canvas *canvas, const int *points, size_t count, canvas_colour colour) {
    SDL_Vertex vertices[DISC_POINTS + 1];
    int indices[3 * DISC_POINTS];
    int used = 0;
    if (count < 3 || count > DISC_POINTS) return;
    for (size_t i = 0; i < count; i++)
        vertices[i] = (SDL_Vertex){.position = {(float)points[2 * i], (float)points[2 * i + 1]},
                                   .color = {(Uint8)(colour >> 16), (Uint8)(colour >> 8), (Uint8)colour, 255}};
    for (int i = 1; i + 1 < (int)count; i++) {
        indices[used++] = 0;
        indices[used++] = i;
        indices[used++] = i + 1;
    }
    SDL_RenderGeometry(canvas->renderer, NULL, vertices, (int)count, indices, used);
}

void canvas_disc(struct canvas *canvas, int x, int y, int radius, canvas_colour colour) {
    int points[2 * DISC_POINTS];
    for (int i = 0; i < DISC_POINTS; i++) {
        const double angle = 2 * M_PI * i / DISC_POINTS;
        points[2 * i] = x + (int)lround(radius * cos(angle));
        points[2 * i + 1] = y + (int)lround(radius * sin(angle));
    }
    canvas_polygon(canvas, points, DISC_POINTS, colour);
}

void canvas_fill_round(struct canvas *canvas, struct canvas_rect rect, int radius, canvas_colour colour) {
    if (2 * radius > rect.h) radius = rect.h / 2;
    if (2 * radius > rect.w) radius = rect.w / 2;
    canvas_fill(canvas, (struct canvas_rect){rect.x + radius, rect.y, rect.w - 2 * radius, rect.h}, colour);
    canvas_fill(canvas, (struct canvas_rect){rect.x, rect.y + radius, rect.w, rect.h - 2 * radius}, colour);
    const int left = rect.x + radius, right = rect.x + rect.w - radius - 1;
    const int top = rect.y + radius, bottom = rect.y + rect.h - radius - 1;
    canvas_disc(canvas, left, top, radius, colour);
    canvas_disc(canvas, right, top, radius, colour);
    canvas_disc(canvas, left, bottom, radius, colour);
    canvas_disc(canvas, right, bottom, radius, colour);
}

void canvas_stroke(struct canvas *canvas, int x0, int y0, int x1, int y1, int thickness, canvas_colour colour) {
    const double dx = x1 - x0, dy = y1 - y0, length = hypot(dx, dy);
    const int radius = thickness / 2;
    if (length > 0) {
        const double nx = -dy / length * radius, ny = dx / length * radius;
        const int points[8] = {(int)lround(x0 + nx), (int)lround(y0 + ny), (int)lround(x1 + nx), (int)lround(y1 + ny),
                               (int)lround(x1 - nx), (int)lround(y1 - ny), (int)lround(x0 - nx), (int)lround(y0 - ny)};
        canvas_polygon(canvas, points, 4, colour);
    }
    canvas_disc(canvas, x0, y0, radius, colour);
    canvas_disc(canvas, x1, y1, radius, colour);
}

// --- Text ---

static TTF_Font *font_of(struct canvas *canvas, int size) {
    for (size_t i = 0; i < canvas->font_count; i++)
        if (canvas->fonts[i].size == size) return canvas->fonts[i].font;
    TTF_Font *font = TTF_OpenFont(canvas->file, size);
    if (!font) return NULL;
    TTF_SetFontHinting(font, TTF_HINTING_LIGHT);
    if (canvas->font_count == SIZES_MOST) {
        TTF_CloseFont(canvas->fonts[0].font);
        memmove(canvas->fonts, canvas->fonts + 1, --canvas->font_count * sizeof *canvas->fonts);
    }
    canvas->fonts[canvas->font_count++] = (struct sized_font){size, font};
    return font;
}

// Length of the first character; 1 for what is no UTF-8, so that broken text still ends.
static size_t character(const char *text) {
    const uint8_t first = (uint8_t)text[0];
    const size_t len = first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    for (size_t i = 1; i < len; i++)
        if (((uint8_t)text[i] & 0xc0) != 0x80) return 1;
    return len;
}

static int width_of(TTF_Font *font, const char *text, size_t len) {
    char copy[TEXT_MOST];
    int width = 0;
    if (len >= sizeof copy) len = sizeof copy - 1;
    memcpy(copy, text, len);
    copy[len] = 0;
    return len == 0 || TTF_SizeUTF8(font, copy, &width, NULL) != 0 ? 0 : width;
}

int canvas_text_width(struct canvas *canvas, const char *text, int size) {
    TTF_Font *font = font_of(canvas, size);
    return font ? width_of(font, text, strlen(text)) : 0;
}

int canvas_line_height(struct canvas *canvas, int size) {
    TTF_Font *font = font_of(canvas, size);
    return font ? TTF_FontLineSkip(font) : size;
}

static bool is_wide(const char *text) { return (uint8_t)text[0] >= 0xe2 && character(text) >= 3; }

// Chinese punctuation that must not begin a line.
static bool closes(const char *text) {
    static const char *const marks[] = {"，", "。", "、", "；", "：", "？", "！", "）", "」", "』", "”", "’", "》", "…", "％"};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (strncmp(text, marks[i], strlen(marks[i])) == 0) return true;
    return false;
}

size_t canvas_text_fit(struct canvas *canvas, const char *text, int size, int width) {
    TTF_Font *font = font_of(canvas, size);
    size_t at = 0, fits = 0;
    if (!font) return strlen(text);
    for (size_t prior = 0; text[at]; prior = at) {
        const size_t len = character(text + at);
        if (at > 0 && !closes(text + at) && (text[at - 1] == ' ' || is_wide(text + at) || is_wide(text + prior))) fits = at;
        if (text[at] == '\n') return at + 1;
        if (text[at] != ' ' && at > 0 && width_of(font, text, at + len) > width) return fits ? fits : at;
        at += len;
    }
    return at;
}

static SDL_Texture *texture_of(struct canvas *canvas, TTF_Font *font, const char *text, canvas_colour colour, int *w, int *h) {
    const SDL_Color ink = {(Uint8)(colour >> 16), (Uint8)(colour >> 8), (Uint8)colour, 255};
    SDL_Surface *surface = TTF_RenderUTF8_Blended(font, text, ink);
    if (!surface) return NULL;
    SDL_Texture *texture = SDL_CreateTextureFromSurface(canvas->renderer, surface);
    *w = surface->w;
    *h = surface->h;
    SDL_FreeSurface(surface);
    return texture;
}

// As many whole characters as fit before an ellipsis.
static void shorten(TTF_Font *font, const char *text, int width, char out[TEXT_MOST]) {
    size_t len = strlen(text), at = 0;
    if (len >= TEXT_MOST - 4) len = TEXT_MOST - 5;
    if (width_of(font, text, strlen(text)) <= width && strlen(text) < TEXT_MOST) {
        memcpy(out, text, strlen(text) + 1);
        return;
    }
    const int room = width - width_of(font, "…", strlen("…"));
    while (at < len && width_of(font, text, at + character(text + at)) <= room) at += character(text + at);
    memcpy(out, text, at);
    memcpy(out + at, "…", strlen("…") + 1);
}

int canvas_text(struct canvas *canvas, const char *text, int size, struct canvas_rect where, enum canvas_align align, canvas_colour colour) {
    TTF_Font *font = font_of(canvas, size);
    char line[TEXT_MOST];
    int w = 0, h = 0;
    if (!font || !text[0]) return 0;
    shorten(font, text, where.w, line);
    SDL_Texture *texture = texture_of(canvas, font, line, colour, &w, &h);
    if (!texture) return 0;
    const int x = align == CANVAS_LEFT ? where.x : align == CANVAS_RIGHT ? where.x + where.w - w : where.x + (where.w - w) / 2;
    const SDL_Rect area = {x, where.y + (where.h - h) / 2, w, h};
    SDL_RenderCopy(canvas->renderer, texture, NULL, &area);
    SDL_DestroyTexture(texture);
    return w;
}
