/* An array as NumPy keeps it. */
#include "runtime/cli/npy.h"
#include "tests/fuzz/fuzz.h"

void fuzz_one(const uint8_t *bytes, size_t size)
{
    struct array a = { 0 };
    struct failure f = { 0 };
    if (npy_parse(bytes, size, "a.npy", &a, &f) == EXIT_FINE) {
        FACT(a.count == array_product(a.extent, a.rank), "%lld elements", (long long)a.count);
        double sum = 0;
        for (int64_t i = 0; i < a.count; i++)
            sum += a.value[i];
        FACT(sum == sum || sum != sum, "reads every element");
        array_free(&a);
    } else {
        FACT(!a.value && f.text[0], "a failure without a sentence");
    }
}
