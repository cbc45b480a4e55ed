// The real libnfc, and nfc-list, against the PN532 simulator.
#include "firmware/scan/scan_nfc.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/text.h"
#include "tests/support/support.h"

static const char *simulator_path;

struct bench {
    char dir[256];
    char link[300];
    char connection[330];
    pid_t pid;
    FILE *words;    // to the simulator
    FILE *answers;  // from it
};

static void expect_line(struct bench *b) {
    char line[256];
    if (!fgets(line, sizeof line, b->answers)) fail_msg("the simulator says nothing");
}

static void say(struct bench *b, const char *words) {
    fprintf(b->words, "%s\n", words);
    fflush(b->words);
    expect_line(b);
}

static int start(void **state) {
    struct bench *b = calloc(1, sizeof *b);
    int to[2], from[2];
    test_scratch(b->dir);
    snprintf(b->link, sizeof b->link, "%s/nfc", b->dir);
    snprintf(b->connection, sizeof b->connection, "pn532_uart:%s", b->link);
    if (pipe(to) != 0 || pipe(from) != 0) return -1;
    b->pid = fork();
    if (b->pid == 0) {
        dup2(to[0], STDIN_FILENO);
        dup2(from[1], STDOUT_FILENO);
        close(to[1]);
        close(from[0]);
        execl(simulator_path, simulator_path, "--link", b->link, (char *)NULL);
        _exit(127);
    }
    close(to[0]);
    close(from[1]);
    b->words = fdopen(to[1], "w");
    b->answers = fdopen(from[0], "r");
    expect_line(b);
    *state = b;
    return 0;
}

static int finish(void **state) {
    struct bench *b = *state;
    int status = 0;
    kill(b->pid, SIGTERM);
    waitpid(b->pid, &status, 0);
    fclose(b->words);
    fclose(b->answers);
    int left = access(b->link, F_OK);
    test_scratch_remove(b->dir);
    free(b);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 && left != 0 ? 0 : -1;
}

static struct scan_nfc *open_reader(struct bench *b) {
    struct scan_nfc *nfc;
    struct pt_error err = {0};
    assert_ok(scan_nfc_open(b->connection, &nfc, &err), &err);
    return nfc;
}

static bool poll_once(struct scan_nfc *nfc, struct scan_tag *tag) {
    bool found;
    struct pt_error err = {0};
    assert_ok(scan_nfc_poll(nfc, &found, tag, &err), &err);
    return found;
}

static void expect_tag(struct scan_nfc *nfc, const char *uid, const char *uri) {
    PT_CLEANUP(scan_tag_free) struct scan_tag tag;
    PT_CLEANUP(pt_buf_free) struct pt_buf hex = PT_BUF_INIT(64);
    assert_true(poll_once(nfc, &tag));
    pt_hex_append(&hex, pt_bytes_of(tag.uid, tag.uid_len));
    assert_string_equal(pt_buf_cstr(&hex), uid);
    assert_string_equal(pt_buf_cstr(&tag.uri), uri);
    assert_int_equal(tag.problem.code == PT_OK, uri[0] != 0);
}

static void expect_nothing(struct scan_nfc *nfc) {
    PT_CLEANUP(scan_tag_free) struct scan_tag tag;
    assert_false(poll_once(nfc, &tag));
}

#define LINK "https://id.gs1.org/01/09506000134352/21/SER1"

static void each_laying_on_is_read_once(void **state) {
    struct bench *b = *state;
    struct scan_nfc *nfc = open_reader(b);
    expect_nothing(nfc);
    say(b, "present 04a1b2c3d4e5f6 " LINK);
    expect_tag(nfc, "04a1b2c3d4e5f6", LINK);
    for (int i = 0; i < 4; i++) expect_nothing(nfc);
    say(b, "remove");
    for (int i = 0; i < 2; i++) expect_nothing(nfc);
    say(b, "present 04a1b2c3d4e5f6 " LINK);
    expect_tag(nfc, "04a1b2c3d4e5f6", LINK);
    say(b, "present 04a1b2c3d4e5f7 " LINK "X");  // another one at once
    expect_tag(nfc, "04a1b2c3d4e5f7", LINK "X");
    say(b, "present 04a1b2c3d4e5f8 " LINK "/10/LOT type4");
    expect_tag(nfc, "04a1b2c3d4e5f8", LINK "/10/LOT");
    expect_nothing(nfc);
    scan_nfc_close(nfc);
}

