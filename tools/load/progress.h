// What people see while a run goes on: a bar that is drawn over on a terminal, a line every few seconds elsewhere.
#ifndef PACKTRAIL_TOOLS_LOAD_PROGRESS_H
#define PACKTRAIL_TOOLS_LOAD_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    bool terminal;
    double shown, since;     // monotonic seconds: last shown; begin of this phase
    uint64_t counted;        // when last shown
    char phase[32];
    bool open;               // a bar stands on the line
};

void progress_begin(struct progress *progress, const char *phase);
// `of` 0: no bar. `note` may be "".
void progress_show(struct progress *progress, uint64_t count, uint64_t of, const char *note);
void progress_end(struct progress *progress, uint64_t count, uint64_t of, const char *note);

#endif
