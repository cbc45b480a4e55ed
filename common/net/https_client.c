#include "common/net/https_client.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <strings.h>

#include "common/base/cleanup.h"

#define HEAD_CEILING ((size_t)64 * 1024)
#define DEFAULT_CONNECT_MS 5000
#define DEFAULT_TOTAL_MS 30000
#define DEFAULT_MAX_BODY ((size_t)4 * 1024 * 1024)

struct https_client {
    CURL *curl;
    char *ca_file;
    char *certificate_file;
    char *key_file;
    struct https_client_options options;
    char why[CURL_ERROR_SIZE];
};

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void start_curl(void) { curl_global_init(CURL_GLOBAL_DEFAULT); }

static bool copy_text(const char *from, char **to) {
    *to = from ? strdup(from) : NULL;
    return !from || *to;
}

enum pt_code https_client_new(const struct https_client_options *options, struct https_client **out, struct pt_error *err) {
    *out = NULL;
    pthread_once(&curl_once, start_curl);
    struct https_client *client = calloc(1, sizeof *client);
    if (!client) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    client->options = *options;
    client->curl = curl_easy_init();
    if (!client->curl || !copy_text(options->ca_file, &client->ca_file) || !copy_text(options->key_file, &client->key_file) ||
        !copy_text(options->certificate_file, &client->certificate_file)) {
        https_client_free(client);
        return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    }
    if (client->options.connect_timeout_ms == 0) client->options.connect_timeout_ms = DEFAULT_CONNECT_MS;
    if (client->options.total_timeout_ms == 0) client->options.total_timeout_ms = DEFAULT_TOTAL_MS;
    if (client->options.max_body == 0) client->options.max_body = DEFAULT_MAX_BODY;
    *out = client;
    return PT_OK;
}

void https_client_free(struct https_client *client) {
    if (!client) return;
    if (client->curl) curl_easy_cleanup(client->curl);
    free(client->ca_file);
    free(client->certificate_file);
    free(client->key_file);
    free(client);
}

void https_client_response_free(struct https_client_response *response) {
    pt_buf_free(&response->body);
    pt_buf_free(&response->head);
}

static bool is_loopback(const char *host) {
    struct in_addr v4;
    if (strcasecmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0) return true;
    return inet_pton(AF_INET, host, &v4) == 1 && (ntohl(v4.s_addr) >> 24) == 127;
}

static void free_url(CURLU **url) { curl_url_cleanup(*url); }
static void free_part(char **part) { curl_free(*part); }

static enum pt_code check_url(const struct https_client *client, const char *text, struct pt_error *err) {
    PT_CLEANUP(free_url) CURLU *url = curl_url();
    PT_CLEANUP(free_part) char *scheme = NULL;
    PT_CLEANUP(free_part) char *host = NULL;
    PT_CLEANUP(free_part) char *user = NULL;
    if (!url) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    if (!text || curl_url_set(url, CURLUPART_URL, text, 0) != CURLUE_OK ||
        curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK || curl_url_get(url, CURLUPART_HOST, &host, 0) != CURLUE_OK)
        return pt_fail(err, PT_USAGE, text, "not a URL");
    if (curl_url_get(url, CURLUPART_USER, &user, 0) == CURLUE_OK) return pt_fail(err, PT_USAGE, host, "a URL with a user name");
    if (strcmp(scheme, "https") == 0) return PT_OK;
    if (strcmp(scheme, "http") == 0 && client->options.allow_plain_loopback && is_loopback(host)) return PT_OK;
    return pt_fail(err, PT_USAGE, text, "only https:// URLs are asked");
}

static bool clean(const char *text) {
    for (; *text; text++)
        if (((uint8_t)*text < 0x20 && *text != '\t') || *text == 0x7f) return false;
    return true;
}

static void free_list(struct curl_slist **list) { curl_slist_free_all(*list); }

