#include "tests/unit/tools/admin_cases.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/cleanup.h"

#define WORDS_MAX 64

static int split(char *words, const char **argv) {
    int count = 0;
    argv[count++] = getenv("PACKTRAIL_TOOL");
    argv[count++] = "admin";
    for (char *word = strtok(words, "|"); word && count < WORDS_MAX; word = strtok(NULL, "|")) argv[count++] = word;
    argv[count] = NULL;
    return count;
}

static void read_all(int fd, struct pt_buf *out) {
    uint8_t chunk[4096];
    ssize_t got;
    lseek(fd, 0, SEEK_SET);
    while ((got = read(fd, chunk, sizeof chunk)) > 0) pt_buf_append(out, chunk, (size_t)got);
    close(fd);
}

static struct admin_run run_words(char *words) {
    const char *argv[WORDS_MAX + 1];
    struct admin_run run = {.status = -1};
    int status = 0;
    split(words, argv);
    assert_non_null(argv[0]);
    const int out = memfd_create("out", MFD_CLOEXEC), err = memfd_create("err", MFD_CLOEXEC);
    assert_true(out >= 0 && err >= 0);
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        dup2(out, STDOUT_FILENO);
        dup2(err, STDERR_FILENO);
        execv(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    PT_CLEANUP(pt_buf_free) struct pt_buf said = PT_BUF_INIT(1 << 20), message = PT_BUF_INIT(1 << 20);
    read_all(out, &said);
    read_all(err, &message);
    snprintf(run.message, sizeof run.message, "%s", pt_buf_cstr(&message));
    if (said.len > 0 && said.data[0] == '{') {
        // One object, one line.
        assert_ptr_equal(memchr(said.data, '\n', said.len), said.data + said.len - 1);
        assert_int_equal(pt_json_parse(pt_buf_bytes(&said), said.len, &run.answer, NULL), PT_OK);
    }
    run.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return run;
}

#define FORMAT_WORDS(text, words)                                                                                      \
    char text[4096];                                                                                                   \
    va_list args;                                                                                                      \
    va_start(args, words);                                                                                             \
    assert_true(vsnprintf(text, sizeof text, words, args) < (int)sizeof text);                                         \
    va_end(args)

struct admin_run admin_run(const char *words, ...) {
    FORMAT_WORDS(text, words);
    return run_words(text);
}

void admin_run_free(struct admin_run *run) {
    json_decref(run->answer);
}

json_t *admin_good(const char *words, ...) {
    FORMAT_WORDS(text, words);
    struct admin_run run = run_words(text);
    if (run.status != 0 || !run.answer) fail_msg("%s: status %d, %s", words, run.status, run.message);
    return run.answer;
}

void admin_bad(int status, const char *message, const char *words, ...) {
    FORMAT_WORDS(text, words);
    struct admin_run run = run_words(text);
    if (run.status != status || !strstr(run.message, message) || run.answer)
        fail_msg("%s: status %d, wanted %d and '%s', got: %s", words, run.status, status, message, run.message);
}

const char *admin_text(const json_t *answer, const char *member) {
    const char *text = json_string_value(json_object_get(answer, member));
    if (!text) fail_msg("%s is missing", member);
    return text;
}

void admin_found(const char *directory) {
    json_decref(admin_good("init|%s|--name|Test consortium|--profile|cn", directory));
    json_decref(
        admin_good("actor|%s|node-1|--role|executor|--label|Node 1|--party|urn:packtrail:party:a|--host|localhost|"
                   "--host|127.0.0.1",
                   directory));
    json_decref(admin_good("actor|%s|gate-1|--role|gateway|--label|Gateway 1|--party|urn:packtrail:party:b|"
                           "--place|urn:packtrail:place:1|--host=localhost",
                           directory));
    json_decref(admin_good("actor|%s|op|--role|operator|--label|Operator|--party|urn:packtrail:party:a", directory));
    json_decref(admin_good("actor|%s|maker|--role|company|--label|制药公司|--party|urn:packtrail:party:c", directory));
    json_decref(admin_good("actor|%s|phone|--role|client|--label|Reader|--party|urn:packtrail:party:d", directory));
}

struct pt_buf admin_file(const char *directory, const char *file) {
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", directory, file);
    return test_read_file(path);
}

bool admin_file_is_there(const char *directory, const char *file) {
    char path[1024];
    struct stat info;
    snprintf(path, sizeof path, "%s/%s", directory, file);
    return stat(path, &info) == 0;
}

struct actor admin_actor_record(const char *directory, const char *name) {
    char file[256];
    struct pt_error err;
    struct actor actor;
    snprintf(file, sizeof file, "actors/%s/actor.cbor", name);
    PT_CLEANUP(pt_buf_free) struct pt_buf bytes = admin_file(directory, file);
    assert_ok(actor_decode(pt_buf_bytes(&bytes), &actor, &err), &err);
    return actor;
}
