// A part of a disk: files whose names begin alike. Two journals share the directory of the work.
#ifndef PACKTRAIL_FIRMWARE_WORK_WORK_DISK_H
#define PACKTRAIL_FIRMWARE_WORK_WORK_DISK_H

#include "common/base/disk.h"

struct work_disk {
    struct pt_disk disk;  // what is given to the journal; its ctx points here: not to be moved
    const struct pt_disk *whole;
    const char *prefix;
};

// prefix: a literal, "name.".
void work_disk_init(struct work_disk *out, const struct pt_disk *whole, const char *prefix);

#endif
