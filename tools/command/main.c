#include <stdio.h>
#include <string.h>

#include "tools/command/command.h"

static const struct command commands[] = {
    {"admin", command_admin, "a consortium's keys, certificates, genesis and enrolments"},
    {"claim", command_claim, "an insurer's claims: sign, send, ask, and check their evidence offline"},
    {"contract", command_contract, "the rules: which there are; what they would say to an event"},
    {"decode", command_decode, "the barcodes in pictures"},
    {"event", command_event, "EPCIS events: check them, show them as JSON-LD"},
    {"identify", command_identify, "what a scanned code says, or which rule it breaks and where"},
    {"ledger", command_ledger, "a node's directory: make it, check it, rebuild its index"},
    {"load", command_load, "puts load on a gateway and the ledger behind it, and measures"},
    {"merkle", command_merkle, "whether a Merkle proof holds"},
    {"receipt", command_receipt, "whether a receipt proves that a statement is in the log; offline"},
    {"statement", command_statement, "whether a signed statement verifies, and what it says"},
    {"watch", command_watch, "follows a ledger from outside: ok, stalled, forked or rolled back"},
    {NULL, NULL, NULL},
};

int command_failed(const char *name, const struct pt_error *err) {
    fprintf(stderr, "packtrail %s: %s%s%s%s\n", name, err->what, err->where[0] ? " (" : "", err->where,
            err->where[0] ? ")" : "");
    return pt_exit_status(err->code);
}

static void print_help(FILE *out) {
    fputs("usage: packtrail COMMAND [ARGUMENT…]\n\n", out);
    for (const struct command *c = commands; c->name; c++) fprintf(out, "  %-12s %s\n", c->name, c->summary);
    fputs("\npacktrail COMMAND --help says more. Exit: 0 good, 1 bad input or does not verify, 2 usage, 3 system failure.\n",
          out);
}

int main(int argc, char **argv) {
    if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)) {
        print_help(stdout);
        return 0;
    }
    for (const struct command *c = commands; argc >= 2 && c->name; c++)
        if (strcmp(c->name, argv[1]) == 0) return c->run(argc - 1, argv + 1);
    if (argc >= 2) fprintf(stderr, "packtrail: there is no command '%s'\n\n", argv[1]);
    print_help(stderr);
    return 2;
}
