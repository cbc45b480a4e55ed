// `powercut apply`: reading the undo log, and undoing.
#ifndef PACKTRAIL_TESTS_FAULTS_LAYER_UNDO_H
#define PACKTRAIL_TESTS_FAULTS_LAYER_UNDO_H

#include <jansson.h>
#include <stdbool.h>

#include "tests/faults/layer/record.h"

enum undo_mode {
    UNDO_RANDOM, // each unsynced change is kept, undone or torn
    UNDO_DROP,   // every unsynced change is undone
    UNDO_KEEP,   // none
    UNDO_TORN,   // only the last write is torn
};

struct undo_plan {
    enum undo_mode mode;
    bool sectors; // tear at multiples of 512 bytes only
    uint64_t random;
    const char *directory, *log;
};

// The valid records of one log file, in order; payloads are views into `bytes`.
struct undo_log {
    struct powercut_record *records;
    const uint8_t **payloads;
    size_t count;
    uint8_t *bytes;
};

uint64_t undo_random(struct undo_plan *plan, uint64_t below);
_Noreturn void undo_die(const char *what, const char *where);
struct undo_log undo_log_read(const char *log, const char *name); // stops at a torn record
void undo_log_free(struct undo_log *log);

// Both append one object for each file or directory with unsynced changes.
void undo_contents(struct undo_plan *plan, json_t *report);
void undo_names(struct undo_plan *plan, json_t *report);

#endif
