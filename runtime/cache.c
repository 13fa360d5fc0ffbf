#include "runtime/cache.h"

#include "gen/base/hash.h"
#include "gen/base/memory.h"
#include "runtime/guard.h"

#include <string.h>

enum { BUCKETS_AT_FIRST = 64 };

/* One key. It is `pending` while its kernel is being made; then it is in the table and in the order
 * of use, or, where making failed, in neither and alive until the last waiter has read why. */
struct entry {
    struct entry *chain;         /* in its bucket                              */
    struct entry *newer, *older; /* in the order of use, once it has a kernel */
    uint64_t hash;
    struct cache_key key;
    struct convc_kernel *kernel;
    bool pending;
    int waiters;
    struct diag failure;
};

struct cache {
    struct guard guard;     /* first: in_child casts */
    pthread_cond_t settled; /* some entry is no longer pending */
    struct entry **buckets;
    size_t bucket_count, entries; /* bucket_count is a power of two */
    struct entry *newest, *oldest;
    size_t max_kernels, max_code_bytes;
    struct cache_stats stats;
};

/* ---- the table ------------------------------------------------------------------------------- */

static uint64_t key_hash(const struct cache_key *key)
{
    uint64_t problem = hash64(&key->problem, sizeof key->problem, 0);
    return hash64(key->plan, strlen(key->plan), problem + key->generation);
}

static struct entry **bucket_of(struct cache *c, uint64_t hash)
{
    return &c->buckets[hash & (c->bucket_count - 1)];
}

static struct entry *table_find(struct cache *c, const struct cache_key *key, uint64_t hash)
{
    for (struct entry *e = *bucket_of(c, hash); e; e = e->chain) {
        if (e->hash == hash && !memcmp(&e->key.problem, &key->problem, sizeof key->problem) &&
            e->key.generation == key->generation && !strcmp(e->key.plan, key->plan))
            return e;
    }
    return NULL;
}

/* Twice the buckets; without the memory for them the chains grow instead. */
static void table_grow(struct cache *c)
{
    size_t old_count = c->bucket_count;
    struct entry **old = c->buckets, **grown = memory_zeroed(2 * old_count, sizeof *grown);
    if (!grown)
        return;
    c->buckets = grown;
    c->bucket_count = 2 * old_count;
    for (size_t i = 0; i < old_count; i++) {
        while (old[i]) {
            struct entry *e = old[i], **bucket = bucket_of(c, e->hash);
            old[i] = e->chain;
            e->chain = *bucket;
            *bucket = e;
        }
    }
    memory_free(old);
}

static void table_add(struct cache *c, struct entry *e)
{
    if (c->entries >= c->bucket_count)
        table_grow(c);
    struct entry **bucket = bucket_of(c, e->hash);
    e->chain = *bucket;
    *bucket = e;
    c->entries++;
}

static void table_remove(struct cache *c, struct entry *e)
{
    struct entry **link = bucket_of(c, e->hash);
    while (*link != e)
        link = &(*link)->chain;
    *link = e->chain;
    c->entries--;
}

/* ---- the order of use ------------------------------------------------------------------------ */

static void order_add(struct cache *c, struct entry *e)
{
    e->newer = NULL;
    e->older = c->newest;
    if (c->newest)
        c->newest->newer = e;
    else
        c->oldest = e;
    c->newest = e;
    c->stats.kernels++;
    c->stats.code_bytes += e->kernel->object_bytes;
}

static void order_remove(struct cache *c, struct entry *e)
{
    *(e->newer ? &e->newer->older : &c->newest) = e->older;
    *(e->older ? &e->older->newer : &c->oldest) = e->newer;
    c->stats.kernels--;
    c->stats.code_bytes -= e->kernel->object_bytes;
}

static void order_touch(struct cache *c, struct entry *e)
{
    if (c->newest == e)
        return;
    order_remove(c, e);
    order_add(c, e);
}

/* Takes the oldest entries out until the rest is within bounds; returns them chained, for the
 * caller to free once the mutex is released. The newest stays whatever its size, and so does what a
 * waiter is about to read. */
static struct entry *evict(struct cache *c)
{
    struct entry *out = NULL, *next;
    for (struct entry *e = c->oldest; e != c->newest; e = next) {
        next = e->newer;
        if (c->stats.kernels <= c->max_kernels && c->stats.code_bytes <= c->max_code_bytes)
            break;
        if (e->waiters)
            continue;
        order_remove(c, e);
        table_remove(c, e);
        c->stats.evictions++;
        e->chain = out;
        out = e;
    }
    return out;
}

static void free_chain(struct entry *e)
{
    while (e) {
        struct entry *next = e->chain;
        convc_kernel_release(e->kernel);
        memory_free(e);
        e = next;
    }
}

/* ---- life ------------------------------------------------------------------------------------ */

