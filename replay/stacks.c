/* SPDX-License-Identifier: MIT */
/*
 * Backtraces across coroutine switches.
 *
 * Everything is compiled with frame pointers, so a stack is a linked list: at
 * the frame pointer stands the caller's, and above it the return address.  A
 * suspended stack begins where its switch saved them.  Walks stay within the
 * bounds of a stack, so a wrong pointer ends one and does no harm.
 */
#include "stacks.h"

#include "front.h"
#include "machine.h"

#include <dwarf.h>
#include <elfutils/libdwfl.h>
#include <unistd.h>

enum { MAX_FRAMES = 64 };

typedef struct WireStack {
    uint64_t id;
    uint32_t n_frames, name_len;
    bool is_coroutine, running, last;
} WireStack;

/* ---- Walking ---- */

static unsigned walk(const Stack *stack, uintptr_t pc, uintptr_t fp,
                     uintptr_t *frames)
{
    uintptr_t low = (uintptr_t)stack->limit, high = low + stack->size;
    unsigned n = 0;

    frames[n++] = pc;
    while (n < MAX_FRAMES && fp >= low && fp + 2 * sizeof(fp) <= high &&
           fp % sizeof(fp) == 0) {
        const uintptr_t *frame = (const uintptr_t *)fp;

        if (!frame[1] || frame[0] <= fp) {
            break;
        }
        frames[n++] = frame[1];
        fp = frame[0];
    }
    return n;
}

static unsigned walk_suspended(const Stack *stack, uintptr_t *frames)
{
    uintptr_t pc, fp;

    return stack->limit && stack_frame(stack, &pc, &fp)
               ? walk(stack, pc, fp, frames) : 0;
}

static void send_stack(int fd, WireStack head, const char *name,
                       const uintptr_t *frames)
{
    head.name_len = name ? strlen(name) : 0;
    if (write(fd, &head, sizeof(head)) < 0 ||
        write(fd, name ? name : "", head.name_len) < 0 ||
        write(fd, frames, head.n_frames * sizeof(*frames)) < 0) {
        front_exit(0);
    }
}

enum { MAX_THREAD_FRAMES = 4 * MAX_FRAMES };

/*
 * A thread's stack is that of its current coroutine, then that of who entered
 * it, and so on down to its own: what gdb's "qemu bt" puts together.
 */
static unsigned walk_thread(VThread *thread, uintptr_t *frames)
{
    bool running = thread == machine_current();
    unsigned n = 0;

    for (Coroutine *co = thread->self.fast.current; co && n < 3 * MAX_FRAMES;
         co = co == &thread->self.leader.base ? NULL : co->caller) {
        Stack *stack = coroutine_stack(co);

        if (running && co == thread->self.fast.current) {
            const uintptr_t *own = __builtin_frame_address(0);

            n += walk(stack, own[1], own[0], frames + n);
        } else {
            n += walk_suspended(stack, frames + n);
        }
    }
    return n;
}

static void send_thread(int fd, VThread *thread)
{
    uintptr_t frames[MAX_THREAD_FRAMES];
    unsigned n = walk_thread(thread, frames);

    send_stack(fd, (WireStack){
        .id = thread->self.id, .n_frames = n,
        .running = thread == machine_current(),
    }, thread->name, frames);
}

static void send_coroutine(int fd, StackedCoroutine *co)
{
    uintptr_t frames[MAX_FRAMES];

    send_stack(fd, (WireStack){
        .id = co->base.id, .is_coroutine = true,
        .n_frames = walk_suspended(&co->stack, frames),
    }, co->base.name, frames);
}

void stacks_send(int fd)
{
    StackedCoroutine *co;
    VThread *thread;

    host_save_fast();
    QTAILQ_FOREACH(thread, &machine.threads, next) {
        if (thread->state != VTHREAD_DONE) {
            send_thread(fd, thread);
        }
    }
    QLIST_FOREACH(co, &coroutine_list, node) {
        if (co->base.id && !co->base.caller) {
            send_coroutine(fd, co);
        }
    }
    send_stack(fd, (WireStack){.last = true}, NULL, NULL);
}

