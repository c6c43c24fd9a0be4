/* SPDX-License-Identifier: MIT */
/* Functions that registered themselves; QEMU: util/module.c. */
#include "qemu/module.h"
#include "qemu/queue.h"

typedef struct ModuleEntry {
    void (*init)(void);
    QSIMPLEQ_ENTRY(ModuleEntry) next;
} ModuleEntry;

/* Constructors run before anything else, so the lists begin as zeroes. */
static struct {
    QSIMPLEQ_HEAD(, ModuleEntry) entries;
    bool initialized;
    bool called;
} kinds[MODULE_INIT_MAX];

void register_module_init(void (*fn)(void), module_init_type type)
{
    ModuleEntry *entry = g_new0(ModuleEntry, 1);

    if (!kinds[type].initialized) {
        QSIMPLEQ_INIT(&kinds[type].entries);
        kinds[type].initialized = true;
    }
    entry->init = fn;
    QSIMPLEQ_INSERT_TAIL(&kinds[type].entries, entry, next);
}

void module_call_init(module_init_type type)
{
    ModuleEntry *entry;

    if (kinds[type].called) {
        return;
    }
    QSIMPLEQ_FOREACH(entry, &kinds[type].entries, next) {
        entry->init();
    }
    kinds[type].called = true;
}