static void a_long_message_of_a_type4_tag_is_read(void **state) {
    struct bench *b = *state;
    struct scan_nfc *nfc = open_reader(b);
    char uri[900] = "https://example.com/", words[1000];
    size_t len = strlen(uri);
    memset(uri + len, 'a', sizeof uri - len - 1);
    uri[sizeof uri - 1] = 0;
    snprintf(words, sizeof words, "present 01020304 %s type4", uri);
    say(b, words);
    expect_tag(nfc, "01020304", uri);
    scan_nfc_close(nfc);
}

static void tags_without_a_uri_give_their_uid_and_why(void **state) {
    struct bench *b = *state;
    struct scan_nfc *nfc = open_reader(b);
    static const char *const words[] = {
        "present 04000000000001 -",                         // empty
        "present 04000000000002 - type4",
        "present 04000000000003 hex:d101045503612e",        // a record longer than the message
        "present 04000000000004 hex:d1010454026465 type4",  // text, no URI
        "present 04000000000005 hex:f10104550361622e",      // chunk
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        char uid[15];
        say(b, words[i]);
        memcpy(uid, words[i] + 8, 14);
        uid[14] = 0;
        expect_tag(nfc, uid, "");
        expect_nothing(nfc);
    }
    scan_nfc_close(nfc);
}

static void a_tag_taken_away_in_mid_reading_is_not_reported(void **state) {
    struct bench *b = *state;
    struct scan_nfc *nfc = open_reader(b);
    for (int type4 = 0; type4 < 2; type4++) {
        say(b, type4 ? "present 04a1b2c3d4e5f6 " LINK " type4" : "present 04a1b2c3d4e5f6 " LINK);
        say(b, "remove-after 2");
        for (int i = 0; i < 3; i++) expect_nothing(nfc);
        say(b, type4 ? "present 04a1b2c3d4e5f6 " LINK " type4" : "present 04a1b2c3d4e5f6 " LINK);
        expect_tag(nfc, "04a1b2c3d4e5f6", LINK);
        say(b, "remove");
        for (int i = 0; i < 2; i++) expect_nothing(nfc);
    }
    scan_nfc_close(nfc);
}

static void a_dead_reader_is_an_error_not_a_hang(void **state) {
    struct bench *b = *state;
    struct scan_nfc *nfc = open_reader(b);
    struct scan_tag tag;
    bool found;
    kill(b->pid, SIGSTOP);
    assert_int_equal(scan_nfc_poll(nfc, &found, &tag, NULL), PT_UNAVAILABLE);
    assert_false(found);
    scan_tag_free(&tag);
    scan_nfc_close(nfc);
    kill(b->pid, SIGCONT);
    nfc = open_reader(b);
    say(b, "present 04a1b2c3d4e5f6 " LINK);
    expect_tag(nfc, "04a1b2c3d4e5f6", LINK);
    scan_nfc_close(nfc);
    assert_int_equal(scan_nfc_open("pn532_uart:/nonexistent/port", &nfc, NULL), PT_UNAVAILABLE);
    assert_null(nfc);
}

static void nfc_list_sees_the_tag(void **state) {
    struct bench *b = *state;
    if (system("command -v nfc-list >/dev/null 2>&1") != 0) {
        print_message("# skipped: nfc-list is not installed\n");
        skip();
    }
    say(b, "present 04a1b2c3d4e5f6 " LINK);
    char command[700], line[256];
    snprintf(command, sizeof command, "LIBNFC_LOG_LEVEL=0 LIBNFC_DEVICE=%s timeout 30 nfc-list", b->connection);
    FILE *out = popen(command, "r");
    bool seen = false;
    while (fgets(line, sizeof line, out)) seen |= strstr(line, "04  a1  b2  c3  d4  e5  f6") != NULL;
    assert_int_equal(pclose(out), 0);
    assert_true(seen);
}

int main(int argc, char **argv) {
    if (argc != 2) return 2;
    simulator_path = argv[1];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_laying_on_is_read_once, start, finish),
        cmocka_unit_test_setup_teardown(a_long_message_of_a_type4_tag_is_read, start, finish),
        cmocka_unit_test_setup_teardown(tags_without_a_uri_give_their_uid_and_why, start, finish),
        cmocka_unit_test_setup_teardown(a_tag_taken_away_in_mid_reading_is_not_reported, start, finish),
        cmocka_unit_test_setup_teardown(a_dead_reader_is_an_error_not_a_hang, start, finish),
        cmocka_unit_test_setup_teardown(nfc_list_sees_the_tag, start, finish),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
