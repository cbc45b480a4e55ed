// Picture files as frames: PGM and PPM, PNG, JPEG. Pure: bytes in, frame out.
#ifndef PACKTRAIL_FIRMWARE_SCAN_IMAGE_H
#define PACKTRAIL_FIRMWARE_SCAN_IMAGE_H

#include "firmware/scan/frame.h"

#define SCAN_IMAGE_MAX_BYTES (256u * 1024u * 1024u)

// Each reader makes a frame that the caller frees. Colours become grey, transparency is laid on white, 16 bits a
// channel are cut to 8. PT_INVALID for a damaged or truncated file, PT_LIMIT above the pixel ceilings.

// Told by its first bytes; PT_INVALID when none of the formats is recognised.
enum pt_code scan_image_read(struct pt_bytes file, struct scan_frame *out, struct pt_error *err) PT_NODISCARD;

// Netpbm P5 and P6, maxval up to 65535. *used (may be NULL) is the length of the picture, so that a stream of
// pictures one after the other can be cut up.
enum pt_code scan_image_read_pnm(struct pt_bytes file, struct scan_frame *out, size_t *used,
                                 struct pt_error *err) PT_NODISCARD;

// A netpbm header alone. header_len counts the single whitespace behind maxval; pixel_len the raster.
struct scan_pnm_header {
    uint32_t width;
    uint32_t height;
    uint32_t maxval;
    unsigned channels;  // 1 for P5, 3 for P6
    size_t header_len;
    size_t pixel_len;
};

// PT_NOT_FOUND when the bytes end inside a header that is good so far (more bytes may complete it).
enum pt_code scan_pnm_header_read(struct pt_bytes file, struct scan_pnm_header *out, struct pt_error *err) PT_NODISCARD;

enum pt_code scan_image_read_png(struct pt_bytes file, struct scan_frame *out, struct pt_error *err) PT_NODISCARD;
enum pt_code scan_image_read_jpeg(struct pt_bytes file, struct scan_frame *out, struct pt_error *err) PT_NODISCARD;

// Writes a frame as PGM (P5, maxval 255).
void scan_image_write_pgm(const struct scan_frame *frame, struct pt_buf *out);

#endif
