// The vibration motor: an input device with force feedback (gpio-vibrator, pwm-vibrator), or a LED class entry.
#ifndef PACKTRAIL_FIRMWARE_PERIPHERAL_VIBRATOR_H
#define PACKTRAIL_FIRMWARE_PERIPHERAL_VIBRATOR_H

#include <stdbool.h>

#include "common/base/error.h"

struct vibrator;

// path: /dev/input/event… or a directory with a file `brightness`. PT_UNAVAILABLE: it is neither.
enum pt_code vibrator_open(const char *path, struct vibrator **out, struct pt_error *err) PT_NODISCARD;
void vibrator_close(struct vibrator *vibrator);  // stops it; NULL is allowed
void vibrator_set(struct vibrator *vibrator, bool on);

#endif
