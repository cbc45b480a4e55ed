#include "tests/support/label_scene.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"

enum { SUPER = 3 };  // looks at a pixel along each axis

double label_random(uint32_t *seed, double low, double high) {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return low + (high - low) * (*seed / 4294967296.0);
}

static double normal(uint32_t *seed) {
    double sum = 0;
    for (int i = 0; i < 12; i++) sum += label_random(seed, -0.5, 0.5);
    return sum;
}

struct camera {
    double r[3][3];   // label axes in camera axes
    double away;      // modules from the camera to the symbol's middle
    double focal;     // pixels
    double cx, cy;
    double radius;    // of the cylinder in modules, 0 flat
};

static void turn_axes(double r[3][3], int a, int b, double degrees) {
    double c = cos(degrees * M_PI / 180), s = sin(degrees * M_PI / 180);
    for (int i = 0; i < 3; i++) {
        double x = r[a][i], y = r[b][i];
        r[a][i] = c * x - s * y;
        r[b][i] = s * x + c * y;
    }
}

static struct camera camera_of(const struct label_scene *s, unsigned rows, unsigned cols) {
    struct camera c = {.r = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}, .cx = s->width / 2.0, .cy = s->height / 2.0};
    double longest = rows > cols ? rows : cols;
    turn_axes(c.r, 1, 2, s->tilt);
    turn_axes(c.r, 0, 2, s->pan);
    turn_axes(c.r, 0, 1, s->turn);
    c.away = longest * (s->distance > 0 ? s->distance : 20);
    c.focal = c.away * s->module;
    c.radius = s->bend > 0 ? cols / (s->bend * M_PI / 180) : 0;
    return c;
}

// The point of the label (modules from its middle, x right, y down) that is seen there; false past the bottle's edge.
static bool seen_at(const struct camera *c, double px, double py, double *x, double *y) {
    double ray[3] = {(px - c->cx) / c->focal, (py - c->cy) / c->focal, 1}, o[3], d[3];
    for (int i = 0; i < 3; i++) {  // into the label's axes; the camera is at -away on z
        o[i] = -c->away * c->r[2][i];
        d[i] = ray[0] * c->r[0][i] + ray[1] * c->r[1][i] + ray[2] * c->r[2][i];
    }
    if (c->radius <= 0) {
        if (fabs(d[2]) < 1e-9) return false;
        double t = -o[2] / d[2];
        *x = o[0] + d[0] * t;
        *y = o[1] + d[1] * t;
        return t > 0;
    }
    // The cylinder lies behind the label's middle line: x^2 + (z - radius)^2 = radius^2.
    double oz = o[2] - c->radius, a = d[0] * d[0] + d[2] * d[2], b = o[0] * d[0] + oz * d[2];
    double k = o[0] * o[0] + oz * oz - c->radius * c->radius, root = b * b - a * k;
    if (root < 0) return false;
    double t = (-b - sqrt(root)) / a;
    *x = c->radius * atan2(o[0] + d[0] * t, -(oz + d[2] * t));
    *y = o[1] + d[1] * t;
    return true;
}

struct mark {
    double x, y, wide, high;  // on the ground, in modules from the middle
    double grey;
};

struct drawing {
    const struct label_scene *s;
    const uint8_t *modules;
    unsigned rows, cols;
    struct mark marks[400];
    unsigned mark_count;
    double scratch[8][4];
};

static bool module_dark(const struct drawing *d, int row, int col) {
    if (row < 0 || col < 0 || row >= (int)d->rows || col >= (int)d->cols) return false;
    return d->modules[(unsigned)row * d->cols + (unsigned)col] != 0;
}

static bool is_ink(const struct drawing *d, double x, double y) {
    int col = (int)floor(x), row = (int)floor(y);
    double fx = x - col, fy = y - row;
    if (d->s->dot > 0) return module_dark(d, row, col) && hypot(fx - 0.5, fy - 0.5) < d->s->dot;
    double g = d->s->growth;
    bool dark = module_dark(d, row, col);
    if (g == 0) return dark;
    bool left = module_dark(d, row, col - 1), right = module_dark(d, row, col + 1);
    bool above = module_dark(d, row - 1, col), below = module_dark(d, row + 1, col);
    if (g > 0) return dark || (left && fx < g) || (right && fx > 1 - g) || (above && fy < g) || (below && fy > 1 - g);
    return dark && !((!left && fx < -g) || (!right && fx > 1 + g) || (!above && fy < -g) || (!below && fy > 1 + g));
}

static double grey_at(const struct drawing *d, double x, double y) {
    const struct label_scene *s = d->s;
    double u = (s->mirror ? -x : x) + d->cols / 2.0, v = y + d->rows / 2.0;
    if (u >= 0 && v >= 0 && u < d->cols && v < d->rows) {
        for (unsigned i = 0; i < s->scratches && i < 8; i++) {
            const double *k = d->scratch[i];
            if (fabs(k[0] * (u - k[2]) + k[1] * (v - k[3])) < 0.22) return s->paper;
        }
    }
    if (u > -0.5 && v > -0.5 && u < d->cols + 0.5 && v < d->rows + 0.5 && is_ink(d, u, v)) return s->ink;
    if (u >= -s->quiet && v >= -s->quiet && u < d->cols + s->quiet && v < d->rows + s->quiet) return s->paper;
    for (unsigned i = 0; i < d->mark_count; i++) {
        const struct mark *m = &d->marks[i];
        if (x >= m->x && y >= m->y && x < m->x + m->wide && y < m->y + m->high) return m->grey;
    }
    return s->ground;
}

