/* layer: implements convc/layer.h. Stands on: context_make, jobs, kernel. */
#ifndef RUNTIME_LAYER_H
#define RUNTIME_LAYER_H

#include "runtime/jobs.h"

#include <convc/layer.h>

/* Cancels the layers whose compile has not begun. */
void layer_cancel_all(struct jobs *jobs);

#endif
