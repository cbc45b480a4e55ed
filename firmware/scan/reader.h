// All decoders over one frame, on the picture as it is and on improved versions of it.
#ifndef PACKTRAIL_FIRMWARE_SCAN_READER_H
#define PACKTRAIL_FIRMWARE_SCAN_READER_H

#include "firmware/scan/decoder.h"

struct scan_reader;

struct scan_reader_options {
    int64_t budget_ms;  // for one frame; what was found until then is given
    bool thorough;      // improved versions of the picture are tried even when something has been found, for what else is there
};

enum pt_code scan_reader_open(const struct scan_reader_options *options, struct scan_reader **out,
                              struct pt_error *err) PT_NODISCARD;
void scan_reader_close(struct scan_reader *reader);

// The symbols of a frame, each once, boxes in the frame's pixels; none is PT_OK too. The caller frees *out.
enum pt_code scan_reader_read(struct scan_reader *reader, const struct scan_frame *frame, struct scan_symbols *out,
                              struct pt_error *err) PT_NODISCARD;

#endif
