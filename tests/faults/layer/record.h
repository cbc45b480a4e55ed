// The undo log of the power-cut layer: what the preloaded library writes and `powercut apply` reads.
//
// The log is a directory. f-<inode> holds the undone-able changes of a file's content, n-<inode> those of a directory's
// names, t-<sequence> is a further hard link to a removed or replaced file, `state` is shared memory of all processes.
// A record is appended before its change is made: undoing a change that did not happen changes nothing, and a
// record torn by kill -9 belongs to a change that was never begun.
#ifndef PACKTRAIL_TESTS_FAULTS_LAYER_RECORD_H
#define PACKTRAIL_TESTS_FAULTS_LAYER_RECORD_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#define POWERCUT_MAGIC 0x74756370u
#define POWERCUT_PAYLOAD_MAX (1u << 20)

enum powercut_kind {
    POWERCUT_WRITE = 1,    // content: the payload was at `offset`; bytes behind it, up to `length`, did not exist
    POWERCUT_TRUNCATE = 2, // content: the payload was cut off at `offset`
    POWERCUT_GROW = 3,     // content: only the size changed
    POWERCUT_CREATE = 10,  // names: payload "directory\0name\0"
    POWERCUT_UNLINK = 11,  // names: the same; the file lives on as t-<sequence>
    POWERCUT_RENAME = 12,  // names: payload "new directory\0new name\0old directory\0old name\0"; see `length`
    POWERCUT_MKDIR = 13,   // names
    POWERCUT_RMDIR = 14,   // names; `length` is the mode
};

struct powercut_record {
    uint32_t magic;
    uint32_t kind;
    uint64_t sequence; // one count for all files, so that undoing can go backwards
    uint64_t offset;
    uint64_t length;   // RENAME: 1 if a file was replaced, which lives on as t-<sequence>
    uint64_t old_size; // content: the file's size before
    uint64_t inode;    // UNLINK, RENAME: of the file removed or moved
    uint32_t payload;  // bytes that follow
    uint32_t check;    // over this record with check = 0, and the payload
};

// Shared by every process that runs under the layer with the same log.
struct powercut_state {
    pthread_mutex_t lock; // robust: its holder may be killed
    uint64_t sequence;
    uint64_t writes, syncs; // calls counted, for injected failures
    int64_t used;           // bytes by which files grew
    int64_t limit;          // growth allowed; negative: no limit
    uint32_t ready;
};

static inline uint32_t powercut_mix(uint32_t hash, const void *data, size_t len) {
    const uint8_t *byte = data;
    for (size_t i = 0; i < len; i++) hash = (hash ^ byte[i]) * 16777619u;
    return hash;
}

static inline uint32_t powercut_check(struct powercut_record record, const void *payload) {
    record.check = 0;
    return powercut_mix(powercut_mix(2166136261u, &record, sizeof record), payload, record.payload);
}

#endif
