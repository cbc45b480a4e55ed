// A server with routes to try, raw connections to it, and certificates made by the openssl command.
#ifndef PACKTRAIL_TESTS_UNIT_NET_NET_FIXTURE_H
#define PACKTRAIL_TESTS_UNIT_NET_NET_FIXTURE_H

#include "common/net/https_server.h"
#include "tests/support/support.h"

// Starts a server with the routes of net_fixture.c; options may be all zero but for what a test is about.
struct https_server *fixture_start(struct https_server_options options);

// Makes in `dir`: ca.pem, server.pem/.key (127.0.0.1, localhost), client.*, expired.*, rsa.*, intermediate CA client.*
// as chained.*, and other-ca.pem with stranger.* (.pem and .key each).
void fixture_certificates(const char *dir);

int fixture_connect(uint16_t port);
void fixture_send(int fd, const char *text, size_t len);
// What comes until the other side ends, or for at most `ms` without a byte. A C string to be freed.
char *fixture_read(int fd, int ms);
// Connects, sends, reads all, closes.
char *fixture_exchange(uint16_t port, const char *text);

// Runs a shell command and returns its standard output (to be freed) and exit status.
char *fixture_shell(int *status, const char *fmt, ...) PT_PRINTF(2, 3);

unsigned fixture_deferred_open(void);  // deferred requests not yet answered
void fixture_deferred_wait(void);      // until there are none

#endif
