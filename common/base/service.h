// What every server process of ours has in common: the command line, and stopping when it is asked to.
#ifndef PACKTRAIL_COMMON_BASE_SERVICE_H
#define PACKTRAIL_COMMON_BASE_SERVICE_H

#include "common/base/bytes.h"

struct service {
    const char *name;                         // "packtrail-gateway"
    const char *help;                         // what it does, for --help; the options are explained by service_main
    void (*describe)(struct pt_buf *out);     // the configuration file with every key, for --print-config
    int (*run)(const char *config);           // serves until service_wait returns; gives the exit status
};

// Parses --config FILE, --print-config and --help, blocks the stop signals (before any thread starts) and runs.
int service_main(const struct service *service, int argc, char **argv);

// Waits for SIGTERM, SIGINT or service_stop. True: a failure stopped it.
bool service_wait(void);

// Stops the process from any thread because of a failure (a disk, say): service_wait returns true.
void service_stop_failed(void);

// Prints "NAME: what (where)" and gives the exit status of a failed start: 2 for wrong usage, 3 otherwise.
int service_failed(const char *name, const struct pt_error *err);

#endif
