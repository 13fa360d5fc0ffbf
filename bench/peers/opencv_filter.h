/* opencv_filter: one function of OpenCV's imgproc on one picture, behind a C header.
 *
 * Says which functions compute a filter, and runs them on memory of the caller. What OpenCV throws
 * is a failure.
 * Stands on: OpenCV's imgproc.
 */
#ifndef BENCH_PEERS_OPENCV_FILTER_H
#define BENCH_PEERS_OPENCV_FILTER_H

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Every function is a candidate of its own: several compute the same. */
enum opencv_function {
    OPENCV_FILTER_2D,
    OPENCV_SEP_FILTER_2D,
    OPENCV_BOX_FILTER,
    OPENCV_GAUSSIAN_BLUR,
    OPENCV_SOBEL,
    OPENCV_DILATE,
    OPENCV_ERODE,
    OPENCV_MEDIAN_BLUR,
    OPENCV_FUNCTIONS
};

const char *opencv_function_name(enum opencv_function f);

enum opencv_element { OPENCV_U8, OPENCV_U16, OPENCV_S16, OPENCV_F32 };

enum opencv_border {
    OPENCV_CONSTANT, /* `outside`; linear filters know 0 alone */
    OPENCV_REFLECT_101,
    OPENCV_REFLECT,
    OPENCV_REPLICATE,
};

/* Pictures are dense rows of pixels, channels last. Output (i, j) has its window's anchor over
 * input (i + row, j + col), so that outputs whose windows lie inside read no border. */
struct opencv_filter {
    int rows, cols, channels;
    int out_rows, out_cols, row, col;
    enum opencv_element src, dst;
    int kernel_rows, kernel_cols, anchor_row, anchor_col;
    const float *kernel; /* weights; for dilations and erosions 1: a tap, 0: none */
    enum opencv_border border;
    bool outside_skipped; /* dilations and erosions: taps outside do not count */
    double outside;
    double bias; /* linear filters alone */
};

struct opencv_call;

/* Does the function compute this filter, for all that its arguments say? NULL where it does not, or
 * where memory runs out. `f`, its kernel and both pictures outlive the call; free with
 * opencv_call_destroy. */
struct opencv_call *opencv_call_create(enum opencv_function function, const struct opencv_filter *f,
                                       const void *src, void *dst);
bool opencv_call_run(struct opencv_call *c);
void opencv_call_destroy(struct opencv_call *c);

/* For all calls from now on. */
void opencv_threads(int threads);

#ifdef __cplusplus
}
#endif
#endif
