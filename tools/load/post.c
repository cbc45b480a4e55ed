#include <stdio.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "tools/load/run.h"

enum pt_code load_client(struct load_run *run, struct https_client **out, struct pt_error *err) {
    const struct https_client_options options = {
        .ca_file = run->authority, .certificate_file = run->certificate, .key_file = run->key};
    return https_client_new(&options, out, err);
}

void load_client_free(struct https_client **client) { https_client_free(*client); }

enum pt_code load_request(struct load_run *run, struct https_client *client, const char *path, const char *type,
                          struct pt_bytes body, struct https_client_response *response, unsigned *retry_after_s,
                          struct pt_error *err) {
    char url[2048];
    const char *base = run->options->gateway_url;
    const size_t len = strlen(base);
    const bool slash = len > 0 && base[len - 1] == '/';
    if (snprintf(url, sizeof url, "%.*s%s", (int)(len - slash), base, path) >= (int)sizeof url)
        return pt_fail(err, PT_USAGE, "--gateway", "too long");
    const struct https_client_request request = {.url = url, .content_type = type, .body = body};
    const enum pt_code code = https_client_send(client, &request, response, err);
    if (code != PT_OK) return code;
    *retry_after_s = https_client_retry_after(response, 5);
    if (response->status == 200) return PT_OK;
    return pt_fail(err, response->status >= 500 || response->status == 429 ? PT_UNAVAILABLE : PT_FORBIDDEN, url,
                   "answered %u: %.200s", response->status, pt_buf_cstr(&response->body));
}

enum pt_code load_post(struct load_run *run, struct https_client *client, struct pt_bytes body, struct wire_ack *acks,
                       size_t count, unsigned *retry_after_s, struct pt_error *err) {
    PT_CLEANUP(https_client_response_free) struct https_client_response response = {0};
    enum pt_code code =
        load_request(run, client, WIRE_PATH_STATEMENTS, WIRE_TYPE_STATEMENTS, body, &response, retry_after_s, err);
    return code == PT_OK ? wire_acks_decode(pt_buf_bytes(&response.body), acks, count, err) : code;
}
