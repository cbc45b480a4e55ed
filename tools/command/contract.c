// `packtrail contract`: the rules of the ledger.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "tools/command/contract.h"

static const char help[] =
    "usage: packtrail contract list [--rule-version N]\n"
    "       packtrail contract table cn|eu\n"
    "       packtrail contract simulate DIR --as WHO [OPTION…] FILE…\n"
    "\n"
    "  list      the contracts by rule version, in the order they run, with the statements they hear and their profiles\n"
    "  table     what each operation does in each state, as the lifecycle contract has it\n"
    "  simulate  what the contracts would say to a statement, and what would change; on a copy of the state, while the\n"
    "            node may be running, and nothing is written. FILE (- for standard input) is EPCIS 2.0 JSON(-LD), one event as CBOR,\n"
    "            or a signed statement; several events, and several files, run one after the other\n"
    "    DIR                 a ledger node's directory\n"
    "    --as WHO            who signs: an enrolled kid, name, or party's URI; of a signed statement its own key if left out\n"
    "    --at TIME           chain time, 2026-01-31T08:00:00Z; now if left out, and never before the ledger's own\n"
    "    --rule-version N    instead of the version in force at the next height\n"
    "    --type KIND         FILE is the bare payload of a master, enrolment, revocation, rules, recall, claim or finding\n"
    "\n"
    "simulate prints a line for each statement, contract, pack (which row of the table applies), read, change and alert. Where\n"
    "the statement stands in its device's chain is not looked at. Exit: 0 it would be applied, 1 it would be refused or\n"
    "does not verify, 2 usage, 3 system failure.\n";

static int usage(void) {
    fputs(help, stderr);
    return 2;
}

static json_t *kinds_of(unsigned kinds) {
    static const char *const words[] = {"event", "enrolment", "revocation", "master", "rules", "recall", "claim", "finding"};
    json_t *list = json_array();
    for (unsigned i = 0; i < sizeof words / sizeof *words; i++)
        if (kinds & (1u << i)) json_array_append_new(list, json_string(words[i]));
    return list;
}

static json_t *profiles_of(const char *profiles) {
    json_t *list = json_array();
    for (const char *at = profiles ? profiles : "cn eu"; *at;) {
        const size_t len = strcspn(at, " ");
        if (len > 0) json_array_append_new(list, json_stringn(at, len));
        at += len + strspn(at + len, " ");
    }
    return list;
}

static void list_version(uint64_t version) {
    const struct contract *const *contracts = contracts_in_force(version);
    for (size_t i = 0; contracts[i]; i++)
        contract_print(json_pack("{s:I, s:s, s:I, s:o, s:o}", "rule_version", (json_int_t)version, "contract", contracts[i]->name, "version",
                                 (json_int_t)contracts[i]->version, "hears", kinds_of(contracts[i]->kinds), "profiles",
                                 profiles_of(contracts[i]->profiles)));
}

static int list(int argc, char **argv) {
    if (argc == 1) {
        for (uint64_t version = 1; contracts_in_force(version); version++) list_version(version);
        return 0;
    }
    if (argc != 3 || strcmp(argv[1], "--rule-version") != 0) return usage();
    const unsigned long version = strlen(argv[2]) < 10 ? strtoul(argv[2], NULL, 10) : 0;
    if (!contracts_in_force(version)) {
        const struct pt_error err = {.code = PT_INVALID, .where = "--rule-version", .what = "this program does not know it"};
        return command_failed("contract list", &err);
    }
    list_version(version);
    return 0;
}

static int table(const char *profile) {
    PT_CLEANUP(pt_buf_free) struct pt_buf out = PT_BUF_INIT((size_t)1024 * 1024);
    if (strcmp(profile, "cn") != 0 && strcmp(profile, "eu") != 0) return usage();
    lifecycle_table_print(lifecycle_profile_of(profile, PROFILE_CN), &out);
    fputs(pt_buf_cstr(&out), stdout);
    return 0;
}

int command_contract(int argc, char **argv) {
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0) {
            fputs(help, stdout);
            return 0;
        }
    if (argc >= 2 && strcmp(argv[1], "list") == 0) return list(argc - 1, argv + 1);
    if (argc == 3 && strcmp(argv[1], "table") == 0) return table(argv[2]);
    if (argc >= 2 && strcmp(argv[1], "simulate") == 0) {
        const int status = contract_simulate(argc - 1, argv + 1);
        return status < 0 ? usage() : status;
    }
    return usage();
}
