// The HTTPS client: mutual TLS, connections kept and used again, ceilings on time and size, no surprises
// (no redirects to other hosts, no proxies or credentials from the environment, HTTP/1.1, http:// only to loopback and
// only if allowed).
#ifndef PACKTRAIL_COMMON_NET_HTTPS_CLIENT_H
#define PACKTRAIL_COMMON_NET_HTTPS_CLIENT_H

#include "common/base/bytes.h"
#include "common/base/time.h"

struct https_client;

// Zero means the default that is named; strings are copied.
struct https_client_options {
    const char *ca_file;           // PEM bundle that servers are checked against; NULL: the system's
    const char *certificate_file;  // PEM chain of the own certificate; NULL: none
    const char *key_file;          // PEM
    unsigned connect_timeout_ms;   // default 5,000
    unsigned total_timeout_ms;     // default 30,000
    size_t max_body;               // of a response; default 4 MiB
    bool allow_plain_loopback;     // http:// to 127.0.0.0/8, ::1 and localhost
};

struct https_client_header {
    const char *name;
    const char *value;
};

struct https_client_request {
    const char *method;   // NULL: GET, or POST when there is a body
    const char *url;
    const struct https_client_header *headers;
    size_t header_count;
    const char *content_type;
    struct pt_bytes body;
    unsigned total_timeout_ms;  // 0: the client's
};

// What a caller must know before it sends the same again: after SENT the peer may have acted.
enum https_outcome {
    HTTPS_OUTCOME_ANSWERED,  // a whole response is there, whatever its status
    HTTPS_OUTCOME_NOT_SENT,  // no byte of the request reached the peer
    HTTPS_OUTCOME_UNKNOWN,   // the request may have reached the peer
};

struct https_client_response {
    enum https_outcome outcome;
    unsigned status;     // 0 unless answered
    struct pt_buf body;
    struct pt_buf head;  // status line and header fields as received, for https_client_response_header
};

// One client belongs to one thread at a time.
enum pt_code https_client_new(const struct https_client_options *options, struct https_client **out,
                              struct pt_error *err) PT_NODISCARD;
void https_client_free(struct https_client *client);

// Sends one request and waits. PT_OK: a response came, of any status. PT_UNAVAILABLE: network or time;
// PT_UNVERIFIED: the server is not who it should be, or refused our certificate in the handshake; PT_LIMIT: the
// response is too large; PT_USAGE: a URL or header that is refused. response->outcome is set in every case.
// `response` is zero-initialised at first and may be used again; freed by https_client_response_free.
enum pt_code https_client_send(struct https_client *client, const struct https_client_request *request,
                               struct https_client_response *response, struct pt_error *err) PT_NODISCARD;
void https_client_response_free(struct https_client_response *response);

// The last value of a response header (any case); false if there is none. The bytes belong to the response.
bool https_client_response_header(const struct https_client_response *response, const char *name, struct pt_bytes *out);

// The server's clock by the Date header (RFC 9110 section 6.6.1), in whole seconds; false if it is missing or no date.
bool https_client_response_date(const struct https_client_response *response, pt_millis *out);

// The seconds of a Retry-After header given in seconds, at most `most`; 0 if there is none.
unsigned https_client_retry_after(const struct https_client_response *response, unsigned most);

// How long to wait before attempt `attempt` (1 for the first retry): base * 2^(attempt-1), at most `most`, of which
// a half is fixed and a half is spread by `random` (any 64 random bits), so that many clients do not return together.
uint64_t https_backoff_ms(unsigned attempt, uint64_t base_ms, uint64_t most_ms, uint64_t random);

#endif
