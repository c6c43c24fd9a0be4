/* SPDX-License-Identifier: MIT */
/*
 * Functions that register themselves when the program is loaded, and run when
 * somebody asks for their kind; after QEMU's qemu/module.h.
 *
 *   static void register_things(void) { ... }
 *   block_init(register_things);
 *   ...
 *   module_call_init(MODULE_INIT_BLOCK);
 *
 * Functions of a kind run in the order in which they were registered, once,
 * however often somebody asks.  There are no loadable modules.
 */
#ifndef QEMU_MODULE_H
#define QEMU_MODULE_H

#include "qemu/osdep.h"

typedef enum {
    MODULE_INIT_MIGRATION,
    MODULE_INIT_BLOCK,
    MODULE_INIT_OPTS,
    MODULE_INIT_QOM,
    MODULE_INIT_TRACE,
    MODULE_INIT_XEN_BACKEND,
    MODULE_INIT_LIBQOS,
    MODULE_INIT_FUZZ_TARGET,
    MODULE_INIT_MAX
} module_init_type;

#define module_init(function, type)                                      \
    static void __attribute__((constructor)) do_qemu_init_##function(void) \
    {                                                                    \
        register_module_init(function, type);                            \
    }

#define block_init(function) module_init(function, MODULE_INIT_BLOCK)
#define opts_init(function) module_init(function, MODULE_INIT_OPTS)
#define type_init(function) module_init(function, MODULE_INIT_QOM)
#define trace_init(function) module_init(function, MODULE_INIT_TRACE)
#define xen_backend_init(function) \
    module_init(function, MODULE_INIT_XEN_BACKEND)
#define libqos_init(function) module_init(function, MODULE_INIT_LIBQOS)
#define fuzz_target_init(function) \
    module_init(function, MODULE_INIT_FUZZ_TARGET)
#define migration_init(function) module_init(function, MODULE_INIT_MIGRATION)

/* What QEMU's build collects about loadable modules: nothing here. */
#define module_obj(name)
#define module_dep(name)
#define module_arch(name)
#define module_opts(name)
#define module_kconfig(name)

void register_module_init(void (*fn)(void), module_init_type type);
/* One thread at a time. */
void module_call_init(module_init_type type);

#endif
