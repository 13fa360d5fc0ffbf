#include "bench/peers/opencv_filter.h"

#include <cmath>
#include <exception>
#include <opencv2/imgproc.hpp>

/* A kernel of rank 1 is column x row, Gaussian where both are. */
struct opencv_call {
    opencv_function function;
    const opencv_filter *f;
    cv::Mat src, dst, kernel, row, column;
    int dx, dy;           /* Sobel: the orders */
    double scale;         /* Sobel: of its kernel; box: 0 for the sum, 1 for the mean */
    double sigma_x, sigma_y;
};

const char *opencv_function_name(opencv_function f)
{
    static const char *const names[] = { "filter2D", "sepFilter2D", "boxFilter", "GaussianBlur",
                                         "Sobel",    "dilate",      "erode",     "medianBlur" };
    return names[f];
}

static int type_of(opencv_element e, int channels)
{
    static const int depths[] = { CV_8U, CV_16U, CV_16S, CV_32F };
    return CV_MAKETYPE(depths[e], channels);
}

static int border_of(const opencv_filter *f)
{
    static const int borders[] = { cv::BORDER_CONSTANT, cv::BORDER_REFLECT_101, cv::BORDER_REFLECT,
                                   cv::BORDER_REPLICATE };
    return borders[f->border];
}

/* ---- what the weights are -------------------------------------------------------------------- */

static bool same(const cv::Mat &a, const cv::Mat &b)
{
    return a.size() == b.size() &&
           cv::norm(a, b, cv::NORM_INF) <= 1e-6 * cv::norm(a, cv::NORM_INF);
}

/* Finds column and row; whole numbers where they can be, for which there is faster code. */
static bool separate(opencv_call *c)
{
    const cv::Mat &k = c->kernel;
    cv::Point at;
    cv::minMaxLoc(cv::abs(k), nullptr, nullptr, nullptr, &at);
    float pivot = k.at<float>(at), least = INFINITY;
    if (pivot == 0)
        return false;
    c->column = k.col(at.x) / pivot;
    c->row = k.row(at.y).clone();
    for (int i = 0; i < k.rows; i++) {
        float v = std::fabs(c->column.at<float>(i));
        least = v > 0 ? std::min(least, v) : least;
    }
    c->column = c->column / least;
    c->row = c->row * least;
    return same(k, c->column * c->row);
}

static bool centred(const opencv_filter *f)
{
    return f->kernel_rows == 2 * f->anchor_row + 1 && f->kernel_cols == 2 * f->anchor_col + 1;
}

/* The sigma of a Gaussian whose taps fall as these do; 0, OpenCV's own choice for the size, where
 * they do not fall. */
static double sigma_of(const cv::Mat &taps)
{
    int n = (int)taps.total();
    double middle = taps.at<float>(n / 2), next = n > 1 ? taps.at<float>(n / 2 + 1) : 0;
    return next > 0 && middle > next ? std::sqrt(0.5 / std::log(middle / next)) : 0;
}

static bool find_gaussian(opencv_call *c)
{
    const opencv_filter *f = c->f;
    if (!centred(f) || !separate(c))
        return false;
    for (int own = 1; own >= 0; own--) {
        c->sigma_x = own ? 0 : sigma_of(c->row);
        c->sigma_y = own ? 0 : sigma_of(c->column);
        cv::Mat x = cv::getGaussianKernel(f->kernel_cols, c->sigma_x, CV_32F);
        cv::Mat y = cv::getGaussianKernel(f->kernel_rows, c->sigma_y, CV_32F);
        if (same(c->kernel, y * x.t()))
            return true;
    }
    return false;
}

static bool find_sobel(opencv_call *c)
{
    const opencv_filter *f = c->f;
    int size = f->kernel_rows;
    if (!centred(f) || f->kernel_cols != size || (size != 3 && size != 5 && size != 7))
        return false;
    for (int order = 1; order < 9; order++) {
        cv::Mat x, y;
        c->dx = order % 3, c->dy = order / 3;
        cv::getDerivKernels(x, y, c->dx, c->dy, size, false, CV_32F);
        cv::Mat k = y * x.t();
        c->scale = c->kernel.dot(k) / k.dot(k);
        if (same(c->kernel, c->scale * k))
            return true;
    }
    return false;
}

