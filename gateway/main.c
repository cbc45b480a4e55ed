#include "common/base/log.h"
#include "common/base/service.h"
#include "gateway/gateway.h"

#define NAME "packtrail-gateway"

static void on_disk_failure(void *arg) {
    (void)arg;
    service_stop_failed();
}

static int serve(const struct gateway_options *options) {
    struct gateway *gateway = NULL;
    struct pt_error err = {0};
    if (gateway_start(options, pt_env_system(), on_disk_failure, NULL, &gateway, &err) != PT_OK) return service_failed(NAME, &err);
    pt_log(PT_LOG_INFO, "listening", "address=%s port=%u", options->address, gateway_port(gateway));
    const bool failed = service_wait();
    pt_log(PT_LOG_INFO, "stopping", "reason=%s", failed ? "disk" : "signal");
    gateway_stop(gateway);
    return failed ? 3 : 0;
}

static int run(const char *config) {
    struct gateway_options options;
    struct pt_error err = {0};
    if (gateway_options_load(config, &options, &err) != PT_OK) return service_failed(NAME, &err);
    pt_log_open("gateway", (enum pt_log_level)options.log_level);
    const int status = serve(&options);
    gateway_options_free(&options);
    return status;
}

int main(int argc, char **argv) {
    static const struct service service = {
        .name = NAME,
        .help = "Takes signed statements from the terminals of a site, keeps them safe, and brings them to the ledger in signed\n"
                "blocks. What is not on the ledger yet waits on disk for the next start.\n",
        .describe = gateway_options_describe,
        .run = run,
    };
    return service_main(&service, argc, argv);
}
