/* kernel_pack: plain weights into a kernel's layout, behind the header that names it. */
#include "gen/plan/pack.h"
#include "runtime/api.h"
#include "runtime/kernel.h"

#include <string.h>

enum convc_status convc_pack(const convc_kernel *k, const void *plain, void *packed)
{
    if (k && !k->packed_bytes)
        return CONVC_OK;
    if (!k || !plain || !packed)
        return api_fail_with(CONVC_ERR_ARGUMENT,
                             "convc_pack: kernel, plain and packed must be given");
    int64_t bytes = dtype_bytes(k->problem.p.wei_dtype);
    if ((uintptr_t)plain % (uintptr_t)bytes != 0)
        return api_fail_with(CONVC_ERR_ARGUMENT, "convc_pack: plain is not aligned to an element");
    if ((uintptr_t)packed % 64 != 0)
        return api_fail_with(CONVC_ERR_ARGUMENT, "convc_pack: packed is not aligned to 64 bytes");

    struct convc_packed_header header = pack_header(&k->layout, bytes);
    memcpy(packed, &header, sizeof header);
    void *elements = (char *)packed + sizeof header;
    if (k->layout.transformed)
        plan_pack(&k->problem, &k->plan, &k->machine->target, plain, elements);
    else
        pack_by_layout(&k->layout, bytes, plain, elements);
    return CONVC_OK;
}