/* Its kernel is one number, that of a sum or of a mean. */
static bool find_box(opencv_call *c)
{
    float first = c->kernel.at<float>(0), mean = 1 / (float)c->kernel.total();
    c->scale = first == 1 ? 0 : 1;
    return same(c->kernel, cv::Mat(c->kernel.size(), CV_32F, cv::Scalar(first == 1 ? 1 : mean)));
}

static bool find_median(opencv_call *c)
{
    const opencv_filter *f = c->f;
    int size = f->kernel_rows, most = f->src == OPENCV_U8 ? 255 : 5;
    bool whole = f->out_rows == f->rows && f->out_cols == f->cols;
    return centred(f) && f->kernel_cols == size && size > 1 && size <= most && whole &&
           f->border == OPENCV_REPLICATE && f->src == f->dst && f->bias == 0;
}

/* ---- calls ----------------------------------------------------------------------------------- */

static bool computes(opencv_call *c)
{
    const opencv_filter *f = c->f;
    switch (c->function) {
    case OPENCV_FILTER_2D: return true;
    case OPENCV_SEP_FILTER_2D: return separate(c);
    case OPENCV_BOX_FILTER: return f->bias == 0 && find_box(c);
    case OPENCV_GAUSSIAN_BLUR: return f->bias == 0 && f->src == f->dst && find_gaussian(c);
    case OPENCV_SOBEL: return find_sobel(c);
    case OPENCV_MEDIAN_BLUR: return find_median(c);
    default: return f->src == f->dst;
    }
}

static void call(opencv_call *c)
{
    const opencv_filter *f = c->f;
    const int border = border_of(f), depth = CV_MAT_DEPTH(c->dst.type());
    const cv::Point anchor(f->anchor_col, f->anchor_row);
    const cv::Size size(f->kernel_cols, f->kernel_rows);
    const cv::Scalar outside = f->outside_skipped ? cv::morphologyDefaultBorderValue()
                                                  : cv::Scalar::all(f->outside);
    switch (c->function) {
    case OPENCV_FILTER_2D:
        cv::filter2D(c->src, c->dst, depth, c->kernel, anchor, f->bias, border);
        break;
    case OPENCV_SEP_FILTER_2D:
        cv::sepFilter2D(c->src, c->dst, depth, c->row, c->column, anchor, f->bias, border);
        break;
    case OPENCV_BOX_FILTER:
        cv::boxFilter(c->src, c->dst, depth, size, anchor, c->scale != 0, border);
        break;
    case OPENCV_GAUSSIAN_BLUR:
        cv::GaussianBlur(c->src, c->dst, size, c->sigma_x, c->sigma_y, border);
        break;
    case OPENCV_SOBEL:
        cv::Sobel(c->src, c->dst, depth, c->dx, c->dy, f->kernel_rows, c->scale, f->bias, border);
        break;
    case OPENCV_DILATE:
        cv::dilate(c->src, c->dst, c->kernel, anchor, 1, border, outside);
        break;
    case OPENCV_ERODE:
        cv::erode(c->src, c->dst, c->kernel, anchor, 1, border, outside);
        break;
    default: cv::medianBlur(c->src, c->dst, f->kernel_rows); break;
    }
}

opencv_call *opencv_call_create(opencv_function function, const opencv_filter *f, const void *src,
                                void *dst)
try {
    opencv_call *c = new opencv_call();
    c->function = function;
    c->f = f;
    cv::Mat whole(f->rows, f->cols, type_of(f->src, f->channels), const_cast<void *>(src));
    c->src = whole(cv::Rect(f->col, f->row, f->out_cols, f->out_rows));
    c->dst = cv::Mat(f->out_rows, f->out_cols, type_of(f->dst, f->channels), dst);
    c->kernel =
        cv::Mat(f->kernel_rows, f->kernel_cols, CV_32F, const_cast<float *>(f->kernel)).clone();
    if (computes(c)) {
        if (function == OPENCV_DILATE || function == OPENCV_ERODE)
            c->kernel.convertTo(c->kernel, CV_8U);
        return c;
    }
    delete c;
    return nullptr;
} catch (const std::exception &) {
    return nullptr;
}

/* A picture that OpenCV put elsewhere is none of ours. */
bool opencv_call_run(opencv_call *c)
try {
    const void *there = c->dst.data;
    call(c);
    return c->dst.data == there;
} catch (const std::exception &) {
    return false;
}

void opencv_call_destroy(opencv_call *c)
{
    delete c;
}

void opencv_threads(int threads)
{
    cv::setNumThreads(threads);
}
