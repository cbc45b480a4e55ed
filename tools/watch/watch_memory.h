// What a watcher keeps between its runs, {URL: {"checkpoint": base64 of the signed bytes, "advanced": RFC 3339}}, and what it
// writes down as evidence when a ledger contradicts itself.
#ifndef PACKTRAIL_TOOLS_WATCH_WATCH_MEMORY_H
#define PACKTRAIL_TOOLS_WATCH_WATCH_MEMORY_H

#include "common/chain/actor.h"
#include "tools/watch/watch.h"

struct watch_node {
    const char *url;
    struct watch_memory memory;
    struct pt_buf last;  // the signed checkpoint that is remembered; its ceiling is the caller's
};

// A missing file, and a node that is not in it, are a fresh start (known false). Checkpoints are verified again: PT_UNVERIFIED
// if no key of the genesis signed one.
enum pt_code watch_memory_read(const char *file, const struct genesis *genesis, struct watch_node *nodes, size_t count,
                               struct pt_error *err) PT_NODISCARD;
enum pt_code watch_memory_write(const char *file, const struct watch_node *nodes, size_t count, struct pt_error *err) PT_NODISCARD;

// Writes FILE.evidence-N, N the first that is free: both signed checkpoints and what they contradict. *name gets the file.
enum pt_code watch_evidence_write(const char *file, enum watch_state state, const char *why, struct pt_bytes known, struct pt_bytes seen,
                                  const char *from, char name[512], struct pt_error *err) PT_NODISCARD;

// A checkpoint signed by one of the genesis' executors.
enum pt_code watch_checkpoint_verify(struct pt_bytes bytes, const struct genesis *genesis, struct checkpoint *out,
                                     struct pt_error *err) PT_NODISCARD;

#endif
