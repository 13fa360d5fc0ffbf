#include "gen/emit/em_expr.h"

#include "gen/emit/em_math.h"
#include "gen/plan/work.h"

static LLVMValueRef unary(struct em *em, const char *intrinsic, LLVMValueRef x)
{
    LLVMTypeRef type = LLVMTypeOf(x);
    return em_call(em, intrinsic, &type, 1, &x, 1);
}

static LLVMValueRef copysign_of(struct em *em, LLVMValueRef magnitude, LLVMValueRef sign)
{
    LLVMTypeRef type = LLVMTypeOf(sign);
    LLVMValueRef args[2] = { magnitude, sign };
    return em_call(em, "llvm.copysign", &type, 1, args, 2);
}

/* SSE2 has no rounding to whole numbers: adding and taking away a number that has no digits behind
 * the point leaves the nearest one, which may be 1 too many. */
static LLVMValueRef floor_of(struct em *em, LLVMValueRef x)
{
    LLVMTypeRef type = LLVMTypeOf(x), element = type;
    LLVMBuilderRef b = em->builder;
    if (em->target->vector_bytes > 16)
        return unary(em, "llvm.floor", x);
    if (LLVMGetTypeKind(type) == LLVMVectorTypeKind)
        element = LLVMGetElementType(type);
    bool wide = LLVMGetTypeKind(element) == LLVMDoubleTypeKind;
    LLVMValueRef whole = em_real(type, wide ? 0x1p52 : 0x1p23),
                 magnitude = unary(em, "llvm.fabs", x);
    LLVMValueRef nearest = LLVMBuildFSub(b, LLVMBuildFAdd(b, magnitude, whole, ""), whole, "");
    nearest = copysign_of(em, nearest, x);
    LLVMValueRef over = LLVMBuildFCmp(b, LLVMRealOGT, nearest, x, "");
    LLVMValueRef less = LLVMBuildSelect(b, over, em_real(type, 1), em_real(type, 0), "");
    LLVMValueRef below = copysign_of(em, LLVMBuildFSub(b, nearest, less, ""), x);
    LLVMValueRef fraction = LLVMBuildFCmp(b, LLVMRealOLT, magnitude, whole, "");
    return LLVMBuildSelect(b, fraction, below, x, "");
}

static LLVMValueRef of_one(struct em *em, enum expr_op op, LLVMValueRef x)
{
    switch (op) {
    case EXPR_NEG: return LLVMBuildFNeg(em->builder, x, "");
    case EXPR_ABS: return unary(em, "llvm.fabs", x);
    case EXPR_SQRT: return unary(em, "llvm.sqrt", x);
    case EXPR_EXP: return em_exp(em, x);
    case EXPR_LOG: return em_log(em, x);
    case EXPR_TANH: return em_tanh(em, x);
    case EXPR_SIGMOID: return em_sigmoid(em, x);
    case EXPR_FLOOR: return floor_of(em, x);
    case EXPR_CEIL:
        x = floor_of(em, LLVMBuildFNeg(em->builder, x, ""));
        return LLVMBuildFNeg(em->builder, x, "");
    default: return LLVMBuildNot(em->builder, x, "");
    }
}

static LLVMValueRef of_two(struct em *em, enum expr_op op, LLVMValueRef a, LLVMValueRef b)
{
    switch (op) {
    case EXPR_ADD: return LLVMBuildFAdd(em->builder, a, b, "");
    case EXPR_SUB: return LLVMBuildFSub(em->builder, a, b, "");
    case EXPR_MUL: return LLVMBuildFMul(em->builder, a, b, "");
    case EXPR_DIV: return LLVMBuildFDiv(em->builder, a, b, "");
    case EXPR_MIN: return em_fmin(em, a, b);
    case EXPR_MAX: return em_fmax(em, a, b);
    case EXPR_LT: return LLVMBuildFCmp(em->builder, LLVMRealOLT, a, b, "");
    case EXPR_LE: return LLVMBuildFCmp(em->builder, LLVMRealOLE, a, b, "");
    case EXPR_EQ: return LLVMBuildFCmp(em->builder, LLVMRealOEQ, a, b, "");
    case EXPR_AND: return LLVMBuildAnd(em->builder, a, b, "");
    default: return LLVMBuildOr(em->builder, a, b, "");
    }
}

LLVMValueRef em_expr_operation(struct em *em, enum expr_op op, const LLVMValueRef arg[EXPR_ARGS])
{
    if (op == EXPR_WHERE)
        return LLVMBuildSelect(em->builder, arg[0], arg[1], arg[2], "");
    return expr_arity(op) == 2 ? of_two(em, op, arg[0], arg[1]) : of_one(em, op, arg[0]);
}

