// `packtrail-scanner request`: keys on first use, and the enrolment request for the operator.
#include <stdio.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/text.h"
#include "firmware/terminal/command.h"

int command_request(const struct terminal_options *options, int argc, char **argv) {
    (void)argv;
    if (argc != 1) {
        fputs("usage: packtrail-scanner --config FILE request\n", stderr);
        return 2;
    }
    struct pt_error err = {0};
    PT_CLEANUP(enrolment_request_free) struct enrolment_request request = {.role = ACTOR_DEVICE};
    snprintf(request.name, sizeof request.name, "%s", options->name);
    snprintf(request.party, sizeof request.party, "%s", options->party);
    snprintf(request.place, sizeof request.place, "%s", options->place);
    char file[512];
    if (device_prepare(options->data_dir, options->key, &request, file, &err) != PT_OK) return terminal_fail(&err);
    char kid[65];
    pt_digest_hex(&request.kid, kid);
    printf("{\"kid\":\"%s\",\"request\":\"%s\"}\n", kid, file);
    return 0;
}
