/* api_tuning: rows of a tuning database as the public header shows them. Stands on: tune_db. */
#ifndef RUNTIME_API_TUNING_H
#define RUNTIME_API_TUNING_H

#include "runtime/tune_db.h"

#include <convc/tuning.h>

/* Texts stay the row's. */
void measurement_of(const struct tune_row *r, struct convc_measurement *m);

#endif
