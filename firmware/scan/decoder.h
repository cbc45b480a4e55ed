// The one interface of all barcode decoders. Decoding is a function of the frame: no file, no network, nothing kept
// from frame to frame; the clock is read only against the deadline.
#ifndef PACKTRAIL_FIRMWARE_SCAN_DECODER_H
#define PACKTRAIL_FIRMWARE_SCAN_DECODER_H

#include "firmware/scan/frame.h"
#include "firmware/scan/symbol.h"

// Milliseconds of CLOCK_MONOTONIC.
int64_t scan_clock_ms(void);

struct scan_decoder {
    const char *name;
    // Appends what it finds in the frame, boxes in the frame's pixels, until all is seen or scan_clock_ms() has
    // passed `deadline`. Finding nothing is PT_OK; an error is lack of memory or a broken library.
    enum pt_code (*decode)(void *ctx, const struct scan_frame *frame, int64_t deadline, struct scan_symbols *out,
                           struct pt_error *err);
    void (*close)(void *ctx);
    void *ctx;
};

// ZBar: Code 128, EAN, UPC, ITF-14, GS1 DataBar, QR.
enum pt_code scan_decoder_zbar(struct scan_decoder *out, struct pt_error *err) PT_NODISCARD;

// Our own Code 128, with the characters above 127 that ZBar gets wrong.
enum pt_code scan_decoder_code128(struct scan_decoder *out, struct pt_error *err) PT_NODISCARD;

// Our own Data Matrix: ECC 200, all square, rectangular and extended rectangular (DMRE) sizes, inverted and mirrored
// too. Quick looks at the picture as it is; deep at the versions of it that come after that (inverted, blurred, halved,
// …), in at most a few hundred milliseconds, and stops when something is found.
enum scan_effort { SCAN_QUICK, SCAN_DEEP };
enum pt_code scan_decoder_datamatrix(enum scan_effort effort, struct scan_decoder *out, struct pt_error *err) PT_NODISCARD;

// libdmtx: Data Matrix ECC 200, all square and rectangular sizes of ISO/IEC 16022.
enum pt_code scan_decoder_dmtx(struct scan_decoder *out, struct pt_error *err) PT_NODISCARD;

#endif
