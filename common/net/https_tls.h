// TLS for the HTTPS server, by OpenSSL: the context from files, one session a connection, the peer's identity.
#ifndef PACKTRAIL_COMMON_NET_HTTPS_TLS_H
#define PACKTRAIL_COMMON_NET_HTTPS_TLS_H

#include "common/net/https_server.h"

struct https_tls;          // certificate, key and client CA
struct https_tls_session;  // one connection's; belongs to its worker

enum pt_code https_tls_load(const struct https_server_options *options, struct https_tls **out,
                            struct pt_error *err) PT_NODISCARD;
void https_tls_free(struct https_tls *tls);  // sessions made from it live on

struct https_tls_session *https_tls_accept(struct https_tls *tls, int fd);  // NULL without memory; fd stays the caller's
void https_tls_session_free(struct https_tls_session *session);

enum https_io {
    HTTPS_IO_DONE,
    HTTPS_IO_WANT_READ,
    HTTPS_IO_WANT_WRITE,
    HTTPS_IO_END,     // the peer will send no more (reads), or has gone
    HTTPS_IO_FAILED,  // the connection is of no use any more
};

enum https_io https_tls_handshake(struct https_tls_session *session);
enum https_io https_tls_read(struct https_tls_session *session, void *out, size_t size, size_t *got);
enum https_io https_tls_write(struct https_tls_session *session, const void *data, size_t len, size_t *put);
bool https_tls_has_pending(const struct https_tls_session *session);  // bytes read from the socket, not yet given out
void https_tls_close_notify(struct https_tls_session *session);

// After the handshake. Buffers in *out belong to the session.
void https_tls_identity(struct https_tls_session *session, struct https_identity *out);

#endif
