/* SPDX-License-Identifier: MIT */
/*
 * The live host: the kernel's threads, clocks, eventfds, files and rings.
 *
 * Everything in this folder may call the system; nothing else in this room may.
 */
#ifndef EVENTLOOP_LIVE_H
#define EVENTLOOP_LIVE_H

#include "../host.h"

typedef enum LiveMonitorKind {
    LIVE_MONITOR_AUTO,     /* io_uring, else epoll with one line of warning */
    LIVE_MONITOR_IO_URING,
    LIVE_MONITOR_EPOLL,    /* descriptors by epoll, I/O by threads */
} LiveMonitorKind;

extern const HostOps live_host;

/*
 * Makes the live host the host and the calling thread its main thread.
 * @mode: HOST_TIMES and HOST_POINTS, see host.h.
 */
void live_start(LiveMonitorKind kind, int mode);
void live_stop(void);
/* True for an io_uring monitor; after the first context was made. */
bool live_uses_io_uring(void);
/* 0 if a ring can be made here, else -errno and why, in words. */
int live_probe_io_uring(char **reason);

/* ---- Inside this folder ---- */

/* A monitor is one of two; its first member says which. */
typedef struct LiveMonitorOps {
    void (*free)(HostMonitor *monitor);
    HostWatch *(*watch_add)(HostMonitor *monitor, int fd, short events,
                            bool drained, uint64_t id, void *opaque);
    void (*watch_remove)(HostMonitor *monitor, HostWatch *watch);
    void (*add_sqe)(HostMonitor *monitor, HostPrepSqe *prep, void *opaque,
                    CqeHandler *handler);
    bool (*busy)(HostMonitor *monitor);
    void (*wait)(HostMonitor *monitor, int64_t timeout_ns, HostBatch *batch);
} LiveMonitorOps;

struct HostMonitor {
    const LiveMonitorOps *ops;
};

HostMonitor *uring_monitor_new(Error **errp);
HostMonitor *epoll_monitor_new(Error **errp);

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
/* The number of the next thread; the main thread has 1. */
uint32_t live_thread_number(void);
void live_thread_reset(void);

/* file.c */
int live_file_open(const char *path, bool writable, bool direct);
void live_file_close(int fd);
int64_t live_file_size(int fd);

/* emulate.c: one SQE by system calls; returns what its CQE would hold. */
int32_t live_perform_sqe(const struct io_uring_sqe *sqe);

#endif
