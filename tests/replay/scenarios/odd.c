/* SPDX-License-Identifier: MIT */
/* Programs that end, open files or start threads as few do. */
#include "aiolab/scenario.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum { OPENS = 1100, THREADS = 3, ROUNDS = 50 };

static QemuMutex mutex;
static int word;

static void end_with_status(const ScenarioArgs *args)
{
    _exit(7);
}

static void *end_process(void *opaque)
{
    exit(3);
}

static void note_end(void)
{
    scenario_note("at exit");
}

static void run_thread(void *(*fn)(void *), int mode)
{
    QemuThread thread;

    qemu_thread_create(&thread, "odd", fn, NULL, mode);
    if (mode == QEMU_THREAD_JOINABLE) {
        qemu_thread_join(&thread);
    }
}

static void exit_in_thread(const ScenarioArgs *args)
{
    atexit(note_end);
    run_thread(end_process, QEMU_THREAD_JOINABLE);
}

static void kill_self(const ScenarioArgs *args)
{
    kill(getpid(), SIGTERM);
    pause();
}

/* Signals are the main thread's: it is as if nothing was. */
static void *raise_term(void *opaque)
{
    raise(SIGTERM);
    scenario_note("still here");
    return NULL;
}

static void raise_in_thread(const ScenarioArgs *args)
{
    run_thread(raise_term, QEMU_THREAD_JOINABLE);
}

static void *end_thread(void *opaque)
{
    pthread_exit(NULL);
}

static void end_in_thread(const ScenarioArgs *args)
{
    run_thread(end_thread, QEMU_THREAD_JOINABLE);
}

static void *sleep_for_ever(void *opaque)
{
    for (;;) {
        g_usleep(1000);
    }
    return NULL;
}

static void leave_detached(const ScenarioArgs *args)
{
    run_thread(sleep_for_ever, QEMU_THREAD_DETACHED);
    scenario_result("left", 1);
}

/*
 * Which is a data race; but it is over when the next thing is noted, and a
 * replay does not wait for ever.
 */
static volatile bool done;

static void *be_done(void *opaque)
{
    qemu_mutex_lock(&mutex);
    qemu_mutex_unlock(&mutex);
    done = true;
    return NULL;
}

static void sleep_until_done(const ScenarioArgs *args)
{
    QemuThread thread;

    qemu_mutex_init(&mutex);
    qemu_thread_create(&thread, "doer", be_done, NULL, QEMU_THREAD_JOINABLE);
    while (!done) {
        g_usleep(100);
    }
    qemu_thread_join(&thread);
    qemu_mutex_destroy(&mutex);
}

/* Which it is, is no input; nor is it in what follows. */
static void note_pid(const ScenarioArgs *args)
{
    scenario_note("process %d", (int)getpid());
}

static gboolean never(gpointer opaque)
{
    return G_SOURCE_REMOVE;
}

static void *add_idle(void *opaque)
{
    g_idle_add(never, NULL);
    return NULL;
}

static void foreign_idle(const ScenarioArgs *args)
{
    pthread_t thread;

    pthread_create(&thread, NULL, add_idle, NULL);
    pthread_join(thread, NULL);
}

static void watch_child(const ScenarioArgs *args)
{
    g_child_watch_add(getpid(), NULL, NULL);
}

/* Nothing comes, and in the end somebody kills it; but no replay. */
static void *killer(void *opaque)
{
    if (getenv("ODD_KILL")) {
        kill(getpid(), SIGKILL);
    }
    return NULL;
}

static void only_looks(const ScenarioArgs *args)
{
    QemuThread thread;

    qemu_thread_create(&thread, "killer", killer, NULL, QEMU_THREAD_JOINABLE);
    while (!aio_bh_poll(qemu_get_aio_context())) {
    }
    qemu_thread_join(&thread);
}

static void opens(const ScenarioArgs *args)
{
    BlockdevOptions options = {
        .driver = "file", .filename = scenario_param(args, "image"),
        .aio = "threads",
    };
    uint8_t byte[512];

    for (int i = 0; i < OPENS; i++) {
        BlockBackend *blk = blk_new(qemu_get_aio_context(), "disk");
        BlockDriverState *bs = bdrv_open_blockdev(&options, &error_fatal);

        blk_insert_bs(blk, bs);
        bdrv_unref(bs);
        if (i % 100 == 0) {
            blk_pread(blk, 0, sizeof(byte), byte, 0);
            SCENARIO_CHECK(byte[0] == (i ? i / 100 - 1 : 0), "byte %d", byte[0]);
            memset(byte, i / 100, sizeof(byte));
            blk_pwrite(blk, 0, sizeof(byte), byte, 0);
        }
        blk_unref(blk);
    }
}

/* Every thread has variables of its own, also where there is but one. */
static __thread int mine = 5, zero;

static void *count(void *opaque)
{
    SCENARIO_CHECK(mine == 5 && zero == 0, "%d, %d at first", mine, zero);
    for (int i = 0; i < ROUNDS; i++) {
        mine++;
        zero--;
        qemu_mutex_lock(&mutex);
        qemu_mutex_unlock(&mutex);
    }
    AIO_REC_ASSERT(mine);
    SCENARIO_CHECK(mine == 5 + ROUNDS && zero == -ROUNDS, "%d, %d", mine, zero);
    return NULL;
}

static void locals(const ScenarioArgs *args)
{
    QemuThread threads[THREADS];

    qemu_mutex_init(&mutex);
    for (int i = 0; i < THREADS; i++) {
        qemu_thread_create(&threads[i], "count", count, NULL,
                           QEMU_THREAD_JOINABLE);
    }
    count(NULL);
    for (int i = 0; i < THREADS; i++) {
        qemu_thread_join(&threads[i]);
    }
    qemu_mutex_destroy(&mutex);
}

static void *set_word(void *opaque)
{
    qatomic_set(&word, 1);
    return NULL;
}

static void foreign(const ScenarioArgs *args)
{
    pthread_t thread;

    pthread_create(&thread, NULL, set_word, NULL);
    /* Meanwhile a replay ends in that thread; this stack is in use still. */
    for (volatile unsigned i = 0; i < 100000000; i++) {
    }
    pthread_join(thread, NULL);
}

static void run(const ScenarioArgs *args)
{
    static const struct {
        const char *name;
        void (*run)(const ScenarioArgs *args);
    } acts[] = {
        {"_exit", end_with_status}, {"only-looks", only_looks},
        {"opens", opens}, {"locals", locals}, {"foreign", foreign},
        {"exit", exit_in_thread}, {"kill", kill_self},
        {"raise", raise_in_thread}, {"pthread_exit", end_in_thread},
        {"detached", leave_detached}, {"foreign-idle", foreign_idle},
        {"child-watch", watch_child}, {"note-pid", note_pid},
        {"sleep", sleep_until_done},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(acts); i++) {
        if (g_str_equal(scenario_param(args, "act"), acts[i].name)) {
            acts[i].run(args);
        }
    }
}

SCENARIO(odd) = {
    .name = "odd",
    .summary = "ends, opens files or starts threads as few programs do",
    .host = "live",
    .params = (const ScenarioParam[]){
        {"act", "locals", "what it does"},
        {"image", "disk.img", "the file"}, {NULL}},
    .run = run,
};
