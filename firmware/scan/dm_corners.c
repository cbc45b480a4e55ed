#include "firmware/scan/dm_corners.h"

#include <math.h>
#include <string.h>

#define LEAST_DARK 0.80
#define GOOD_DARK 0.9
#define LEAST_ARM 6.0        // pixels
#define LEAST_BENT 30.0      // shorter arms are taken as straight
#define BOW_STEP 0.012       // of the arm
#define BOW_STEPS 6
#define MOST_RATIO 22.0      // 144 to 8 modules, seen slanted
#define SAMPLES_MAX 160
#define SKIP 3               // corners of the hull that an arm may pass over
#define THICKNESS_SAMPLES 48

static double distance(struct scan_point a, struct scan_point b) { return hypot(a.x - b.x, a.y - b.y); }

static struct scan_point between(struct scan_point a, struct scan_point b, double t) {
    return (struct scan_point){a.x + (b.x - a.x) * t, a.y + (b.y - a.y) * t};
}

static double off_line(struct scan_point a, struct scan_point b, struct scan_point p) {
    double length = distance(a, b);
    return length > 0 ? fabs((b.x - a.x) * (p.y - a.y) - (b.y - a.y) * (p.x - a.x)) / length : distance(a, p);
}

// Takes out the corners that lie within `tolerance` of the line between their neighbours.
static unsigned simplify(const struct dm_component *component, double tolerance, struct scan_point *out) {
    unsigned count = component->hull_count;
    memcpy(out, component->hull, count * sizeof *out);
    while (count > 3) {
        unsigned least = 0;
        double nearest = HUGE_VAL;
        for (unsigned i = 0; i < count; i++) {
            double off = off_line(out[(i + count - 1) % count], out[(i + 1) % count], out[i]);
            if (off < nearest) {
                nearest = off;
                least = i;
            }
        }
        if (nearest > tolerance) break;
        memmove(out + least, out + least + 1, (count - least - 1) * sizeof *out);
        count--;
    }
    return count;
}

// A hull's side that may bend.
struct arm {
    double dark;  // share of it that is dark a little inside
    double bow;   // inwards at its middle, pixels
};

// The hull goes round so that inside is at the left of its way on the picture's axes (x right, y down): (dy, -dx).
static double dark_along(const struct dm_depth_map *map, struct scan_point a, struct scan_point b, double bow, struct dm_work *work) {
    static const double insets[] = {0.6, 1.3, 2.2};
    double length = distance(a, b), best = 0;
    double nx = (b.y - a.y) / length, ny = -(b.x - a.x) / length;
    unsigned samples = length * 1.5 > SAMPLES_MAX ? SAMPLES_MAX : (unsigned)(length * 1.5);
    for (size_t k = 0; k < sizeof insets / sizeof *insets; k++) {
        unsigned dark = 0;
        if (insets[k] > length / 10 && k > 0) break;
        for (unsigned i = 0; i < samples; i++) {
            double t = (i + 0.5) / samples, in = insets[k] + bow * 4 * t * (1 - t);
            struct scan_point p = between(a, b, t);
            dark += dm_depth_near(map, p.x + nx * in, p.y + ny * in) > 0;
        }
        (void)dm_work_take(work, samples);
        double share = samples ? (double)dark / samples : 0;
        if (share > best) best = share;
    }
    return best;
}

// Straight where that will do; else bent either way in steps of about a bar's thickness, the darkest.
static struct arm arm_of(const struct dm_depth_map *map, struct scan_point a, struct scan_point b, struct dm_work *work) {
    double length = distance(a, b);
    if (length < LEAST_ARM) return (struct arm){0};
    struct arm best = {dark_along(map, a, b, 0, work), 0};
    if (best.dark >= GOOD_DARK || length < LEAST_BENT || work->left <= 0) return best;
    for (int i = 1; i <= BOW_STEPS; i++)
        for (int way = -1; way <= 1; way += 2) {
            double bow = way * i * BOW_STEP * length, dark = dark_along(map, a, b, bow, work);
            if (dark > best.dark + 0.02) best = (struct arm){dark, bow};
        }
    return best;
}

