// A matrix symbol's modules sampled out of a frame, once its four corners are known.
#ifndef PACKTRAIL_FIRMWARE_SCAN_GRID_H
#define PACKTRAIL_FIRMWARE_SCAN_GRID_H

#include "firmware/scan/datamatrix.h"
#include "firmware/scan/frame.h"

// The projective map of the unit square's corners (0,0) (1,0) (1,1) (0,1) to four points.
struct scan_projection {
    double m[9];
};

// False when three of the points are on one line.
bool scan_projection_of(const struct scan_point corners[4], struct scan_projection *out);
static inline struct scan_point scan_project(const struct scan_projection *projection, double u, double v) {
    const double *m = projection->m;
    double w = m[6] * u + m[7] * v + m[8];
    if (w < 1e-9 && w > -1e-9) w = 1e-9;
    double share = 1 / w;
    return (struct scan_point){(m[0] * u + m[1] * v + m[2]) * share, (m[3] * u + m[4] * v + m[5]) * share};
}

// Grey value between pixels; the nearest edge pixel outside the frame.
double scan_frame_at(const struct scan_frame *frame, double x, double y);

// Samples a Data Matrix of this size (box: corners clockwise from top left, the L at left and below), at several
// thresholds, both polarities and mirrored, and reads it into *out. False when none of them reads.
bool scan_grid_read(const struct scan_frame *frame, const struct scan_point box[4], const struct scan_dm_size *size,
                    struct scan_symbol *out);

#endif
