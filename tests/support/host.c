/* A host program: compiles a convolution, runs it and looks at one output. */
#include <convc/convc.h>

#include <stdio.h>
#include <stdlib.h>

int main(void)
{
    convc_context *cx = NULL;
    convc_kernel *k = NULL;
    struct convc_problem p;
    convc_problem_init(&p);
    p.ic = 16, p.oc = 32;
    p.in[CONVC_H] = p.in[CONVC_W] = 56;
    p.kernel[CONVC_H] = p.kernel[CONVC_W] = 3;

    if (convc_context_create(NULL, &cx) || convc_compile(cx, &p, NULL, &k)) {
        fprintf(stderr, "%s\n", convc_last_error());
        return 1;
    }
    float *src = malloc(sizeof(float) * 56 * 56 * 16), *dst = malloc(sizeof(float) * 54 * 54 * 32);
    float *wei = malloc(sizeof(float) * 32 * 16 * 3 * 3);
    for (int i = 0; i < 56 * 56 * 16; i++)
        src[i] = 1;
    for (int i = 0; i < 32 * 16 * 3 * 3; i++)
        wei[i] = 2;
    void *packed = aligned_alloc(64, convc_packed_bytes(k));
    convc_pack(k, wei, packed);
    struct convc_args args = { sizeof args, .src = src, .wei = packed, .dst = dst, .n = 1 };
    args.workspace = aligned_alloc(64, convc_workspace_bytes(k, 1, 0));
    if (convc_run(k, &args))
        fprintf(stderr, "%s\n", convc_last_error());

    float expected = 2 * 16 * 3 * 3, off = dst[0] - expected; /* exact with p.tolerance = 0 */
    printf("dst[0] = %g, expected %g\n", dst[0], expected);
    convc_kernel_release(k);
    convc_context_destroy(cx);
    return off < expected * 1e-5 && -off < expected * 1e-5 ? 0 : 1;
}
