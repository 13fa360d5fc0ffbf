/* pack_code: packing weights, as code: for programs that cannot call plan_pack.
 *
 * Of a function with two parameters, the plain weights, [oc][ic/groups][kd][kh][kw], and room for
 * the packed ones. It writes the very bytes that convc_pack writes, header included.
 * Stands on: em, plan, layout, pack.
 */
#ifndef GEN_EMIT_PACK_CODE_H
#define GEN_EMIT_PACK_CODE_H

#include "gen/emit/em.h"
#include "gen/plan/plan.h"

/* Emits the body into an open function. */
void pack_code(struct em *em, const struct problem *p, const struct plan *plan);

/* ---- for the parts of it only --------------------------------------------------------------- */

/* Loops inside each other, and what is done in the innermost one with the two places that the
 * turns lead to. In bytes. */
enum { PACK_LOOPS = 6 };
struct pack_loops {
    int64_t from, to;
    struct {
        int64_t count, from, to;
    } loop[PACK_LOOPS];
    void (*leaf)(struct em *em, const void *argument, LLVMValueRef from, LLVMValueRef to);
    const void *argument;
};

void pack_loops(struct em *em, const struct pack_loops *l, LLVMValueRef plain, LLVMValueRef packed);

/* The elements behind the header, all 0 by now. */
void pack_code_winograd(struct em *em, const struct problem *p, const struct plan *plan,
                        LLVMValueRef plain, LLVMValueRef packed);

#endif
