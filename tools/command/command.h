// The commands of `packtrail`: one file each, listed in main.c.
#ifndef PACKTRAIL_TOOLS_COMMAND_COMMAND_H
#define PACKTRAIL_TOOLS_COMMAND_COMMAND_H

#include "common/base/error.h"

// argv[0] is the command's own name. Prints JSON, one object a line, on standard output and errors on standard
// error; returns the exit status: 0 good, 1 bad input or does not verify, 2 wrong usage, 3 system failure.
typedef int command_function(int argc, char **argv);

command_function command_admin;
command_function command_claim;
command_function command_contract;
command_function command_decode;
command_function command_event;
command_function command_identify;
command_function command_ledger;
command_function command_load;
command_function command_merkle;
command_function command_receipt;
command_function command_statement;
command_function command_watch;

struct command {
    const char *name;
    command_function *run;
    const char *summary;  // one line for --help
};

// Prints "packtrail NAME: what (where)" on standard error and gives the exit status for its code.
int command_failed(const char *name, const struct pt_error *err);

#endif
