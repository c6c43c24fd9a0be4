/* SPDX-License-Identifier: MIT */
/* A scenario's own thread-local variables; see thread-locals.h. */
#include "thread-locals.h"

#include "qemu/osdep.h"

#include <dlfcn.h>
#include <link.h>

/* What the compiler's own code asks with: which object, and where in it. */
typedef struct TlsIndex {
    unsigned long module, offset;
} TlsIndex;

void *__tls_get_addr(TlsIndex *index);

enum { OBJECTS_MAX = 16 };

typedef struct Locals {
    unsigned long module;
    char *here; /* the one set that there is */
    const char *first_values;
    size_t n_first_values, size; /* what follows them begins as 0 */
} Locals;

static Locals objects[OBJECTS_MAX];
static unsigned n_objects;
static size_t total;

static bool is_known(unsigned long module)
{
    for (unsigned i = 0; i < n_objects; i++) {
        if (objects[i].module == module) {
            return true;
        }
    }
    return false;
}

static void add(const struct dl_phdr_info *info, const ElfW(Phdr) *segment)
{
    TlsIndex index = {info->dlpi_tls_modid, 0};

    if (n_objects < OBJECTS_MAX && segment->p_memsz && !is_known(index.module)) {
        objects[n_objects++] = (Locals){
            .module = index.module, .here = __tls_get_addr(&index),
            .first_values = (const char *)info->dlpi_addr + segment->p_vaddr,
            .n_first_values = segment->p_filesz, .size = segment->p_memsz,
        };
        total += segment->p_memsz;
    }
}

static int look_at(struct dl_phdr_info *info, size_t size, void *opaque)
{
    const Dl_info *wanted = opaque;

    /* The program has no name. */
    if (!info->dlpi_name[0] || strcmp(info->dlpi_name, wanted->dli_fname)) {
        return 0;
    }
    for (unsigned i = 0; i < info->dlpi_phnum; i++) {
        if (info->dlpi_phdr[i].p_type == PT_TLS) {
            add(info, &info->dlpi_phdr[i]);
        }
    }
    return 1;
}

void thread_locals_add(const void *code)
{
    Dl_info info;

    if (dladdr(code, &info) && info.dli_fname) {
        dl_iterate_phdr(look_at, &info);
    }
}

void *thread_locals_new(void)
{
    char *values = total ? g_malloc0(total) : NULL, *at = values;

    for (unsigned i = 0; i < n_objects; at += objects[i++].size) {
        memcpy(at, objects[i].first_values, objects[i].n_first_values);
    }
    return values;
}

void thread_locals_switch(void *save, const void *load)
{
    size_t at = 0;

    for (unsigned i = 0; i < n_objects; at += objects[i++].size) {
        if (save) {
            memcpy((char *)save + at, objects[i].here, objects[i].size);
        }
        if (load) {
            memcpy(objects[i].here, (const char *)load + at, objects[i].size);
        }
    }
}
