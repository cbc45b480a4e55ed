#include "firmware/peripheral/vibrator.h"

#include <fcntl.h>
#include <linux/input.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "firmware/peripheral/light.h"

struct vibrator {
    char directory[512];  // of a LED class entry; else empty
    int file;
    int16_t effect;
};

static enum pt_code open_input(const char *path, struct vibrator *vibrator, struct pt_error *err) {
    // As strong as it gets, until it is stopped.
    struct ff_effect effect = {.type = FF_RUMBLE, .id = -1, .u.rumble = {.strong_magnitude = 0xffff, .weak_magnitude = 0xffff}};
    vibrator->file = open(path, O_RDWR | O_CLOEXEC);
    if (vibrator->file < 0) return pt_fail_errno(err, path, "cannot open the vibrator");
    if (ioctl(vibrator->file, EVIOCSFF, &effect) != 0) return pt_fail(err, PT_UNAVAILABLE, path, "is no device that vibrates");
    vibrator->effect = effect.id;
    return PT_OK;
}

enum pt_code vibrator_open(const char *path, struct vibrator **out, struct pt_error *err) {
    struct stat status;
    struct vibrator *vibrator = calloc(1, sizeof *vibrator);
    if (!vibrator) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    vibrator->file = -1;
    enum pt_code code = PT_OK;
    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode)) {
        snprintf(vibrator->directory, sizeof vibrator->directory, "%s", path);
        if (!light_set(vibrator->directory, false)) code = pt_fail_errno(err, path, "cannot drive the vibrator");
    } else code = open_input(path, vibrator, err);
    if (code != PT_OK) {
        if (vibrator->file >= 0) close(vibrator->file);
        free(vibrator);
        return code;
    }
    *out = vibrator;
    return PT_OK;
}

void vibrator_set(struct vibrator *vibrator, bool on) {
    if (vibrator->directory[0]) {
        light_set(vibrator->directory, on);
        return;
    }
    const struct input_event play = {.type = EV_FF, .code = (uint16_t)vibrator->effect, .value = on};
    if (write(vibrator->file, &play, sizeof play) != sizeof play) return;  // unplugged: staff still see and hear
}

void vibrator_close(struct vibrator *vibrator) {
    if (!vibrator) return;
    vibrator_set(vibrator, false);
    if (vibrator->file >= 0) close(vibrator->file);
    free(vibrator);
}
