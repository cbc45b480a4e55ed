// Owned locals release themselves: `PT_CLEANUP(pt_buf_free) struct pt_buf out = PT_BUF_INIT(4096);`
#ifndef PACKTRAIL_COMMON_BASE_CLEANUP_H
#define PACKTRAIL_COMMON_BASE_CLEANUP_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PT_CLEANUP(function) __attribute__((cleanup(function)))

static inline void pt_cleanup_free(void *pointer) { free(*(void **)pointer); }

static inline void pt_cleanup_fclose(FILE **file) {
    if (*file) fclose(*file);
}

static inline void pt_cleanup_close(const int *fd) {
    if (*fd >= 0) close(*fd);
}

#define PT_FREE PT_CLEANUP(pt_cleanup_free)      // memory from malloc
#define PT_FCLOSE PT_CLEANUP(pt_cleanup_fclose)  // FILE *
#define PT_CLOSE PT_CLEANUP(pt_cleanup_close)    // int file descriptor, -1 for none

#endif
