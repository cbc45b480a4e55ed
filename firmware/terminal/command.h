// The commands of packtrail-scanner, one file each. Each prints JSON, one object a line, on standard output and returns
// the exit status: 0 good, 1 bad input, 2 wrong usage, 3 a system failure.
#ifndef PACKTRAIL_FIRMWARE_TERMINAL_COMMAND_H
#define PACKTRAIL_FIRMWARE_TERMINAL_COMMAND_H

#include "firmware/clock/clock.h"
#include "firmware/device/device.h"
#include "firmware/history/history.h"
#include "firmware/recall/recall_list.h"
#include "firmware/reference/reference.h"
#include "firmware/sync/sync.h"
#include "firmware/terminal/options.h"

int command_request(const struct terminal_options *options, int argc, char **argv);
int command_scan(const struct terminal_options *options, int argc, char **argv);
int command_sync(const struct terminal_options *options, int argc, char **argv);
int command_undo(const struct terminal_options *options, int argc, char **argv);
int command_history(const struct terminal_options *options, int argc, char **argv);
int command_recalls(const struct terminal_options *options, int argc, char **argv);
int command_notices(const struct terminal_options *options, int argc, char **argv);
int command_status(const struct terminal_options *options, int argc, char **argv);

// What the commands share: the opened device with its outbox.
struct terminal {
    const struct terminal_options *options;
    struct device device;
    struct pt_disk disk, history_disk;
    struct outbox *outbox;
    struct recall_list *recalls;
    struct reference *reference;
    struct clock_guard *clock;
    struct history *history;
};
enum pt_code terminal_open(const struct terminal_options *options, struct terminal *out, struct pt_error *err) PT_NODISCARD;
void terminal_close(struct terminal *terminal);

// A sync of this terminal's outbox with its gateway.
enum pt_code terminal_sync_new(struct terminal *terminal, struct sync **out, struct pt_error *err) PT_NODISCARD;

int terminal_fail(const struct pt_error *err);  // prints the error, gives the exit status

#endif
