/* em_element: elements of tensors, which may be of another type than the kernel computes in.
 *
 * Loads give reals, of the scalar or vector type that they are asked for, or integers at least as
 * wide as the elements; em_element_round makes of reals what em's stores take. Where a tensor is of
 * the computed type both do nothing more than em does. Stands on: em, problem.
 */
#ifndef GEN_EMIT_EM_ELEMENT_H
#define GEN_EMIT_EM_ELEMENT_H

#include "gen/emit/em.h"
#include "gen/problem/problem.h"

/* As em_load, em_load_lanes, em_load_where, em_gather and em_gather_at, of elements of `t`. */
LLVMValueRef em_element_load(struct em *em, enum convc_dtype t, LLVMTypeRef real, LLVMValueRef p);
LLVMValueRef em_element_load_lanes(struct em *em, enum convc_dtype t, LLVMTypeRef vector,
                                   LLVMValueRef p, const struct em_lanes *on, LLVMValueRef other);
LLVMValueRef em_element_load_where(struct em *em, enum convc_dtype t, LLVMTypeRef vector,
                                   LLVMValueRef p, LLVMValueRef on);
LLVMValueRef em_element_gather(struct em *em, enum convc_dtype t, LLVMTypeRef vector,
                               LLVMValueRef p, const int64_t *offset, const struct em_lanes *on,
                               LLVMValueRef other);
LLVMValueRef em_element_gather_at(struct em *em, enum convc_dtype t, LLVMTypeRef vector,
                                  LLVMValueRef p, LLVMValueRef offset, LLVMValueRef on,
                                  LLVMValueRef other);

/* A scalar or vector of reals as elements of `t`: rounded to nearest, ties to even, within the ends
 * of the type, 0 for NaN. */
LLVMValueRef em_element_round(struct em *em, enum convc_dtype t, LLVMValueRef x);

#endif
