#include "common/base/service.h"

#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "common/base/cleanup.h"

enum { MOST_DESCRIPTION = 65536 };

static atomic_bool failed;

static sigset_t stop_signals(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    return set;
}

bool service_wait(void) {
    const sigset_t set = stop_signals();
    int got;
    sigwait(&set, &got);
    return atomic_load(&failed);
}

void service_stop_failed(void) {
    atomic_store(&failed, true);
    kill(getpid(), SIGTERM);
}

int service_failed(const char *name, const struct pt_error *err) {
    fprintf(stderr, "%s: %s%s%s%s\n", name, err->what, err->where[0] ? " (" : "", err->where, err->where[0] ? ")" : "");
    return err->code == PT_USAGE ? 2 : 3;
}

static void print_help(const struct service *service, FILE *out) {
    fprintf(out,
            "usage: %s --config FILE\n"
            "       %s --print-config    the configuration file with every key, its default and meaning\n"
            "\n%s\nSIGTERM or SIGINT stops it. Exit: 0 stopped, 2 wrong usage, 3 a system failure.\n",
            service->name, service->name, service->help);
}

int service_main(const struct service *service, int argc, char **argv) {
    static const struct option longs[] = {{"config", required_argument, NULL, 'c'},
                                          {"print-config", no_argument, NULL, 'p'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    const char *config = NULL;
    for (int option; (option = getopt_long(argc, argv, "c:h", longs, NULL)) != -1;) {
        if (option == 'c') config = optarg;
        else if (option == 'p') {
            PT_CLEANUP(pt_buf_free) struct pt_buf text = PT_BUF_INIT(MOST_DESCRIPTION);
            service->describe(&text);
            fputs(pt_buf_cstr(&text), stdout);
            return 0;
        } else {
            print_help(service, option == 'h' ? stdout : stderr);
            return option == 'h' ? 0 : 2;
        }
    }
    if (!config || optind != argc) {
        print_help(service, stderr);
        return 2;
    }
    const sigset_t set = stop_signals();
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    return service->run(config);
}
