#include <stdlib.h>
#include <string.h>

#include "common/net/http_message.h"
#include "common/net/http_target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void take_target(const struct http_head *head) {
    struct pt_arena arena = {.ceiling = 1 << 20};
    struct http_path path;
    struct http_query query;
    struct pt_error err;
    if (http_path_parse(&arena, pt_bytes_str(head->path), &path, &err) == PT_OK)
        for (size_t i = 0; i < path.count; i++)
            if (strcmp(path.decoded[i], "..") == 0 || strstr(path.decoded[i], "/../")) abort();
    if (http_query_parse(&arena, pt_bytes_str(head->query), &query, &err) == PT_OK)
        for (size_t i = 0; i < query.count; i++)
            if (!query.list[i].name || !query.list[i].value) abort();
    pt_arena_free(&arena);
}

// The same body must come out however the bytes are cut.
static void take_chunks(struct pt_bytes in) {
    struct pt_buf bodies[2] = {PT_BUF_INIT(1000), PT_BUF_INIT(1000)};
    unsigned status[2] = {0, 0};
    bool done[2];
    for (size_t way = 0; way < 2; way++) {
        struct http_chunks chunks = {0};
        for (size_t at = 0; at < in.len && status[way] == 0 && !chunks.done;) {
            const size_t step = way == 0 ? in.len - at : 1;
            size_t taken = 0;
            status[way] = http_chunks_take(&chunks, pt_bytes_of(in.data + at, step), &bodies[way], &taken);
            if (taken > step || (taken < step && status[way] == 0 && !chunks.done)) abort();
            at += taken;
        }
        done[way] = chunks.done;
    }
    if (status[0] != status[1] || done[0] != done[1]) abort();
    if (status[0] == 0 && !pt_bytes_equal(pt_buf_bytes(&bodies[0]), pt_buf_bytes(&bodies[1]))) abort();
    pt_buf_free(&bodies[0]);
    pt_buf_free(&bodies[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    size_t scanned = 0;
    size_t end = 0;
    for (size_t seen = 0; seen <= len && end == 0; seen = seen < len && seen + 7 > len ? len : seen + 7)
        end = http_head_end(pt_bytes_of(data, seen), &scanned);
    scanned = 0;
    if (http_head_end(pt_bytes_of(data, len), &scanned) != end) abort();
    char *copy = malloc(end + 1);
    if (!copy) abort();
    memcpy(copy, data, end);
    struct http_head head;
    const char *why = NULL;
    if (end > 0 && http_head_parse(copy, end, &head, &why) == 0) {
        if (head.chunked && head.has_length) abort();
        if (strcmp(head.path, "*") != 0) take_target(&head);
        take_chunks(pt_bytes_of(data + end, len - end));
    } else if (end > 0 && !why[0]) {
        abort();
    }
    free(copy);
    return 0;
}
