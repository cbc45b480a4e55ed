#include "tests/faults/layer/writer_pattern.h"

unsigned char pattern_byte(unsigned round) {
    return (unsigned char)(round % 255 + 1);
}

unsigned pattern_slot(unsigned round, unsigned index) {
    return ((round * 2654435761u) >> 8 ^ index * 40503u) % PATTERN_SLOTS;
}

unsigned pattern_last_round(unsigned slot, unsigned round) {
    for (; round > 0; round--)
        for (unsigned i = 0; i < PATTERN_SLOTS_A_ROUND; i++)
            if (pattern_slot(round, i) == slot) return round;
    return 0;
}
