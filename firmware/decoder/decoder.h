// The barcode decoders in a process of their own, without rights: a crash or a hostile picture costs one frame, and a
// decoder that is taken over finds neither the device's key nor a file nor the network.
//
// The terminal writes a frame's pixels into memory that it shares, asks over a socket, and checks the answer like
// anything from outside.
#ifndef PACKTRAIL_FIRMWARE_DECODER_DECODER_H
#define PACKTRAIL_FIRMWARE_DECODER_DECODER_H

#include "firmware/scan/reader.h"

// How the terminal's program is started as a decoder: PROGRAM DECODER_COMMAND, with the descriptors below.
#define DECODER_COMMAND "decoder-process"
#define DECODER_SOCKET 3
#define DECODER_MEMORY 4

struct decoder;

struct decoder_options {
    const char *program;  // of the process; NULL: this one
    struct scan_reader_options reading;
};

// Starts the process. PT_UNAVAILABLE when it does not come up.
enum pt_code decoder_start(const struct decoder_options *options, struct decoder **out, struct pt_error *err) PT_NODISCARD;
void decoder_stop(struct decoder *decoder);  // NULL is allowed

// As scan_reader_read. PT_INVALID: the decoder died of this frame, or did not come to an end; it has been started anew
// for the next one. PT_UNAVAILABLE: it cannot be started any more.
enum pt_code decoder_read(struct decoder *decoder, const struct scan_frame *frame, struct scan_symbols *out,
                          struct pt_error *err) PT_NODISCARD;

unsigned decoder_restarts(const struct decoder *decoder);

// The process's side: shuts itself in, answers until the socket is closed. Returns the exit status.
int decoder_process(void);

#endif
