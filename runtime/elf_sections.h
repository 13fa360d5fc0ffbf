/* elf_sections: the headers of the sections of an object, ELF of 64 bits. */
#ifndef RUNTIME_ELF_SECTIONS_H
#define RUNTIME_ELF_SECTIONS_H

#include <elf.h>
#include <stddef.h>

/* How many there are; 0 where the bytes are no such object, or end before its headers do. */
unsigned elf_sections(const char *object, size_t count);

/* The i-th of elf_sections. Returns where in the object it lies. */
size_t elf_section(const char *object, unsigned i, Elf64_Shdr *out);

#endif
