// The canvas on an SDL renderer.
#ifndef PACKTRAIL_FIRMWARE_SCREEN_CANVAS_SDL_H
#define PACKTRAIL_FIRMWARE_SCREEN_CANVAS_SDL_H

#include "firmware/screen/canvas.h"

struct SDL_Renderer;

// The renderer must outlive the canvas. font: a file with CJK glyphs, NULL or "" for the first of the usual ones.
// PT_UNAVAILABLE: there is no such font.
enum pt_code canvas_open(struct SDL_Renderer *renderer, const char *font, struct canvas **out, struct pt_error *err) PT_NODISCARD;
void canvas_close(struct canvas *canvas);  // NULL is allowed

#endif
