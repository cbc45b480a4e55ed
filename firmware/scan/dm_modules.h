// From the grey values of a symbol's modules to what it says.
#ifndef PACKTRAIL_FIRMWARE_SCAN_DM_MODULES_H
#define PACKTRAIL_FIRMWARE_SCAN_DM_MODULES_H

#include "firmware/scan/datamatrix.h"

// One value a module, top row first as seen, the L at left and below; less is darker.
struct dm_modules {
    unsigned rows, cols;
    float grey[SCAN_DM_MAX_SIDE * SCAN_DM_MAX_SIDE];
};

// Reads a symbol of this size, the modules laid out as its standard has them, by several thresholds. `near` (may be
// NULL): the same modules against their surroundings on the picture, below 0 dark, as one more of them. Refuses what
// has less than four fifths of its finder pattern. False when it does not read.
bool dm_modules_read(const struct dm_modules *modules, const struct dm_modules *near, const struct scan_dm_size *size,
                     struct scan_symbol *out);

// As seen from behind: the L's arms change places.
void dm_modules_mirror(const struct dm_modules *modules, struct dm_modules *out);

#endif
