#include "gen/out/header.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- names ---------------------------------------------------------------------------------- */

/* Words of C23 and C++23 that are no identifiers, between blanks. */
static const char reserved[] =
    " alignas alignof and and_eq asm auto bitand bitor bool break case catch char"
    " char16_t char32_t char8_t class co_await co_return co_yield compl concept const"
    " const_cast consteval constexpr constinit continue decltype default delete do"
    " double dynamic_cast else enum explicit export extern false float for friend"
    " goto if inline int long mutable namespace new noexcept not not_eq nullptr"
    " operator or or_eq private protected public register reinterpret_cast requires"
    " restrict return short signed sizeof static static_assert static_cast struct"
    " switch template this thread_local throw true try typedef typeid typename typeof"
    " typeof_unqual union unsigned using virtual void volatile wchar_t while xor"
    " xor_eq ";

/* A type, and functions of C's library: compilers know them, and programs would call the kernel in
 * their place. */
static const char library[] =
    " size_t main abort abs atexit atof atoi atol atoll bsearch calloc div exit free getenv labs "
    "ldiv"
    " llabs lldiv malloc qsort rand realloc srand strtod strtof strtol strtold strtoll strtoul"
    " strtoull system memchr memcmp memcpy memmove memset strcat strchr strcmp strcoll strcpy"
    " strcspn strerror strlen strncat strncmp strncpy strpbrk strrchr strspn strstr strtok strxfrm"
    " fclose fflush fgetc fgets fopen fprintf fputc fputs fread freopen fscanf fseek ftell fwrite"
    " getc getchar gets perror printf putc putchar puts remove rename rewind scanf setbuf setvbuf"
    " snprintf sprintf sscanf tmpfile tmpnam ungetc vfprintf vprintf vsnprintf vsprintf"
    " isalnum isalpha isblank iscntrl isdigit isgraph islower isprint ispunct isspace isupper"
    " isxdigit tolower toupper clock difftime mktime time raise signal longjmp setjmp"
    " bcmp bcopy bzero close ffs index open pipe pow10 read rindex write ";

/* Those of them that come with an f and an l behind, too. */
static const char mathematics[] =
    " acos acosh asin asinh atan atan2 atanh cbrt ceil copysign cos cosh drem erf erfc exp exp10"
    " exp2 expm1 fabs fdim floor fma fmax fmin fmod frexp gamma hypot ilogb j0 j1 jn ldexp lgamma"
    " llrint llround log log10 log1p log2 logb lrint lround modf nan nearbyint nextafter"
    " nexttoward pow remainder remquo rint round scalb scalbln scalbn signbit significand sin"
    " sincos sinh sqrt tan tanh tgamma trunc y0 y1 yn cabs cacos cacosh carg casin casinh catan"
    " catanh ccos ccosh cexp cimag clog conj cpow cproj creal csin csinh csqrt ctan ctanh ";

/* Macros that headers of C's library, or compilers, have. */
static const char macros[] =
    " NULL EOF I assert complex errno imaginary linux offsetof stderr stdin stdout unix"
    " va_arg va_copy va_end va_start ";

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_capital(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || is_capital(c);
}

static bool ends_with(const char *name, const char *end)
{
    size_t all = strlen(name), length = strlen(end);
    return all > length && !strcmp(name + all - length, end);
}

/* C's own: __LINE__, and what <stdint.h> and its like may have: int_fast8_t, UINT8_C, SIZE_MAX. */
static bool is_kept_for_c(const char *name)
{
    bool type = !strncmp(name, "int", 3) || !strncmp(name, "uint", 4);
    return (name[0] == '_' && (name[1] == '_' || is_capital(name[1]))) ||
           (type && ends_with(name, "_t")) ||
           (is_capital(name[0]) && (ends_with(name, "_C") || ends_with(name, "_MAX") ||
                                    ends_with(name, "_MIN") || ends_with(name, "_WIDTH")));
}

