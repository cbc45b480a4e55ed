#include "tools/load/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "tools/load/run.h"

#define BAR_WIDTH 30
#define TERMINAL_PAUSE 0.2  // seconds
#define PLAIN_PAUSE 5.0

void progress_begin(struct progress *progress, const char *phase) {
    const double now = load_clock();
    *progress = (struct progress){.terminal = isatty(STDERR_FILENO), .shown = now, .since = now};
    snprintf(progress->phase, sizeof progress->phase, "%s", phase);
}

static void draw(struct progress *progress, uint64_t count, uint64_t of, double rate, const char *note) {
    const unsigned percent = of ? (unsigned)(count * 100 / of) : 0;
    const char *between = note[0] ? ", " : "";
    if (!progress->terminal) {
        fprintf(stderr, "%s: %" PRIu64 " of %" PRIu64 " (%u %%), %.0f/s%s%s\n", progress->phase, count, of, percent, rate, between, note);
        return;
    }
    char bar[BAR_WIDTH + 1];
    for (unsigned i = 0; i < BAR_WIDTH; i++) bar[i] = i * 100 < percent * BAR_WIDTH ? '#' : '.';
    bar[BAR_WIDTH] = 0;
    fprintf(stderr, "\r\033[K%-9s [%s] %3u %%  %" PRIu64 "  %.0f/s%s%s", progress->phase, bar, percent, count, rate, between, note);
    fflush(stderr);
    progress->open = true;
}

void progress_show(struct progress *progress, uint64_t count, uint64_t of, const char *note) {
    const double now = load_clock(), passed = now - progress->shown;
    if (passed < (progress->terminal ? TERMINAL_PAUSE : PLAIN_PAUSE)) return;
    draw(progress, count, of, (double)(count - progress->counted) / passed, note);
    progress->shown = now;
    progress->counted = count;
}

void progress_end(struct progress *progress, uint64_t count, uint64_t of, const char *note) {
    const double passed = load_clock() - progress->since;
    draw(progress, count, of, passed > 0 ? (double)count / passed : 0, note);
    if (progress->open) fputc('\n', stderr);
    progress->open = false;
}
