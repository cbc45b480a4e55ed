// The sub-commands of `packtrail event`, and the input that they share.
#ifndef PACKTRAIL_TOOLS_COMMAND_EVENT_H
#define PACKTRAIL_TOOLS_COMMAND_EVENT_H

#include "common/epcis/epcis_json.h"
#include "tools/command/command.h"

// argv[0] is the sub-command's name; the files follow, at least one.
command_function event_check;
command_function event_hash;
command_function event_show;
command_function event_xml;

// Reads a file ("-": standard input) of at most 64 MiB (JSON, XML, or one event as CBOR) and decodes it. `arena` need not have a ceiling.
// PT_INVALID and PT_LIMIT tell of the content, other codes of the system.
enum pt_code event_read_file(const char *path, enum epcis_strictness strictness, struct pt_arena *arena,
                             struct epcis_document *out, struct pt_error *err) PT_NODISCARD;

// Runs `one` on each file and gives the worst exit status.
int event_each_file(int argc, char **argv, int (*one)(const char *path));

// Prints {"file":…,"valid":false,"error":…,"pointer":…,"position":…} for content that is bad, an error message
// otherwise; gives the exit status.
int event_print_refusal(const char *path, const struct pt_error *err);

#endif