// Bars, lines and letter-like strokes.
static void scatter(struct drawing *d, uint32_t *seed) {
    double span = 3.0 * (d->rows > d->cols ? d->rows : d->cols);
    for (unsigned i = 0; i < d->s->clutter && i < 400; i++) {
        struct mark m = {label_random(seed, -span, span), label_random(seed, -span, span), 0, 0,
                         label_random(seed, 0, 1) < 0.7 ? d->s->ink : label_random(seed, 0, 255)};
        double kind = label_random(seed, 0, 1);
        m.wide = kind < 0.4 ? 0.8 : label_random(seed, 1, kind < 0.9 ? 8 : 25);
        m.high = kind < 0.4 ? label_random(seed, 2, 8) : kind < 0.8 ? 0.8 : label_random(seed, 1, 6);
        d->marks[d->mark_count++] = m;
    }
    for (unsigned i = 0; i < 8; i++) {
        double angle = label_random(seed, 0, 2 * M_PI);
        double *k = d->scratch[i];
        k[0] = cos(angle);
        k[1] = sin(angle);
        k[2] = label_random(seed, 0, d->cols);
        k[3] = label_random(seed, 0, d->rows);
    }
}

static void blur_line(float *line, float *copy, size_t count, size_t step, const double *kernel, int reach) {
    for (size_t i = 0; i < count; i++) copy[i] = line[i * step];
    for (size_t i = 0; i < count; i++) {
        double sum = 0;
        for (int k = -reach; k <= reach; k++) {
            ptrdiff_t at = (ptrdiff_t)i + k;
            at = at < 0 ? 0 : at >= (ptrdiff_t)count ? (ptrdiff_t)count - 1 : at;
            sum += kernel[k + reach] * copy[at];
        }
        line[i * step] = (float)sum;
    }
}

static void blur(float *picture, uint32_t width, uint32_t height, double sigma) {
    double kernel[61], all = 0;
    int reach = (int)ceil(3 * sigma);
    if (sigma <= 0) return;
    if (reach > 30) reach = 30;
    for (int k = -reach; k <= reach; k++) all += kernel[k + reach] = exp(-k * k / (2 * sigma * sigma));
    for (int k = 0; k <= 2 * reach; k++) kernel[k] /= all;
    PT_FREE float *copy = malloc((width > height ? width : height) * sizeof *copy);
    if (!copy) return;
    for (uint32_t y = 0; y < height; y++) blur_line(picture + (size_t)y * width, copy, width, 1, kernel, reach);
    for (uint32_t x = 0; x < width; x++) blur_line(picture + x, copy, height, width, kernel, reach);
}

static double look(const struct drawing *d, const struct camera *camera, uint32_t px, uint32_t py) {
    double sum = 0;
    for (int i = 0; i < SUPER * SUPER; i++) {
        double x, y;
        bool hit = seen_at(camera, px + (i % SUPER + 0.5) / SUPER, py + (i / SUPER + 0.5) / SUPER, &x, &y);
        sum += hit ? grey_at(d, x, y) : d->s->ground;
    }
    double across = ((double)px / d->s->width + (double)py / d->s->height) / 2;
    return sum / (SUPER * SUPER) * (1 - d->s->shade * across);
}

enum pt_code label_scene_draw(const struct label_scene *scene, const uint8_t *modules, unsigned rows, unsigned cols,
                              struct scan_frame *out, struct pt_error *err) {
    struct label_scene s = *scene;
    uint32_t seed = s.seed ? s.seed : 1;
    double reach = (hypot(rows + 2 * s.quiet, cols + 2 * s.quiet) + 4) * s.module * 1.15;
    if (s.width == 0) s.width = (uint32_t)reach;
    if (s.height == 0) s.height = (uint32_t)reach;
    PT_FREE struct drawing *d = calloc(1, sizeof *d);
    PT_FREE float *picture = malloc((size_t)s.width * s.height * sizeof *picture);
    if (!d || !picture) return pt_fail(err, PT_NO_MEMORY, NULL, "no memory for a scene");
    *d = (struct drawing){.s = &s, .modules = modules, .rows = rows, .cols = cols};
    scatter(d, &seed);
    struct camera camera = camera_of(&s, rows, cols);
    for (uint32_t y = 0; y < s.height; y++)
        for (uint32_t x = 0; x < s.width; x++) picture[(size_t)y * s.width + x] = (float)look(d, &camera, x, y);
    blur(picture, s.width, s.height, s.blur);
    enum pt_code code = scan_frame_new(s.width, s.height, out, err);
    if (code != PT_OK) return code;
    for (size_t i = 0; i < (size_t)s.width * s.height; i++) {
        double v = picture[i] + (s.noise > 0 ? s.noise * normal(&seed) : 0) + 0.5;
        out->pixels[i] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
    }
    return PT_OK;
}