// How far it is dark from the edge point inwards, or a negative number where the edge itself is light.
static double thickness_at(const struct dm_depth_map *map, struct scan_point edge, double dx, double dy, double most) {
    double step = 0.25, from = -1.5;
    for (; from <= 1.5 && dm_depth_at(map, edge.x + dx * from, edge.y + dy * from) <= 0; from += step) {}
    if (from > 1.5) return -1;
    double to = from;
    while (to < most && dm_depth_at(map, edge.x + dx * to, edge.y + dy * to) > 0) to += step;
    return to - from;
}

// The bar's thickness: where a light module follows it is short, elsewhere longer, so a low percentile.
static double thickness_of(const struct dm_depth_map *map, struct scan_point a, struct scan_point b, struct scan_point inward,
                           double bow, double most) {
    double found[THICKNESS_SAMPLES];
    unsigned count = 0;
    double length = hypot(inward.x, inward.y);
    for (unsigned i = 0; i < THICKNESS_SAMPLES; i++) {
        double share = (i + 0.5) / THICKNESS_SAMPLES, in = bow * 4 * share * (1 - share) / length;
        struct scan_point edge = between(a, b, share);
        edge = (struct scan_point){edge.x + inward.x * in, edge.y + inward.y * in};
        double t = thickness_at(map, edge, inward.x / length, inward.y / length, most);
        if (t < 0.5) continue;
        unsigned at = count++;
        for (; at > 0 && found[at - 1] > t; at--) found[at] = found[at - 1];
        found[at] = t;
    }
    return count ? found[count * 12 / 100] : 0;
}

static bool intersection(struct scan_point a, struct scan_point b, struct scan_point c, struct scan_point d,
                         struct scan_point *out) {
    double rx = b.x - a.x, ry = b.y - a.y, sx = d.x - c.x, sy = d.y - c.y, cross = rx * sy - ry * sx;
    if (fabs(cross) < 1e-6 * (fabs(rx) + fabs(ry)) * (fabs(sx) + fabs(sy))) return false;
    double t = ((c.x - a.x) * sy - (c.y - a.y) * sx) / cross;
    *out = (struct scan_point){a.x + rx * t, a.y + ry * t};
    return true;
}

// The hull's sides beyond the arms meet near the fourth corner, which is itself a light module.
static void guess_fourth(const struct scan_point *hull, unsigned count, unsigned first, unsigned last, struct dm_corner *c) {
    double short_side = 0.2;
    unsigned before = (first + count - 1) % count, after = (last + 1) % count;
    double up = distance(c->top_left, c->bottom_left), across = distance(c->bottom_left, c->bottom_right);
    while (before != last && distance(hull[before], c->top_left) < short_side * across) before = (before + count - 1) % count;
    while (after != first && distance(hull[after], c->bottom_right) < short_side * up) after = (after + 1) % count;
    if (before == last || after == first) return;
    struct scan_point p;
    if (!intersection(c->top_left, hull[before], c->bottom_right, hull[after], &p)) return;
    // In the L's own axes the corner lies at (1, 1), perspective aside.
    double ax = c->bottom_right.x - c->bottom_left.x, ay = c->bottom_right.y - c->bottom_left.y;
    double bx = c->top_left.x - c->bottom_left.x, by = c->top_left.y - c->bottom_left.y, det = ax * by - ay * bx;
    double px = p.x - c->bottom_left.x, py = p.y - c->bottom_left.y;
    double u = (px * by - py * bx) / det, v = (ax * py - ay * px) / det;
    c->has_guess = u > 0.45 && u < 1.8 && v > 0.45 && v < 1.8;
    c->guess = p;
}

