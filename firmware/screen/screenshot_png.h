// A picture of the screen as a PNG file.
#ifndef PACKTRAIL_FIRMWARE_SCREEN_SCREENSHOT_PNG_H
#define PACKTRAIL_FIRMWARE_SCREEN_SCREENSHOT_PNG_H

#include <stdint.h>

#include "common/base/error.h"

// pixels: RGB, 8 bits each, rows without gaps. The file is replaced.
enum pt_code screenshot_write(const char *path, const uint8_t *pixels, unsigned width, unsigned height, struct pt_error *err) PT_NODISCARD;

#endif
