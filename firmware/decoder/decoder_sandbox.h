// What a decoder process may do: compute, get memory, read and write what it has open already, and end.
#ifndef PACKTRAIL_FIRMWARE_DECODER_DECODER_SANDBOX_H
#define PACKTRAIL_FIRMWARE_DECODER_DECODER_SANDBOX_H

#include "common/base/error.h"

// For this process, for good. Any other system call fails with EACCES: ZBar asks iconv for a character set, which looks for
// files; it gets along without.
enum pt_code decoder_sandbox_enter(struct pt_error *err) PT_NODISCARD;

#endif
