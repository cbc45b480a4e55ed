#include "firmware/peripheral/light.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

bool light_set(const char *directory, bool on) {
    char path[600];
    if (snprintf(path, sizeof path, "%s/brightness", directory) >= (int)sizeof path) return false;
    const int file = open(path, O_WRONLY | O_CLOEXEC | O_TRUNC);
    if (file < 0) return false;
    // The driver cuts to what its LED can do.
    const bool written = on ? write(file, "255", 3) == 3 : write(file, "0", 1) == 1;
    close(file);
    return written;
}
