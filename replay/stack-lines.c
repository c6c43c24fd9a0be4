/* SPDX-License-Identifier: MIT */
/* Backtraces as text: names, without the machinery that took them. */
#include "stack-lines.h"

#include "stacks.h"

/* The path below the source folder, which is how events name files. */
static const char *short_path(const char *file)
{
    const char *found = file;

    for (const char *const *room = (const char *const[]){
             "eventloop/", "sim/", "block/", "replay/", "lessons/", "tests/",
             NULL}; *room; room++) {
        const char *at = g_strrstr(file, *room);

        if (at && (at == file || at[-1] == '/')) {
            found = found == file || at < found ? at : found;
        }
    }
    return found;
}

/* Of the replayer, inside the probe, or below a thread's first function. */
static bool is_machinery(const FrameName *name)
{
    static const char *const names[] = {
        "child_sink", "count_event", "probe_show", "probe_emit", "vthread_entry",
        "stack_switch", "stack_switch_asm", "stacks_send", "send_thread",
        "machine_switch", "qemu_coroutine_switch",
        "coroutine_leave", "coroutine_yield_slowly", "coroutine_enter_slowly",
        "settle_and_go_on", "enter_pending", "enter_one",
    };

    if (name->file && g_str_has_prefix(short_path(name->file), "replay/")) {
        return true;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
        /* The compiler may have split a function: "probe_emit.cold". */
        if (g_str_has_prefix(name->function, names[i])) {
            return true;
        }
    }
    return false;
}

static void add_frame(GPtrArray *lines, unsigned *shown, uintptr_t pc)
{
    FrameName name = frame_name(pc);

    if (!is_machinery(&name)) {
        g_ptr_array_add(lines, name.file
            ? g_strdup_printf("  #%u %s  %s:%d", (*shown)++, name.function,
                              short_path(name.file), name.line)
            : g_strdup_printf("  #%u %s", (*shown)++, name.function));
    }
    frame_name_finish(&name);
}

static void add_stack(GPtrArray *lines, const EngineStack *stack,
                      const Model *model)
{
    g_autofree char *name = stack->is_coroutine
                                ? model_name(model, stack->id) : NULL;
    unsigned shown = 0;

    g_ptr_array_add(lines, stack->is_coroutine
        ? g_strdup_printf("coroutine %s, suspended", name)
        : g_strdup_printf("thread %s%s", stack->name,
                          stack->running ? ", running" : ""));
    for (unsigned i = 0; i < stack->frames->len; i++) {
        add_frame(lines, &shown, g_array_index(stack->frames, uintptr_t, i));
    }
}

GPtrArray *stack_lines(Session *session, Error **errp)
{
    GPtrArray *stacks = session_stacks(session, errp), *lines;

    if (!stacks) {
        return NULL;
    }
    lines = g_ptr_array_new_with_free_func(g_free);
    for (unsigned i = 0; i < stacks->len; i++) {
        add_stack(lines, g_ptr_array_index(stacks, i), session->model);
    }
    g_ptr_array_free(stacks, true);
    return lines;
}
