/* SPDX-License-Identifier: MIT */
/* Which threads wait, by their own word and by the kernel's. */
#include "watch-threads.h"

#include <pthread.h>
#include <unistd.h>

enum { WATCH_FDS = 64 }; /* who polls more is taken for one that can go on */

/* One for each thread that has waited; only the thread itself writes it. */
struct WatchedThread {
    bool used;     /* under the lock */
    pid_t tid;
    uint32_t number;
    bool waits, limited;
    int fds[WATCH_FDS];
    unsigned n_fds;
    uint64_t epoch; /* goes up with each begin and end of a wait */
};

static WatchedThread threads[WATCH_THREADS];
static bool too_many; /* under the lock, too */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void forget(void *opaque)
{
    WatchedThread *thread = opaque;

    pthread_mutex_lock(&lock);
    thread->used = false;
    pthread_mutex_unlock(&lock);
}

static void make_key(void)
{
    if (pthread_key_create(&key, forget)) {
        abort(); /* a process has hundreds, and we need one */
    }
}

/* The calling thread's, or NULL if there are too many. */
static WatchedThread *self(void)
{
    WatchedThread *found = pthread_getspecific(key);

    if (found) {
        return found;
    }
    pthread_mutex_lock(&lock);
    for (unsigned i = 0; i < WATCH_THREADS && !found; i++) {
        if (!threads[i].used) {
            found = &threads[i];
            *found = (WatchedThread){
                .used = true, .tid = gettid(), .number = host_self()->id,
                .epoch = found->epoch + 1,
            };
        }
    }
    too_many |= !found;
    pthread_mutex_unlock(&lock);
    pthread_setspecific(key, found);
    return found;
}

WatchedThread *watch_begin(bool limited, const GPollFD *fds, unsigned n)
{
    WatchedThread *thread = self();

    if (thread) {
        for (unsigned i = 0; i < MIN(n, WATCH_FDS); i++) {
            qatomic_set(&thread->fds[i], fds[i].fd);
        }
        qatomic_set(&thread->n_fds, MIN(n, WATCH_FDS));
        qatomic_set(&thread->limited, limited || n > WATCH_FDS);
        qatomic_set(&thread->epoch, thread->epoch + 1);
        qatomic_store_release(&thread->waits, true);
    }
    return thread;
}

void watch_end(WatchedThread *thread)
{
    if (thread) {
        qatomic_set(&thread->waits, false);
        qatomic_store_release(&thread->epoch, thread->epoch + 1);
    }
}

void watch_threads_reset(void)
{
    pthread_once(&once, make_key);
    pthread_setspecific(key, NULL);
    memset(threads, 0, sizeof(threads));
    too_many = false;
    self();
}

/* ---- What the kernel says ---- */

bool watch_is_internal(int fd)
{
    g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", fd);
    g_autofree char *target = g_file_read_link(path, NULL);

    return target && (g_str_equal(target, "anon_inode:[eventfd]") ||
                      g_str_equal(target, "anon_inode:[io_uring]") ||
                      g_str_equal(target, "anon_inode:[eventpoll]"));
}

/* The state is behind the name, which may hold anything. */
static bool sleeps(pid_t tid)
{
    g_autofree char *path = g_strdup_printf("/proc/self/task/%d/stat", tid);
    g_autofree char *stat = NULL;
    const char *behind_name;

    if (!g_file_get_contents(path, &stat, NULL, NULL)) {
        return false;
    }
    behind_name = strrchr(stat, ')');
    return behind_name && g_str_has_prefix(behind_name, ") S");
}

/* The kernel's own workers of a ring are listed with ours. */
static bool is_ring_worker(const char *tid)
{
    g_autofree char *path = g_strdup_printf("/proc/self/task/%s/comm", tid);
    g_autofree char *name = NULL;

    return g_file_get_contents(path, &name, NULL, NULL) &&
           g_str_has_prefix(name, "iou-");
}

static unsigned count_tasks(void)
{
    GDir *tasks = g_dir_open("/proc/self/task", 0, NULL);
    unsigned n = 0;

    for (const char *tid; tasks && (tid = g_dir_read_name(tasks));) {
        n += !is_ring_worker(tid);
    }
    if (tasks) {
        g_dir_close(tasks);
    }
    return n;
}

static bool waits_for_us(const WatchedThread *thread)
{
    if (!qatomic_load_acquire(&thread->waits) ||
        qatomic_read(&thread->limited) ||
        !sleeps(thread->tid)) {
        return false;
    }
    for (unsigned i = 0; i < qatomic_read(&thread->n_fds); i++) {
        if (!watch_is_internal(qatomic_read(&thread->fds[i]))) {
            return false;
        }
    }
    return true;
}

bool watch_all_sleep(unsigned helpers, uint64_t *epochs)
{
    unsigned n = 0;
    bool all;

    *epochs = 0;
    pthread_mutex_lock(&lock);
    all = !too_many;
    for (unsigned i = 0; i < WATCH_THREADS && all; i++) {
        const WatchedThread *thread = &threads[i];

        if (thread->used) {
            all = waits_for_us(thread);
            *epochs += qatomic_read(&thread->epoch) * (i + 1);
            n++;
        }
    }
    pthread_mutex_unlock(&lock);
    return all && n + helpers == count_tasks();
}

unsigned watch_thread_numbers(uint32_t *numbers)
{
    unsigned n = 0;

    pthread_mutex_lock(&lock);
    for (unsigned i = 0; i < WATCH_THREADS; i++) {
        if (threads[i].used) {
            numbers[n++] = threads[i].number;
        }
    }
    pthread_mutex_unlock(&lock);
    return n;
}
