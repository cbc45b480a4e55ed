#include "common/chain/enrolment_request.h"

#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/text.h"
#include "common/cose/cose_sign1.h"

enum { REQUEST_VERSION = 1, REQUEST_PAIRS = 7, HEADER_PAIRS = 4 };

void enrolment_request_free(struct enrolment_request *request) {
    pt_buf_free(&request->key);
    pt_buf_free(&request->csr);
}

// Shown to an operator who decides: no control characters.
static bool presentable(struct pt_bytes text) {
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] < 0x20 || text.data[i] == 0x7f) return false;
    return pt_utf8_valid(text);
}

// --- Writing ---

static enum pt_code check_text(const char *text, const char *field, bool may_be_empty, struct pt_error *err) {
    const size_t len = strlen(text);
    if ((len == 0 && !may_be_empty) || len > ACTOR_TEXT_MAX)
        return pt_fail(err, PT_INVALID, field, "must have %s%u bytes", may_be_empty ? "at most " : "1 to ",
                       ACTOR_TEXT_MAX);
    if (!presentable(pt_bytes_of(text, len)))
        return pt_fail(err, PT_INVALID, field, "must be UTF-8 without control characters");
    return PT_OK;
}

static enum pt_code check_fields(const struct enrolment_request *request, struct pt_error *err) {
    enum pt_code code = check_text(request->name, "name", false, err);
    if (code == PT_OK) code = check_text(request->party, "party", false, err);
    if (code == PT_OK) code = check_text(request->place, "place", true, err);
    if (code != PT_OK) return code;
    if (request->csr.len == 0 || request->csr.len > ENROLMENT_REQUEST_CSR_MAX)
        return pt_fail(err, PT_INVALID, "certificate request", "must have 1 to %zu bytes", ENROLMENT_REQUEST_CSR_MAX);
    if (request->role < ACTOR_DEVICE || request->role > ACTOR_CLIENT)
        return pt_fail(err, PT_INVALID, "role", "there is no role %d", (int)request->role);
    return PT_OK;
}

static void put_payload(const struct enrolment_request *request, const struct verify_key *key, struct pt_buf *out) {
    PT_CLEANUP(pt_buf_free) struct pt_buf cose_key = PT_BUF_INIT(1024);
    verify_key_to_cose(key, &cose_key);
    cbor_put_map(out, REQUEST_PAIRS);
    cbor_put_uint(out, 1);
    cbor_put_uint(out, REQUEST_VERSION);
    cbor_put_uint(out, 2);
    cbor_put_text(out, request->name);
    cbor_put_uint(out, 3);
    pt_buf_append_bytes(out, pt_buf_bytes(&cose_key));
    cbor_put_uint(out, 4);
    cbor_put_text_bytes(out, pt_buf_bytes(&request->csr));
    cbor_put_uint(out, 5);
    cbor_put_text(out, request->party);
    cbor_put_uint(out, 6);
    cbor_put_text(out, request->place);
    cbor_put_uint(out, 7);
    cbor_put_uint(out, (uint64_t)request->role);
}

// The genesis hash is all zero: whoever asks need not know the ledger yet, and the content type keeps the
// message from being taken for anything else.
static void put_header(const struct verify_key *key, struct pt_buf *out) {
    const struct pt_digest kid = verify_key_thumbprint(key), none = {{0}};
    cbor_put_map(out, HEADER_PAIRS);
    cbor_put_int(out, COSE_HEADER_ALG);
    cbor_put_int(out, COSE_ES256);
    cbor_put_int(out, COSE_HEADER_CONTENT_TYPE);
    cbor_put_text(out, ENROLMENT_REQUEST_CONTENT_TYPE);
    cbor_put_int(out, COSE_HEADER_KID);
    cbor_put_bytes(out, pt_bytes_digest(&kid));
    cbor_put_int(out, COSE_HEADER_GENESIS);
    cbor_put_bytes(out, pt_bytes_digest(&none));
}

enum pt_code enrolment_request_sign(const struct enrolment_request *request, const struct signer *signer,
                                    struct pt_buf *out, struct pt_error *err) {
    enum pt_code code = check_fields(request, err);
    if (code != PT_OK) return code;
    PT_CLEANUP(pt_buf_free) struct pt_buf header = PT_BUF_INIT(1024);
    PT_CLEANUP(pt_buf_free) struct pt_buf payload = PT_BUF_INIT(ENROLMENT_REQUEST_MAX);
    put_header(signer->key, &header);
    put_payload(request, signer->key, &payload);
    code = pt_buf_check(&header, err);
    if (code == PT_OK) code = pt_buf_check(&payload, err);
    if (code != PT_OK) return code;
    return cose_sign1_sign(signer, pt_buf_bytes(&header), (struct pt_bytes){NULL, 0}, (struct pt_bytes){NULL, 0},
                           pt_buf_bytes(&payload), false, out, err);
}

// --- Reading ---

static void expect_key(struct cbor_reader *reader, uint64_t key) {
    const uint64_t found = cbor_get_uint(reader);
    if (!cbor_failed(reader) && found != key)
        cbor_fail(reader, "expected key %llu, not %llu", (unsigned long long)key, (unsigned long long)found);
}

