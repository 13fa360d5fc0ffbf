/* A server in miniature: threads answer requests from the first moment on, while the layers of a
 * small network are compiled behind their backs.
 *
 *     cc server.c $(pkg-config --cflags --libs convc) -lpthread && ./a.out
 *
 * Each request runs all layers, one after the other. At first the reference answers, which is slow;
 * each layer is swapped for its kernel as soon as that is there, and no request waits for it. */
#include <convc/layer.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { LAYERS = 6, CHANNELS = 32, SIZE = 28, THREADS = 2, PIXELS = CHANNELS * SIZE * SIZE };

static convc_layer *layer[LAYERS];
static size_t workspace_bytes;  /* of the layer that needs most */
static atomic_int ready;        /* layers that are compiled     */
static atomic_long early, late; /* requests that were answered before all were, and after */

/* Called by one of convc's threads. */
static void compiled(void *data, convc_layer *l, enum convc_status status)
{
    struct convc_kernel_info info = { .struct_bytes = sizeof info };
    convc_kernel_info(convc_layer_kernel(l), &info);
    if (status != CONVC_OK)
        fprintf(stderr, "layer %d: %s\n", *(int *)data, convc_last_error());
    else
        printf("layer %d: %s after %ld requests\n", *(int *)data, info.plan, atomic_load(&early));
    atomic_fetch_add(&ready, 1);
}

/* One request: the layers in turn, from one picture to the other. */
static int answer(float *picture[2], void *workspace)
{
    for (int i = 0; i < LAYERS; i++) {
        const struct convc_args args = { .struct_bytes = sizeof args,
                                         .src = picture[i % 2],
                                         .dst = picture[1 - i % 2],
                                         .workspace = workspace,
                                         .n = 1 };
        if (convc_layer_run(layer[i], &args))
            return 0;
    }
    return 1;
}

static void *serve(void *unused)
{
    float *picture[2] = { calloc(PIXELS, sizeof(float)), calloc(PIXELS, sizeof(float)) };
    void *workspace = workspace_bytes ? aligned_alloc(64, workspace_bytes) : NULL;
    int fine = 1;
    for (int more = 100; fine && more > 0;) {
        int all = atomic_load(&ready) == LAYERS;
        fine = answer(picture, workspace);
        atomic_fetch_add(all ? &late : &early, 1);
        more -= all;
    }
    free(picture[0]);
    free(picture[1]);
    free(workspace);
    return fine ? unused : picture;
}

static int load(convc_context *cx, int *number)
{
    struct convc_problem p;
    static float weights[CHANNELS * CHANNELS * 9];
    const struct convc_layer_options options = { .struct_bytes = sizeof options,
                                                 .done = compiled,
                                                 .data = number };
    convc_problem_init(&p);
    p.ic = p.oc = CHANNELS;
    for (int a = CONVC_H; a <= CONVC_W; a++) {
        p.in[a] = SIZE;
        p.kernel[a] = *number % 2 ? 1 : 3; /* every other one is pointwise */
        p.pad_begin[a] = p.pad_end[a] = p.kernel[a] / 2;
    }
    if (convc_layer_create(cx, &p, weights, &options, &layer[*number]))
        return 0;
    size_t bytes = convc_layer_workspace_bytes(layer[*number], 1, 0);
    workspace_bytes = bytes > workspace_bytes ? bytes : workspace_bytes;
    return 1;
}

int main(void)
{
    convc_context *cx;
    pthread_t thread[THREADS];
    int number[LAYERS];
    void *failed[THREADS] = { NULL };
    /* One thread for each run, for requests share the machine; one to compile on. */
    const struct convc_context_options options = { .struct_bytes = sizeof options,
                                                   .threads = 1,
                                                   .compile_threads = 1 };
    int fine = convc_context_create(&options, &cx) == CONVC_OK;
    for (int i = 0; fine && i < LAYERS; i++)
        fine = load(cx, (number[i] = i, &number[i]));
    if (!fine) {
        fprintf(stderr, "%s\n", convc_last_error());
        return 1;
    }
    for (int i = 0; i < THREADS; i++)
        pthread_create(&thread[i], NULL, serve, NULL);
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], &failed[i]);
    for (int i = 0; i < LAYERS; i++)
        convc_layer_destroy(layer[i]);
    convc_context_destroy(cx);
    printf("%ld requests while layers were compiled, %ld with all of them\n", early, late);
    return failed[0] || failed[1];
}
