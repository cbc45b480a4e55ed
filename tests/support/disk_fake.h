// A disk in memory that fails, tears and forgets, for tests of whatever writes through struct pt_disk.
// For one thread.
#ifndef PACKTRAIL_TESTS_SUPPORT_DISK_FAKE_H
#define PACKTRAIL_TESTS_SUPPORT_DISK_FAKE_H

#include "common/base/disk.h"

struct disk_fake;

struct disk_fake *disk_fake_new(void);
void disk_fake_free(struct disk_fake *fake);
const struct pt_disk *disk_fake_disk(struct disk_fake *fake);

// The n-th call from now that changes the disk (0: the next one: write, sync, truncate, create, remove, rename,
// sync_dir) and all that follow fail with `code`; a failing write leaves its first `torn` bytes. Negative: none fails.
void disk_fake_fail_at(struct disk_fake *fake, long n, enum pt_code code, size_t torn);

// A power cut: of everything not synced, each write is kept, lost or torn (by 512-byte sectors and bytes), and a
// prefix of the directory's changes is kept. Open files become useless (still to be closed). Failures are lifted.
void disk_fake_crash(struct disk_fake *fake, uint64_t *seed);

// The content of a file as it stands, to look at or to damage; NULL if there is none.
struct pt_buf *disk_fake_content(struct disk_fake *fake, const char *name);

// A small generator for such tests: the next number, *seed moves on.
uint64_t disk_fake_random(uint64_t *seed);

#endif
