#include "firmware/decoder/decoder.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/log.h"
#include "firmware/decoder/decoder_wire.h"

#define START_MS 10000
#define PATIENCE_MS 5000     // beyond twice a frame's budget
#define FAILED_STARTS_MOST 3u

struct decoder {
    char *program;
    struct scan_reader_options reading;
    pid_t process;  // 0: none
    int socket, memory;
    uint8_t *pixels;
    unsigned restarts;
};

unsigned decoder_restarts(const struct decoder *decoder) { return decoder->restarts; }

// --- The process ---

static void end_process(struct decoder *decoder) {
    if (decoder->socket >= 0) close(decoder->socket);
    decoder->socket = -1;
    if (decoder->process == 0) return;
    kill(decoder->process, SIGKILL);
    while (waitpid(decoder->process, NULL, 0) < 0 && errno == EINTR) continue;
    decoder->process = 0;
}

// The new process has the standard streams, the socket and the memory, and nothing else.
static int spawn(struct decoder *decoder, int its_socket) {
    static char command[] = DECODER_COMMAND;
    static char *const no_environment[] = {NULL};
    char *const arguments[] = {decoder->program, command, NULL};
    posix_spawn_file_actions_t actions;
    if (posix_spawn_file_actions_init(&actions) != 0) return ENOMEM;
    // dup2 onto the same number would leave close-on-exec set: both are moved out of the way first.
    int result = posix_spawn_file_actions_adddup2(&actions, its_socket, 10);
    if (result == 0) result = posix_spawn_file_actions_adddup2(&actions, decoder->memory, 11);
    if (result == 0) result = posix_spawn_file_actions_adddup2(&actions, 10, DECODER_SOCKET);
    if (result == 0) result = posix_spawn_file_actions_adddup2(&actions, 11, DECODER_MEMORY);
    if (result == 0) result = posix_spawn_file_actions_addclosefrom_np(&actions, DECODER_MEMORY + 1);
    if (result == 0) result = posix_spawn(&decoder->process, decoder->program, &actions, NULL, arguments, no_environment);
    posix_spawn_file_actions_destroy(&actions);
    return result;
}

static bool wait_readable(int fd, int64_t until) {
    for (;;) {
        const int64_t left = until - scan_clock_ms();
        struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
        if (left <= 0) return false;
        const int ready = poll(&poll_fd, 1, (int)(left < 60000 ? left : 60000));
        if (ready > 0) return true;
        if (ready < 0 && errno != EINTR) return false;
    }
}

static bool read_whole(int fd, void *out, size_t len, int64_t until) {
    for (size_t got = 0; got < len;) {
        if (!wait_readable(fd, until)) return false;
        const ssize_t more = recv(fd, (uint8_t *)out + got, len - got, 0);
        if (more < 0 && errno == EINTR) continue;
        if (more <= 0) return false;
        got += (size_t)more;
    }
    return true;
}

static bool write_whole(int fd, const void *bytes, size_t len) {
    for (size_t gone = 0; gone < len;) {
        const ssize_t more = send(fd, (const uint8_t *)bytes + gone, len - gone, MSG_NOSIGNAL);
        if (more < 0 && errno == EINTR) continue;
        if (more <= 0) return false;
        gone += (size_t)more;
    }
    return true;
}

static enum pt_code start_process(struct decoder *decoder, struct pt_error *err) {
    int ends[2];
    char ready = 0;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return pt_fail_errno(err, "decoder", "cannot make a socket");
    decoder->socket = ends[0];
    const int failed = spawn(decoder, ends[1]);
    close(ends[1]);
    if (failed != 0) {
        decoder->process = 0;
        end_process(decoder);
        return pt_fail(err, PT_UNAVAILABLE, decoder->program, "cannot start the decoder: %s", strerror(failed));
    }
    if (write_whole(decoder->socket, &decoder->reading, sizeof decoder->reading) &&
        read_whole(decoder->socket, &ready, 1, scan_clock_ms() + START_MS))
        return PT_OK;
    end_process(decoder);
    return pt_fail(err, PT_UNAVAILABLE, decoder->program, "the decoder did not start");
}

