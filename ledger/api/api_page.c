// The pharmacist's page and the API's own description, compiled into the program (ledger/page/).
#include <string.h>

#include "common/base/cleanup.h"
#include "ledger/api/handlers.h"
#include "ledger/page/assets.h"

// Nothing from elsewhere, nothing inline: what a hostile label could put into the page stays text.
#define CONTENT_POLICY \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " \
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

static void reply_asset(struct https_request *request, const char *name) {
    for (const struct page_asset *asset = page_assets; asset->name; asset++) {
        if (strcmp(asset->name, name) != 0) continue;
        const struct https_header headers[] = {{"Content-Security-Policy", CONTENT_POLICY},
                                               {"Referrer-Policy", "no-referrer"},
                                               {"Cache-Control", "no-cache"}};
        const struct https_response response = {.status = 200, .content_type = asset->content_type, .headers = headers,
                                                .header_count = 3, .body = pt_bytes_of(asset->data, asset->len)};
        https_reply(request, &response);
        return;
    }
    struct pt_error err = {0};
    pt_fail(&err, PT_NOT_FOUND, NULL, "there is no such page");
    https_reply_problem(request, &err);
}

void api_get_page(void *arg, struct https_request *request) {
    (void)arg;
    const char *name = https_request_param(request, "name");
    reply_asset(request, name ? name : "index.html");
}

void api_get_openapi(void *arg, struct https_request *request) {
    (void)arg;
    reply_asset(request, "openapi.json");
}