static bool lists(const char *words, const char *name, size_t length)
{
    char word[HEADER_NAME_MAX + 2];
    snprintf(word, sizeof word, " %.*s ", (int)length, name);
    return strstr(words, word) != NULL;
}

static bool is_reserved(const char *name)
{
    size_t length = strlen(name);
    return is_kept_for_c(name) || lists(reserved, name, length) || lists(library, name, length) ||
           lists(macros, name, length) || lists(mathematics, name, length) ||
           (length > 1 && strchr("fl", name[length - 1]) && lists(mathematics, name, length - 1));
}

char *header_identifier(const char *prefix, const char *name, char to[HEADER_NAME_MAX])
{
    const char *const part[] = { prefix, name };
    size_t n = 0;
    if (is_digit(*prefix ? *prefix : *name))
        to[n++] = '_';
    for (int i = 0; i < 2; i++) {
        for (const char *c = part[i]; *c && n < HEADER_NAME_MAX - 2; c++)
            to[n++] = is_letter(*c) || is_digit(*c) ? *c : '_';
    }
    to[n] = '\0';
    return is_reserved(to) ? strcat(to, "_") : to;
}

/* ---- text ----------------------------------------------------------------------------------- */

static const char *type_name(enum convc_dtype t)
{
    switch (t) {
    case CONVC_F32: return "float";
    case CONVC_F64: return "double";
    case CONVC_U8: return "uint8_t";
    case CONVC_S16: return "int16_t";
    case CONVC_U16: return "uint16_t";
    }
    return "void";
}

/* "n, c, h, w": the axes that the problem has. */
static void add_axes(struct text *out, int spatial)
{
    text_add(out, "n, c%s%s, w", spatial > 2 ? ", d" : "", spatial > 1 ? ", h" : "");
}

/* The extents of a tensor, and where its elements lie. */
static void add_tensor(struct text *out, const struct problem *p, const char *name, int64_t c,
                       const int64_t extent[3], const int64_t stride[5], enum convc_dtype type)
{
    static const char *const axis[5] = { "n", "c", "d", "h", "w" };
    text_add(out, " *   %-9s%s, %" PRId64, name, type_name(type), c);
    for (int a = 3 - p->p.spatial; a < 3; a++)
        text_add(out, " x %" PRId64, extent[a]);
    text_add(out, " (");
    add_axes(out, p->p.spatial);
    text_add(out, " without n); element");
    for (int a = 0; a < 5; a++) {
        if (a < 2 || a >= 5 - p->p.spatial)
            text_add(out, " %s%" PRId64 "*%s", a ? "+ " : "", stride[a], axis[a]);
    }
    text_add(out, "\n");
}

static void add_weights(struct text *out, const struct problem *p)
{
    if (!problem_packs(p)) {
        text_add(out, " *   weights  %s\n", p->c.period ? "constants, built in" : "none");
        return;
    }
    text_add(out, " *   weights  %s, %" PRId64 " x %" PRId64, type_name(p->p.wei_dtype), p->p.oc,
             p->icg);
    for (int a = 3 - p->p.spatial; a < 3; a++)
        text_add(out, " x %" PRId64, p->p.kernel[a]);
    text_add(out, " (out channel, in channel of its group, taps), dense\n");
}

/* Of an arg of the epilogue. */
static const char *arg_type(const struct problem *p, int i)
{
    return type_name(p->f.arg[i].kind == ARG_TENSOR ? p->p.dst_dtype : p->p.acc_dtype);
}

static void add_args(struct text *out, const struct problem *p)
{
    for (int i = 0; i < p->f.arg_count; i++) {
        text_add(out, " *   %-9s%s, ", p->f.arg[i].name, arg_type(p, i));
        switch (p->f.arg[i].kind) {
        case ARG_CHANNEL: text_add(out, "%" PRId64 ", dense\n", p->p.oc); break;
        case ARG_TENSOR: text_add(out, "as dst; may be dst itself\n"); break;
        case ARG_SCALAR: text_add(out, "one element\n"); break;
        }
    }
}

