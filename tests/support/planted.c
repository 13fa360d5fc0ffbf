/* Programs with faults planted: stands in for convc_run (-Wl,--wrap=convc_run). A plan whose text
 * contains what one of these variables of the environment holds
 *
 *     PLANT_CRASH    aborts, with a word on standard error
 *     PLANT_HANG     never returns
 *     PLANT_WRONG    leaves every output as it was
 *     PLANT_OUTSIDE  writes before its first output
 *     PLANT_BIAS     likewise, where there is a bias
 *     PLANT_BATCH    likewise, of three images
 *     PLANT_FAIL     is run on a batch of -1, which fails
 *
 * and all others run as they should.
 */
#include <convc/convc.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum convc_status __real_convc_run(const convc_kernel *k, const struct convc_args *args);
enum convc_status __wrap_convc_run(const convc_kernel *k, const struct convc_args *args);

static bool planted(const convc_kernel *k, const char *variable)
{
    struct convc_kernel_info info = { .struct_bytes = sizeof info };
    const char *text = getenv(variable);
    return text && text[0] && convc_kernel_info(k, &info) == CONVC_OK && strstr(info.plan, text);
}

enum convc_status __wrap_convc_run(const convc_kernel *k, const struct convc_args *args)
{
    if (planted(k, "PLANT_CRASH")) {
        fputs("planted: this plan crashes\n", stderr);
        abort();
    }
    while (planted(k, "PLANT_HANG"))
        sleep(1);
    if (planted(k, "PLANT_WRONG"))
        return CONVC_OK;
    if ((args->bias && planted(k, "PLANT_BIAS")) || (args->n == 3 && planted(k, "PLANT_BATCH")))
        return CONVC_OK;
    if (planted(k, "PLANT_FAIL"))
        return __real_convc_run(k, &(struct convc_args){ .struct_bytes = sizeof *args, .n = -1 });
    if (planted(k, "PLANT_OUTSIDE"))
        ((unsigned char *)args->dst)[-1] ^= 1;
    return __real_convc_run(k, args);
}
