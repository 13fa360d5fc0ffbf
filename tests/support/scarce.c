#include "tests/support/scarce.h"

#include <convc/convc.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* In front of every block. */
struct front {
    _Alignas(max_align_t) uint64_t mark;
    size_t bytes;
};

static const uint64_t marks[SCARCE_SIDES] = { 0x5ca2ce5ca2ce0001, 0x5ca2ce5ca2ce0002 };

static struct {
    atomic_llong taken, live;
    atomic_llong fails_at; /* 0: none */
    atomic_bool on;
} state[SCARCE_SIDES];

static bool refused(enum scarce_side side)
{
    long long n = atomic_fetch_add(&state[side].taken, 1) + 1, at = state[side].fails_at;
    return at && (n == at || (n > at && state[side].on));
}

static struct front *front_of(enum scarce_side side, void *block)
{
    struct front *f = (struct front *)block - 1;
    if (f->mark != marks[side]) {
        fprintf(stderr, "a block is given back that was not given out\n");
        abort();
    }
    return f;
}

static void *take(enum scarce_side side, size_t bytes)
{
    struct front *f = refused(side) ? NULL : malloc(sizeof *f + bytes);
    if (!f)
        return NULL;
    *f = (struct front){ marks[side], bytes };
    memset(f + 1, 0xa5, bytes); /* nobody may count on zeros */
    atomic_fetch_add(&state[side].live, 1);
    return f + 1;
}

static void give_back(enum scarce_side side, void *block)
{
    struct front *f = front_of(side, block);
    memset(f, 0x5a, sizeof *f + f->bytes);
    free(f);
    atomic_fetch_sub(&state[side].live, 1);
}

/* It always moves. */
static void *resize(enum scarce_side side, void *block, size_t bytes)
{
    size_t old = front_of(side, block)->bytes;
    void *moved = take(side, bytes);
    if (moved) {
        memcpy(moved, block, bytes < old ? bytes : old);
        give_back(side, block);
    }
    return moved;
}

/* ---- convc's side ---------------------------------------------------------------------------- */

static int user;

static void check_user(const void *given)
{
    if (given != &user)
        abort();
}

static void *convc_take(void *given, size_t bytes)
{
    check_user(given);
    return take(SCARCE_CONVC, bytes);
}

static void *convc_resize(void *given, void *block, size_t bytes)
{
    check_user(given);
    return resize(SCARCE_CONVC, block, bytes);
}

static void convc_give_back(void *given, void *block)
{
    check_user(given);
    give_back(SCARCE_CONVC, block);
}

/* ---- SQLite's side --------------------------------------------------------------------------- */

static void *sql_take(int bytes)
{
    return take(SCARCE_SQLITE, (size_t)bytes);
}

static void *sql_resize(void *block, int bytes)
{
    return resize(SCARCE_SQLITE, block, (size_t)bytes);
}

static void sql_give_back(void *block)
{
    if (block)
        give_back(SCARCE_SQLITE, block);
}

static int sql_size(void *block)
{
    return block ? (int)front_of(SCARCE_SQLITE, block)->bytes : 0;
}

static int sql_round(int bytes)
{
    return (bytes + 7) & ~7;
}

static int sql_init(void *data)
{
    (void)data;
    return SQLITE_OK;
}

static void sql_shutdown(void *data)
{
    (void)data;
}

/* ---- what a test says ------------------------------------------------------------------------ */

void scarce_install(void)
{
    static const sqlite3_mem_methods sql = { sql_take,  sql_give_back, sql_resize,   sql_size,
                                             sql_round, sql_init,      sql_shutdown, NULL };
    const struct convc_allocator own = { sizeof own, &user, convc_take, convc_resize,
                                         convc_give_back };
    if (sqlite3_config(SQLITE_CONFIG_MALLOC, &sql) != SQLITE_OK ||
        sqlite3_initialize() != SQLITE_OK || convc_set_allocator(&own) != CONVC_OK) {
        fprintf(stderr, "allocators cannot be set: %s\n", convc_last_error());
        abort();
    }
}

void scarce_arm(enum scarce_side side, int64_t n, bool on)
{
    state[side].taken = 0;
    state[side].on = on;
    state[side].fails_at = n;
}

int64_t scarce_disarm(enum scarce_side side)
{
    state[side].fails_at = 0;
    return state[side].taken;
}

int64_t scarce_live(enum scarce_side side)
{
    return state[side].live;
}
