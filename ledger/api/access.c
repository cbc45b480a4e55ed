#include "ledger/api/handlers.h"

enum pt_code api_actor(struct api *api, struct https_request *request, struct actor *out, struct pt_error *err) {
    const struct https_identity *identity = https_request_identity(request);
    if (!identity->present || !identity->has_thumbprint)
        return pt_fail(err, PT_FORBIDDEN, NULL, "this needs the client certificate of an enrolled actor");
    if (identity->expired)
        return pt_fail(err, PT_FORBIDDEN, NULL, "the client certificate is outside its validity; renew it");
    const enum pt_code code = ledger_actor_by_tls(api->options.ledger, &identity->thumbprint, out, err);
    if (code == PT_NOT_FOUND)
        return pt_fail(err, PT_FORBIDDEN, NULL, "nobody is enrolled with the key of this client certificate");
    if (code == PT_OK && out->revoked) {
        actor_free(out);
        return pt_fail(err, PT_FORBIDDEN, NULL, "the actor of this client certificate is revoked");
    }
    return code;
}

bool api_may(struct api *api, struct https_request *request, enum api_need need) {
    const enum api_anonymous anonymous = api->options.anonymous;
    if (anonymous == API_ANONYMOUS_READ || (anonymous == API_ANONYMOUS_VERIFY && need == API_NEED_VERIFY)) return true;
    struct pt_error err = {0};
    struct actor actor;
    if (api_actor(api, request, &actor, &err) == PT_OK) {
        actor_free(&actor);
        return true;
    }
    https_reply_problem(request, &err);
    return false;
}
