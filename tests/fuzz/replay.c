/* replay: gives the files of directories to a fuzz target, where there is no libFuzzer.
 *
 *     fuzz_npy DIRECTORY-OR-FILE...
 *
 * A finding ends the program, behind the name of the file. Ends with "N passed, N failed".
 */
#include "tests/fuzz/fuzz.h"
#include "tests/support/support.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

static int passed;

static void replay_file(const char *path)
{
    size_t size;
    char *text = test_file_read(path, &size);
    FACT(text, "%s cannot be read", path);
    fprintf(stderr, "%s\n", path);
    /* In memory that ends where the file ends, so that a sanitizer sees what reads on. */
    uint8_t *bytes = malloc(size ? size : 1);
    FACT(bytes, "out of memory");
    memcpy(bytes, text, size);
    LLVMFuzzerTestOneInput(bytes, size);
    free(bytes);
    free(text);
    passed++;
}

static void replay(const char *path)
{
    struct stat s;
    struct dirent **entry;
    FACT(!stat(path, &s), "%s is not there", path);
    if (!S_ISDIR(s.st_mode)) {
        replay_file(path);
        return;
    }
    int count = scandir(path, &entry, NULL, alphasort);
    FACT(count >= 0, "%s cannot be read", path);
    for (int i = 0; i < count; i++) {
        char file[4096];
        snprintf(file, sizeof file, "%s/%s", path, entry[i]->d_name);
        if (entry[i]->d_name[0] != '.')
            replay_file(file);
        free(entry[i]);
    }
    free(entry);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        replay(argv[i]);
    printf("%d passed, 0 failed\n", passed);
    return passed ? 0 : 1;
}