static void add(struct dm_corner *list, size_t *count, const struct dm_corner *corner) {
    double tolerance = 0.02 * (distance(corner->top_left, corner->bottom_left) + distance(corner->bottom_left, corner->bottom_right));
    for (size_t i = 0; i < *count; i++)
        if (distance(list[i].top_left, corner->top_left) < tolerance && distance(list[i].bottom_left, corner->bottom_left) < tolerance &&
            distance(list[i].bottom_right, corner->bottom_right) < tolerance)
            return;
    size_t at = *count < DM_CORNERS_MAX ? (*count)++ : DM_CORNERS_MAX - 1;
    if (at == DM_CORNERS_MAX - 1 && list[at].dark >= corner->dark && *count == DM_CORNERS_MAX && list[at].bar_across > 0) return;
    for (; at > 0 && list[at - 1].dark < corner->dark; at--) list[at] = list[at - 1];
    list[at] = *corner;
}

static bool measure(const struct dm_depth_map *map, struct dm_corner *c) {
    struct scan_point up = {c->top_left.x - c->bottom_left.x, c->top_left.y - c->bottom_left.y};
    struct scan_point right = {c->bottom_right.x - c->bottom_left.x, c->bottom_right.y - c->bottom_left.y};
    double tall = hypot(up.x, up.y), wide = hypot(right.x, right.y);
    double sine = fabs(up.x * right.y - up.y * right.x) / (tall * wide);
    if (tall < LEAST_ARM || wide < LEAST_ARM || tall > MOST_RATIO * wide || wide > MOST_RATIO * tall || sine < 0.35) return false;
    c->bar_across = thickness_of(map, c->bottom_left, c->bottom_right, up, c->bow_bottom, tall / 3);
    c->bar_upright = thickness_of(map, c->top_left, c->bottom_left, right, c->bow_left, wide / 3);
    return c->bar_across > 0 && c->bar_upright > 0;
}

static void search(const struct dm_depth_map *map, const struct scan_point *hull, unsigned count, struct dm_work *work,
                   struct dm_corner *out, size_t *found) {
    struct arm arms[DM_HULL_MAX][SKIP];
    for (unsigned i = 0; i < count; i++)
        for (unsigned k = 0; k < SKIP; k++) arms[i][k] = arm_of(map, hull[i], hull[(i + k + 1) % count], work);
    for (unsigned i = 0; i < count; i++)
        for (unsigned k = 0; k < SKIP; k++)
            for (unsigned m = 0; m < SKIP && k + m + 2 < count; m++) {
                unsigned b = (i + k + 1) % count, c = (b + m + 1) % count;
                const struct arm *left = &arms[i][k], *bottom = &arms[b][m];
                if (left->dark < LEAST_DARK || bottom->dark < LEAST_DARK) continue;
                struct dm_corner corner = {.top_left = hull[i], .bottom_left = hull[b], .bottom_right = hull[c],
                                           .dark = fmin(left->dark, bottom->dark), .bow_left = left->bow,
                                           .bow_bottom = bottom->bow};
                (void)dm_work_take(work, 4 * THICKNESS_SAMPLES);
                if (!measure(map, &corner)) continue;
                guess_fourth(hull, count, i, c, &corner);
                add(out, found, &corner);
            }
}

size_t dm_corners_of(const struct dm_depth_map *map, const struct dm_component *component, struct dm_work *work,
                     struct dm_corner out[DM_CORNERS_MAX]) {
    static const double tolerances[] = {0.012, 0.03};
    struct scan_point hull[DM_HULL_MAX];
    size_t found = 0;
    double longest = 0;
    for (unsigned i = 1; i < component->hull_count; i++)
        longest = fmax(longest, distance(component->hull[0], component->hull[i]));
    for (size_t i = 0; i < sizeof tolerances / sizeof *tolerances; i++) {
        unsigned count = simplify(component, fmax(tolerances[i] * longest, 0.7), hull);
        if (work->left > 0) search(map, hull, count, work, out, &found);
    }
    return found;
}
