// Tones through the sound system.
#ifndef PACKTRAIL_FIRMWARE_PERIPHERAL_BEEPER_H
#define PACKTRAIL_FIRMWARE_PERIPHERAL_BEEPER_H

#include <stddef.h>

#include "common/base/error.h"

struct beeper;

// hertz 0 is silence.
struct beep {
    int hertz, milliseconds;
};

// PT_UNAVAILABLE: there is no sound.
enum pt_code beeper_open(struct beeper **out, struct pt_error *err) PT_NODISCARD;
void beeper_close(struct beeper *beeper);  // NULL is allowed
// Begins at once, in place of what still sounds; does not wait.
void beeper_play(struct beeper *beeper, const struct beep *beeps, size_t count);

#endif
