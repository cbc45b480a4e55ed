#include "firmware/screen/screen.h"

#include <SDL.h>
#include <SDL_ttf.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/screen/canvas_sdl.h"
#include "firmware/screen/paint.h"
#include "firmware/screen/screenshot_png.h"

struct screen {
    SDL_Window *window;
    SDL_Renderer *renderer;
    struct canvas *canvas;
    struct paint_targets targets;
    struct page page;  // drawn last
    bool drawn;
    Uint32 wake_event;
    atomic_bool waking;  // one wake in the queue is enough
};

static enum pt_code fail(struct pt_error *err, const char *what) { return pt_fail(err, PT_UNAVAILABLE, "screen", "%s: %s", what, SDL_GetError()); }

static enum pt_code open_window(struct screen *screen, const struct screen_options *options, struct pt_error *err) {
    SDL_DisplayMode mode = {.w = 320, .h = 480};
    const bool whole = !options->window && options->width == 0;
    if (whole) SDL_GetCurrentDisplayMode(0, &mode);
    const int width = options->width ? options->width : mode.w, height = options->height ? options->height : mode.h;
    const Uint32 flags = whole ? SDL_WINDOW_FULLSCREEN_DESKTOP : 0;
    screen->window = SDL_CreateWindow(options->title ? options->title : "Packtrail", SDL_WINDOWPOS_UNDEFINED, SDL_WINDOWPOS_UNDEFINED, width, height, flags);
    if (!screen->window) return fail(err, "cannot open a window");
    // Software is enough for a page and needs no driver; KMS/DRM has no other way than through the graphics driver.
    const char *driver = SDL_GetCurrentVideoDriver();
    const bool kms = driver && strcmp(driver, "KMSDRM") == 0;
    screen->renderer = SDL_CreateRenderer(screen->window, -1, kms ? 0 : SDL_RENDERER_SOFTWARE);
    if (!screen->renderer) return fail(err, "cannot draw");
    if (whole) SDL_ShowCursor(SDL_DISABLE);
    return canvas_open(screen->renderer, options->font, &screen->canvas, err);
}

enum pt_code screen_open(const struct screen_options *options, struct screen **out, struct pt_error *err) {
    if (SDL_InitSubSystem(SDL_INIT_VIDEO) != 0)
        return pt_fail(err, PT_UNAVAILABLE, "screen", "there is no display (%s): on a terminal without desktop the user needs the groups video, render and input; "
                       "over ssh set DISPLAY, or SDL_VIDEODRIVER=dummy to draw into nothing", SDL_GetError());
    if (TTF_Init() != 0) {
        SDL_QuitSubSystem(SDL_INIT_VIDEO);
        return fail(err, "cannot start the font engine");
    }
    struct screen *screen = calloc(1, sizeof *screen);
    enum pt_code code = screen ? open_window(screen, options, err) : pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    if (code != PT_OK) {
        if (!screen) {
            TTF_Quit();
            SDL_QuitSubSystem(SDL_INIT_VIDEO);
        }
        screen_close(screen);
        return code;
    }
    screen->wake_event = SDL_RegisterEvents(1);
    SDL_StartTextInput();
    *out = screen;
    return PT_OK;
}

void screen_close(struct screen *screen) {
    if (!screen) return;
    canvas_close(screen->canvas);
    if (screen->renderer) SDL_DestroyRenderer(screen->renderer);
    if (screen->window) SDL_DestroyWindow(screen->window);
    TTF_Quit();
    SDL_QuitSubSystem(SDL_INIT_VIDEO);
    free(screen);
}

void screen_draw(struct screen *screen, const struct page *page) {
    if (screen->drawn && memcmp(&screen->page, page, sizeof *page) == 0) return;
    screen->page = *page;
    screen->drawn = true;
    paint_page(screen->canvas, page, &screen->targets);
    SDL_RenderPresent(screen->renderer);
}

enum pt_code screen_save(struct screen *screen, const char *path, struct pt_error *err) {
    int width, height;
    canvas_size(screen->canvas, &width, &height);
    // What was presented may be gone from the buffer: it is painted once more.
    paint_page(screen->canvas, &screen->page, &screen->targets);
    uint8_t *pixels = malloc((size_t)width * (size_t)height * 3);
    if (!pixels) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    enum pt_code code = PT_OK;
    if (SDL_RenderReadPixels(screen->renderer, NULL, SDL_PIXELFORMAT_RGB24, pixels, width * 3) != 0) code = fail(err, "cannot read the screen back");
    if (code == PT_OK) code = screenshot_write(path, pixels, (unsigned)width, (unsigned)height, err);
    free(pixels);
    SDL_RenderPresent(screen->renderer);
    return code;
}