/* Writes the function down here. */
static LLVMValueRef in_place(struct em *em, const struct expr *e, int node, LLVMTypeRef type,
                             const LLVMValueRef *var, LLVMValueRef one)
{
    LLVMValueRef value[EXPR_NODES];
    for (int i = 0; i <= node; i++) {
        const struct expr_node *n = &e->node[i];
        enum expr_op op = (enum expr_op)n->op;
        if (op == EXPR_CONST)
            value[i] = em_real(type, n->value);
        else if (op == EXPR_VAR)
            value[i] = var[n->var];
        else if (one && op == EXPR_ADD)
            value[i] = em_fma(em, value[n->arg[0]], one, value[n->arg[1]]);
        else if (one && op == EXPR_SUB)
            value[i] =
                em_fma(em, LLVMBuildFNeg(em->builder, value[n->arg[1]], ""), one, value[n->arg[0]]);
        else
            value[i] = em_expr_operation(
                em, op,
                (LLVMValueRef[EXPR_ARGS]){ value[n->arg[0]], value[n->arg[1]], value[n->arg[2]] });
    }
    return value[node];
}

/* ---- long functions -------------------------------------------------------------------------- */

/* LONG: slots from which on a function is called: some ten of exp and its like, beside which a call
 * costs nothing. Sums of some dozens of such, in each of a tile's accumulators, would take LLVM
 * minutes. VARIABLES: acc and eight args. */
enum { LONG = 256, VARIABLES = 9 };

static int variables_of(const struct expr *e, int node)
{
    int64_t count = 0;
    for (int i = 0; i <= node; i++)
        if (e->node[i].op == EXPR_VAR && e->node[i].var >= count)
            count = e->node[i].var + 1;
    return count <= VARIABLES ? (int)count : -1;
}

/* Writes the function down, beside the one under construction. */
static LLVMValueRef write_down(struct em *em, const struct expr *e, int node, LLVMTypeRef type,
                               int variables)
{
    const struct em was = *em;
    LLVMBasicBlockRef block = LLVMGetInsertBlock(em->builder);
    LLVMTypeRef params[VARIABLES];
    LLVMValueRef var[VARIABLES] = { NULL };
    for (int v = 0; v < variables; v++)
        params[v] = type;
    em->function = LLVMAddFunction(em->module, "function",
                                   LLVMFunctionType(type, params, (unsigned)variables, 0));
    LLVMSetLinkage(em->function, LLVMPrivateLinkage);
    em->entry = LLVMAppendBasicBlockInContext(em->context, em->function, "entry");
    LLVMPositionBuilderAtEnd(em->builder, em->entry);
    for (int v = 0; v < variables; v++)
        var[v] = LLVMGetParam(em->function, (unsigned)v);
    LLVMBuildRet(em->builder, in_place(em, e, node, type, var, NULL));
    LLVMValueRef function = em->function;
    em->function = was.function;
    em->entry = was.entry;
    LLVMPositionBuilderAtEnd(em->builder, block);
    return function;
}

/* The function that stands for this node; NULL where it is short, or there are too many. */
static LLVMValueRef outlined(struct em *em, const struct expr *e, int node, LLVMTypeRef type,
                             int variables)
{
    int i = 0;
    if (variables < 0 || work_function(e, node, em->target) < LONG)
        return NULL;
    while (i < em->outlined_count && (em->outlined[i].expr != e || em->outlined[i].node != node ||
                                      em->outlined[i].type != type))
        i++;
    if (i == EM_OUTLINED_MAX)
        return NULL;
    if (i == em->outlined_count)
        em->outlined[em->outlined_count++] =
            (struct em_outlined){ e, node, type, write_down(em, e, node, type, variables) };
    return em->outlined[i].function;
}

LLVMValueRef em_expr_by(struct em *em, const struct expr *e, int node, LLVMTypeRef type,
                        const LLVMValueRef *var, LLVMValueRef one)
{
    int variables = variables_of(e, node);
    LLVMValueRef args[VARIABLES], function = outlined(em, e, node, type, variables);
    if (!function)
        return in_place(em, e, node, type, var, one);
    for (int v = 0; v < variables; v++)
        args[v] = var[v] ? var[v] : LLVMGetUndef(type);
    return LLVMBuildCall2(em->builder, LLVMGlobalGetValueType(function), function, args,
                          (unsigned)variables, "");
}

LLVMValueRef em_expr(struct em *em, const struct expr *e, int node, LLVMTypeRef type,
                     const LLVMValueRef *var)
{
    return em_expr_by(em, e, node, type, var, NULL);
}
