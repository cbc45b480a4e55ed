// What the writer does in each round, known to the writer and to the test that judges what a power cut left.
#ifndef PACKTRAIL_TESTS_FAULTS_LAYER_WRITER_PATTERN_H
#define PACKTRAIL_TESTS_FAULTS_LAYER_WRITER_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

// A round, counted from 1: overwrites some slots of "slots", appends a record to "log", makes "r-ROUND", removes
// "r-(ROUND-3)", replaces "current" by way of "current.tmp"; then syncs everything, and is said on standard output.
// Everything that a round writes consists of its byte.
#define PATTERN_SLOTS 32u
#define PATTERN_SLOT_SIZE 600u // not a multiple of a sector
#define PATTERN_SLOTS_A_ROUND 4u
#define PATTERN_RECORD_SIZE 150u
#define PATTERN_FILE_SIZE 50u
#define PATTERN_KEPT_FILES 3u

unsigned char pattern_byte(unsigned round);                 // never 0
unsigned pattern_slot(unsigned round, unsigned index);      // index below PATTERN_SLOTS_A_ROUND
unsigned pattern_last_round(unsigned slot, unsigned round); // the last one up to `round` that wrote the slot; 0: none

#endif
