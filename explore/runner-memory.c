/* SPDX-License-Identifier: MIT */
/* What schedules touch: data races, and what was freed. */
#include "runner-internal.h"

#include "stacks.h"

/* What the event loop does with its own memory is not for the scenario. */
static bool is_scenarios(Runner *r, uintptr_t place)
{
    gpointer known;
    FrameName name;
    bool is;

    if (g_hash_table_lookup_extended(r->places, (gpointer)place, NULL,
                                     &known)) {
        return GPOINTER_TO_INT(known);
    }
    name = frame_name(place - 1);
    is = name.file && (strstr(name.file, "lessons/") ||
                       (r->spec->source && strstr(name.file, ".c") &&
                        g_str_has_suffix(r->spec->source,
                                         strrchr(name.file, '/')
                                             ? strrchr(name.file, '/')
                                             : name.file)));
    frame_name_finish(&name);
    g_hash_table_insert(r->places, (gpointer)place, GINT_TO_POINTER(is));
    return is;
}

static void tell_fault(Runner *r, const MemoryFault *fault)
{
    for (unsigned i = 0; i < 2; i++) {
        if (fault->places[i] ? !is_scenarios(r, fault->places[i])
                             : !fault->freed) {
            return;
        }
    }
    if (fault->freed && fault->places[0]) {
        g_strlcpy(r->outcome.text, "it uses memory that was freed",
                  OUTCOME_TEXT);
        runner_note_frames(&r->outcome);
        runner_leave(r, SCHEDULE_CRASHED);
    }
    if (!r->raced) {
        r->race = *fault;
        r->raced = true;
    }
}

/* What is found out about it is not the run's. */
static void take_fault(Runner *r, const MemoryFault *fault)
{
    runner_pause();
    tell_fault(r, fault);
    runner_resume();
}

static void on_memory(uintptr_t address, size_t size, SimAccess how,
                      bool atomic, uintptr_t place)
{
    Runner *r = the_runner;
    MemoryFault fault;

    if (arena_is_local(address)) {
        return;
    }
    if (r->listener) {
        r->listener(address, size, how, atomic, place);
    }
    if (!r->watch) {
        return;
    }
    if (atomic) {
        races_sync(r->races, address);
    } else if (races_access(r->races, address, size, how == SIM_WRITE, place,
                            &fault)) {
        take_fault(r, &fault);
    }
}

static void on_freed(void *p, size_t size)
{
    MemoryFault fault;

    if (races_freed(the_runner->races, (uintptr_t)p, size, &fault)) {
        take_fault(the_runner, &fault);
    }
}

static char *place_text(uintptr_t place)
{
    FrameName name = frame_name(place - 1);
    char *text = g_strdup_printf("%s (%s:%d)", name.function,
                                 name.file ? name.file : "?", name.line);

    frame_name_finish(&name);
    return text;
}

void runner_tell_race(Runner *r)
{
    g_autofree char *later = r->race.freed ? g_strdup("free()")
                                           : place_text(r->race.places[0]);
    g_autofree char *earlier = place_text(r->race.places[1]);

    g_snprintf(r->outcome.text, OUTCOME_TEXT, "%s %s what %s %s, in another "
               "thread, and nothing orders the two; use qatomic_*() or a lock",
               later, r->race.freed ? "gives back" : r->race.writes[0]
               ? "writes" : "reads", earlier,
               r->race.writes[1] ? "has written" : "has read");
    for (unsigned i = 0; i < 2; i++) {
        if (r->race.places[i]) {
            r->outcome.frames[r->outcome.n_frames++] = r->race.places[i];
        }
    }
    r->outcome.end = SCHEDULE_RACE;
}

void runner_watch_memory(Runner *r, bool watch)
{
    r->watch = watch && trace_hooks_are_linked();
}

void runner_set_listener(Runner *r, TraceAccess *listener)
{
    r->listener = listener;
}

void runner_begin_watching(Runner *r)
{
    if (r->watch) {
        races_begin(r->races);
        arena_set_freed(on_freed);
    }
    r->raced = false;
    trace_access = r->watch || r->listener ? on_memory : NULL;
}

void runner_end_watching(Runner *r)
{
    trace_access = NULL;
    arena_set_freed(NULL);
}