// --- Keys and fingers ---

static enum screen_key key_of(SDL_Keycode code) {
    switch (code) {
    case SDLK_UP: return KEY_UP;
    case SDLK_DOWN: return KEY_DOWN;
    case SDLK_LEFT: return KEY_LEFT;
    case SDLK_RIGHT: return KEY_RIGHT;
    case SDLK_RETURN: case SDLK_KP_ENTER: case SDLK_SELECT: return KEY_OK;
    case SDLK_ESCAPE: case SDLK_AC_BACK: return KEY_BACK;
    case SDLK_F1: return KEY_SOFT_1;
    case SDLK_F2: return KEY_SOFT_2;
    case SDLK_F3: return KEY_SOFT_3;
    case SDLK_F4: return KEY_TRIGGER;
    case SDLK_F5: return KEY_TORCH;
    case SDLK_F6: return KEY_HELP;
    case SDLK_BACKSPACE: return KEY_DELETE;
    default: return KEY_NONE;
    }
}

static bool is_in(struct canvas_rect rect, int x, int y) { return rect.w > 0 && x >= rect.x && y >= rect.y && x < rect.x + rect.w && y < rect.y + rect.h; }

static void touched(const struct screen *screen, int x, int y, struct screen_event *out) {
    for (int i = 0; i < 3; i++) {
        if (!is_in(screen->targets.soft[i], x, y)) continue;
        out->kind = SCREEN_KEY;
        out->key = (enum screen_key)(KEY_SOFT_1 + i);
        return;
    }
    for (int i = 0; i < (int)PAGE_ROWS; i++) {
        if (!is_in(screen->targets.rows[i], x, y)) continue;
        out->kind = SCREEN_ROW;
        out->row = i;
        return;
    }
}

static void key_pressed(const SDL_KeyboardEvent *key, struct screen_event *out) {
    if (key->type == SDL_KEYUP) {
        if (key_of(key->keysym.sym) != KEY_TRIGGER) return;
        out->key = KEY_TRIGGER_UP;
    } else if ((key->keysym.mod & KMOD_CTRL) && key->keysym.sym == SDLK_RIGHTBRACKET) {
        // How a scan engine that plays keyboard types the group separator.
        out->kind = SCREEN_TEXT;
        out->text[0] = 0x1d;
        return;
    } else if (key->repeat && key_of(key->keysym.sym) == KEY_TRIGGER) return;
    else out->key = key_of(key->keysym.sym);
    if (out->key != KEY_NONE) out->kind = SCREEN_KEY;
}

static void translate(struct screen *screen, const SDL_Event *event, struct screen_event *out) {
    *out = (struct screen_event){.at_ms = event->common.timestamp};
    switch (event->type) {
    case SDL_QUIT: out->kind = SCREEN_QUIT; break;
    case SDL_KEYDOWN: case SDL_KEYUP: key_pressed(&event->key, out); break;
    case SDL_TEXTINPUT:
        out->kind = SCREEN_TEXT;
        memcpy(out->text, event->text.text, strnlen(event->text.text, sizeof out->text - 1));
        break;
    case SDL_MOUSEBUTTONUP:  // SDL tells a finger as a mouse, too
        if (event->button.button == SDL_BUTTON_LEFT) touched(screen, event->button.x, event->button.y, out);
        break;
    case SDL_WINDOWEVENT:
        if (event->window.event == SDL_WINDOWEVENT_EXPOSED || event->window.event == SDL_WINDOWEVENT_SIZE_CHANGED) {
            paint_page(screen->canvas, &screen->page, &screen->targets);
            SDL_RenderPresent(screen->renderer);
        }
        break;
    default:
        if (event->type == screen->wake_event) {
            atomic_store(&screen->waking, false);
            out->kind = SCREEN_WOKEN;
        }
    }
}

void screen_wait(struct screen *screen, int timeout_ms, struct screen_event *out) {
    const Uint32 end = SDL_GetTicks() + (Uint32)timeout_ms;
    SDL_Event event;
    do {
        const Sint32 left = (Sint32)(end - SDL_GetTicks());
        *out = (struct screen_event){.at_ms = SDL_GetTicks()};
        if (!SDL_WaitEventTimeout(&event, left > 0 ? left : 0)) continue;
        translate(screen, &event, out);
        if (out->kind != SCREEN_NOTHING) return;
    } while ((Sint32)(end - SDL_GetTicks()) > 0);
}

void screen_wake(struct screen *screen) {
    if (atomic_exchange(&screen->waking, true)) return;
    SDL_Event event = {.type = screen->wake_event};
    if (SDL_PushEvent(&event) != 1) atomic_store(&screen->waking, false);
}
