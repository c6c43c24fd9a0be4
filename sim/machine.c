/* SPDX-License-Identifier: MIT */
/* Virtual threads; see machine.h. */
#include "machine.h"

#include "thread-locals.h"

Machine machine;

Stack *machine_thread_stack(VThread *thread)
{
    return coroutine_stack(thread->self.fast.current);
}

static void vthread_entry(void)
{
    VThread *thread = machine.current;

    stack_entered(&thread->self.leader.stack);
    if (machine.started) {
        machine.started(thread);
    }
    host_thread_started(&thread->self);
    machine_thread_exit(thread->start(thread->arg));
}

void machine_thread_exit(void *ret)
{
    VThread *thread = machine.current;

    thread->ret = ret;
    PROBE(THREAD_EXIT, thread->self.id, 0, 0, 0);
    host_thread_finish(&thread->self);
    thread->state = VTHREAD_DONE;
    QTAILQ_REMOVE(&machine.threads, thread, next);
    QTAILQ_INSERT_HEAD(&machine.ended_threads, thread, next);
    machine.ended(thread);
    abort(); /* somebody switched to a thread that has ended */
}

void machine_init(void)
{
    machine = (Machine){.outside = host_self()};
    front_listen();
    QTAILQ_INIT(&machine.threads);
    QTAILQ_INIT(&machine.ended_threads);
}

static void free_threads(VThreadList *threads)
{
    VThread *thread;

    while ((thread = QTAILQ_FIRST(threads))) {
        QTAILQ_REMOVE(threads, thread, next);
        if (thread->self.leader.stack.limit) {
            stack_finish(&thread->self.leader.stack);
        }
        g_free(thread->name);
        g_free(thread->words);
        g_free(thread->locals);
        g_free(thread);
    }
}

/* The machine's own OS thread may still be on one of the stacks. */
void machine_finish(void)
{
    assert(!machine.current);
    if (machine.left_by_stranger) {
        return;
    }
    free_threads(&machine.threads);
    free_threads(&machine.ended_threads);
}

/*
 * A thread cannot free the stack that it ends on, so the next one that is made
 * does.  A process may have some 30,000 stacks, and a run more threads.
 */
static void free_ended_stacks(void)
{
    VThread *thread;

    QTAILQ_FOREACH(thread, &machine.ended_threads, next) {
        if (!thread->self.leader.stack.limit) {
            break; /* and those that ended before it */
        }
        if (thread != machine.current) {
            stack_finish(&thread->self.leader.stack);
        }
    }
}

VThread *machine_thread_new(const char *name, void *(*start)(void *), void *arg)
{
    VThread *thread = g_new0(VThread, 1);

    free_ended_stacks();
    thread->name = g_strdup(name);
    thread->start = start;
    thread->arg = arg;
    thread->deadline = -1;
    host_thread_init(&thread->self, ++machine.last_id, thread->name);
    stack_init(&thread->self.leader.stack, vthread_entry);
    thread->self.host = thread;
    thread->locals = thread_locals_new();
    QTAILQ_INSERT_TAIL(&machine.threads, thread, next);
    return thread;
}

static VThread *find_thread(VThreadList *threads, uint32_t id)
{
    VThread *thread;

    QTAILQ_FOREACH(thread, threads, next) {
        if (thread->self.id == id) {
            break;
        }
    }
    return thread;
}

VThread *machine_thread_by_id(uint32_t id)
{
    VThread *thread = find_thread(&machine.threads, id);

    return thread ? thread : find_thread(&machine.ended_threads, id);
}

HostThread *machine_no_foreign_thread(void)
{
    fprintf(stderr, "aiolab: a thread that another library has started calls "
            "the event loop; the simulated machine has its own threads only, "
            "run this with --host live\n");
    abort();
}

void machine_refuse(const char *function)
{
    fprintf(stderr, "aiolab: the scenario calls %s(), which the simulated "
            "machine does not have; run this with --host live\n", function);
    abort();
}

void machine_switch(VThread *to)
{
    VThread *from = machine.current;
    Stack *from_stack, *to_stack;

    if (from == to) {
        return;
    }
    /* Another library's thread ends the run, where only the machine's runs. */
    machine.left_by_stranger |= from && !host_self_;
    machine.current = to;
    thread_locals_switch(from ? from->locals : NULL, to ? to->locals : NULL);
    host_set_self(to ? &to->self : machine.outside);
    from_stack = from ? machine_thread_stack(from) : &machine.scheduler.stack;
    to_stack = to ? machine_thread_stack(to) : &machine.scheduler.stack;
    stack_switch(from_stack, to_stack);
}
