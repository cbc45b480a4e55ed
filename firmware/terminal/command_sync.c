// `packtrail-scanner sync`: brings the outbox to the gateway and waits for the receipts.
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "firmware/terminal/command.h"

static const char sync_help[] =
    "usage: packtrail-scanner --config FILE sync [--timeout SECONDS]\n"
    "\n"
    "Uploads every statement that the gateway does not have and collects receipts until none is missing or the time\n"
    "(default 60 s) is over. Exit 0: nothing is left; 1: the gateway refused statements; 3: some are still under way.\n";

static void pause_ms(long milliseconds) {
    const struct timespec pause = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    nanosleep(&pause, NULL);
}

static void add_up(struct sync_result *total, const struct sync_result *turn) {
    total->uploaded += turn->uploaded;
    total->refused += turn->refused;
    total->received += turn->received;
    total->left = turn->left;
    total->feed_read = total->feed_read || turn->feed_read;
    total->reachable = total->reachable || turn->reachable;
}

static int sync_until_empty(struct sync *sync, long seconds) {
    const struct pt_env *env = pt_env_system();
    const pt_millis end = env->now(env->ctx) + seconds * 1000;
    struct sync_result total = {0};
    struct pt_error err = {0};
    for (unsigned idle = 0;; idle++) {
        struct sync_result turn;
        const enum pt_code code = sync_turn(sync, &turn, &err);
        add_up(&total, &turn);
        if (code != PT_OK) return terminal_fail(&err);
        // The news are wanted, too; a gateway that does not know this terminal yet may have them in a moment.
        const bool settled = turn.left == 0 && (total.feed_read || !turn.reachable || idle > 5);
        if (settled || env->now(env->ctx) >= end) break;
        if (turn.uploaded + turn.received > 0) idle = 0;
        pause_ms(idle < 5 ? 50 << idle : 1600);
    }
    printf("{\"uploaded\":%zu,\"refused\":%zu,\"received\":%zu,\"left\":%zu,\"reachable\":%s}\n", total.uploaded, total.refused,
           total.received, total.left, total.reachable ? "true" : "false");
    if (total.left) return 3;
    return total.refused ? 1 : 0;
}

int command_sync(const struct terminal_options *options, int argc, char **argv) {
    static const struct option longs[] = {{"timeout", required_argument, NULL, 't'}, {"help", no_argument, NULL, 'h'}, {0}};
    long seconds = 60;
    for (int option; (option = getopt_long(argc, argv, "t:h", longs, NULL)) != -1;) {
        char *end = NULL;
        if (option == 't') seconds = strtol(optarg, &end, 10);
        if (option == 't' && *end == 0 && seconds >= 0 && seconds <= 86400) continue;
        fputs(sync_help, option == 'h' ? stdout : stderr);
        return option == 'h' ? 0 : 2;
    }
    struct pt_error err = {0};
    struct terminal terminal;
    struct sync *sync = NULL;
    if (terminal_open(options, &terminal, &err) != PT_OK) return terminal_fail(&err);
    int status = 3;
    if (terminal_sync_new(&terminal, &sync, &err) != PT_OK) status = terminal_fail(&err);
    else status = sync_until_empty(sync, seconds);
    sync_free(sync);
    terminal_close(&terminal);
    return status;
}
