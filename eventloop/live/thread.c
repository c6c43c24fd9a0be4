/* SPDX-License-Identifier: MIT */
/* The live host's threads and locks: pthreads. */
#include "live.h"

#include <pthread.h>
#include <signal.h>
#include <time.h>

static uint32_t last_thread;

uint32_t live_thread_number(void)
{
    return qatomic_fetch_inc(&last_thread) + 1;
}

void live_thread_reset(void)
{
    last_thread = 0;
}

/* A failure here is a bug of ours or no memory: neither can be handled. */
static void check(int err, const char *what)
{
    if (err) {
        fprintf(stderr, "aiolab: %s: %s\n", what, g_strerror(err));
        abort();
    }
}

void live_mutex_init(QemuMutex *mutex)
{
    mutex->host = g_new(pthread_mutex_t, 1);
    check(pthread_mutex_init(mutex->host, NULL), "pthread_mutex_init");
}

void live_mutex_destroy(QemuMutex *mutex)
{
    check(pthread_mutex_destroy(mutex->host), "pthread_mutex_destroy");
    g_free(mutex->host);
}

void live_mutex_lock(QemuMutex *mutex)
{
    check(pthread_mutex_lock(mutex->host), "pthread_mutex_lock");
}

bool live_mutex_trylock(QemuMutex *mutex)
{
    return pthread_mutex_trylock(mutex->host) == 0;
}

void live_mutex_unlock(QemuMutex *mutex)
{
    check(pthread_mutex_unlock(mutex->host), "pthread_mutex_unlock");
}

void live_cond_init(QemuCond *cond)
{
    pthread_condattr_t attr;

    cond->host = g_new(pthread_cond_t, 1);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    check(pthread_cond_init(cond->host, &attr), "pthread_cond_init");
    pthread_condattr_destroy(&attr);
}

void live_cond_destroy(QemuCond *cond)
{
    check(pthread_cond_destroy(cond->host), "pthread_cond_destroy");
    g_free(cond->host);
}

bool live_cond_wait(QemuCond *cond, QemuMutex *mutex, int64_t timeout_ns)
{
    struct timespec ts;
    int64_t deadline;
    int err;

    if (timeout_ns < 0) {
        check(pthread_cond_wait(cond->host, mutex->host), "pthread_cond_wait");
        return true;
    }
    clock_gettime(CLOCK_MONOTONIC, &ts);
    deadline = ts.tv_sec * NANOSECONDS_PER_SECOND + ts.tv_nsec + timeout_ns;
    ts.tv_sec = deadline / NANOSECONDS_PER_SECOND;
    ts.tv_nsec = deadline % NANOSECONDS_PER_SECOND;
    err = pthread_cond_timedwait(cond->host, mutex->host, &ts);
    check(err == ETIMEDOUT ? 0 : err, "pthread_cond_timedwait");
    return err == 0;
}

void live_cond_wake(QemuCond *cond, bool all)
{
    check(all ? pthread_cond_broadcast(cond->host)
              : pthread_cond_signal(cond->host), "pthread_cond_signal");
}

/* ---- Threads: how they begin and end ---- */

typedef struct LiveThread {
    HostThread self;
    pthread_t pthread;
    char *name;
    bool detached;
    void *(*start)(void *);
    void *arg;
} LiveThread;

static bool naming = true;
static unsigned detached_threads; /* that have not ended */

void qemu_thread_naming(bool enable)
{
    naming = enable;
}

static void free_thread(LiveThread *thread)
{
    g_free(thread->name);
    g_free(thread);
}

/* Its last act.  Nobody joins a detached thread, so it frees itself. */
static void end_thread(LiveThread *thread)
{
    PROBE(THREAD_EXIT, thread->self.id, 0, 0, 0);
    host_thread_finish(&thread->self);
    host_set_self(NULL); /* whoever joins it frees what it was */
    if (thread->detached) {
        free_thread(thread);
        if (qatomic_dec_fetch(&detached_threads) == 0) {
            qemu_futex_wake_all(&detached_threads);
        }
    }
}

