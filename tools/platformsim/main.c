// platformsim: the platforms that a pharmacy reports to, on this machine, for demonstrations and tests.
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "tools/platformsim/platformsim.h"

static void print_help(FILE *out) {
    fputs("usage: platformsim [--port N]\n\n"
          "Serves on 127.0.0.1 what gateway/settlement/mapping.example.json speaks to:\n"
          "    POST /trace/documents  POST /trace/query     the trace platform: XML, questions by serial\n"
          "    POST /fsi/api          POST /fsi/query       the insurer's platform: JSON\n"
          "    POST /control   {\"platform\":\"trace\"|\"insurer\",\"mode\":MODE,\"times\":N,\"delay_ms\":N,\"code\":…,\"text\":…}\n"
          "                    MODE: accept, refuse, pending (decided after delay_ms), hold (taken, no answer), late (taken after\n"
          "                    delay_ms, no answer), lose (not taken, no answer), slow (answered after delay_ms), busy, error (500),\n"
          "                    error_taken (taken, 500), garbage (taken, no JSON); for so many documents, or until told otherwise\n"
          "    GET /control    what was taken, how often, and how often it was sent and asked\n"
          "Prints {\"port\":N} when ready. Stops on SIGTERM or SIGINT.\n",
          out);
}

int main(int argc, char **argv) {
    static const struct option options[] = {{"port", required_argument, NULL, 'p'}, {"help", no_argument, NULL, 'h'}, {0}};
    static struct platformsim sim;
    unsigned long port = 0;
    for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        if (option == 'h') {
            print_help(stdout);
            return 0;
        }
        char *end = NULL;
        if (option == 'p') port = strtoul(optarg, &end, 10);
        if (option != 'p' || *end || port > 65535) return 2;
    }
    if (optind < argc) {
        print_help(stderr);
        return 2;
    }
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    struct pt_error err = {0};
    if (platformsim_start((uint16_t)port, &sim, &err) != PT_OK) {
        fprintf(stderr, "platformsim: %s\n", err.what);
        return 3;
    }
    printf("{\"port\":%u}\n", platformsim_port(&sim));
    fflush(stdout);
    int number;
    sigwait(&signals, &number);
    platformsim_stop(&sim);
    return 0;
}