static enum pt_code add_header(struct curl_slist **list, const char *name, const char *value, struct pt_error *err) {
    if (!name[0] || !clean(name) || strpbrk(name, " \t:") || !clean(value))
        return pt_fail(err, PT_USAGE, NULL, "a header field that would break the request");
    PT_FREE char *line = NULL;
    // curl takes "Name:" for "leave it out" and "Name;" for an empty value.
    if (asprintf(&line, value[0] ? "%s: %s" : "%s;%s", name, value) < 0) line = NULL;
    struct curl_slist *grown = line ? curl_slist_append(*list, line) : NULL;
    if (!grown) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    *list = grown;
    return PT_OK;
}

static enum pt_code make_headers(const struct https_client_request *request, struct curl_slist **list, struct pt_error *err) {
    enum pt_code code = PT_OK;
    if (request->content_type) code = add_header(list, "Content-Type", request->content_type, err);
    for (size_t i = 0; code == PT_OK && i < request->header_count; i++)
        code = add_header(list, request->headers[i].name, request->headers[i].value, err);
    if (code != PT_OK) return code;
    struct curl_slist *grown = curl_slist_append(*list, "Expect:");  // no waiting for "100 Continue"
    if (!grown) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    *list = grown;
    if (request->body.len > 0 && !request->content_type) {
        grown = curl_slist_append(*list, "Content-Type: application/octet-stream");
        if (!grown) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
        *list = grown;
    }
    return PT_OK;
}

static size_t on_body(char *data, size_t size, size_t count, void *arg) {
    struct pt_buf *body = arg;
    pt_buf_append(body, data, size * count);
    return body->failed ? 0 : size * count;
}

static size_t on_head(char *data, size_t size, size_t count, void *arg) {
    struct pt_buf *head = arg;
    const size_t len = size * count;
    if (len >= 5 && memcmp(data, "HTTP/", 5) == 0) pt_buf_clear(head);  // after an interim response the real one
    pt_buf_append(head, data, len);
    return head->failed ? 0 : len;
}

static void set_connection(struct https_client *client, unsigned total_ms) {
    CURL *curl = client->curl;
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, client->why);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, client->options.allow_plain_loopback ? "http,https" : "https");
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)client->options.connect_timeout_ms);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)total_ms);
    curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
    if (client->ca_file) {
        curl_easy_setopt(curl, CURLOPT_CAINFO, client->ca_file);
        curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
    }
    if (client->certificate_file) {
        curl_easy_setopt(curl, CURLOPT_SSLCERT, client->certificate_file);
        curl_easy_setopt(curl, CURLOPT_SSLKEY, client->key_file);
    }
}

static void set_request(CURL *curl, const struct https_client_request *request) {
    const bool has_body = request->body.len > 0;
    const char *method = request->method ? request->method : has_body ? "POST" : "GET";
    curl_easy_setopt(curl, CURLOPT_URL, request->url);
    if (strcmp(method, "HEAD") == 0) {
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
        return;
    }
    if (has_body || (strcmp(method, "GET") != 0 && strcmp(method, "DELETE") != 0)) {
        curl_easy_setopt(curl, CURLOPT_POST, 1L);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, has_body ? (const char *)request->body.data : "");
    }
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
}

// OpenSSL's words for what the other side's alert says of certificates.
static bool tells_of_identity(const char *why) { return strstr(why, "alert") || strstr(why, "certificate"); }

static enum pt_code class_of(CURLcode result, const char *why) {
    switch (result) {
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS: return PT_UNVERIFIED;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR: return tells_of_identity(why) ? PT_UNVERIFIED : PT_UNAVAILABLE;
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_URL_MALFORMAT: return PT_USAGE;
    case CURLE_WRITE_ERROR:
    case CURLE_FILESIZE_EXCEEDED: return PT_LIMIT;
    case CURLE_OUT_OF_MEMORY: return PT_NO_MEMORY;
    default: return PT_UNAVAILABLE;
    }
}