bool live_thread_wait_detached(int64_t timeout_ns)
{
    int64_t now = live_host.clock_ns(QEMU_CLOCK_REALTIME);
    int64_t deadline = timeout_ns < 0 ? INT64_MAX : now + timeout_ns;
    unsigned n;

    while ((n = qatomic_load_acquire(&detached_threads)) > 0 &&
           now < deadline) {
        struct timespec ts = {
            .tv_sec = (deadline - now) / NANOSECONDS_PER_SECOND,
            .tv_nsec = (deadline - now) % NANOSECONDS_PER_SECOND,
        };

        qemu_futex(&detached_threads, FUTEX_WAIT, n,
                   timeout_ns < 0 ? NULL : &ts, NULL, 0);
        now = live_host.clock_ns(QEMU_CLOCK_REALTIME);
    }
    return n == 0;
}

static void *live_thread_main(void *opaque)
{
    LiveThread *thread = opaque;
    void *ret;

    host_set_self(&thread->self);
    if (naming) {
        pthread_setname_np(pthread_self(), thread->name);
    }
    host_thread_started(&thread->self);
    ret = thread->start(thread->arg);
    end_thread(thread);
    return ret;
}

/* Where it is called, not where it began, so live_thread_main() is not back. */
void live_thread_exit(void *ret)
{
    HostThread *self = host_self();

    if (self->host) {
        end_thread(self->host);
    }
    pthread_exit(ret);
}

/* ---- Threads of others ---- */

static pthread_key_t attached_key;
static pthread_once_t attached_once = PTHREAD_ONCE_INIT;

static void detach(void *opaque)
{
    LiveThread *thread = opaque;

    /* Its coroutines go back while the thread still has its name. */
    host_set_self(&thread->self);
    host_thread_run_atexit();
    host_thread_finish(&thread->self);
    host_set_self(NULL);
    free_thread(thread);
}

static void make_key(void)
{
    check(pthread_key_create(&attached_key, detach), "pthread_key_create");
}

HostThread *live_thread_attach(void)
{
    LiveThread *thread = g_new0(LiveThread, 1);

    pthread_once(&attached_once, make_key);
    thread->name = g_strdup("foreign");
    host_thread_init(&thread->self, live_thread_number(), thread->name);
    check(pthread_setspecific(attached_key, thread), "pthread_setspecific");
    return &thread->self;
}

/* ---- Ours ---- */

/*
 * Signals are the main thread's: the others inherit a mask without them.  But a
 * thread's own faults cannot be anybody else's.
 */
static void block_signals(sigset_t *old)
{
    sigset_t set;

    sigfillset(&set);
    sigdelset(&set, SIGSEGV);
    sigdelset(&set, SIGBUS);
    sigdelset(&set, SIGFPE);
    sigdelset(&set, SIGILL);
    pthread_sigmask(SIG_SETMASK, &set, old);
}

int live_pthread_create(pthread_t *pthread, const pthread_attr_t *attr,
                        void *(*start)(void *), void *arg)
{
    sigset_t old;
    int err;

    block_signals(&old);
    err = pthread_create(pthread, attr, start, arg);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return err;
}

void live_thread_create(QemuThread *qemu_thread, const char *name,
                        void *(*start)(void *), void *arg)
{
    LiveThread *thread = g_new0(LiveThread, 1);
    bool detached = qemu_thread->detached;
    pthread_t nobody_s; /* a detached thread may be gone before we return */
    pthread_attr_t attr;

    qatomic_add(&detached_threads, detached);
    thread->name = g_strndup(name, 15);
    thread->detached = detached;
    thread->start = start;
    thread->arg = arg;
    host_thread_init(&thread->self, live_thread_number(), thread->name);
    thread->self.host = thread;
    qemu_thread->host = thread;
    qemu_thread->number = thread->self.id;
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, detached ? PTHREAD_CREATE_DETACHED
                                                : PTHREAD_CREATE_JOINABLE);
    check(live_pthread_create(detached ? &nobody_s : &thread->pthread, &attr,
                              live_thread_main, thread), "pthread_create");
    pthread_attr_destroy(&attr);
}

void *live_thread_join(QemuThread *qemu_thread)
{
    LiveThread *thread = qemu_thread->host;
    void *ret;

    check(pthread_join(thread->pthread, &ret), "pthread_join");
    free_thread(thread);
    qemu_thread->host = NULL;
    return ret;
}
