// The decoder in its own process: reads as the reader does, survives its own death, has no rights, and is not believed.
//   test-firmware-decoder SCANNER
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/disk.h"
#include "firmware/decoder/decoder.h"
#include "firmware/decoder/decoder_sandbox.h"
#include "firmware/decoder/decoder_wire.h"
#include "firmware/scan/image.h"
#include "tests/support/support.h"

static const char *scanner;

static struct decoder *start(int64_t budget_ms) {
    struct decoder *decoder;
    struct pt_error err = {0};
    const struct decoder_options options = {.program = scanner, .reading = {.budget_ms = budget_ms}};
    assert_ok(decoder_start(&options, &decoder, &err), &err);
    return decoder;
}

// The first picture of a folder of samples.
static struct scan_frame sample(const char *folder) {
    char directory[4096], path[8192];
    struct scan_frame frame;
    struct pt_error err = {0};
    struct pt_buf file = PT_BUF_INIT(SCAN_IMAGE_MAX_BYTES);
    snprintf(directory, sizeof directory, "%s/zxing-samples/%s", getenv("PACKTRAIL_DATA"), folder);
    struct dirent **names;
    const int count = scandir(directory, &names, NULL, alphasort);
    assert_true(count > 0);
    path[0] = 0;
    for (int i = 0; i < count; i++) {
        const char *dot = strrchr(names[i]->d_name, '.');
        if (!path[0] && dot && (strcmp(dot, ".png") == 0 || strcmp(dot, ".jpg") == 0))
            snprintf(path, sizeof path, "%s/%s", directory, names[i]->d_name);
        free(names[i]);
    }
    free(names);
    assert_ok(pt_file_read(path, &file, &err), &err);
    assert_ok(scan_image_read(pt_buf_bytes(&file), &frame, &err), &err);
    pt_buf_free(&file);
    return frame;
}

static void expect_as_reader(struct decoder *decoder, const struct scan_frame *frame) {
    struct scan_reader *reader;
    struct scan_symbols inside, outside;
    struct pt_error err = {0};
    const struct scan_reader_options options = {.budget_ms = 10000};
    assert_ok(scan_reader_open(&options, &reader, &err), &err);
    assert_ok(scan_reader_read(reader, frame, &outside, &err), &err);
    assert_ok(decoder_read(decoder, frame, &inside, &err), &err);
    assert_int_equal(inside.count, outside.count);
    assert_true(outside.count > 0);
    for (size_t i = 0; i < inside.count; i++) {
        const struct scan_symbol *a = &inside.items[i], *b = &outside.items[i];
        assert_int_equal(a->symbology, b->symbology);
        assert_string_equal(a->aim, b->aim);
        assert_int_equal(a->support, b->support);
        assert_int_equal(a->has_text, b->has_text);
        assert_true(pt_bytes_equal(pt_buf_bytes(&a->bytes), pt_buf_bytes(&b->bytes)));
        assert_true(pt_bytes_equal(pt_buf_bytes(&a->text), pt_buf_bytes(&b->text)));
        assert_memory_equal(a->box, b->box, sizeof a->box);
    }
    scan_symbols_free(&inside);
    scan_symbols_free(&outside);
    scan_reader_close(reader);
}

static void reads_as_the_reader_does(void **state) {
    static const char *const folders[] = {"qrcode-1", "datamatrix-1", "code128-1", "code128-2"};
    (void)state;
    struct decoder *decoder = start(10000);
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        struct scan_frame frame = sample(folders[i]);
        expect_as_reader(decoder, &frame);
        scan_frame_free(&frame);
    }
    assert_int_equal(decoder_restarts(decoder), 0);
    decoder_stop(decoder);
}

static pid_t child(void) {
    char path[64], line[64] = "";
    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    FILE *file = fopen(path, "r");
    if (!file) return 0;
    if (!fgets(line, sizeof line, file)) line[0] = 0;
    fclose(file);
    return (pid_t)strtol(line, NULL, 10);
}

static void a_death_costs_one_frame(void **state) {
    (void)state;
    struct scan_frame frame = sample("qrcode-1");
    struct decoder *decoder = start(1500);
    for (unsigned round = 1; round <= 3; round++) {
        struct scan_symbols symbols;
        struct pt_error err = {0};
        const pid_t victim = child();
        if (victim == 0) skip();
        // Stopped rather than killed in the last round: it must not be waited for without end.
        assert_int_equal(kill(victim, round == 3 ? SIGSTOP : SIGKILL), 0);
        assert_int_equal(decoder_read(decoder, &frame, &symbols, &err), PT_INVALID);
        assert_int_equal(decoder_restarts(decoder), round);
        assert_ok(decoder_read(decoder, &frame, &symbols, &err), &err);
        assert_true(symbols.count > 0);
        scan_symbols_free(&symbols);
    }
    decoder_stop(decoder);
    assert_int_equal(child(), 0);
    scan_frame_free(&frame);
}

