// Two layers over a smoothed picture, on two threads, compared with plain loops.
//
//     network INPUT.pgm
#include <filters.h>
#include <net/layers.h>

#include <cmath>
#include <fstream>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

namespace
{

using floats = std::vector<float>;

// Memory that begins where kernels want packed weights and workspaces to: at a multiple of 64.
class Aligned
{
  public:
    explicit Aligned(size_t bytes) : memory(bytes + 64)
    {
    }
    void *get()
    {
        return memory.data() + (64 - reinterpret_cast<uintptr_t>(memory.data()) % 64);
    }

  private:
    std::vector<unsigned char> memory;
};

bool read_picture(const char *path, std::vector<uint8_t> &to)
{
    std::ifstream file(path, std::ios::binary);
    std::string kind;
    int w = 0, h = 0, top = 0;
    file >> kind >> w >> h >> top;
    file.get();
    file.read(reinterpret_cast<char *>(to.data()), std::streamsize(to.size()));
    return file && kind == "P5" && w == smooth_SRC_W && h == smooth_SRC_H && top == 255;
}

// In the place of what a training would have found: from -0.5 to 0.5.
floats numbers(size_t count)
{
    floats all(count);
    uint32_t state = 1;
    for (float &x : all) {
        state = state * 1664525u + 1013904223u;
        x = float(state >> 16) / 65536 - 0.5f;
    }
    return all;
}

// Each half of the items of every phase on a thread of its own, with a workspace of its own.
template <class Items, class Range>
void on_two_threads(int phases, size_t workspace_bytes, Items items, Range range)
{
    Aligned mine(workspace_bytes), others(workspace_bytes);
    for (int phase = 0; phase < phases; phase++) {
        int64_t end = items(phase, 1);
        std::thread other(range, others.get(), phase, end / 2, end);
        range(mine.get(), phase, int64_t(0), end / 2);
        other.join();
    }
}

floats features(const floats &src, const floats &weights, const floats &bias)
{
    floats dst(net_features_DST_ELEMENTS);
    Aligned packed(net_features_PACKED_BYTES);
    net_features_pack(weights.data(), packed.get());
    on_two_threads(net_features_PHASES, net_features_WORKSPACE_BYTES, net_features_items,
                   [&](void *workspace, int phase, int64_t begin, int64_t end) {
                       net_features_range(src.data(), packed.get(), bias.data(), dst.data(),
                                          workspace, 1, phase, begin, end);
                   });
    return dst;
}

floats scores(const floats &src, const floats &weights, const floats &bias)
{
    floats dst(net_scores_DST_ELEMENTS);
    Aligned packed(net_scores_PACKED_BYTES);
    net_scores_pack(weights.data(), packed.get());
    on_two_threads(net_scores_PHASES, net_scores_WORKSPACE_BYTES, net_scores_items,
                   [&](void *workspace, int phase, int64_t begin, int64_t end) {
                       net_scores_range(src.data(), packed.get(), bias.data(), dst.data(),
                                        workspace, 1, phase, begin, end);
                   });
    return dst;
}

struct Layer {
    int ic, ih, iw, oc, oh, ow, stride;
    bool relu;
};

// One output of a 3x3 layer with padding 1; channels are innermost.
double plain(const Layer &l, const floats &src, const floats &weights, int y, int x, int o)
{
    double sum = 0;
    for (int i = 0; i < l.ic; i++)
        for (int r = 0; r < 9; r++) {
            int iy = y * l.stride + r / 3 - 1, ix = x * l.stride + r % 3 - 1;
            if (iy >= 0 && iy < l.ih && ix >= 0 && ix < l.iw)
                sum += double(src[(iy * l.iw + ix) * l.ic + i]) * weights[(o * l.ic + i) * 9 + r];
        }
    return sum;
}

// The worst error, relative to the largest output.
double error_of(const Layer &l, const floats &src, const floats &weights, const floats &bias,
                const floats &dst)
{
    double worst = 0, largest = 0;
    for (int y = 0; y < l.oh; y++)
        for (int x = 0; x < l.ow; x++)
            for (int o = 0; o < l.oc; o++) {
                double expected = plain(l, src, weights, y, x, o) + bias[o];
                if (l.relu && expected < 0)
                    expected = 0;
                largest = std::fmax(largest, std::fabs(expected));
                worst = std::fmax(worst, std::fabs(expected - dst[(y * l.ow + x) * l.oc + o]));
            }
    return worst / largest;
}

} // namespace

int main(int argc, char **argv)
{
    std::vector<uint8_t> picture(smooth_SRC_ELEMENTS), smoothed(smooth_DST_ELEMENTS);
    if (argc != 2 || !read_picture(argv[1], picture)) {
        std::cerr << "network needs a grey picture of " << smooth_SRC_W << " x " << smooth_SRC_H
                  << " bytes\n";
        return 2;
    }
    Aligned workspace(smooth_WORKSPACE_BYTES);
    smooth(picture.data(), smoothed.data(), workspace.get(), 1);
    const floats input(smoothed.begin(), smoothed.end());

    const floats weights1 = numbers(net_features_WEIGHTS), bias1 = numbers(net_features_CHANNELS);
    const floats weights2 = numbers(net_scores_WEIGHTS), bias2 = numbers(net_scores_CHANNELS);
    const floats middle = features(input, weights1, bias1);
    const floats output = scores(middle, weights2, bias2);

    const double error1 =
        error_of({ 1, 64, 96, 16, 32, 48, 2, true }, input, weights1, bias1, middle);
    const double error2 =
        error_of({ 16, 32, 48, 4, 32, 48, 1, false }, middle, weights2, bias2, output);
    std::cout << "errors of the layers: " << error1 << " and " << error2 << "\n";
    return error1 < 1e-4 && error2 < 1e-4 ? 0 : 1;
}
