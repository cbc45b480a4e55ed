// A LED of Linux' LED class (also a vibrator that is driven as one): on or off.
#ifndef PACKTRAIL_FIRMWARE_PERIPHERAL_LIGHT_H
#define PACKTRAIL_FIRMWARE_PERIPHERAL_LIGHT_H

#include <stdbool.h>

#include "common/base/error.h"

// directory: /sys/class/leds/…; false when it cannot be written.
bool light_set(const char *directory, bool on);

#endif
