// A small consortium with many devices, and gateway blocks full of their statements, signed before anything is measured.
#ifndef PACKTRAIL_TESTS_BENCH_SCENE_H
#define PACKTRAIL_TESTS_BENCH_SCENE_H

#include "ledger/ledger.h"
#include "tools/load/generator.h"

enum { SCENE_DEVICES = 64, SCENE_PREFILL_PACKS = 500 };

struct scene {
    struct load_pattern pattern;   // packs and task: the caller's; the rest is filled in
    uint64_t statements, prefill;  // prefill: packs
    struct load_device devices[SCENE_DEVICES];
    struct signer executor, gateway;
    struct pt_buf genesis;
    struct pt_digest genesis_hash;
    struct pt_buf *blocks;
    size_t block_count, prefill_blocks;  // the first of them fill the index
};

// From statements, prefill and pattern.
void scene_make(struct scene *scene);
void scene_free_blocks(struct scene *scene);

#endif
