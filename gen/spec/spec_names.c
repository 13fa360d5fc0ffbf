#include "gen/spec/spec_names.h"

#include "gen/base/hash.h"

#include <stdio.h>
#include <string.h>

struct names_slot {
    const char *name; /* NULL: free */
    size_t next;      /* the number for the next one of this stem */
};

bool names_begin(struct names *n, size_t most, struct arena *a)
{
    n->capacity = 4;
    while (n->capacity < 2 * most)
        n->capacity *= 2;
    n->slot = arena_array(a, n->capacity, sizeof *n->slot);
    return n->slot != NULL;
}

/* Where the name is, or would be. */
static struct names_slot *find(const struct names *n, const char *name)
{
    size_t at = (size_t)hash64(name, strlen(name), 0) & (n->capacity - 1);
    while (n->slot[at].name && strcmp(n->slot[at].name, name) != 0)
        at = (at + 1) & (n->capacity - 1);
    return &n->slot[at];
}

void names_take(struct names *n, const char *stem, char *name, size_t size)
{
    struct names_slot *first = find(n, stem), *mine = first;
    snprintf(name, size, "%s", stem);
    while (mine->name) {
        snprintf(name, size, "%s_%zu", stem, first->next++);
        mine = find(n, name);
    }
    *mine = (struct names_slot){ name, 2 };
}
