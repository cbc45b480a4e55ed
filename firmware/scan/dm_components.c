#include "firmware/scan/dm_components.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"

#define NONE UINT32_MAX
#define RUNS_MAX (2u * 1024u * 1024u)

// Dark pixels side by side, from `from` to before `to`.
struct run {
    uint16_t from, to;
    uint32_t row;
    uint32_t parent;  // union-find; a root is its own
};

struct runs {
    struct run *items;
    uint32_t count, capacity;
};

struct extent {
    uint32_t root;
    uint32_t left, right, top, bottom;
    size_t pixels;
};

void dm_components_free(struct dm_components *list) {
    free(list->items);
    *list = (struct dm_components){0};
}

static uint32_t root_of(struct run *runs, uint32_t i) {
    while (runs[i].parent != i) {
        runs[i].parent = runs[runs[i].parent].parent;
        i = runs[i].parent;
    }
    return i;
}

// The earlier run becomes the root, so that a component's root is its first run.
static void join(struct run *runs, uint32_t a, uint32_t b) {
    a = root_of(runs, a);
    b = root_of(runs, b);
    if (a < b) runs[b].parent = a;
    else runs[a].parent = b;
}

static bool grow(struct runs *runs) {
    if (runs->count < runs->capacity) return true;
    uint32_t capacity = runs->capacity ? runs->capacity * 2 : 4096;
    struct run *items = capacity > RUNS_MAX ? NULL : realloc(runs->items, capacity * sizeof *items);
    if (!items) return false;
    runs->items = items;
    runs->capacity = capacity;
    return true;
}

// False when there are too many.
static bool find_runs(const struct dm_depth_map *map, struct runs *runs) {
    uint32_t above = 0, above_end = 0;
    for (uint32_t y = 0; y < map->height; y++) {
        const int8_t *row = map->depth + (size_t)y * map->width;
        uint32_t begin = runs->count, a = above;
        for (uint32_t x = 0; x < map->width; x++) {
            if (row[x] <= map->least) continue;
            if (!grow(runs)) return false;
            struct run *run = &runs->items[runs->count];
            uint32_t from = x;
            while (x < map->width && row[x] > map->least) x++;
            *run = (struct run){.from = (uint16_t)from, .to = (uint16_t)x, .row = y, .parent = runs->count};
            // Runs of the row above that end before this one begins touch no later one either.
            while (a < above_end && runs->items[a].to < from) a++;
            for (uint32_t k = a; k < above_end && runs->items[k].from <= x; k++) join(runs->items, runs->count, k);
            runs->count++;
        }
        above = begin;
        above_end = runs->count;
    }
    return true;
}

static int by_size(const void *a, const void *b) {
    const struct extent *p = a, *q = b;
    uint64_t x = (uint64_t)(p->right - p->left) * (p->bottom - p->top), y = (uint64_t)(q->right - q->left) * (q->bottom - q->top);
    return x != y ? (x < y ? 1 : -1) : (p->root > q->root) - (p->root < q->root);
}

// Flattens the union-find and measures each component. Gives the extents of those large enough, the largest first.
static size_t measure(struct runs *runs, uint32_t least_side, struct extent *extents, uint32_t *slot) {
    size_t count = 0, kept = 0;
    for (uint32_t i = 0; i < runs->count; i++) {
        const struct run *run = &runs->items[i];
        uint32_t root = root_of(runs->items, i);
        if (root == i) {
            slot[i] = (uint32_t)count;
            extents[count++] = (struct extent){.root = i, .left = run->from, .right = run->to, .top = run->row};
        }
        struct extent *e = &extents[slot[root]];
        runs->items[i].parent = root;
        if (run->from < e->left) e->left = run->from;
        if (run->to > e->right) e->right = run->to;
        e->bottom = run->row + 1;
        e->pixels += (size_t)(run->to - run->from);
    }
    for (size_t i = 0; i < count; i++)
        if (extents[i].right - extents[i].left >= least_side && extents[i].bottom - extents[i].top >= least_side)
            extents[kept++] = extents[i];
    qsort(extents, kept, sizeof *extents, by_size);
    return kept < DM_COMPONENTS_MAX ? kept : DM_COMPONENTS_MAX;
}

