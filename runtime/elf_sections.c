#include "runtime/elf_sections.h"

#include <string.h>

unsigned elf_sections(const char *object, size_t count)
{
    Elf64_Ehdr elf;
    if (count < sizeof elf)
        return 0;
    memcpy(&elf, object, sizeof elf);
    if (memcmp(elf.e_ident, ELFMAG, SELFMAG) != 0 || elf.e_ident[EI_CLASS] != ELFCLASS64 ||
        elf.e_shentsize != sizeof(Elf64_Shdr) || elf.e_shoff > count ||
        elf.e_shnum > (count - elf.e_shoff) / sizeof(Elf64_Shdr))
        return 0;
    return elf.e_shnum;
}

size_t elf_section(const char *object, unsigned i, Elf64_Shdr *out)
{
    Elf64_Ehdr elf;
    memcpy(&elf, object, sizeof elf);
    size_t at = elf.e_shoff + i * sizeof *out;
    memcpy(out, object + at, sizeof *out);
    return at;
}
