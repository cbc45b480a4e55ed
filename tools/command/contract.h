// The sub-commands of `packtrail contract`, and how they say what the state holds.
#ifndef PACKTRAIL_TOOLS_COMMAND_CONTRACT_H
#define PACKTRAIL_TOOLS_COMMAND_CONTRACT_H

#include "common/base/json.h"
#include "ledger/check/simulator.h"
#include "tools/command/command.h"

// argv[0] is the sub-command's name.
command_function contract_simulate;

// --- contract_words.c: new references; never NULL unless memory is out ---
const char *contract_table_word(unsigned table);  // "pack", "name", …; static
// A key as people know it: a pack's URI, a setting's name, else hex.
json_t *contract_key_words(unsigned table, struct pt_bytes key);
// A record as people know it: a pack's fields, a name's text, else hex; null if there is none.
json_t *contract_value_words(struct simulator *simulator, unsigned table, struct pt_bytes key, bool found, struct pt_bytes value);
json_t *contract_time_words(pt_millis time);
json_t *contract_digest_words(const struct pt_digest *digest);
const char *contract_role_word(enum pack_role role);  // static

// One object a line on standard output; takes the reference.
void contract_print(json_t *object);

#endif
