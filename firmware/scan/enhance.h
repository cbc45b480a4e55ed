// Versions of a picture that a decoder may read where the picture itself fails.
#ifndef PACKTRAIL_FIRMWARE_SCAN_ENHANCE_H
#define PACKTRAIL_FIRMWARE_SCAN_ENHANCE_H

#include "firmware/scan/frame.h"
#include "firmware/scan/symbol.h"

// Maps points of an enhanced picture back: x = xx*X + xy*Y + x0, y = yx*X + yy*Y + y0.
struct scan_back {
    double xx, xy, x0;
    double yx, yy, y0;
};

// What is done to the picture, in this order. Zero or false leaves a step out.
struct scan_enhancement {
    unsigned pad;        // white pixels around
    double scale;        // 2, 0.5, …; 0 stands for 1
    unsigned blur;       // box radius, three times over
    double sharpen;      // unsharp mask's amount
    bool level;          // local contrast: each pixel against the mean of its neighbourhood
    bool invert;
    double turn;         // degrees clockwise, on a white ground
};

enum pt_code scan_enhance(const struct scan_frame *frame, const struct scan_enhancement *what, struct scan_frame *out,
                          struct scan_back *back, struct pt_error *err) PT_NODISCARD;

struct scan_point scan_map_back(const struct scan_back *back, struct scan_point point);

#endif
