// Draws pictures of Data Matrix symbols into a folder, NAME.pgm with NAME.txt beside it, for bench-datamatrix and other
// readers.
//
//   draw-labels FOLDER SYMBOLS-A-SIZE SEED [HARDSHIP]
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/disk.h"
#include "firmware/scan/image.h"
#include "tests/bench/bench.h"
#include "tests/support/label_scene.h"

static void write_all(const char *path, struct pt_bytes bytes) {
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes.data, 1, bytes.len, file) != bytes.len || fclose(file) != 0) bench_stop(path);
}

static void draw(const char *folder, unsigned version, unsigned hardship, unsigned turn, uint32_t *seed) {
    PT_FREE struct label_symbol *symbol = calloc(1, sizeof *symbol);
    PT_CLEANUP(scan_frame_free) struct scan_frame frame = {0};
    PT_CLEANUP(pt_buf_free) struct pt_buf picture = PT_BUF_INIT(SCAN_IMAGE_MAX_BYTES);
    struct pt_error err = {0};
    char path[4200];
    if (!symbol || !label_symbol_draw(version, seed, folder, symbol)) bench_stop("zint does not draw");
    struct label_scene scene = label_scene_of(hardship, symbol->rows, symbol->cols, seed);
    bench_ok(label_scene_draw(&scene, symbol->modules, symbol->rows, symbol->cols, &frame, &err), &err);
    scan_image_write_pgm(&frame, &picture);
    snprintf(path, sizeof path, "%s/%s-%ux%u-%u.pgm", folder, label_hardship_name(hardship), symbol->rows, symbol->cols, turn);
    write_all(path, pt_buf_bytes(&picture));
    memcpy(path + strlen(path) - 3, "txt", 3);
    write_all(path, pt_buf_bytes(&symbol->text));
    pt_buf_free(&symbol->text);
}

int main(int argc, char **argv) {
    if (argc < 4) bench_stop("usage: draw-labels FOLDER SYMBOLS-A-SIZE SEED [HARDSHIP]");
    uint32_t seed = (uint32_t)strtoul(argv[3], NULL, 10) * 2654435761u + 1;
    for (unsigned h = 0; label_hardship_name(h); h++) {
        if (argc > 4 && strcmp(argv[4], label_hardship_name(h)) != 0) continue;
        for (unsigned version = 1; version <= 48; version++)
            for (unsigned k = 0; k < strtoul(argv[2], NULL, 10); k++) draw(argv[1], version, h, k, &seed);
    }
    char left[4200];
    snprintf(left, sizeof left, "%s/symbol.png", argv[1]);
    return remove(left) == 0 ? 0 : 1;
}
