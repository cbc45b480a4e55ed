// pn532sim: a PN532 NFC reader on a pseudo terminal, for demonstrations and tests without hardware.
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "tools/pn532sim/control.h"

#define MAX_LINE 4096

static volatile sig_atomic_t stopped;

static void stop(int number) {
    (void)number;
    stopped = 1;
}

struct simulator {
    struct pn532 chip;
    int terminal;
    int slave;  // held open: libnfc opens and closes its end, and the terminal must outlive that
    int control;
    char line[MAX_LINE];
    size_t line_len;
};

static void print_help(FILE *out) {
    fputs("usage: pn532sim --link PATH [--control FIFO] [--present 'UID URI [type4]']\n\n"
          "Opens a pseudo terminal, makes PATH a symbolic link to it, and answers there as a PN532 on a serial port:\n"
          "    LIBNFC_DEVICE=pn532_uart:PATH nfc-list\n"
          "Reads lines from the FIFO (made if missing) or standard input:\n"
          "    present UID URI [type2|type4]   lays a tag on the reader (NTAG213, or Type 4); URI - for an empty tag\n"
          "    remove                          takes it away\n"
          "    remove-after N                  takes it away at the N-th exchange from now\n"
          "Prints {\"terminal\":…} when ready, then {\"done\":…} a line. Stops on SIGTERM or SIGINT.\n",
          out);
}

static int open_terminal(struct simulator *sim, const char *link_path) {
    char name[128];
    sim->terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (sim->terminal < 0 || grantpt(sim->terminal) != 0 || unlockpt(sim->terminal) != 0 ||
        ptsname_r(sim->terminal, name, sizeof name) != 0)
        return -1;
    sim->slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    struct termios mode;
    if (sim->slave < 0 || tcgetattr(sim->slave, &mode) != 0) return -1;
    cfmakeraw(&mode);
    if (tcsetattr(sim->slave, TCSANOW, &mode) != 0) return -1;
    if (unlink(link_path) != 0 && errno != ENOENT) return -1;
    if (symlink(name, link_path) != 0) return -1;
    printf("{\"terminal\":\"%s\"}\n", name);
    return fflush(stdout);
}

static void send_all(int fd, struct pt_buf *out) {
    for (size_t done = 0; done < out->len;) {
        ssize_t n = write(fd, out->data + done, out->len - done);
        if (n <= 0 && errno != EINTR) break;
        if (n > 0) done += (size_t)n;
    }
    pt_buf_clear(out);
}

static int run_line(struct simulator *sim, const char *line) {
    PT_CLEANUP(pt_buf_free) struct pt_buf out = PT_BUF_INIT(4096);
    struct pt_error err = {0};
    if (line[strspn(line, " \t\r")] == 0) return 0;
    if (pn532_control(&sim->chip, line, &out, &err) != PT_OK) {
        fprintf(stderr, "pn532sim: %s\n", err.what);
        return -1;
    }
    send_all(sim->terminal, &out);
    printf("{\"done\":\"%.*s\"}\n", (int)strcspn(line, " \t\r\n"), line);
    fflush(stdout);
    return 0;
}

static void read_control(struct simulator *sim) {
    char piece[512];
    ssize_t n = read(sim->control, piece, sizeof piece);
    if (n == 0) {  // the other end closed; the tags stay as they are
        close(sim->control);
        sim->control = -1;
    }
    for (ssize_t i = 0; i < n; i++) {
        if (piece[i] != '\n') {
            if (sim->line_len < sizeof sim->line - 1) sim->line[sim->line_len++] = piece[i];
            continue;
        }
        sim->line[sim->line_len] = 0;
        sim->line_len = 0;
        run_line(sim, sim->line);
    }
}

static void serve(struct simulator *sim) {
    PT_CLEANUP(pt_buf_free) struct pt_buf out = PT_BUF_INIT(65536);
    while (!stopped) {
        struct pollfd ends[2] = {{.fd = sim->terminal, .events = POLLIN}, {.fd = sim->control, .events = POLLIN}};
        if (poll(ends, 2, -1) < 0) continue;
        if (ends[0].revents & POLLIN) {
            uint8_t piece[1024];
            ssize_t n = read(sim->terminal, piece, sizeof piece);
            if (n > 0) pn532_receive(&sim->chip, pt_bytes_of(piece, (size_t)n), &out);
            send_all(sim->terminal, &out);
        }
        if (ends[1].revents & (POLLIN | POLLHUP)) read_control(sim);
    }
}

// A FIFO opened for reading and writing never reports its end, so that many writers can come and go.
static int open_control(const char *path) {
    if (!path) return STDIN_FILENO;
    if (mkfifo(path, 0600) != 0 && errno != EEXIST) return -1;
    return open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
}

int main(int argc, char **argv) {
    static const struct option options[] = {{"link", required_argument, NULL, 'l'},
                                            {"control", required_argument, NULL, 'c'},
                                            {"present", required_argument, NULL, 'p'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    static struct simulator sim;
    const char *link_path = NULL, *control = NULL, *tag = NULL;
    for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        if (option == 'h') {
            print_help(stdout);
            return 0;
        }
        if (option == 'l') link_path = optarg;
        else if (option == 'c') control = optarg;
        else if (option == 'p') tag = optarg;
        else return 2;
    }
    if (!link_path || optind < argc) {
        print_help(stderr);
        return 2;
    }
    struct sigaction action = {.sa_handler = stop};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    pn532_reset(&sim.chip);
    sim.control = open_control(control);
    if (sim.control < 0 || open_terminal(&sim, link_path) != 0) {
        fprintf(stderr, "pn532sim: cannot open %s: %s\n", sim.control < 0 ? control : link_path, strerror(errno));
        return 3;
    }
    char line[MAX_LINE];
    int status = 0;
    if (tag) {
        snprintf(line, sizeof line, "present %s", tag);
        status = run_line(&sim, line) == 0 ? 0 : 2;
    }
    if (status == 0) serve(&sim);
    unlink(link_path);
    return status;
}
