// The battery gauge, by Linux' power_supply class.
#ifndef PACKTRAIL_FIRMWARE_PERIPHERAL_BATTERY_H
#define PACKTRAIL_FIRMWARE_PERIPHERAL_BATTERY_H

#include <stdbool.h>

struct battery_status {
    int percent;    // -1: there is no battery
    bool charging;
};

// directory: NULL takes /sys/class/power_supply. Reads two small files.
void battery_read(const char *directory, struct battery_status *out);

#endif
