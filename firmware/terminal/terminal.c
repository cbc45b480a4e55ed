#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include "firmware/terminal/command.h"

// For whoever is no superuser; 0 if it cannot be told, so that a disk that fails is not written to.
static uint64_t free_bytes(void *directory) {
    struct statvfs disk;
    return statvfs(directory, &disk) == 0 ? (uint64_t)disk.f_bavail * disk.f_frsize : 0;
}

// What the feed brought in an earlier run counts from the start.
static void stop_if_revoked(struct terminal *terminal) {
    char why[SYNC_WHY_MAX + 1];
    const struct pt_digest kid = verify_key_thumbprint(terminal->device.signer.key);
    if (sync_revoked(terminal->reference, &kid, why)) outbox_stop_signing(terminal->outbox, why);
}

enum pt_code terminal_open(const struct terminal_options *options, struct terminal *out, struct pt_error *err) {
    *out = (struct terminal){.options = options};
    enum pt_code code = device_open(options->data_dir, options->key, options->genesis_file, &out->device, err);
    if (code != PT_OK) return code;
    code = pt_disk_posix_open(out->device.outbox_dir, &out->disk, err);
    const struct outbox_options outbox = {
        .genesis = out->device.genesis.hash,
        .device = &out->device.signer,
        .issuer = options->party,
        .most_bytes = (uint64_t)options->outbox_bytes,
        .free_bytes = free_bytes,
        .free_arg = out->device.outbox_dir,
    };
    if (code == PT_OK) code = outbox_open(&out->disk, &outbox, &out->outbox, err);
    if (code == PT_OK) code = pt_disk_posix_open(out->device.history_dir, &out->history_disk, err);
    if (code == PT_OK) code = history_open(&out->history_disk, (uint64_t)options->history_bytes, &out->history, err);
    if (code == PT_OK) code = recall_list_open(&out->device.genesis, out->device.recalls_file, &out->recalls, err);
    if (code == PT_OK) code = reference_open(&out->device.genesis, out->device.reference_file, &out->reference, err);
    if (code == PT_OK) code = clock_guard_open(out->device.clock_file, pt_env_system(), options->clock_limit, &out->clock, err);
    if (code == PT_OK) stop_if_revoked(out);
    else terminal_close(out);
    return code;
}

void terminal_close(struct terminal *terminal) {
    clock_guard_close(terminal->clock);
    reference_close(terminal->reference);
    recall_list_close(terminal->recalls);
    history_close(terminal->history);
    if (terminal->history_disk.ctx) pt_disk_posix_close(&terminal->history_disk);
    outbox_close(terminal->outbox);
    if (terminal->disk.ctx) pt_disk_posix_close(&terminal->disk);
    device_close(&terminal->device);
}

enum pt_code terminal_sync_new(struct terminal *terminal, struct sync **out, struct pt_error *err) {
    const struct terminal_options *o = terminal->options;
    const struct sync_options sync = {
        .outbox = terminal->outbox,
        .genesis = &terminal->device.genesis,
        .gateway_url = o->gateway_url,
        .client = {.ca_file = o->ca_file,
                   .certificate_file = terminal->device.certificate_file,
                   .key_file = terminal->device.tls_key_file,
                   .connect_timeout_ms = (unsigned)o->connect_timeout,
                   .total_timeout_ms = (unsigned)o->request_timeout},
        .env = pt_env_system(),
        .batch = (size_t)o->batch,
        .resend_after = o->resend_after,
        .recalls = terminal->recalls,
        .reference = terminal->reference,
        .clock = terminal->clock,
        .feed_interval = o->feed_interval,
        .kid = verify_key_thumbprint(terminal->device.signer.key),
        .line_file = terminal->device.line_file,
    };
    return sync_new(&sync, out, err);
}

int terminal_fail(const struct pt_error *err) {
    fprintf(stderr, "packtrail-scanner: %s%s%s%s\n", err->what, err->where[0] ? " (" : "", err->where, err->where[0] ? ")" : "");
    return pt_exit_status(err->code);
}
