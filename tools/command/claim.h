// The parts of `packtrail claim`.
#ifndef PACKTRAIL_TOOLS_COMMAND_CLAIM_H
#define PACKTRAIL_TOOLS_COMMAND_CLAIM_H

#include "common/base/error.h"

// packtrail claim verify --trust FILE [--genesis HEX] BUNDLE; gives the exit status.
int claim_verify_command(int argc, char **argv);

#endif
