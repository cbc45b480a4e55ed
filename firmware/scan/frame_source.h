// Where frames come from, behind one interface: picture files, directories, a pipe or standard input with PGM or PPM
// pictures one after the other.
#ifndef PACKTRAIL_FIRMWARE_SCAN_FRAME_SOURCE_H
#define PACKTRAIL_FIRMWARE_SCAN_FRAME_SOURCE_H

#include "firmware/scan/frame.h"

struct scan_source;

struct scan_source_options {
    bool follow;  // a directory is watched for new files without end; otherwise it ends with those that are there
};

// path: a picture file, a directory (files in name order; names that begin with a dot or end in .part or .tmp are left
// out, so that a writer can rename a finished picture into place), a FIFO, or "-" for standard input.
enum pt_code scan_source_open(const char *path, const struct scan_source_options *options, struct scan_source **out,
                              struct pt_error *err) PT_NODISCARD;
void scan_source_close(struct scan_source *source);

// The next frame, waiting for at most timeout_ms. The caller frees *out.
//   PT_OK           a frame
//   PT_UNAVAILABLE  none in that time; call again
//   PT_NOT_FOUND    the source has ended
//   PT_INVALID, PT_LIMIT, PT_IO  a picture that cannot be read, named in err; the next call goes on behind it (a stream
//                   has no place to go on from and has ended)
enum pt_code scan_source_next(struct scan_source *source, int timeout_ms, struct scan_frame *out,
                              struct pt_error *err) PT_NODISCARD;

#endif
