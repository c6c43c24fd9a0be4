/* SPDX-License-Identifier: MIT */
/*
 * What a program that uses coroutines wrongly is told before it aborts: one
 * sentence, with QEMU's words where QEMU has some, and with the names of both,
 * the coroutine that it happened to and whoever did it.
 */
#include "coroutine-internal.h"

/* Never freed: the next thing is abort(). */
static const char *describe(const Coroutine *co)
{
    return !co ? "nobody"
           : co->id ? g_strdup_printf("coroutine '%s' (%" PRIu64 ")", co->name,
                                      co->id & UINT32_MAX)
                    : g_strdup_printf("thread '%s'", co->name ? co->name : "?");
}

static void QEMU_NORETURN say(const char *sentence)
{
    fprintf(stderr, "%s\n", sentence);
    abort();
}

static const char *me(void)
{
    return describe(qemu_coroutine_self());
}

void QEMU_NORETURN coroutine_misuse_enter(const Coroutine *co)
{
    if (co->caller == &coroutine_nobody) {
        say(g_strdup_printf("Co-routine is entered after its end: coroutine "
                            "'%s', by %s", co->name, me()));
    }
    if (co == qemu_coroutine_self()) {
        say(g_strdup_printf("Co-routine re-entered recursively: %s, by itself; "
                            "%s has entered it", describe(co),
                            describe(co->caller)));
    }
    say(g_strdup_printf("Co-routine re-entered recursively: %s, by %s; %s has "
                        "entered it", describe(co), me(),
                        describe(co->caller)));
}

void QEMU_NORETURN coroutine_misuse_scheduled(const char *function,
                                              const Coroutine *co,
                                              const char *scheduled)
{
    say(g_strdup_printf("%s: Co-routine was already scheduled in '%s': %s, by "
                        "%s", function, scheduled, describe(co), me()));
}

void QEMU_NORETURN coroutine_misuse_yield(void)
{
    say(g_strdup_printf("Co-routine is yielding to no one: %s was entered by "
                        "nobody", me()));
}

void QEMU_NORETURN coroutine_misuse_locks(const Coroutine *co)
{
    say(g_strdup_printf("Co-routine terminated holding locks: %s, entered by "
                        "%s, still holds %zu", describe(co), me(),
                        co->locks_held));
}

void QEMU_NORETURN coroutine_misuse_outside(const char *what)
{
    say(g_strdup_printf("%s outside a coroutine: in %s", what, me()));
}

void QEMU_NORETURN coroutine_misuse_other(const char *what,
                                          const char *relation,
                                          const Coroutine *other)
{
    say(g_strdup_printf("%s: by %s; %s %s", what, me(), describe(other),
                        relation));
}
