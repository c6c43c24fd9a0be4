/* SPDX-License-Identifier: MIT */
/*
 * Virtual threads: the part of the machine that the replayer uses too.
 *
 * A thread is a HostThread whose own stack is one of ours.  Switching threads
 * switches the stack of whatever coroutine each was in.
 */
#ifndef SIM_MACHINE_H
#define SIM_MACHINE_H

#include "host.h"

typedef enum VThreadState {
    VTHREAD_RUNNABLE,
    VTHREAD_BLOCKED,
    VTHREAD_DONE,
} VThreadState;

typedef struct VThread {
    HostThread self;
    char *name;
    VThreadState state;
    int64_t deadline; /* while blocked; -1: none */
    bool timed_out;   /* why it was woken */
    bool spinning;    /* blocked only until somebody else makes a step */
    bool fault;       /* its last request failed, see fault.c */
    bool woke_by_itself; /* see lock.c */
    bool looking;     /* in io_poll callbacks, which no replay calls */
    void *(*start)(void *);
    void *arg;
    void *ret;
    uint64_t points;  /* scheduling points that it has come to */
    struct SimWordState *words; /* word.c, or NULL */
    void *locals;     /* thread-locals.h: while another one runs */
    QTAILQ_ENTRY(VThread) next;
} VThread;

typedef QTAILQ_HEAD(VThreadList, VThread) VThreadList;

typedef struct Machine {
    VThreadList threads; /* that have not ended, in creation order */
    VThreadList ended_threads; /* whoever may join them has their result here */
    uint32_t last_id;
    VThread *current;    /* NULL: the scheduler's own stack runs */
    HostThread *outside; /* the self of that stack */
    StackedCoroutine scheduler;
    bool left_by_stranger; /* a thread that is none of ours has ended the run */
    void (*started)(VThread *thread); /* a thread's first act; may be NULL */
    /* A thread has ended: go somewhere else, and do not come back. */
    void (*ended)(VThread *thread);
} Machine;

extern Machine machine;

void machine_init(void);
/*
 * Frees threads, whether they have ended or were abandoned; not if a stranger
 * has ended the run: the process is to end soon.
 */
void machine_finish(void);
VThread *machine_thread_new(const char *name, void *(*start)(void *),
                            void *arg);
/* The current thread ends. */
void QEMU_NORETURN machine_thread_exit(void *ret);
VThread *machine_thread_by_id(uint32_t id);
/* That of the coroutine which runs in it. */
Stack *machine_thread_stack(VThread *thread);
/* For HostOps.thread_attach: there is one OS thread, and it has its state. */
HostThread *machine_no_foreign_thread(void);
/* front.c: from now on the host hears of exit(). */
void front_listen(void);
/* HostOps.refuse */
void machine_refuse(const char *function);
/* Goes on in @to (NULL: in the scheduler); returns when switched back. */
void machine_switch(VThread *to);

static inline VThread *machine_current(void)
{
    return machine.current;
}

/* SimConfig.fine: which looks are scheduling points. */
static inline bool sim_observe_is_point(HostSight what)
{
    return what == HOST_SIGHT_NOTIFIED && !machine.current->looking;
}

#endif
