/* Smooths a picture, draws its edges, and compares both with plain loops.
 *
 *     filter INPUT.pgm OUTPUT.pgm
 *
 * The kernels have nothing to set up and nothing to free.
 */
#include <filters.h>

#include <stdio.h>

enum { H = smooth_SRC_H, W = smooth_SRC_W };

static uint8_t picture[H][W], smoothed[H][W], outlined[H][W];

/* What a call needs beside its tensors; it may be nothing. */
static _Alignas(64) uint8_t smooth_workspace[smooth_WORKSPACE_BYTES + 1];
static _Alignas(64) uint8_t edges_workspace[edges_WORKSPACE_BYTES + 1];

static int read_picture(const char *path)
{
    int h = 0, w = 0, top = 0, fine;
    FILE *f = fopen(path, "rb");
    fine = f && fscanf(f, "P5 %d %d %d", &w, &h, &top) == 3 && h == H && w == W && top == 255 &&
           fgetc(f) != EOF && fread(picture, 1, sizeof picture, f) == sizeof picture;
    if (f)
        fclose(f);
    if (!fine)
        fprintf(stderr, "%s is no grey picture of %d x %d bytes\n", path, W, H);
    return fine;
}

static int write_picture(const char *path)
{
    FILE *f = fopen(path, "wb");
    int fine = f && fprintf(f, "P5\n%d %d\n255\n", W, H) > 0 &&
               fwrite(outlined, 1, sizeof outlined, f) == sizeof outlined;
    if (f && fclose(f) != 0)
        fine = 0;
    if (!fine)
        fprintf(stderr, "%s cannot be written\n", path);
    return fine;
}

/* Beyond its border the picture goes on as it ends. */
static int at(uint8_t (*from)[W], int y, int x)
{
    return from[y < 0 ? 0 : y < H ? y : H - 1][x < 0 ? 0 : x < W ? x : W - 1];
}

static int smooth_at(int y, int x)
{
    static const int row[5] = { 1, 4, 6, 4, 1 };
    int sum = 0, down, rest;
    for (int i = 0; i < 5; i++)
        for (int j = 0; j < 5; j++)
            sum += row[i] * row[j] * at(picture, y + i - 2, x + j - 2);
    down = sum / 256;
    rest = sum % 256;
    return down + (rest > 128 || (rest == 128 && down % 2)); /* to the nearest, or the even one */
}

static int edge_at(int y, int x)
{
    int sum = 9 * smoothed[y][x];
    for (int i = -1; i <= 1; i++)
        for (int j = -1; j <= 1; j++)
            sum -= at(smoothed, y + i, x + j);
    return sum < 0 ? 0 : sum > 255 ? 255 : sum;
}

int main(int argc, char **argv)
{
    int wrong = 0;
    if (argc != 3 || !read_picture(argv[1]))
        return 2;
    smooth(&picture[0][0], &smoothed[0][0], smooth_workspace, 1);
    edges(&smoothed[0][0], &outlined[0][0], edges_workspace, 1);

    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            wrong += smoothed[y][x] != smooth_at(y, x) || outlined[y][x] != edge_at(y, x);
    printf("%d of %d pixels are wrong\n", wrong, H * W);
    return write_picture(argv[2]) && !wrong ? 0 : 1;
}
