// The stories: what becomes of a lot, ordinary and planted.
#ifndef PACKTRAIL_TESTS_RULES_TRAFFIC_STORY_H
#define PACKTRAIL_TESTS_RULES_TRAFFIC_STORY_H

#include "tests/rules/traffic_lot.h"

// The number of a crime's story by its name in crimes.json. Ends the program if there is none.
unsigned traffic_story_named(const char *name);

// All that will be told of a lot, into the heap.
void lot_story(struct story *story, struct lot *lot);

// One pack at the end of its way: in stock at a pharmacy.
struct counter {
    struct story *story;
    struct lot *lot;
    uint32_t pack;
    const struct site *wholesaler, *pharmacy;
    int64_t shipped, received, sold;
};
// A sale as pharmacies do it, with label and parts.
struct happening *sell(const struct counter *at, const struct site *pharmacy, int64_t seconds);
// How much more often than its rate a crime is drawn for this pack, because other packs cannot meet it; 0: not this one.
int64_t crime_weight(const struct counter *at, unsigned story);
// Plays a crime with this pack. False if the pack does not fit (there is no other party far enough …): nothing is told.
bool crime_story(const struct counter *at, uint32_t crime);
// Crimes of whole deliveries: cold chain. Returns 1 + the planted number, or 0, and the logger's tale.
uint32_t crime_of_delivery(struct story *story, struct lot *lot, enum logger *logger);
// Crimes at the lot's beginning: announcements.
void crimes_of_lot(struct story *story, struct lot *lot);

#endif
