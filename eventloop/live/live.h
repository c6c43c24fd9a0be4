/* SPDX-License-Identifier: MIT */
/*
 * The live host: the kernel's threads, clocks, eventfds, files and rings.
 *
 * Everything in this folder may call the system; nothing else in this room may.
 */
#ifndef EVENTLOOP_LIVE_H
#define EVENTLOOP_LIVE_H

#include "../host.h"
#include "util/aio-posix.h"

#include <pthread.h>

typedef enum LiveMonitorKind {
    LIVE_MONITOR_AUTO,     /* io_uring, else poll() with one line of warning */
    LIVE_MONITOR_IO_URING,
    LIVE_MONITOR_EPOLL,    /* descriptors by epoll, I/O by threads */
    LIVE_MONITOR_POLL,     /* the same by poll(), and epoll from 64 on */
} LiveMonitorKind;

extern const HostOps live_host;

/* "poll", "epoll", "io_uring" or "auto"; false if it is none of them. */
bool live_monitor_kind(const char *name, LiveMonitorKind *kind);

/*
 * Makes the live host the host and the calling thread its main thread.  A
 * program that never calls it has the live host from the start, with the
 * monitor that AIOLAB_FDMON names.
 * @mode: HOST_TIMES and HOST_POINTS, see host.h.
 */
void live_start(LiveMonitorKind kind, int mode);
/* Waits until detached threads have ended: they use the host to the end. */
void live_stop(void);
/* True for an io_uring monitor; after the first context was made. */
bool live_uses_io_uring(void);
/* 0 if a ring can be made here, else -errno and why, in words. */
int live_probe_io_uring(char **reason);

/* ---- Inside this folder ---- */

/* A monitor's first member says which it is. */
struct HostMonitor {
    const FDMonOps *ops;
};

HostMonitor *uring_monitor_new(Error **errp);
HostMonitor *poll_monitor_new(bool use_epoll, Error **errp);

/* ppoll(); 0 after a signal, too, unless it may wait for ever. */
int live_poll(GPollFD *fds, unsigned n, int64_t timeout_ns);

/* sqe-threads.c: requests of one monitor; all but done: the home thread's. */
typedef struct Job Job;
typedef QTAILQ_HEAD(, Job) JobQueue;
typedef struct JobList {
    JobQueue queued;
    JobQueue done;       /* under the workers' lock */
    int done_fd;         /* readable if done is not empty */
    unsigned unfinished; /* added, and not taken yet */
} JobList;

int job_list_init(JobList *list);
void job_list_finish(JobList *list);
void job_list_add(JobList *list, HostPrepSqe *prep, void *opaque,
                  CqeHandler *handler);
void job_list_submit(JobList *list);
bool job_list_busy(const JobList *list);
void job_list_take_done(JobList *list, HostBatch *batch);

/* thread.c */
void live_mutex_init(QemuMutex *mutex);
void live_mutex_destroy(QemuMutex *mutex);
void live_mutex_lock(QemuMutex *mutex);
bool live_mutex_trylock(QemuMutex *mutex);
void live_mutex_unlock(QemuMutex *mutex);
void live_cond_init(QemuCond *cond);
void live_cond_destroy(QemuCond *cond);
bool live_cond_wait(QemuCond *cond, QemuMutex *mutex, int64_t timeout_ns);
void live_cond_wake(QemuCond *cond, bool all);
void live_thread_create(QemuThread *thread, const char *name,
                        void *(*start)(void *), void *arg);
void *live_thread_join(QemuThread *thread);
HostThread *live_thread_attach(void);
/* pthread_create(); signals are not the new thread's. */
int live_pthread_create(pthread_t *pthread, const pthread_attr_t *attr,
                        void *(*start)(void *), void *arg);
void live_thread_exit(void *ret);
/*
 * Nobody joins these, and they must not meet another host.  -1: for ever; false:
 * some still run.
 */
bool live_thread_wait_detached(int64_t timeout_ns);
/* The number of the next thread; the main thread has 1. */
uint32_t live_thread_number(void);
void live_thread_reset(void);

/* file.c */
int live_file_open(const char *path, bool writable, bool direct);
void live_file_close(int fd);
int64_t live_file_size(int fd);

/* linux-aio.c */
int live_laio_setup(uint64_t id, unsigned max_events, EventNotifier *e,
                    HostLaio **laio);
void live_laio_destroy(HostLaio *laio);
int live_laio_submit(HostLaio *laio, HostLaioRequest **requests, unsigned n);
unsigned live_laio_getevents(HostLaio *laio, HostLaioRequest **done,
                             unsigned n);
bool live_laio_pending(HostLaio *laio);

/* file.c: one SQE by system calls; returns what its CQE would hold. */
int32_t live_perform_sqe(const struct io_uring_sqe *sqe);

#endif
