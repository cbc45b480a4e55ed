// A random walk through the rules: a small trade (packs, cases in cases, sites, a maker), random events told to the lab, and
// after each of them the model's word on what the contracts made of it (model.h).
#ifndef PACKTRAIL_TESTS_RULES_WALK_H
#define PACKTRAIL_TESTS_RULES_WALK_H

#include "common/identify/pack_id.h"
#include "tests/rules/expectations.h"
#include "tests/rules/rules_say.h"

#define WALK_PACKS 8u
#define WALK_BOXES 19u  // more than may lie in each other
#define WALK_THINGS (WALK_PACKS + WALK_BOXES)
#define WALK_SITES 3u
#define WALK_NOTHING WALK_THINGS  // for "lies in nothing"

struct walk_thing {
    char uri[80];
    uint8_t key_bytes[64];
    struct pt_bytes key;
};

#define WALK_NAMES 256u

// What can be seen of a thing from outside.
struct walk_view {
    bool known;
    struct pack_record record;
    unsigned parent;  // thing that its record names and that was not emptied since; WALK_NOTHING
    bool emptied;     // its record names a container that was emptied since
    uint8_t bytes[PACK_RECORD_MAX];
    size_t len;       // of the record as stored
};

struct walk {
    struct rules_lab *lab;
    bool china;
    const struct actor *maker, *sites[WALK_SITES];
    struct walk_thing things[WALK_THINGS];
    struct rules_lab_snapshot *start;
    const struct expectations *expected;
    uint64_t seed;              // moves on
    uint64_t episode, step;     // for reports
    int64_t now;                // seconds; what most events have
    bool trace, deep;           // deep: an episode that begins by stacking boxes
    struct walk_view before[WALK_THINGS], after[WALK_THINGS];
    bool changed[WALK_THINGS];
    uint8_t names[WALK_NAMES];  // 1 + thing that a number of the name table stands for
    struct walk_past *past;     // the last events, to be taken back
    size_t refused, alerted, late, corrected;  // counted, to show that the walk goes everywhere
    size_t reached[LIFECYCLE_STATES], deepest;
};

// The event that was just told.
struct walk_event {
    struct say say;
    enum lifecycle_operation parent_operation, operation;  // of its container; of the other things that it names
    unsigned parent;              // WALK_NOTHING: none
    unsigned named[4];            // the others
    bool correction;              // an error declaration: the operations are those that it takes back
    size_t named_count;
    const struct actor *signer;
};

void walk_begin(struct walk *walk, const char *profile, uint64_t rule_version, const struct expectations *expected);
void walk_end(struct walk *walk);
// So many steps from a fresh start; the same for the same seed.
void walk_episode(struct walk *walk, uint64_t seed, uint64_t steps);

// Ends the program with what went wrong, where, and how to see it again.
void walk_fail(const struct walk *walk, const struct walk_event *event, unsigned thing, const char *format, ...) PT_PRINTF(4, 5);

#endif
