#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "firmware/task/task.h"
#include "tools/admin/arguments.h"
#include "tools/command/command.h"
#include "tools/load/load.h"

static const char help[] =
    "usage: packtrail load --consortium DIR --operator NAME --ledger URL --gateway URL [OPTION…]\n"
    "\n"
    "Puts load on a gateway and the ledger behind it, as many terminals would: makes device keys, has them enrolled by\n"
    "the operator, signs statements ahead, sends them over mutual TLS with the operator's certificate, and verifies the\n"
    "receipts. The statements stay on that ledger: use a consortium made for testing. Prints one JSON line.\n"
    "\n"
    "  --consortium DIR   the consortium's directory (packtrail admin init)\n"
    "  --operator NAME    its operator who enrols the devices\n"
    "  --ledger URL       of a ledger node, for the enrolments\n"
    "  --gateway URL      where the statements go\n"
    "  --devices N        keys that sign (16)\n"
    "  --statements N     in all (10000)\n"
    "  --packs N          packs a statement (1)\n"
    "  --task NAME        commission (default), receive, ship, dispense, …; all but commission speak of packs that must\n"
    "                     be there: repeat an earlier run's --first\n"
    "  --first N          number of the first pack (by chance); printed, for a second run about the same packs\n"
    "  --json-events      events as EPCIS JSON-LD instead of CBOR\n"
    "  --batch N          statements a request (256)\n"
    "  --rate R           statements a second (as fast as they are taken); latencies then count from when a statement\n"
    "                     was due\n"
    "  --threads N        connections that send, each with a thread that signs (4)\n"
    "  --sample N         wait for the receipts of N statements, evenly spread (all); 0: of none\n"
    "  --patience SECONDS without any progress before giving up (60)\n"
    "\n"
    "`later`, 503 and lost connections are tried again; what is sent twice counts once.\n"
    "In the answer: seconds until the last acknowledgement (the gateway has it on disk) and until the last receipt (the\n"
    "ledger proves it), rates over both, milliseconds to acknowledgement and to receipt.\n"
    "Exit: 0 good, 1 something was refused or a receipt does not verify, 2 wrong usage, 3 nobody answers.\n";

enum option_number { CONSORTIUM = 1, OPERATOR, LEDGER, GATEWAY, DEVICES, STATEMENTS, PACKS, TASK, FIRST, JSON, BATCH, RATE,
                     THREADS, SAMPLE, PATIENCE, HELP };

static const struct option longs[] = {
    {"consortium", required_argument, NULL, CONSORTIUM}, {"operator", required_argument, NULL, OPERATOR},
    {"ledger", required_argument, NULL, LEDGER},         {"gateway", required_argument, NULL, GATEWAY},
    {"devices", required_argument, NULL, DEVICES},       {"statements", required_argument, NULL, STATEMENTS},
    {"packs", required_argument, NULL, PACKS},           {"task", required_argument, NULL, TASK},
    {"first", required_argument, NULL, FIRST},           {"json-events", no_argument, NULL, JSON},
    {"batch", required_argument, NULL, BATCH},           {"rate", required_argument, NULL, RATE},
    {"threads", required_argument, NULL, THREADS},       {"sample", required_argument, NULL, SAMPLE},
    {"patience", required_argument, NULL, PATIENCE},     {"help", no_argument, NULL, HELP},
    {0},
};

// What the numbers are before they have their type.
struct numbers {
    uint64_t devices, statements, packs, first, batch, rate, threads, sample, patience;
};

static enum pt_code take_number(int option, const char *text, struct numbers *numbers, struct pt_error *err) {
    static const struct {
        const char *name;
        size_t place;
        uint64_t least, most;
    } of[] = {
        [DEVICES] = {"--devices", offsetof(struct numbers, devices), 1, 100000},
        [STATEMENTS] = {"--statements", offsetof(struct numbers, statements), 1, 1000000000},
        [PACKS] = {"--packs", offsetof(struct numbers, packs), 1, 2000},
        [FIRST] = {"--first", offsetof(struct numbers, first), 0, LOAD_PACKS_MAX - 1},
        [BATCH] = {"--batch", offsetof(struct numbers, batch), 1, 1024},
        [RATE] = {"--rate", offsetof(struct numbers, rate), 1, 10000000},
        [THREADS] = {"--threads", offsetof(struct numbers, threads), 1, 256},
        [SAMPLE] = {"--sample", offsetof(struct numbers, sample), 0, 1000000000},
        [PATIENCE] = {"--patience", offsetof(struct numbers, patience), 1, 86400},
    };
    uint64_t value = 0;
    const enum pt_code code = argument_number(of[option].name, text, of[option].least, of[option].most, &value, err);
    if (code == PT_OK) memcpy((char *)numbers + of[option].place, &value, sizeof value);
    return code;
}

