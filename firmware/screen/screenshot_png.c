#include "firmware/screen/screenshot_png.h"

#include <png.h>

enum pt_code screenshot_write(const char *path, const uint8_t *pixels, unsigned width, unsigned height, struct pt_error *err) {
    png_image image = {.version = PNG_IMAGE_VERSION, .width = width, .height = height, .format = PNG_FORMAT_RGB};
    if (png_image_write_to_file(&image, path, 0, pixels, 0, NULL)) return PT_OK;
    return pt_fail(err, PT_IO, path, "cannot write the picture: %s", image.message);
}
