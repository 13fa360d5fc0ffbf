#include "gen/plan/picture.h"

bool picture_is_flat(const struct problem *p)
{
    const struct convc_problem *c = &p->p;
    bool alike = !c->bias;
    for (int a = 0; a < p->f.arg_count; a++)
        alike = alike && p->f.arg[a].kind != ARG_CHANNEL;
    return alike && p->ocg == 1 && c->stride[CONVC_W] == 1 && c->src_stride[CONVC_STRIDE_C] == 1 &&
           c->dst_stride[CONVC_STRIDE_C] == 1 && c->src_stride[CONVC_STRIDE_W] == c->ic &&
           c->dst_stride[CONVC_STRIDE_W] == c->ic;
}

bool picture_is_planar(const struct problem *p)
{
    return p->p.src_stride[CONVC_STRIDE_W] == 1 && p->p.dst_stride[CONVC_STRIDE_W] == 1;
}

int64_t picture_unit(const struct problem *p)
{
    return picture_is_planar(p) ? 1 : picture_is_flat(p) ? p->p.ic : 0;
}

int64_t picture_channels(const struct problem *p)
{
    return picture_is_planar(p) ? p->p.ic : 1;
}
