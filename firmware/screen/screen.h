// The terminal's screen and keys by SDL2: draws pages, tells keys. On KMS/DRM without a desktop, in a window, or by SDL's dummy
// driver in tests. Only one thread may use it, but for screen_wake.
#ifndef PACKTRAIL_FIRMWARE_SCREEN_SCREEN_H
#define PACKTRAIL_FIRMWARE_SCREEN_SCREEN_H

#include "common/base/time.h"
#include "firmware/screen/page.h"

struct screen;

struct screen_options {
    int width, height;     // pixels of the window; 0: the whole display. At least 240×320, landscape too
    const char *font;      // a font with CJK glyphs; NULL or "": the first of the usual ones that is there
    const char *title;     // of the window
    bool window;           // a window on a desktop instead of the whole display
};

// PT_UNAVAILABLE: no display or no font; err says what to install or to set.
enum pt_code screen_open(const struct screen_options *options, struct screen **out, struct pt_error *err) PT_NODISCARD;
void screen_close(struct screen *screen);  // NULL is allowed

void screen_draw(struct screen *screen, const struct page *page);

// What the last page was drawn as, to a PNG file.
enum pt_code screen_save(struct screen *screen, const char *path, struct pt_error *err) PT_NODISCARD;

enum screen_key {
    KEY_NONE = 0,
    KEY_UP, KEY_DOWN, KEY_LEFT, KEY_RIGHT,
    KEY_OK,        // Enter, the middle of the pad
    KEY_BACK,      // Escape
    KEY_SOFT_1, KEY_SOFT_2, KEY_SOFT_3,  // F1 to F3, below the screen from left to right
    KEY_TRIGGER,   // F4, the scan trigger: pressed
    KEY_TRIGGER_UP,
    KEY_DELETE,    // Backspace
    KEY_TORCH,     // F5
    KEY_HELP,      // F6
};

enum screen_event_kind {
    SCREEN_NOTHING = 0,  // the time was over
    SCREEN_KEY = 1,
    SCREEN_TEXT = 2,     // printable characters; digits come as text, too
    SCREEN_ROW = 3,      // a row was touched
    SCREEN_WOKEN = 4,    // screen_wake
    SCREEN_QUIT = 5,     // the window was closed, or SIGTERM
};

struct screen_event {
    enum screen_event_kind kind;
    enum screen_key key;
    char text[32];
    int row;
    uint32_t at_ms;      // of a clock that only runs forward: tells a scan engine's typing from a finger's
};

// Waits for at most timeout_ms.
void screen_wait(struct screen *screen, int timeout_ms, struct screen_event *out);

// Makes a screen_wait that runs in another thread return.
void screen_wake(struct screen *screen);

#endif
