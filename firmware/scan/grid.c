#include "firmware/scan/grid.h"

#include <math.h>

#include "firmware/scan/dm_modules.h"

bool scan_projection_of(const struct scan_point c[4], struct scan_projection *out) {
    // Heckbert's square-to-quadrilateral map.
    double dx1 = c[1].x - c[2].x, dx2 = c[3].x - c[2].x, sx = c[0].x - c[1].x + c[2].x - c[3].x;
    double dy1 = c[1].y - c[2].y, dy2 = c[3].y - c[2].y, sy = c[0].y - c[1].y + c[2].y - c[3].y;
    double det = dx1 * dy2 - dx2 * dy1;
    if (!isfinite(det) || fabs(det) < 1e-9) return false;
    double g = (sx * dy2 - dx2 * sy) / det, h = (dx1 * sy - sx * dy1) / det;
    *out = (struct scan_projection){{c[1].x - c[0].x + g * c[1].x, c[3].x - c[0].x + h * c[3].x, c[0].x,
                                     c[1].y - c[0].y + g * c[1].y, c[3].y - c[0].y + h * c[3].y, c[0].y, g, h, 1}};
    return true;
}

static double clamp(double value, double most) { return !(value > 0) ? 0 : value > most ? most : value; }

double scan_frame_at(const struct scan_frame *frame, double x, double y) {
    x = clamp(x, frame->width - 1.0);
    y = clamp(y, frame->height - 1.0);
    uint32_t x0 = (uint32_t)x, y0 = (uint32_t)y;
    uint32_t x1 = x0 + 1 < frame->width ? x0 + 1 : x0, y1 = y0 + 1 < frame->height ? y0 + 1 : y0;
    double fx = x - x0, fy = y - y0;
    const uint8_t *a = scan_frame_row(frame, y0), *b = scan_frame_row(frame, y1);
    return (a[x0] * (1 - fx) + a[x1] * fx) * (1 - fy) + (b[x0] * (1 - fx) + b[x1] * fx) * fy;
}

static void sample(const struct scan_frame *frame, const struct scan_projection *projection, struct dm_modules *out) {
    static const double offset[5][2] = {{0, 0}, {-0.15, 0}, {0.15, 0}, {0, -0.15}, {0, 0.15}};
    for (unsigned row = 0; row < out->rows; row++)
        for (unsigned col = 0; col < out->cols; col++) {
            double sum = 0;
            for (int i = 0; i < 5; i++) {
                struct scan_point p = scan_project(projection, (col + 0.5 + offset[i][0]) / out->cols,
                                                   (row + 0.5 + offset[i][1]) / out->rows);
                sum += scan_frame_at(frame, p.x, p.y);
            }
            out->grey[row * out->cols + col] = (float)(sum / 5);
        }
}

static bool read_at(const struct scan_frame *frame, const struct scan_point box[4], const struct scan_dm_size *size,
                    struct scan_symbol *out) {
    struct scan_projection projection;
    struct dm_modules modules = {.rows = size->rows, .cols = size->cols};
    if (!scan_projection_of(box, &projection)) return false;
    sample(frame, &projection, &modules);
    if (dm_modules_read(&modules, NULL, size, out)) return true;
    for (unsigned i = 0; i < modules.rows * modules.cols; i++) modules.grey[i] = 255 - modules.grey[i];  // light on dark
    return dm_modules_read(&modules, NULL, size, out);
}

bool scan_grid_read(const struct scan_frame *frame, const struct scan_point box[4], const struct scan_dm_size *size,
                    struct scan_symbol *out) {
    if (read_at(frame, box, size, out)) return true;
    // Seen from behind, the L's corner stays and its arms change places.
    const struct scan_point mirrored[4] = {box[2], box[1], box[0], box[3]};
    const struct scan_dm_size *turned = scan_dm_size_of(size->cols, size->rows);
    return turned && read_at(frame, mirrored, turned, out);
}