static void get_text(struct cbor_reader *reader, const char *field, bool may_be_empty, char out[ACTOR_TEXT_MAX + 1]) {
    const struct pt_bytes text = cbor_get_text(reader);
    if (cbor_failed(reader)) return;
    if ((text.len == 0 && !may_be_empty) || text.len > ACTOR_TEXT_MAX || !presentable(text)) {
        cbor_fail(reader, "%s is empty, too long or has control characters", field);
        return;
    }
    if (text.len) memcpy(out, text.data, text.len);
    out[text.len] = '\0';
}

static enum pt_code read_payload(struct pt_bytes payload, struct enrolment_request *out, struct pt_error *err) {
    struct cbor_reader reader = cbor_reader_of(payload, true, err);
    if (cbor_get_map(&reader, REQUEST_PAIRS) != REQUEST_PAIRS) cbor_fail(&reader, "expected %d fields", REQUEST_PAIRS);
    expect_key(&reader, 1);
    if (cbor_get_uint(&reader) != REQUEST_VERSION) cbor_fail(&reader, "only version %d is known", REQUEST_VERSION);
    expect_key(&reader, 2);
    get_text(&reader, "name", false, out->name);
    expect_key(&reader, 3);
    const struct pt_bytes key = cbor_skip(&reader);
    expect_key(&reader, 4);
    const struct pt_bytes csr = cbor_get_text(&reader);
    if (csr.len == 0 || csr.len > ENROLMENT_REQUEST_CSR_MAX)
        cbor_fail(&reader, "the certificate request is empty or too long");
    expect_key(&reader, 5);
    get_text(&reader, "party", false, out->party);
    expect_key(&reader, 6);
    get_text(&reader, "place", true, out->place);
    expect_key(&reader, 7);
    const uint64_t role = cbor_get_uint(&reader);
    if (role < ACTOR_DEVICE || role > ACTOR_CLIENT) cbor_fail(&reader, "unknown role");
    enum pt_code code = cbor_finish(&reader);
    if (code != PT_OK) return code;
    out->role = (enum actor_role)role;
    pt_buf_append_bytes(&out->key, key);
    pt_buf_append_bytes(&out->csr, csr);
    code = pt_buf_check(&out->key, err);
    return code == PT_OK ? pt_buf_check(&out->csr, err) : code;
}

static enum pt_code check_header(struct pt_bytes header, const struct pt_digest *kid, struct pt_error *err) {
    struct cbor_reader reader = cbor_reader_of(header, true, err);
    struct pt_digest named = {{0}}, genesis;
    if (cbor_get_map(&reader, HEADER_PAIRS) != HEADER_PAIRS)
        cbor_fail(&reader, "expected %d header labels", HEADER_PAIRS);
    if (cbor_get_int(&reader) != COSE_HEADER_ALG || cbor_get_int(&reader) != COSE_ES256)
        cbor_fail(&reader, "the algorithm must be ES256");
    if (cbor_get_int(&reader) != COSE_HEADER_CONTENT_TYPE ||
        !pt_bytes_equal(cbor_get_text(&reader), pt_bytes_str(ENROLMENT_REQUEST_CONTENT_TYPE)))
        cbor_fail(&reader, "not an enrolment request");
    if (cbor_get_int(&reader) != COSE_HEADER_KID) cbor_fail(&reader, "the kid is missing");
    cbor_get_digest(&reader, &named);
    if (cbor_get_int(&reader) != COSE_HEADER_GENESIS) cbor_fail(&reader, "the genesis hash is missing");
    cbor_get_digest(&reader, &genesis);
    const enum pt_code code = cbor_finish(&reader);
    if (code != PT_OK) return code;
    return pt_digest_equal(&named, kid) ? PT_OK : pt_fail(err, PT_UNVERIFIED, "kid", "is not that of the key inside");
}

static enum pt_code open_request(struct pt_bytes bytes, struct enrolment_request *out, struct pt_error *err) {
    static const int64_t understood[] = {COSE_HEADER_GENESIS};
    struct cose_sign1 envelope;
    enum pt_code code = cose_sign1_decode(bytes, understood, 1, &envelope, err);
    if (code != PT_OK) return code;
    if (!envelope.tagged || envelope.detached || !envelope.unprotected_empty)
        return pt_fail(err, PT_INVALID, NULL, "must be a tagged COSE_Sign1 with its payload and no unprotected header");
    code = read_payload(envelope.payload, out, err);
    if (code != PT_OK) return code;
    PT_CLEANUP(verify_key_cleanup) struct verify_key *key = NULL;
    code = verify_key_from_cose(pt_buf_bytes(&out->key), &key, err);
    if (code != PT_OK) return code;
    out->kid = verify_key_thumbprint(key);
    code = check_header(envelope.protected_bytes, &out->kid, err);
    if (code != PT_OK) return code;
    return cose_sign1_verify(&envelope, key, (struct pt_bytes){NULL, 0}, (struct pt_bytes){NULL, 0}, err);
}

enum pt_code enrolment_request_open(struct pt_bytes bytes, struct enrolment_request *out, struct pt_error *err) {
    *out = (struct enrolment_request){.key = PT_BUF_INIT(1024), .csr = PT_BUF_INIT(ENROLMENT_REQUEST_CSR_MAX)};
    if (bytes.len > ENROLMENT_REQUEST_MAX)
        return pt_fail(err, PT_LIMIT, NULL, "an enrolment request has at most %zu bytes", ENROLMENT_REQUEST_MAX);
    const enum pt_code code = open_request(bytes, out, err);
    if (code != PT_OK) enrolment_request_free(out);
    return code;
}