static enum pt_code finish(struct https_client *client, CURLcode result, const char *url,
                           struct https_client_response *response, struct pt_error *err) {
    long status = 0;
    long sent = 0;
    curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(client->curl, CURLINFO_REQUEST_SIZE, &sent);
    if (result == CURLE_OK) {
        response->outcome = HTTPS_OUTCOME_ANSWERED;
        response->status = (unsigned)status;
        return PT_OK;
    }
    response->outcome = sent > 0 ? HTTPS_OUTCOME_UNKNOWN : HTTPS_OUTCOME_NOT_SENT;
    if (result == CURLE_WRITE_ERROR || result == CURLE_FILESIZE_EXCEEDED)
        return pt_fail(err, PT_LIMIT, url, "the answer has more than %zu bytes", response->body.ceiling);
    const char *why = client->why[0] ? client->why : curl_easy_strerror(result);
    return pt_fail(err, class_of(result, why), url, "%s", why);
}

enum pt_code https_client_send(struct https_client *client, const struct https_client_request *request,
                               struct https_client_response *response, struct pt_error *err) {
    response->outcome = HTTPS_OUTCOME_NOT_SENT;
    response->status = 0;
    pt_buf_free(&response->body);
    pt_buf_free(&response->head);
    pt_buf_init(&response->body, client->options.max_body);
    pt_buf_init(&response->head, HEAD_CEILING);
    if (request->method && (!request->method[0] || strspn(request->method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != strlen(request->method)))
        return pt_fail(err, PT_USAGE, request->method, "not a method");
    enum pt_code code = check_url(client, request->url, err);
    if (code != PT_OK) return code;
    PT_CLEANUP(free_list) struct curl_slist *headers = NULL;
    code = make_headers(request, &headers, err);
    if (code != PT_OK) return code;
    CURL *curl = client->curl;
    curl_easy_reset(curl);  // options only; open connections are kept
    client->why[0] = 0;
    set_connection(client, request->total_timeout_ms ? request->total_timeout_ms : client->options.total_timeout_ms);
    set_request(curl, request);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &response->body);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_head);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &response->head);
    curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)client->options.max_body);
    return finish(client, curl_easy_perform(curl), request->url, response, err);
}

bool https_client_response_header(const struct https_client_response *response, const char *name, struct pt_bytes *out) {
    const char *text = (const char *)response->head.data;
    const size_t len = response->head.len;
    const size_t name_len = strlen(name);
    bool found = false;
    for (size_t at = 0; at < len;) {
        const char *end = memchr(text + at, '\n', len - at);
        size_t line = end ? (size_t)(end - text) - at : len - at;
        const size_t next = at + line + 1;
        while (line > 0 && (text[at + line - 1] == '\r' || text[at + line - 1] == ' ')) line--;
        if (line > name_len && strncasecmp(text + at, name, name_len) == 0 && text[at + name_len] == ':') {
            size_t value = name_len + 1;
            while (value < line && (text[at + value] == ' ' || text[at + value] == '\t')) value++;
            *out = pt_bytes_of(text + at + value, line - value);
            found = true;
        }
        at = next;
    }
    return found;
}

bool https_client_response_date(const struct https_client_response *response, pt_millis *out) {
    struct pt_bytes found;
    char text[64];
    if (!https_client_response_header(response, "Date", &found) || found.len >= sizeof text) return false;
    memcpy(text, found.data, found.len);
    text[found.len] = 0;
    const time_t seconds = curl_getdate(text, NULL);
    *out = (pt_millis)seconds * 1000;
    return seconds > 0;
}

unsigned https_client_retry_after(const struct https_client_response *response, unsigned most) {
    struct pt_bytes value;
    if (!https_client_response_header(response, "Retry-After", &value)) return 0;
    uint64_t seconds = 0;
    for (size_t i = 0; i < value.len; i++) {
        if (value.data[i] < '0' || value.data[i] > '9') return 0;
        seconds = seconds * 10 + (uint64_t)(value.data[i] - '0');
        if (seconds > most) seconds = most;
    }
    return (unsigned)seconds;
}

uint64_t https_backoff_ms(unsigned attempt, uint64_t base_ms, uint64_t most_ms, uint64_t random) {
    uint64_t wait = base_ms;
    for (unsigned i = 1; i < attempt && wait < most_ms; i++) wait = wait > most_ms / 2 ? most_ms : wait * 2;
    if (wait > most_ms) wait = most_ms;
    return wait - wait / 2 + (wait / 2 > 0 ? random % (wait / 2 + 1) : 0);
}
