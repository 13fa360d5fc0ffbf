/* loaded: the spec that a test has loaded last.
 *
 * Stands on: spec, cmocka.
 */
#ifndef TESTS_SUPPORT_LOADED_H
#define TESTS_SUPPORT_LOADED_H

#include "gen/spec/spec.h"

extern struct spec loaded;

/* Ends the test where the spec does not load. */
void load(const struct spec_source *source);

/* For cmocka_run_group_tests. */
int free_loaded(void **state);

#endif