static void free_stack(gpointer data)
{
    EngineStack *stack = data;

    g_free(stack->name);
    g_array_free(stack->frames, true);
    g_free(stack);
}

GPtrArray *stacks_receive(int fd, bool (*read_all)(int fd, void *data,
                                                   size_t len))
{
    GPtrArray *stacks = g_ptr_array_new_with_free_func(free_stack);
    WireStack head;

    while (read_all(fd, &head, sizeof(head)) && !head.last) {
        EngineStack *stack = g_new0(EngineStack, 1);

        stack->id = head.id;
        stack->is_coroutine = head.is_coroutine;
        stack->running = head.running;
        stack->name = g_malloc0(head.name_len + 1);
        stack->frames = g_array_sized_new(false, true, sizeof(uintptr_t),
                                          head.n_frames);
        g_array_set_size(stack->frames, head.n_frames);
        g_ptr_array_add(stacks, stack);
        if (!read_all(fd, stack->name, head.name_len) ||
            !read_all(fd, stack->frames->data,
                      head.n_frames * sizeof(uintptr_t))) {
            break;
        }
    }
    return stacks;
}

/* ---- Naming ---- */

static Dwfl *open_self(void)
{
    static const Dwfl_Callbacks callbacks = {
        .find_elf = dwfl_linux_proc_find_elf,
        .find_debuginfo = dwfl_standard_find_debuginfo,
    };
    Dwfl *dwfl = dwfl_begin(&callbacks);

    if (dwfl) {
        dwfl_report_begin(dwfl);
        dwfl_linux_proc_report(dwfl, getpid());
        dwfl_report_end(dwfl, NULL, NULL);
    }
    return dwfl;
}

FrameName frame_name(uintptr_t pc)
{
    static Dwfl *dwfl;
    FrameName name = {.function = NULL};
    Dwfl_Module *module;

    if (!dwfl) {
        dwfl = open_self();
    }
    /* A return address may already be the next line's: look before it.  But a
     * stack that has not begun stands at its function's first byte. */
    module = dwfl ? dwfl_addrmodule(dwfl, pc - 1) : NULL;
    if (module) {
        GElf_Addr at = dwfl_module_addrname(module, pc - 1) ? pc - 1 : pc;
        Dwfl_Line *line = dwfl_module_getsrc(module, at);
        const char *file = line ? dwfl_lineinfo(line, NULL, &name.line, NULL,
                                                NULL, NULL) : NULL;

        name.function = g_strdup(dwfl_module_addrname(module, at));
        name.file = g_strdup(file);
    }
    if (!name.function) {
        name.function = g_strdup("??");
    }
    return name;
}

void frame_name_finish(FrameName *name)
{
    g_free(name->function);
    g_free(name->file);
}

/* ---- Here ---- */

static bool is_replayer(const FrameName *name)
{
    return !name->file || strstr(name->file, "replay/") ||
           g_str_has_prefix(name->function, "qatomic_") ||
           g_str_has_prefix(name->function, "host_");
}

GPtrArray *stacks_call_chain(unsigned max)
{
    GPtrArray *chain = g_ptr_array_new_with_free_func(g_free);
    uintptr_t frames[MAX_THREAD_FRAMES];
    unsigned n;

    host_save_fast();
    n = walk_thread(machine_current(), frames);
    for (unsigned i = 0; i < n && chain->len < max; i++) {
        FrameName name = frame_name(frames[i]);

        if (chain->len || !is_replayer(&name)) {
            const char *slash = name.file ? strrchr(name.file, '/') : NULL;

            g_ptr_array_add(chain, g_strdup_printf(
                "%s (%s:%d)", name.function,
                slash ? slash + 1 : name.file ? name.file : "?", name.line));
        }
        frame_name_finish(&name);
    }
    return chain;
}
