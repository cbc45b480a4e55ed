#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/log.h"
#include "firmware/decoder/decoder.h"
#include "firmware/terminal/command.h"

static const char help[] =
    "usage: packtrail-scanner --config FILE COMMAND [ARGUMENT…]\n"
    "       packtrail-scanner --print-config    the configuration file with every key, its default and meaning\n"
    "\n"
    "  request   make this terminal's keys and the enrolment request for the operator\n"
    "  scan      read codes and tags, sign what happened to the packs\n"
    "  undo      take back what was signed by mistake\n"
    "  history   what was signed of late\n"
    "  sync      bring the signed statements to the gateway, collect receipts\n"
    "  recalls   the recalls that this terminal knows, and how old its list is\n"
    "  notices   what others said they sent here\n"
    "  status    what the outbox holds, how the line and the clock are, how old what it knows is\n"
    "\n"
    "packtrail-scanner --config FILE COMMAND --help says more.\n"
    "Exit: 0 good, 1 bad input, 2 usage, 3 a system failure.\n";

static const struct {
    const char *name;
    int (*run)(const struct terminal_options *options, int argc, char **argv);
} commands[] = {
    {"request", command_request}, {"scan", command_scan}, {"undo", command_undo}, {"history", command_history}, {"sync", command_sync}, {"recalls", command_recalls}, {"notices", command_notices}, {"status", command_status}};

static int run(const char *config, int argc, char **argv) {
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(commands[i].name, argv[0]) != 0) continue;
        struct pt_error err = {0};
        struct terminal_options options;
        if (terminal_options_load(config, &options, &err) != PT_OK) return terminal_fail(&err);
        pt_log_open("scanner", (enum pt_log_level)options.log_level);
        optind = 0;  // getopt begins anew with the command's own arguments
        const int status = commands[i].run(&options, argc, argv);
        terminal_options_free(&options);
        return status;
    }
    fprintf(stderr, "packtrail-scanner: there is no command '%s'\n\n%s", argv[0], help);
    return 2;
}

int main(int argc, char **argv) {
    static const struct option longs[] = {{"config", required_argument, NULL, 'c'},
                                          {"print-config", no_argument, NULL, 'p'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    const char *config = NULL;
    // Without the tidying at exit, which needs rights that the process has given up.
    if (argc == 2 && strcmp(argv[1], DECODER_COMMAND) == 0) _exit(decoder_process());
    for (int option; (option = getopt_long(argc, argv, "+c:h", longs, NULL)) != -1;) {
        if (option == 'c') config = optarg;
        else if (option == 'p') {
            PT_CLEANUP(pt_buf_free) struct pt_buf text = PT_BUF_INIT(65536);
            terminal_options_describe(&text);
            fputs(pt_buf_cstr(&text), stdout);
            return 0;
        } else {
            fputs(help, option == 'h' ? stdout : stderr);
            return option == 'h' ? 0 : 2;
        }
    }
    if (!config || optind == argc) {
        fputs(help, stderr);
        return 2;
    }
    return run(config, argc - optind, argv + optind);
}