static double turn(struct scan_point a, struct scan_point b, struct scan_point c) {
    return (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
}

// Adds a point of one side's chain, dropping those that are now inside.
static void chain_add(struct scan_point *chain, size_t *count, struct scan_point p, double side) {
    while (*count >= 2 && side * turn(chain[*count - 2], chain[*count - 1], p) <= 0) (*count)--;
    chain[(*count)++] = p;
}

// Takes out the corner that matters least until no more than `most` are left.
static size_t thin(struct scan_point *hull, size_t count, size_t most) {
    while (count > most) {
        size_t least = 0;
        double area = HUGE_VAL;
        for (size_t i = 0; i < count; i++) {
            double cut = fabs(turn(hull[(i + count - 1) % count], hull[i], hull[(i + 1) % count]));
            if (cut < area) {
                area = cut;
                least = i;
            }
        }
        count--;
        for (size_t i = least; i < count; i++) hull[i] = hull[i + 1];
    }
    return count;
}

static double area_of(const struct scan_point *hull, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        const struct scan_point *a = &hull[i], *b = &hull[(i + 1) % count];
        sum += a->x * b->y - b->x * a->y;
    }
    return fabs(sum) / 2;
}

// scratch holds the left chain, the right one, each 2 * rows + 2 points, then both.
static void hull_of(const struct runs *runs, const struct extent *extent, const uint32_t *next, struct scan_point *scratch,
                    struct dm_component *out) {
    size_t most = (size_t)(extent->bottom - extent->top) * 2 + 2, lefts = 0, rights = 0;
    struct scan_point *left = scratch, *right = scratch + most;
    for (uint32_t i = extent->root; i != NONE;) {
        uint32_t row = runs->items[i].row, low = runs->items[i].from, high = runs->items[i].to;
        for (i = next[i]; i != NONE && runs->items[i].row == row; i = next[i]) high = runs->items[i].to;
        for (uint32_t edge = 0; edge < 2; edge++) {
            chain_add(left, &lefts, (struct scan_point){low, row + edge}, -1);
            chain_add(right, &rights, (struct scan_point){high, row + edge}, 1);
        }
    }
    // Down the left side and up the right one.
    struct scan_point *all = scratch + 2 * most;
    for (size_t i = 0; i < lefts; i++) all[i] = left[i];
    for (size_t i = 0; i < rights; i++) all[lefts + i] = right[rights - 1 - i];
    size_t count = thin(all, lefts + rights, DM_HULL_MAX);
    memcpy(out->hull, all, count * sizeof *all);
    out->hull_count = (unsigned)count;
    out->pixels = extent->pixels;
    out->area = area_of(all, count);
}

static enum pt_code no_memory(struct pt_error *err) {
    return pt_fail(err, PT_NO_MEMORY, NULL, "no memory for the dark areas of a picture");
}

static enum pt_code build(struct runs *runs, const struct dm_depth_map *map, uint32_t least_side, struct dm_components *out,
                          struct pt_error *err) {
    PT_FREE struct extent *extents = malloc(runs->count * sizeof *extents);
    PT_FREE uint32_t *slot = malloc(runs->count * sizeof *slot);
    PT_FREE uint32_t *next = malloc(runs->count * sizeof *next);
    PT_FREE uint32_t *last = malloc(runs->count * sizeof *last);
    PT_FREE struct scan_point *scratch = malloc(((size_t)map->height * 2 + 2) * 4 * sizeof *scratch);
    if (!extents || !slot || !next || !last || !scratch) return no_memory(err);
    size_t count = measure(runs, least_side, extents, slot);
    if (count == 0) return PT_OK;
    out->items = malloc(count * sizeof *out->items);
    if (!out->items) return no_memory(err);
    for (uint32_t i = 0; i < runs->count; i++) {
        uint32_t root = runs->items[i].parent;
        next[i] = NONE;
        if (root != i) next[last[root]] = i;
        last[root] = i;
    }
    for (size_t i = 0; i < count; i++) hull_of(runs, &extents[i], next, scratch, &out->items[i]);
    out->count = count;
    return PT_OK;
}

enum pt_code dm_components_of(const struct dm_depth_map *map, uint32_t least_side, struct dm_components *out,
                              struct pt_error *err) {
    *out = (struct dm_components){0};
    struct runs runs = {0};
    enum pt_code code = PT_OK;
    if (find_runs(map, &runs) && runs.count > 0) code = build(&runs, map, least_side, out, err);
    free(runs.items);
    if (code != PT_OK) dm_components_free(out);
    return code;
}