static void add_description(struct text *out, const struct header *h, const struct header_kernel *k)
{
    const struct problem *p = k->problem;
    text_add(out, "/* %s\n *\n *   problem  ", k->name);
    problem_print(p, out);
    text_add(out, "\n");
    for (int t = 0; t < h->targets; t++)
        text_add(out, " *   plan     %s%s%s\n", k->plan[t], h->targets > 1 ? ", of " : "",
                 h->targets > 1 ? h->tag[t] : "");
    add_tensor(out, p, "src", p->p.ic, p->p.in, p->p.src_stride, p->p.src_dtype);
    add_weights(out, p);
    if (p->p.bias)
        text_add(out, " *   bias     %s, %" PRId64 ", dense\n", type_name(p->p.acc_dtype), p->p.oc);
    if (p->p.residual)
        text_add(out, " *   residual as dst; may be dst itself\n");
    add_args(out, p);
    add_tensor(out, p, "dst", p->p.oc, p->out, p->p.dst_stride, p->p.dst_dtype);
    text_add(out, " */\n");
}

static int64_t image_elements(const int64_t stride[5], int64_t c, const int64_t extent[3])
{
    return problem_span(stride, 1, c, extent);
}

static void add_constant(struct text *out, const char *name, const char *what, int64_t value,
                         const char *comment)
{
    assert(header_constant(what));
    text_add(out, "#define %s_%s %" PRId64 " /* %s */\n", name, what, value, comment);
}

bool header_constant(const char *word)
{
    static const char *const words[] = {
        "SRC_ELEMENTS", "SRC_STRIDE", "DST_ELEMENTS", "DST_STRIDE", "SRC_D",
        "SRC_H",        "SRC_W",      "DST_D",        "DST_H",      "DST_W",
        "CHANNELS",     "WEIGHTS",    "PACKED_BYTES", "PHASES",     "WORKSPACE_BYTES",
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!strcmp(word, words[i]))
            return true;
    }
    return false;
}

/* "NAME_SRC_H": an extent along each axis that the problem has. */
static void add_extents(struct text *out, const struct header_kernel *k, const char *tensor,
                        const int64_t extent[3])
{
    static const char *const axis[3] = { "D", "H", "W" };
    char what[16];
    for (int a = 3 - k->problem->p.spatial; a < 3; a++) {
        snprintf(what, sizeof what, "%s_%s", tensor, axis[a]);
        add_constant(out, k->name, what, extent[a], "elements along this axis");
    }
}

static void add_constants(struct text *out, const struct header_kernel *k)
{
    const struct convc_problem *p = &k->problem->p;
    add_constant(out, k->name, "SRC_ELEMENTS", image_elements(p->src_stride, p->ic, p->in),
                 "from the first to the last of an image");
    add_constant(out, k->name, "SRC_STRIDE", p->src_stride[CONVC_STRIDE_N],
                 "elements from image to image");
    add_constant(out, k->name, "DST_ELEMENTS",
                 image_elements(p->dst_stride, p->oc, k->problem->out), "likewise");
    add_constant(out, k->name, "DST_STRIDE", p->dst_stride[CONVC_STRIDE_N], "likewise");
    add_extents(out, k, "SRC", p->in);
    add_extents(out, k, "DST", k->problem->out);
    add_constant(out, k->name, "CHANNELS", p->oc, "of the output");
    if (problem_packs(k->problem)) {
        add_constant(out, k->name, "WEIGHTS",
                     p->oc * k->problem->icg * p->kernel[0] * p->kernel[1] * p->kernel[2],
                     "elements of the plain weights");
        add_constant(out, k->name, "PACKED_BYTES", (int64_t)k->packed_bytes, "of the packed ones");
    }
    add_constant(out, k->name, "WORKSPACE_BYTES", (int64_t)k->workspace_bytes,
                 "of each call under way; 0: NULL will do");
    add_constant(out, k->name, "PHASES", k->phases, "one after the other");
}

