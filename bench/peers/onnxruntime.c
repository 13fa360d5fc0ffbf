/* onnxruntime: a child process, Node with onnxruntime-node, that runs and times a model of one
 * Conv.
 *
 * One child serves all convolutions, one at a time; onnxruntime.js tells what is said between the
 * two. A turn is a turn of the child's, which times the runs itself, so that neither the pipe nor
 * the way into the library is counted. It takes channels first and nothing else.
 * Stands on: peer, POSIX processes and sockets.
 */
#include "bench/peers/peer.h"
#include "runtime/cli/here.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 512 };

static struct {
    pid_t pid; /* 0: there is no child */
    int socket;
} child;

static enum exit_code gone(struct failure *f)
{
    return fail(f, EXIT_SYSTEM, "onnxruntime: the process that runs it has ended");
}

/* ---- talking --------------------------------------------------------------------------------- */

static enum exit_code send_bytes(const void *data, size_t size, struct failure *f)
{
    for (const char *p = data; size > 0;) {
        ssize_t n = send(child.socket, p, size, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return gone(f);
        p += n;
        size -= (size_t)n;
    }
    return EXIT_FINE;
}

static enum exit_code receive_bytes(void *data, size_t size, struct failure *f)
{
    for (char *p = data; size > 0;) {
        ssize_t n = recv(child.socket, p, size, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return gone(f);
        p += n;
        size -= (size_t)n;
    }
    return EXIT_FINE;
}

/* The answer behind its "+"; a "-" is a failure with the child's sentence. */
static enum exit_code receive_answer(char line[LINE_MAX_BYTES], struct failure *f)
{
    size_t length = 0;
    char c = 0;
    for (;;) {
        enum exit_code code = receive_bytes(&c, 1, f);
        if (code)
            return code;
        if (c == '\n')
            break;
        if (length + 1 < LINE_MAX_BYTES)
            line[length++] = c;
    }
    line[length] = 0;
    if (line[0] == '-')
        return fail(f, EXIT_SYSTEM, "ONNX Runtime: %s", line + 1);
    memmove(line, line + 1, length);
    return EXIT_FINE;
}

static enum exit_code ask(const char *command, char line[LINE_MAX_BYTES], struct failure *f)
{
    enum exit_code code = send_bytes(command, strlen(command), f);
    return code ? code : receive_answer(line, f);
}

/* ---- the child ------------------------------------------------------------------------------- */

/* onnxruntime.js lies beside this executable. */
static bool script_path(char *path, size_t size)
{
    static const char name[] = "/onnxruntime.js";
    if (!here_directory(path, size) || strlen(path) + sizeof name > size)
        return false;
    strcat(path, name);
    return access(path, R_OK) == 0;
}

/* Its standard error is of no interest: what matters comes as an answer. */
static void become_child(int socket, const char *script)
{
    int null = open("/dev/null", O_WRONLY);
    if (null < 0 || dup2(socket, 0) < 0 || dup2(socket, 1) < 0 || dup2(null, 2) < 0)
        _exit(127);
    execlp("node", "node", script, (char *)NULL);
    execlp("nodejs", "nodejs", script, (char *)NULL);
    _exit(127);
}

static void stop(void)
{
    if (!child.pid)
        return;
    close(child.socket); /* the child ends with its input */
    waitpid(child.pid, NULL, 0);
    child.pid = 0;
}

static enum exit_code start(struct failure *f)
{
    char script[4096], line[LINE_MAX_BYTES];
    int pair[2];
    if (child.pid)
        return EXIT_FINE;
    if (!script_path(script, sizeof script))
        return fail(f, EXIT_SYSTEM, "onnxruntime: onnxruntime.js is not beside convc-bench");
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
        return fail(f, EXIT_SYSTEM, "onnxruntime: %s", strerror(errno));
    child.pid = fork();
    if (child.pid == 0)
        become_child(pair[1], script);
    close(pair[1]);
    child.socket = pair[0];
    if (child.pid < 0) {
        child.pid = 0;
        close(pair[0]);
        return fail(f, EXIT_SYSTEM, "onnxruntime: %s", strerror(errno));
    }
    struct failure why = { 0 };
    if (receive_answer(line, &why) == EXIT_FINE) {
        atexit(stop);
        return EXIT_FINE;
    }
    stop();
    return fail(f, EXIT_SYSTEM,
                "onnxruntime: node with the package onnxruntime-node is not here; see make peers");
}

/* ---- the peer -------------------------------------------------------------------------------- */

static void put_list(FILE *out, const char *key, const int64_t *value, int count)
{
    fprintf(out, ",\"%s\":[", key);
    for (int i = 0; i < count; i++)
        fprintf(out, "%s%" PRId64, i ? "," : "", value[i]);
    fputc(']', out);
}

/* Two extents, then those of the axes in use. */
static void put_shape(FILE *out, const char *key, const struct convc_problem *p, int64_t first,
                      int64_t second, const int64_t extent[3])
{
    int64_t shape[5] = { first, second };
    memcpy(shape + 2, extent + 3 - p->spatial, (size_t)p->spatial * sizeof *shape);
    put_list(out, key, shape, 2 + p->spatial);
}

static void put_problem(FILE *out, const struct peer_task *t)
{
    static const char *const names[] = { "none", "relu", "clamp", "leaky_relu", "sigmoid",
                                         "tanh", "silu", "gelu",  "hardswish" };
    const struct convc_problem *p = t->problem;
    const int first = 3 - p->spatial;
    int64_t pads[6];
    for (int i = 0; i < p->spatial; i++) {
        pads[i] = p->pad_begin[first + i];
        pads[p->spatial + i] = p->pad_end[first + i];
    }
    fprintf(out, "prepare {\"threads\":%d,\"groups\":%" PRId64 ",\"bias\":%s,\"residual\":%s",
            t->threads, p->groups, t->bias ? "true" : "false", t->residual ? "true" : "false");
    fprintf(out, ",\"activation\":\"%s\",\"args\":[%.9g,%.9g]", names[p->activation],
            p->activation_args[0], p->activation_args[1]);
    fprintf(out, ",\"bytes\":{\"src\":%" PRId64 ",\"wei\":%" PRId64, 4 * peer_src_elements(t),
            4 * peer_wei_elements(t));
    fprintf(out, ",\"bias\":%" PRId64 ",\"residual\":%" PRId64 "}", t->bias ? 4 * p->oc : 0,
            t->residual ? 4 * peer_dst_elements(t) : 0);
    put_shape(out, "src", p, p->n, p->ic, p->in);
    put_shape(out, "wei", p, p->oc, p->ic / p->groups, p->kernel);
    put_shape(out, "dst", p, p->n, p->oc, t->out);
    put_list(out, "stride", p->stride + first, p->spatial);
    put_list(out, "dilation", p->dilation + first, p->spatial);
    put_list(out, "pads", pads, 2 * p->spatial);
    fputs("}\n", out);
}

static enum exit_code send_task(const struct peer_task *t, struct failure *f)
{
    char *line = NULL;
    size_t size = 0;
    float *wei = peer_weights(t);
    FILE *out = open_memstream(&line, &size);
    enum exit_code code = wei && out ? EXIT_FINE : fail_memory(f);
    if (code == EXIT_FINE)
        put_problem(out, t);
    if (out && fclose(out))
        code = fail_memory(f);
    if (code == EXIT_FINE)
        code = send_bytes(line, size, f);
    if (code == EXIT_FINE)
        code = send_bytes(t->src, (size_t)peer_src_elements(t) * sizeof(float), f);
    if (code == EXIT_FINE)
        code = send_bytes(wei, (size_t)peer_wei_elements(t) * sizeof(float), f);
    if (code == EXIT_FINE && t->bias)
        code = send_bytes(t->bias, (size_t)t->problem->oc * sizeof(float), f);
    if (code == EXIT_FINE && t->residual)
        code = send_bytes(t->residual, (size_t)peer_dst_elements(t) * sizeof(float), f);
    free(wei);
    free(line);
    return code;
}

static const char *unable(const struct convc_problem *p, enum peer_layout layout)
{
    if (layout == PEER_SPEC && p->layout != CONVC_NCHW)
        return "ONNX Runtime takes channels first only";
    if (!peer_pads_zeros(p))
        return "ONNX Runtime pads with zeros only";
    for (int a = 0; a < 3; a++)
        if (p->pad_begin[a] < 0 || p->pad_end[a] < 0)
            return "ONNX Runtime does not crop";
    return NULL;
}

static enum exit_code prepare(const struct peer_task *t, enum peer_layout layout,
                              struct peer_run *r, struct failure *f)
{
    char line[LINE_MAX_BYTES];
    const char *why = unable(t->problem, layout);
    if (why)
        return fail(f, EXIT_USAGE, "%s", why);
    enum exit_code code = send_task(t, f);
    if (code == EXIT_FINE)
        code = receive_answer(line, f);
    if (code)
        return code;
    *r = (struct peer_run){ .state = (void *)t, .creation_ms = strtod(line, NULL) };
    r->in_spec_layout = t->problem->layout == CONVC_NCHW;
    snprintf(r->layout, sizeof r->layout, "channels first");
    return EXIT_FINE;
}

static enum exit_code turn(struct peer_run *r, double seconds, double *fastest, struct failure *f)
{
    char command[64], line[LINE_MAX_BYTES];
    snprintf(command, sizeof command, "turn %.6f\n", seconds);
    enum exit_code code = ask(command, line, f);
    if (code == EXIT_FINE)
        *fastest = strtod(line, NULL);
    return code;
}

static enum exit_code result(struct peer_run *r, float *out, struct failure *f)
{
    char line[LINE_MAX_BYTES];
    enum exit_code code = ask("result\n", line, f);
    if (code == EXIT_FINE)
        code = receive_bytes(out, (size_t)peer_dst_elements(r->state) * sizeof *out, f);
    return code;
}

static void destroy(struct peer_run *r)
{
    struct failure ignored;
    char line[LINE_MAX_BYTES];
    if (r->state)
        ask("close\n", line, &ignored);
    r->state = NULL;
}

const struct peer peer_onnxruntime = {
    .name = "onnxruntime",
    .start = start,
    .prepare = prepare,
    .turn = turn,
    .result = result,
    .destroy = destroy,
};
