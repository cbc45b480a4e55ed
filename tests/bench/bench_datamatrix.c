// Data Matrix symbols in pictures: how many are read, how many wrongly, and how long a picture takes, for our own
// reader, for libdmtx alone (as a decoder and as its own program's defaults would find it) and for the whole reader with
// ZBar. One JSON line a reader.
//
//   bench-datamatrix [-v] [own|libdmtx|reader]… FOLDER…      pictures with NAME.txt or NAME.bin beside them; without
//                                                           either a picture counts as one without a symbol
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/disk.h"
#include "firmware/scan/image.h"
#include "firmware/scan/reader.h"
#include "tests/bench/bench.h"

enum { FILES_MAX = 20000, BUDGET_MS = 4000 };

struct tally {
    size_t pictures, expected, read, wrong;
    double *ms;
};

static char *files[FILES_MAX];
static size_t file_count;
static bool verbose;

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }
static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void list(const char *folder) {
    DIR *dir = opendir(folder);
    if (!dir) bench_stop(folder);
    for (struct dirent *entry; (entry = readdir(dir)) && file_count < FILES_MAX;) {
        const char *dot = strrchr(entry->d_name, '.');
        if (!dot || (strcmp(dot, ".png") != 0 && strcmp(dot, ".jpg") != 0 && strcmp(dot, ".pgm") != 0)) continue;
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        files[file_count++] = strdup(path);
    }
    closedir(dir);
}

// Whether a file beside the picture says what the symbol must say; false as well where it is another.
static bool agrees(const char *picture, const char *suffix, struct pt_bytes got, bool *there) {
    char path[4200];
    PT_CLEANUP(pt_buf_free) struct pt_buf want = PT_BUF_INIT(1 << 20);
    snprintf(path, sizeof path, "%.*s.%s", (int)(strrchr(picture, '.') - picture), picture, suffix);
    if (access(path, R_OK) != 0 || pt_file_read(path, &want, NULL) != PT_OK) return false;
    *there = true;
    return pt_bytes_equal(pt_buf_bytes(&want), got);
}

static void judge(const char *path, const struct scan_symbols *found, double ms, struct tally *tally) {
    bool there = false, read = false;
    (void)agrees(path, "txt", (struct pt_bytes){0}, &there);
    (void)agrees(path, "bin", (struct pt_bytes){0}, &there);
    tally->expected += there;
    for (size_t i = 0; i < found->count; i++) {
        const struct scan_symbol *symbol = &found->items[i];
        bool right = agrees(path, "txt", pt_buf_bytes(&symbol->text), &there) ||
                     agrees(path, "bin", pt_buf_bytes(&symbol->bytes), &there);
        read |= right;
        tally->wrong += !right;
        if (!right) fprintf(stderr, "wrong: %s says %s\n", path, pt_buf_cstr((struct pt_buf *)&symbol->text));
    }
    tally->read += read;
    tally->ms[tally->pictures++] = ms;
    if (verbose) fprintf(stderr, "%-8s %7.1f ms  %s\n", read ? "read" : there ? "MISSED" : "none", ms, path);
}

struct readers {
    struct scan_decoder quick, decoder;  // quick may have no function
    struct scan_reader *reader;          // or this alone
};

static enum pt_code read_one(const struct readers *with, const struct scan_frame *frame, struct scan_symbols *out,
                             struct pt_error *err) {
    int64_t deadline = scan_clock_ms() + BUDGET_MS;
    enum pt_code code = PT_OK;
    if (with->reader) return scan_reader_read(with->reader, frame, out, err);
    if (with->quick.decode) code = with->quick.decode(with->quick.ctx, frame, deadline, out, err);
    if (code == PT_OK && out->count == 0) code = with->decoder.decode(with->decoder.ctx, frame, deadline, out, err);
    return code;
}

static void run(const char *how) {
    struct pt_error err = {0};
    struct readers with = {0};
    struct tally tally = {.ms = calloc(file_count, sizeof(double))};
    if (strcmp(how, "own") == 0) {
        bench_ok(scan_decoder_datamatrix(SCAN_QUICK, &with.quick, &err), &err);
        bench_ok(scan_decoder_datamatrix(SCAN_DEEP, &with.decoder, &err), &err);
    }
    else if (strcmp(how, "libdmtx") == 0) bench_ok(scan_decoder_dmtx(&with.decoder, &err), &err);
    else bench_ok(scan_reader_open(&(struct scan_reader_options){.budget_ms = BUDGET_MS}, &with.reader, &err), &err);
    for (size_t i = 0; i < file_count; i++) {
        PT_CLEANUP(pt_buf_free) struct pt_buf file = PT_BUF_INIT(SCAN_IMAGE_MAX_BYTES);
        PT_CLEANUP(scan_frame_free) struct scan_frame frame = {0};
        PT_CLEANUP(scan_symbols_free) struct scan_symbols found = {0};
        bench_ok(pt_file_read(files[i], &file, &err), &err);
        bench_ok(scan_image_read(pt_buf_bytes(&file), &frame, &err), &err);
        double begin = bench_cpu_seconds();
        bench_ok(read_one(&with, &frame, &found, &err), &err);
        judge(files[i], &found, (bench_cpu_seconds() - begin) * 1e3, &tally);
    }
    qsort(tally.ms, tally.pictures, sizeof *tally.ms, by_value);
    printf("{\"benchmark\":\"datamatrix\",\"reader\":\"%s\",\"pictures\":%zu,\"symbols\":%zu,\"read\":%zu,\"wrong\":%zu,"
           "\"ms_median\":%.1f,\"ms_p95\":%.1f,\"ms_most\":%.1f}\n",
           how, tally.pictures, tally.expected, tally.read, tally.wrong, tally.ms[tally.pictures / 2],
           tally.ms[tally.pictures * 95 / 100], tally.ms[tally.pictures - 1]);
    fflush(stdout);
    free(tally.ms);
    scan_reader_close(with.reader);
}

int main(int argc, char **argv) {
    const char *readers[3];
    size_t reader_count = 0;
    for (int i = 1; i < argc; i++) {
        bool reader = strcmp(argv[i], "own") == 0 || strcmp(argv[i], "libdmtx") == 0 || strcmp(argv[i], "reader") == 0;
        if (strcmp(argv[i], "-v") == 0) verbose = true;
        else if (!reader) list(argv[i]);
        else if (reader_count < 3) readers[reader_count++] = argv[i];
    }
    if (file_count == 0 || reader_count == 0) bench_stop("usage: bench-datamatrix [-v] [own|libdmtx|reader]… FOLDER…");
    qsort(files, file_count, sizeof *files, by_name);
    for (size_t i = 0; i < reader_count; i++) run(readers[i]);
    for (size_t i = 0; i < file_count; i++) free(files[i]);
    return 0;
}
