#include <stdio.h>
#include <string.h>

#include "tools/admin/admin.h"
#include "tools/command/command.h"

static const char overview[] =
    "usage: packtrail admin COMMAND DIR …\n"
    "\n"
    "Makes and keeps a consortium: its TLS authority, the keys and certificates of its actors, its genesis\n"
    "file, and the statements by which its operators let devices in or shut them out. Everything lies in\n"
    "DIR. Keys (mode 0600) are never overwritten; every command can be run again without harm.\n"
    "\n"
    "To found a consortium:\n"
    "  init DIR --name TEXT --profile cn|eu [--ca-cert FILE]\n"
    "      DIR and its TLS authority. With --ca-cert the authority is elsewhere: only its certificate\n"
    "      is kept, and requests for certificates are written instead of certificates.\n"
    "  actor DIR NAME --role ROLE --label TEXT --party URI [--place URI] [--host NAME|IP]… [--days N]\n"
    "               [--replaces KID]\n"
    "      Keys and certificate of one actor. ROLE: executor (a ledger node), gateway, operator (lets\n"
    "      others in), company (signs its own products' records), device (a terminal), client (reads\n"
    "      only). Servers need --host. Actors made before the genesis are its members.\n"
    "  genesis DIR [--rule-version N]\n"
    "      The genesis file, from all actors made so far; prints the hash by which people compare it. The rules begin\n"
    "      with the newest version that this program knows, or with version N.\n"
    "      It is made once. Give genesis.cbor and ca.crt to every node and terminal.\n"
    "\n"
    "To run it:\n"
    "  inspect FILE\n"
    "      What an enrolment request says. Compare its kid with the one on the terminal's screen.\n"
    "  enrol DIR --operator NAME (--request FILE [--kid KID] [--as NAME] [--role ROLE] [--host …]\n"
    "               [--days N] [--replaces KID] | --actor NAME) [--url URL | --out FILE]\n"
    "      Issues the certificate and signs the enrolment. Give tls.crt back to whoever asked.\n"
    "      --kid refuses any other key; roles other than device must be repeated by --role.\n"
    "  revoke DIR --operator NAME --kid KID --last-trusted N --reason TEXT [--url URL | --out FILE]\n"
    "      Statements of the key up to sequence N stay good, however late they come; later ones do not.\n"
    "  master DIR (--operator NAME | --company NAME) --json FILE [--url URL | --out FILE]\n"
    "      Signs master records of products, parties and places.\n"
    "  recall begin|extend|end|show DIR …\n"
    "      Recalls packs by product, lot or serial range; `admin recall --help` says how.\n"
    "  rules DIR --operator NAME --from-height H [--version N] [--set NAME=VALUE]… --reason TEXT [--url URL | --out FILE]\n"
    "      A rule version, settings, or both, from height H on. alert.KIND.mode=shadow|enforce switches an alert; GET /rules\n"
    "      of a ledger node tells what is in force and what waits. A version is never taken back.\n"
    "  finding DIR (--operator NAME | --company NAME) --alert N --status investigating|closed\n"
    "               [--outcome OUTCOME] [--note TEXT] [--related N]… [--url URL | --out FILE]\n"
    "      What became of an alert. OUTCOME, with closed: confirmed_fake, confirmed_wrong, mistake, late_data,\n"
    "      test or unexplained. A closed alert is opened again by investigating.\n"
    "  send DIR (--operator NAME | --company NAME) --url URL\n"
    "      Sends what was signed and is not on the ledger yet.\n"
    "  renew DIR NAME [--host …] [--days N] [--cert FILE]\n"
    "      A new certificate for the same key; --cert takes the one that an authority elsewhere issued.\n"
    "  show DIR\n"
    "      The consortium, its genesis, its actors and their certificates.\n"
    "\n"
    "--url sends to the ledger (or a gateway) with the signer's own certificate; --out writes a file for\n"
    "somebody else to send; with neither the statement waits in the outbox for `send`.\n"
    "\n"
    "With an authority elsewhere: `init --ca-cert`, then `actor` leaves actors/NAME/tls.csr; have it signed\n"
    "for both ends of TLS (serverAuth and clientAuth), then `renew DIR NAME --cert FILE`. To keep the own\n"
    "authority offline, move DIR/ca.key away after founding: the same happens then.\n"
    "For a browser: openssl pkcs12 -export -inkey DIR/actors/NAME/tls.key -in DIR/actors/NAME/tls.crt\n"
    "\n"
    "Exit: 0 done, 1 refused or contradictory, 2 wrong usage, 3 system failure.\n";

static const struct {
    const char *name;
    admin_function *run;
} parts[] = {
    {"init", admin_init},   {"actor", admin_actor},   {"genesis", admin_genesis}, {"inspect", admin_inspect},
    {"enrol", admin_enrol}, {"revoke", admin_revoke}, {"master", admin_master},   {"send", admin_send}, {"recall", admin_recall},
    {"rules", admin_rules},  {"finding", admin_finding},
    {"renew", admin_renew}, {"show", admin_show},
};

static bool asks_for_help(const char *word) {
    return strcmp(word, "--help") == 0 || strcmp(word, "help") == 0;
}

int command_admin(int argc, char **argv) {
    const bool of_recall = argc > 1 && strcmp(argv[1], "recall") == 0;
    for (int i = 1; i < argc && i < 3; i++)
        if (asks_for_help(argv[i]) && !of_recall) return fputs(overview, stdout) < 0 ? 3 : 0;
    for (int i = 2; of_recall && i < argc; i++)
        if (asks_for_help(argv[i])) return fputs(admin_recall_help, stdout) < 0 ? 3 : 0;
    for (size_t i = 0; argc >= 2 && i < sizeof parts / sizeof *parts; i++) {
        if (strcmp(parts[i].name, argv[1]) != 0) continue;
        char name[32];
        struct pt_error err = {0};
        if (parts[i].run(argc - 1, argv + 1, &err) == PT_OK) return 0;
        snprintf(name, sizeof name, "admin %s", argv[1]);
        return command_failed(name, &err);
    }
    if (argc >= 2) fprintf(stderr, "packtrail admin: there is no command '%s'\n\n", argv[1]);
    fputs(overview, stderr);
    return 2;
}
