#include "tests/support/loaded.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct spec loaded;

void load(const struct spec_source *source)
{
    struct diag d = { 0 };
    spec_free(&loaded);
    if (spec_load(source, &loaded, &d) != CONVC_OK)
        fail_msg("%s", d.text);
}

int free_loaded(void **state)
{
    (void)state;
    spec_free(&loaded);
    return 0;
}
