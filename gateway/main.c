#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/log.h"
#include "gateway/gateway.h"

static const char help[] =
    "usage: packtrail-gateway --config FILE\n"
    "       packtrail-gateway --print-config    the configuration file with every key, its default and meaning\n"
    "\n"
    "Takes signed statements from the terminals of a site, keeps them safe, and brings them to the ledger in signed\n"
    "blocks. SIGTERM or SIGINT stops it; what is not on the ledger yet waits on disk for the next start.\n";

static atomic_bool disk_gone;

// Called from another thread: the main thread waits for a signal.
static void on_disk_failure(void *arg) {
    atomic_store(&disk_gone, true);
    pthread_kill(*(const pthread_t *)arg, SIGTERM);
}

static int fail(const struct pt_error *err) {
    fprintf(stderr, "packtrail-gateway: %s%s%s%s\n", err->what, err->where[0] ? " (" : "", err->where, err->where[0] ? ")" : "");
    return pt_exit_status(err->code) == 2 ? 2 : 3;
}

static int serve(const struct gateway_options *options) {
    sigset_t stop_signals;
    sigemptyset(&stop_signals);
    sigaddset(&stop_signals, SIGTERM);
    sigaddset(&stop_signals, SIGINT);
    // Blocked before any thread starts, so that only sigwait below sees them.
    pthread_sigmask(SIG_BLOCK, &stop_signals, NULL);
    pthread_t self = pthread_self();
    struct gateway *gateway = NULL;
    struct pt_error err = {0};
    if (gateway_start(options, pt_env_system(), on_disk_failure, &self, &gateway, &err) != PT_OK) return fail(&err);
    pt_log(PT_LOG_INFO, "listening", "address=%s port=%u", options->address, gateway_port(gateway));
    int got;
    sigwait(&stop_signals, &got);
    pt_log(PT_LOG_INFO, "stopping", "reason=%s", atomic_load(&disk_gone) ? "disk" : "signal");
    gateway_stop(gateway);
    return atomic_load(&disk_gone) ? 3 : 0;
}

int main(int argc, char **argv) {
    static const struct option longs[] = {{"config", required_argument, NULL, 'c'},
                                          {"print-config", no_argument, NULL, 'p'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    const char *config = NULL;
    for (int option; (option = getopt_long(argc, argv, "c:h", longs, NULL)) != -1;) {
        if (option == 'c') config = optarg;
        else if (option == 'p') {
            PT_CLEANUP(pt_buf_free) struct pt_buf text = PT_BUF_INIT(65536);
            gateway_options_describe(&text);
            fputs(pt_buf_cstr(&text), stdout);
            return 0;
        } else {
            fputs(help, option == 'h' ? stdout : stderr);
            return option == 'h' ? 0 : 2;
        }
    }
    if (!config || optind != argc) {
        fputs(help, stderr);
        return 2;
    }
    PT_CLEANUP(gateway_options_free) struct gateway_options options;
    struct pt_error err = {0};
    if (gateway_options_load(config, &options, &err) != PT_OK) {
        options = (struct gateway_options){0};
        return fail(&err);
    }
    pt_log_open("gateway", (enum pt_log_level)options.log_level);
    return serve(&options);
}