static enum pt_code restart(struct decoder *decoder, struct pt_error *err) {
    enum pt_code code = PT_UNAVAILABLE;
    end_process(decoder);
    for (unsigned i = 0; code == PT_UNAVAILABLE && i < FAILED_STARTS_MOST; i++) code = start_process(decoder, err);
    decoder->restarts++;
    return code;
}

static enum pt_code share_memory(struct decoder *decoder, struct pt_error *err) {
    decoder->memory = memfd_create("frame", MFD_CLOEXEC);
    if (decoder->memory < 0 || ftruncate(decoder->memory, SCAN_FRAME_MAX_PIXELS) != 0)
        return pt_fail_errno(err, "decoder", "cannot share memory");
    void *pixels = mmap(NULL, SCAN_FRAME_MAX_PIXELS, PROT_READ | PROT_WRITE, MAP_SHARED, decoder->memory, 0);
    if (pixels == MAP_FAILED) return pt_fail_errno(err, "decoder", "cannot share memory");
    decoder->pixels = pixels;
    return PT_OK;
}

enum pt_code decoder_start(const struct decoder_options *options, struct decoder **out, struct pt_error *err) {
    struct decoder *decoder = calloc(1, sizeof *decoder);
    *out = NULL;
    if (!decoder) return pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    decoder->socket = decoder->memory = -1;
    decoder->reading = options->reading;
    decoder->program = strdup(options->program ? options->program : "/proc/self/exe");
    enum pt_code code = decoder->program ? share_memory(decoder, err) : pt_fail(err, PT_NO_MEMORY, NULL, "out of memory");
    if (code == PT_OK) code = start_process(decoder, err);
    if (code != PT_OK) {
        decoder_stop(decoder);
        return code;
    }
    *out = decoder;
    return PT_OK;
}

void decoder_stop(struct decoder *decoder) {
    if (!decoder) return;
    end_process(decoder);
    if (decoder->pixels) munmap(decoder->pixels, SCAN_FRAME_MAX_PIXELS);
    if (decoder->memory >= 0) close(decoder->memory);
    free(decoder->program);
    free(decoder);
}

// --- A frame ---

static bool ask(struct decoder *decoder, const struct scan_frame *frame, struct pt_buf *answer) {
    const struct decoder_question question = {frame->width, frame->height};
    const int64_t until = scan_clock_ms() + 2 * decoder->reading.budget_ms + PATIENCE_MS;
    uint32_t len;
    if (decoder->socket < 0) return false;
    for (uint32_t y = 0; y < frame->height; y++)
        memcpy(decoder->pixels + (size_t)y * frame->width, scan_frame_row(frame, y), frame->width);
    if (!write_whole(decoder->socket, &question, sizeof question)) return false;
    if (!read_whole(decoder->socket, &len, sizeof len, until) || len > DECODER_ANSWER_MAX) return false;
    uint8_t *room = pt_buf_extend(answer, len);
    return room && read_whole(decoder->socket, room, len, until);
}

enum pt_code decoder_read(struct decoder *decoder, const struct scan_frame *frame, struct scan_symbols *out, struct pt_error *err) {
    PT_CLEANUP(pt_buf_free) struct pt_buf answer = PT_BUF_INIT(DECODER_ANSWER_MAX);
    struct pt_error why = {.what = "it died or did not come to an end"};
    enum pt_code ended = PT_OK;
    *out = (struct scan_symbols){0};
    if (frame->width == 0 || frame->height == 0 || (uint64_t)frame->width * frame->height > SCAN_FRAME_MAX_PIXELS)
        return pt_fail(err, PT_LIMIT, frame->name, "the picture has more pixels than are read");
    enum pt_code code = decoder->socket < 0 ? restart(decoder, err) : PT_OK;
    if (code != PT_OK) return code;
    if (ask(decoder, frame, &answer) && decoder_answer_decode(pt_buf_bytes(&answer), &ended, out, &why) == PT_OK)
        return ended == PT_OK ? PT_OK : pt_fail(err, ended, frame->name, "the decoder could not read the picture");
    code = restart(decoder, err);
    if (code != PT_OK) return code;
    pt_fail(err, PT_INVALID, frame->name, "the decoder failed on this picture (%s) and was started anew", why.what);
    if (err) pt_log_error("decoder-restarted", err);
    return PT_INVALID;
}
