#include "runtime/context_known.h"

#include "gen/base/hash.h"

#include <string.h>

/* The end of each text counts, so that none runs over into the next. */
static void mix(const char *text, uint64_t hash[2])
{
    size_t bytes = text ? strlen(text) + 1 : 0;
    for (int i = 0; i < 2; i++)
        hash[i] = hash64(text ? text : "", bytes, hash[i]);
}

bool known_hash(const struct convc_problem *p, uint64_t hash[2])
{
    struct convc_problem bytes;
    bool texts = p->combine || p->reduce || p->window || p->epilogue || p->args;
    if (p->struct_bytes != sizeof *p || !texts || p->weights)
        return false;
    memcpy(&bytes, p, sizeof bytes);
    bytes.combine = bytes.reduce = bytes.window = bytes.epilogue = bytes.args = NULL;
    for (uint64_t i = 0; i < 2; i++)
        hash[i] = hash64(&bytes, sizeof bytes, i + 1);
    mix(p->combine, hash);
    mix(p->reduce, hash);
    mix(p->window, hash);
    mix(p->epilogue, hash);
    mix(p->args, hash);
    return hash[0] || hash[1];
}

static struct known_slot *slot_of(struct known *known, const uint64_t hash[2])
{
    return &known->slot[hash[0] % KNOWN_SLOTS];
}

bool known_find(struct known *known, const uint64_t hash[2], struct problem_key *key)
{
    struct known_slot *slot = slot_of(known, hash);
    pthread_mutex_lock(&known->guard.mutex);
    bool found = slot->hash[0] == hash[0] && slot->hash[1] == hash[1];
    if (found)
        *key = slot->key;
    pthread_mutex_unlock(&known->guard.mutex);
    return found;
}

void known_keep(struct known *known, const uint64_t hash[2], const struct problem_key *key)
{
    struct known_slot *slot = slot_of(known, hash);
    pthread_mutex_lock(&known->guard.mutex);
    memcpy(slot->hash, hash, sizeof slot->hash);
    slot->key = *key;
    pthread_mutex_unlock(&known->guard.mutex);
}