static void a_program_that_is_none_is_told(void **state) {
    (void)state;
    struct decoder *decoder;
    struct pt_error err = {0};
    const struct decoder_options missing = {.program = "/nonexistent/scanner"}, other = {.program = "/bin/true"};
    assert_int_equal(decoder_start(&missing, &decoder, &err), PT_UNAVAILABLE);
    assert_int_equal(decoder_start(&other, &decoder, &err), PT_UNAVAILABLE);
    assert_null(decoder);
}

#define REFUSED(call) ((call) == -1 && errno == EACCES)

// Runs in a process of its own, which the sandbox never lets go.
static int tries_everything(void) {
    int failed = 0;
    const int socket_before = socket(AF_UNIX, SOCK_STREAM, 0);
    if (socket_before < 0 || decoder_sandbox_enter(NULL) != PT_OK) return 100;
    errno = 0;
    failed |= !REFUSED(syscall(SYS_socket, AF_INET, SOCK_STREAM, 0)) << 0;
    failed |= !REFUSED(syscall(SYS_execve, "/bin/true", NULL, NULL)) << 1;
    failed |= !REFUSED(syscall(SYS_kill, 1, 0)) << 2;
    failed |= !REFUSED(syscall(SYS_ptrace, 0, 0, 0, 0)) << 3;
    failed |= !REFUSED(syscall(SYS_unlinkat, AT_FDCWD, "/tmp/none", 0)) << 4;
    failed |= !REFUSED(syscall(SYS_connect, socket_before, NULL, 0)) << 5;
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    failed |= !REFUSED(syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY)) << 6;
#endif
    failed |= mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED ? 1 << 7 : 0;
    void *memory = malloc((size_t)8 << 20);  // still possible
    if (!memory) failed = 101;
    free(memory);
    return failed;
}

static void the_sandbox_refuses(void **state) {
    (void)state;
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) _exit(tries_everything());
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void a_lying_answer_is_refused(void **state) {
    (void)state;
    struct scan_symbols symbols = {0}, got;
    struct scan_symbol *symbol;
    struct pt_error err = {0};
    enum pt_code ended;
    struct pt_buf answer = PT_BUF_INIT(DECODER_ANSWER_MAX);
    assert_ok(scan_symbols_add(&symbols, SCAN_QR, "]Q1", &symbol, &err), &err);
    pt_buf_str(&symbol->bytes, "hello");
    scan_symbol_guess_text(symbol);
    assert_ok(decoder_answer_encode(PT_OK, &symbols, &answer, &err), &err);
    assert_ok(decoder_answer_decode(pt_buf_bytes(&answer), &ended, &got, &err), &err);
    assert_int_equal(ended, PT_OK);
    assert_int_equal(got.count, 1);
    scan_symbols_free(&got);
    for (size_t len = 0; len < answer.len; len++)
        assert_int_equal(decoder_answer_decode(pt_bytes_of(answer.data, len), &ended, &got, NULL), PT_INVALID);
    pt_buf_byte(&answer, 0);
    assert_int_equal(decoder_answer_decode(pt_buf_bytes(&answer), &ended, &got, NULL), PT_INVALID);
    answer.len--;
    for (size_t i = 0; i < answer.len; i++) {  // any byte turned: an answer or a refusal, never more
        answer.data[i] ^= 0xff;
        if (decoder_answer_decode(pt_buf_bytes(&answer), &ended, &got, NULL) == PT_OK) scan_symbols_free(&got);
        answer.data[i] ^= 0xff;
    }
    scan_symbols_free(&symbols);
    pt_buf_free(&answer);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_as_the_reader_does), cmocka_unit_test(a_death_costs_one_frame),
        cmocka_unit_test(a_program_that_is_none_is_told), cmocka_unit_test(the_sandbox_refuses),
        cmocka_unit_test(a_lying_answer_is_refused)};
    if (argc != 2) return 2;
    scanner = argv[1];
    return cmocka_run_group_tests(tests, NULL, NULL);
}