static enum pt_code check(const struct load_options *options, const struct numbers *numbers, struct pt_error *err) {
    const struct {
        const char *name, *value;
    } needed[] = {{"--consortium", options->consortium}, {"--operator", options->operator_name},
                  {"--ledger", options->ledger_url}, {"--gateway", options->gateway_url}};
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        if (!needed[i].value) return pt_fail(err, PT_USAGE, needed[i].name, "is missing");
    const struct task *task = task_by_name(options->task);
    if (!task) return pt_fail(err, PT_USAGE, "--task", "there is no task '%s'", options->task);
    if (task->needs_parent) return pt_fail(err, PT_USAGE, "--task", "'%s' needs a case, which load does not make", options->task);
    if (numbers->statements > (LOAD_PACKS_MAX - numbers->first) / numbers->packs)
        return pt_fail(err, PT_USAGE, "--first", "there are not so many serial numbers behind it");
    return PT_OK;
}

static enum pt_code settle(const struct numbers *numbers, bool first_given, struct load_options *out, struct pt_error *err) {
    uint64_t random = 0;
    enum pt_code code = check(out, numbers, err);
    if (code == PT_OK && !first_given) code = pt_env_system()->random(NULL, (uint8_t *)&random, sizeof random, err);
    if (code != PT_OK) return code;
    out->devices = (unsigned)numbers->devices;
    // A device's statements go one way, in their order.
    out->threads = (unsigned)(numbers->threads < numbers->devices ? numbers->threads : numbers->devices);
    out->packs = (unsigned)numbers->packs;
    out->batch = (unsigned)numbers->batch;
    out->statements = numbers->statements;
    out->first = first_given ? numbers->first : random % (LOAD_PACKS_MAX - numbers->statements * numbers->packs + 1);
    out->rate = (double)numbers->rate;
    out->sample = numbers->sample;
    out->patience_s = (unsigned)numbers->patience;
    return PT_OK;
}

static enum pt_code parse(int argc, char **argv, struct load_options *out, bool *wants_help, struct pt_error *err) {
    struct numbers numbers = {.devices = 16, .statements = 10000, .packs = 1, .batch = 256, .threads = 4,
                              .sample = LOAD_SAMPLE_ALL, .patience = 60};
    bool first_given = false;
    *out = (struct load_options){.task = "commission"};
    opterr = 0;
    optind = 0;
    for (int option; (option = getopt_long(argc, argv, ":", longs, NULL)) != -1;) {
        enum pt_code code = PT_OK;
        switch (option) {
        case CONSORTIUM: out->consortium = optarg; break;
        case OPERATOR: out->operator_name = optarg; break;
        case LEDGER: out->ledger_url = optarg; break;
        case GATEWAY: out->gateway_url = optarg; break;
        case TASK: out->task = optarg; break;
        case JSON: out->json_events = true; break;
        case HELP: *wants_help = true; return PT_OK;
        case '?': return pt_fail(err, PT_USAGE, argv[optind - 1], "there is no such option");
        case ':': return pt_fail(err, PT_USAGE, argv[optind - 1], "a value must follow");
        default:
            first_given = first_given || option == FIRST;
            code = take_number(option, optarg, &numbers, err);
        }
        if (code != PT_OK) return code;
    }
    if (optind < argc) return pt_fail(err, PT_USAGE, argv[optind], "one word too many");
    return settle(&numbers, first_given, out, err);
}

static void print_times(const char *name, const double ms[5]) {
    printf(",\"%s\":{\"p50\":%.2f,\"p90\":%.2f,\"p99\":%.2f,\"p99.9\":%.2f,\"max\":%.2f}", name, ms[0], ms[1], ms[2], ms[3], ms[4]);
}

static void print_report(const struct load_options *options, const struct load_report *report) {
    const double seconds = report->seconds > 0 ? report->seconds : 1, whole = report->seconds_to_receipts;
    printf("{\"statements\":%" PRIu64 ",\"packs\":%" PRIu64 ",\"seconds\":%.3f,\"statements_a_second\":%.0f,\"packs_a_second\":%.0f",
           report->statements, report->packs, report->seconds, (double)report->statements / seconds,
           (double)report->packs / seconds);
    print_times("ack_ms", report->ack_ms);
    if (report->receipts) {
        printf(",\"receipts\":%" PRIu64 ",\"receipts_wrong\":%" PRIu64 ",\"seconds_to_receipts\":%.3f,\"on_ledger_a_second\":%.0f",
               report->receipts, report->receipts_wrong, whole, whole > 0 ? (double)report->statements / whole : 0);
        print_times("receipt_ms", report->receipt_ms);
    }
    printf(",\"refused\":%" PRIu64 ",\"retried\":%" PRIu64 ",\"first\":%" PRIu64 "}\n", report->refused, report->retried,
           options->first);
}

int command_load(int argc, char **argv) {
    struct load_options options;
    struct load_report report;
    struct pt_error err = {0};
    bool wants_help = false;
    if (parse(argc, argv, &options, &wants_help, &err) != PT_OK) return command_failed("load", &err);
    if (wants_help) return fputs(help, stdout) < 0 ? 3 : 0;
    const enum pt_code code = load_run(&options, &report, &err);
    if (report.statements || report.refused) print_report(&options, &report);
    if (code != PT_OK) return command_failed("load", &err);
    return report.refused || report.receipts_wrong ? 1 : 0;
}
