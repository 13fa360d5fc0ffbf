/* entries: what a C program calls of a static kernel NAME, in the kernel's module.
 *
 *     void    NAME(TENSORS, void *workspace, int64_t n)
 *     void    NAME_range(TENSORS, void *workspace, int64_t n, int32_t phase, int64_t begin,
 *                        int64_t end)
 *     int64_t NAME_items(int32_t phase, int64_t n)
 *     void    NAME_pack(const void *weights, void *packed)
 *
 * TENSORS are those that the problem has, of src, packed (unless weights are constants), bias,
 * residual, its args, dst: all pointers. NAME runs every item of every phase. They check nothing.
 * Stands on: em, arguments, pack_code.
 */
#ifndef GEN_EMIT_ENTRIES_H
#define GEN_EMIT_ENTRIES_H

#include "gen/emit/em.h"
#include "gen/plan/plan.h"

/* What a static kernel's symbols end in: those of the functions above, in their order, and that of
 * the kernel itself. */
enum { ENTRY_RUN, ENTRY_RANGE, ENTRY_ITEMS, ENTRY_PACK, ENTRY_KERNEL, ENTRY_SYMBOLS };
extern const char *const entry_suffix[ENTRY_SYMBOLS];

enum { ENTRY_NAME_MAX = 200 };

/* Constants need no packing. */
bool entry_exists(const struct problem *p, int which);
LLVMTypeRef entry_type(struct em *em, const struct problem *p, int which);

/* After the kernel has been emitted: em->function. */
void entries(struct em *em, const struct problem *p, const struct plan *plan, const char *name);

#endif
