// The content of the inserter's rows, known to it and to the test.
#ifndef PACKTRAIL_TESTS_FAULTS_LAYER_INSERTER_H
#define PACKTRAIL_TESTS_FAULTS_LAYER_INSERTER_H

#include <string.h>

#define INSERTER_MAX 3000

static inline int inserter_content(long long id, unsigned char out[INSERTER_MAX]) {
    const int len = (int)((unsigned long long)id * 2654435761u % INSERTER_MAX) + 1; // 1 to INSERTER_MAX
    memset(out, (int)(id % 251), (size_t)len);
    return len;
}

#endif
