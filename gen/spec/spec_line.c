/* Where a field stands in the text of a spec: just enough of Lua's lexer to skip strings, comments
 * and brackets. */
#include "gen/spec/spec_read.h"

#include <ctype.h>
#include <string.h>

struct cursor {
    const char *at;
    int line;
};

static void advance(struct cursor *c, const char *to)
{
    for (; c->at < to && *c->at; c->at++)
        c->line += *c->at == '\n';
}

/* The end of "[==[ ... ]==]" that begins at `s`, or NULL where none begins there. */
static const char *long_bracket_end(const char *s)
{
    size_t level = s[0] == '[' ? strspn(s + 1, "=") : 0;
    if (s[0] != '[' || s[1 + level] != '[')
        return NULL;
    for (s = strchr(s, ']'); s; s = strchr(s + 1, ']'))
        if (strspn(s + 1, "=") == level && s[1 + level] == ']')
            return s + level + 2;
    return "";
}

static const char *string_end(const char *s)
{
    char quote = *s++;
    for (; *s && *s != quote && *s != '\n'; s++)
        if (*s == '\\' && s[1])
            s++;
    return *s == quote ? s + 1 : s;
}

/* Skips one comment, string or long string. */
static bool skip_opaque(struct cursor *c)
{
    const char *s = c->at;
    bool comment = s[0] == '-' && s[1] == '-';
    const char *end = long_bracket_end(comment ? s + 2 : s);
    if (!end && comment)
        end = s + strcspn(s, "\n");
    else if (!end && (*s == '"' || *s == '\''))
        end = string_end(s);
    if (!end)
        return false;
    advance(c, *end ? end : s + strlen(s));
    return true;
}

static bool is_field(const char *s, const char *field)
{
    size_t n = strlen(field);
    if (strncmp(s, field, n) != 0)
        return false;
    s += n + strspn(s + n, " \t\r\n");
    return s[0] == '=' && s[1] != '=';
}

/* From a '{' to behind its '}'. Returns the line of the field, or 0. */
static int scan_table(struct cursor *c, const char *field)
{
    int depth = 0, found = 0;
    bool begins = false; /* can a field begin here? */
    while (*c->at) {
        if (skip_opaque(c))
            continue;
        char ch = *c->at;
        if (depth == 1 && begins && !found && is_field(c->at, field))
            found = c->line;
        if (!isspace((unsigned char)ch))
            begins = strchr("{,;", ch) != NULL;
        depth += (strchr("{([", ch) != NULL) - (strchr("})]", ch) != NULL);
        advance(c, c->at + 1);
        if (depth == 0)
            break;
    }
    return found;
}

int read_field_line(const char *text, int line, const char *field)
{
    struct cursor c = { text, 1 };
    while (c.line < line && *c.at)
        advance(&c, c.at + 1);
    while (c.line == line && *c.at) {
        if (skip_opaque(&c))
            continue;
        int found = *c.at == '{' ? scan_table(&c, field) : 0;
        if (found)
            return found;
        if (*c.at)
            advance(&c, c.at + 1);
    }
    return line;
}