/* The threads that were making kernels, and those that waited, are not in the child. */
static void forget_pending(struct guard *g)
{
    struct cache *c = (struct cache *)g;
    for (size_t i = 0; i < c->bucket_count; i++) {
        struct entry **link = &c->buckets[i];
        while (*link) {
            struct entry *e = *link;
            if (!e->pending) {
                e->waiters = 0;
                link = &e->chain;
                continue;
            }
            *link = e->chain;
            c->entries--;
            memory_free(e);
        }
    }
    pthread_cond_init(&c->settled, NULL);
}

enum convc_status cache_create(size_t max_code_bytes, size_t max_kernels, struct cache **out,
                               struct diag *d)
{
    struct cache *c = memory_zeroed(1, sizeof *c);
    struct entry **buckets = memory_zeroed(BUCKETS_AT_FIRST, sizeof *buckets);
    if (!c || !buckets) {
        memory_free(c);
        memory_free(buckets);
        return diag_memory(d);
    }
    pthread_cond_init(&c->settled, NULL);
    c->buckets = buckets;
    c->bucket_count = BUCKETS_AT_FIRST;
    c->max_code_bytes = max_code_bytes;
    c->max_kernels = max_kernels;
    /* From here on the child of a fork looks into it. */
    if (guard_init(&c->guard, forget_pending, d) != CONVC_OK) {
        pthread_cond_destroy(&c->settled);
        memory_free(c);
        memory_free(buckets);
        return d->status;
    }
    *out = c;
    return CONVC_OK;
}

void cache_destroy(struct cache *c)
{
    if (!c)
        return;
    guard_destroy(&c->guard); /* first: the child of a fork must not look into what is half freed */
    for (size_t i = 0; i < c->bucket_count; i++)
        free_chain(c->buckets[i]);
    memory_free(c->buckets);
    pthread_cond_destroy(&c->settled);
    memory_free(c);
}

struct cache_stats cache_stats(struct cache *c)
{
    pthread_mutex_lock(&c->guard.mutex);
    struct cache_stats s = c->stats;
    pthread_mutex_unlock(&c->guard.mutex);
    return s;
}

/* ---- the look-up ----------------------------------------------------------------------------- */

static struct entry *entry_create(const struct cache_key *key, uint64_t hash)
{
    struct entry *e = memory_zeroed(1, sizeof *e);
    if (!e)
        return NULL;
    e->hash = hash;
    e->key = *key;
    e->pending = true;
    return e;
}

/* Waits, the mutex held, for the entry that another thread is making. */
static void await(struct cache *c, struct entry *e, struct diag *d)
{
    e->waiters++;
    while (e->pending)
        pthread_cond_wait(&c->settled, &c->guard.mutex);
    e->waiters--;
    if (e->kernel)
        return;
    *d = e->failure;
    if (e->waiters == 0)
        memory_free(e);
}

/* Makes the kernel with the mutex released meanwhile, and settles the entry. */
static struct entry *make_pending(struct cache *c, struct entry *e, cache_make make, void *argument,
                                  struct convc_kernel **out, struct diag *d)
{
    struct convc_kernel *kernel = NULL;
    pthread_mutex_unlock(&c->guard.mutex);
    make(argument, &kernel, d);
    pthread_mutex_lock(&c->guard.mutex);
    e->pending = false;
    pthread_cond_broadcast(&c->settled);
    if (d->status != CONVC_OK) {
        c->stats.failures++;
        table_remove(c, e);
        e->failure = *d;
        if (e->waiters == 0)
            memory_free(e);
        return NULL;
    }
    e->kernel = *out = kernel;
    order_add(c, e);
    convc_kernel_retain(kernel);
    return evict(c);
}

struct convc_kernel *cache_find(struct cache *c, const struct cache_key *key)
{
    const uint64_t hash = key_hash(key);
    struct convc_kernel *found = NULL;
    pthread_mutex_lock(&c->guard.mutex);
    struct entry *e = table_find(c, key, hash);
    if (e && !e->pending) {
        c->stats.hits++;
        order_touch(c, e);
        convc_kernel_retain(found = e->kernel);
    }
    pthread_mutex_unlock(&c->guard.mutex);
    return found;
}

enum convc_status cache_get(struct cache *c, const struct cache_key *key, cache_make make,
                            void *argument, struct convc_kernel **out, bool *made, struct diag *d)
{
    const uint64_t hash = key_hash(key);
    struct entry *evicted = NULL;

    *made = false;
    pthread_mutex_lock(&c->guard.mutex);
    struct entry *e = table_find(c, key, hash);
    *(!e ? &c->stats.misses : e->pending ? &c->stats.waits : &c->stats.hits) += 1;
    if (e && e->pending)
        await(c, e, d);
    if (e && d->status == CONVC_OK) {
        order_touch(c, e);
        convc_kernel_retain(*out = e->kernel);
    } else if (!e) {
        e = entry_create(key, hash);
        if (e) {
            table_add(c, e);
            *made = true;
            evicted = make_pending(c, e, make, argument, out, d);
        } else {
            c->stats.failures++;
            diag_memory(d);
        }
    }
    pthread_mutex_unlock(&c->guard.mutex);
    free_chain(evicted);
    return d->status;
}
