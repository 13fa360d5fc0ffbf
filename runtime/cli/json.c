#include "runtime/cli/json.h"

#include <inttypes.h>
#include <math.h>

static void quote(FILE *out, const char *text)
{
    putc('"', out);
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        if (*p == '"' || *p == '\\')
            fprintf(out, "\\%c", *p);
        else if (*p == '\n')
            fputs("\\n", out);
        else if (*p < 0x20 || *p == 0x7f)
            fprintf(out, "\\u%04x", *p);
        else
            putc(*p, out);
    }
    putc('"', out);
}

static FILE *member(struct json *j, const char *key)
{
    putc(j->members++ ? ',' : '{', j->out);
    quote(j->out, key);
    putc(':', j->out);
    return j->out;
}

void json_begin(struct json *j, FILE *out)
{
    *j = (struct json){ .out = out };
}

void json_open(struct json *j, const char *key, struct json *inner)
{
    json_begin(inner, member(j, key));
}

void json_close(struct json *inner)
{
    fputs(inner->members ? "}" : "{}", inner->out);
}

void json_text(struct json *j, const char *key, const char *value)
{
    FILE *out = member(j, key);
    if (value)
        quote(out, value);
    else
        fputs("null", out);
}

void json_real(struct json *j, const char *key, double value)
{
    FILE *out = member(j, key);
    if (isfinite(value))
        fprintf(out, "%.9g", value);
    else
        fputs("null", out);
}

void json_whole(struct json *j, const char *key, int64_t value)
{
    fprintf(member(j, key), "%" PRId64, value);
}

void json_bool(struct json *j, const char *key, int value)
{
    fputs(value ? "true" : "false", member(j, key));
}

void json_end(struct json *j)
{
    json_close(j);
    putc('\n', j->out);
}
