// A terminal's work on a disk in memory, with a world that the test chooses: products, notices, recalls, the time. The outbox, the
// history and everything of firmware/work are the real ones.
#ifndef PACKTRAIL_TESTS_UNIT_WORK_BENCH_H
#define PACKTRAIL_TESTS_UNIT_WORK_BENCH_H

#include "common/epcis/event.h"
#include "firmware/work/work.h"
#include "tests/support/disk_fake.h"
#include "tests/support/support.h"

#define GTIN_A "06901234567892"  // 24 units a pack, GTIN_A_CASE its case
#define GTIN_A_CASE "16901234567899"
#define GTIN_B "09521234543213"
#define GTIN_NEW "04012345000009"  // no record
#define CN_SMALL "8123456"
#define CN_MIDDLE "8123457"
#define NOW ((pt_millis)1767225600000)  // 2026-01-01T00:00:00Z

struct bench {
    struct disk_fake *disk, *outbox_disk, *history_disk;
    struct outbox *outbox;
    struct history *history;
    struct work_services services;
    struct work *work;
    struct pt_error err;
    uint64_t outbox_bytes;
};

// The world; set back by bench_open.
extern struct world {
    pt_millis now;
    int64_t clock_error_s;
    bool no_reference;
    const char *recalled, *maybe_recalled;  // serial numbers
    size_t notices_done;
} world;

struct bench *bench_open(const char *profile);
void bench_close(struct bench *bench);
// Closes everything and opens outbox and history anew; `cut` (a seed): what was not synced is lost. The work is not resumed.
void bench_restart(struct bench *bench, uint64_t *cut);

struct work_start bench_start(const char *task);
void bench_begin(struct bench *bench, const struct work_start *start);

// "(01)…(21)serial", and with lot and expiry (YYMMDD) where they are not NULL; static, four of them in turn.
const char *label(const char *gtin, const char *serial, const char *lot, const char *expiry);
struct pack_id pack(const char *gtin, const char *serial);
struct work_answer scan(struct bench *bench, const char *code);
void expect_scan(struct bench *bench, const char *code, enum work_verdict verdict, enum work_tone tone, bool taken);
struct work_signed finish(struct bench *bench);
struct work_counts counts(const struct bench *bench);

// The event in the outbox under this sequence number; validated. Memory from the arena.
struct epcis_event event_at(struct bench *bench, uint64_t sequence, struct pt_arena *arena);
uint64_t events_signed(struct bench *bench);
// A member of ours: its text, or "" if it is not there; of a list the item `number`.
const char *term_text(const struct epcis_event *event, const char *term, size_t number);
int64_t term_number(const struct epcis_event *event, const char *term);  // -1: not there

#endif
