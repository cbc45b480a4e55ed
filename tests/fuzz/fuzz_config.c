#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    static int file = -1;
    static char path[64];
    if (file < 0) {
        file = memfd_create("config", MFD_CLOEXEC);
        if (file < 0) abort();
        snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    }
    if (ftruncate(file, 0) != 0 || pwrite(file, data, len, 0) != (ssize_t)len) abort();
    char *text = NULL;
    char *dir = NULL;
    int64_t number = 0;
    int64_t bytes = 0;
    int64_t age = 0;
    bool flag = false;
    const struct pt_config_key keys[] = {
        {"server", "listen", PT_CONFIG_TEXT, "x", 1, 100, "", .text = &text},
        {"spool", "dir", PT_CONFIG_PATH, "y", 1, 100, "", .text = &dir},
        {"spool", "batch", PT_CONFIG_NUMBER, "5", 1, 100, "", .number = &number},
        {"spool", "size", PT_CONFIG_BYTES, "1k", 1, 1 << 20, "", .number = &bytes},
        {"spool", "age", PT_CONFIG_MILLIS, "1s", 0, 100000000, "", .number = &age},
        {"spool", "verify", PT_CONFIG_BOOL, "no", 0, 0, "", .flag = &flag},
    };
    const size_t count = sizeof keys / sizeof *keys;
    struct pt_error err;
    if (pt_config_load(path, keys, count, &err) == PT_OK) {
        if (number < 1 || number > 100 || bytes < 1 || bytes > 1 << 20 || age < 0 || !text || !dir) abort();
        pt_config_free(keys, count);
    } else if (text || dir) {
        abort();
    }
    return 0;
}