/* "const float *src, const void *packed, ..., float *dst, void *workspace, int64_t n" */
static void add_parameters(struct text *out, const struct problem *p)
{
    const char *dst = type_name(p->p.dst_dtype);
    text_add(out, "const %s *src,%s", type_name(p->p.src_dtype),
             problem_packs(p) ? " const void *packed," : "");
    if (p->p.bias)
        text_add(out, " const %s *bias,", type_name(p->p.acc_dtype));
    if (p->p.residual)
        text_add(out, " const %s *residual,", dst);
    for (int i = 0; i < p->f.arg_count; i++)
        text_add(out, "\n    const %s *arg_%s,", arg_type(p, i), p->f.arg[i].name);
    text_add(out, "\n    %s *dst, void *workspace, int64_t n", dst);
}

static void add_kernel(struct text *out, const struct header *h, const struct header_kernel *k)
{
    text_add(out, "\n");
    add_description(out, h, k);
    add_constants(out, k);
    if (problem_packs(k->problem))
        text_add(out, "void %s_pack(const %s *weights, void *packed);\n", k->name,
                 type_name(k->problem->p.wei_dtype));
    text_add(out, "void %s(", k->name);
    add_parameters(out, k->problem);
    text_add(out, ");\nvoid %s_range(", k->name);
    add_parameters(out, k->problem);
    text_add(out, ",\n    int32_t phase, int64_t begin, int64_t end);\n");
    text_add(out, "int64_t %s_items(int32_t phase, int64_t n);\n", k->name);
}

static const char opening[] =
    " *\n"
    " * Of every kernel NAME:\n"
    " *\n"
    " *   NAME_pack    once: plain weights into the form that the kernel reads; none where they\n"
    " *                are constants\n"
    " *   NAME         computes n images, on the calling thread\n"
    " *   NAME_range   for threads of your own: computes items [begin, end) of a phase. Phases "
    "are\n"
    " *                done one after the other, their items in any order and at any time\n"
    " *   NAME_items   how many items a phase has for n images\n"
    " *\n"
    " * packed and workspace are aligned to 64 bytes, the others to an element. dst overlaps "
    "nothing\n"
    " * else. Calls at the same time need a workspace each. Nothing is allocated, no lock is "
    "taken,\n"
    " * and nothing is checked. n may be 0. Of other libraries memcpy and memset are called at "
    "most;\n"
    " * exp, tanh and their like are part of the code.\n"
    " */\n";

/* How several targets are told apart. */
static void add_targets(struct text *out, const struct header *h)
{
    text_add(
        out,
        "\n/* The functions below run the code of the best of these that the CPU runs, the\n"
        " * plainest where there is none. %s_use(N) makes it target N, of all kernels, and\n"
        " * -1 the best again; it returns 0 where the CPU does not run it. Weights are packed\n"
        " * for the target in use. */\n",
        h->library);
    for (int t = 0; t < h->targets; t++)
        text_add(out, "#define %s_TARGET_%s %d /* %s */\n", h->library, h->tag[t], t, h->target[t]);
    text_add(out, "int32_t %s_target(void); /* the one in use */\n", h->library);
    text_add(out, "int32_t %s_use(int32_t target);\n", h->library);
}

void header_write(const struct header *h, struct text *out)
{
    text_add(out, "/* %s.h: static kernels, made by convc for\n", h->library);
    for (int t = 0; t < h->targets; t++)
        text_add(out, " * %s\n", h->target[t]);
    text_add(out, "%s", opening);
    text_add(out, "#ifndef CONVC_STATIC_%s_H\n#define CONVC_STATIC_%s_H\n\n#include <stdint.h>\n\n",
             h->library, h->library);
    text_add(out, "#ifdef __cplusplus\nextern \"C\" {\n#endif\n");
    if (h->targets > 1)
        add_targets(out, h);
    for (size_t i = 0; i < h->kernels; i++)
        add_kernel(out, h, &h->kernel[i]);
    text_add(out, "\n#ifdef __cplusplus\n}\n#endif\n#endif\n");
}
