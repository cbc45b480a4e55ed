#include "firmware/scan/image.h"

#include <string.h>

enum pt_code scan_image_read(struct pt_bytes file, struct scan_frame *out, struct pt_error *err) {
    static const uint8_t png[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    static const uint8_t jpeg[] = {0xff, 0xd8, 0xff};
    *out = (struct scan_frame){0};
    if (file.len == 0) return pt_fail(err, PT_INVALID, NULL, "the file is empty");
    if (file.len >= sizeof png && memcmp(file.data, png, sizeof png) == 0) return scan_image_read_png(file, out, err);
    if (file.len >= sizeof jpeg && memcmp(file.data, jpeg, sizeof jpeg) == 0)
        return scan_image_read_jpeg(file, out, err);
    if (file.len >= 2 && file.data[0] == 'P' && (file.data[1] == '5' || file.data[1] == '6'))
        return scan_image_read_pnm(file, out, NULL, err);
    return pt_fail(err, PT_INVALID, NULL, "not a picture in PGM, PPM, PNG or JPEG format");
}
