/* SPDX-License-Identifier: MIT */
/* What all schedules begin from. */
#include "runner-internal.h"

#include "machine.h"
#include "stack.h"
#include "thread-keys.h"

#include <execinfo.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- Stacks that are used again ---- */

static void *take_stack(size_t size)
{
    Runner *r = the_runner;
    void *memory;

    if (r->n_free) {
        return r->free_stacks[--r->n_free];
    }
    memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED || r->n_stacks == STACKS_MAX) {
        return MAP_FAILED;
    }
    mprotect(memory, (size_t)sysconf(_SC_PAGESIZE), PROT_NONE);
    r->all_stacks[r->n_stacks++] = memory;
    return memory;
}

static void give_stack(void *memory)
{
    the_runner->free_stacks[the_runner->n_free++] = memory;
}

static const StackSource kept_stacks = {take_stack, give_stack};

/* All of them are free, and given out in the same order every time. */
void runner_reset_stacks(Runner *r)
{
    r->n_free = r->n_stacks;
    for (unsigned i = 0; i < r->n_stacks; i++) {
        r->free_stacks[i] = r->all_stacks[r->n_stacks - 1 - i];
    }
}

/* ---- What libraries make once ---- */

static void warm_up_callback(void *opaque)
{
    GMainContext *context = g_main_context_get_thread_default();

    g_main_depth();
    g_main_current_source();
    g_main_context_push_thread_default(context);
    g_main_context_pop_thread_default(context);
}

/*
 * What libraries make once is made before the snapshot: GLib's thread-local
 * keys above all, which are the process's and few.
 */
static void warm_up_run(const ScenarioArgs *args)
{
    AioContext *ctx = qemu_get_aio_context();
    IOThread *iothread = iothread_create("warm", &error_abort);

    iothread_get_g_main_context(iothread);
    aio_bh_schedule_oneshot(iohandler_get_aio_context(), warm_up_callback,
                            NULL);
    aio_bh_schedule_oneshot(ctx, warm_up_callback, NULL);
    main_loop_wait(true);
    g_free(g_strdup_printf("%s", g_get_prgname()));
    g_set_error_literal(NULL, G_FILE_ERROR, 0, "");
    aio_poll(ctx, false);
    iothread_destroy(iothread);
}

static const Scenario warm_up = {
    .name = "warm-up", .summary = "", .run = warm_up_run,
};

static void warm_up_libraries(Runner *r)
{
    ScenarioSpec *spec = scenario_spec_new(&warm_up, NULL, &error_abort);
    const ScenarioSpec *wanted = r->spec;
    void *frame;

    backtrace(&frame, 1); /* it loads a library, once */
    tzset();              /* GLib's warnings have the time */
    mktime(&(struct tm){0});
    r->spec = spec;
    arena_on();
    for (unsigned i = 0; i < 2; i++) {
        sim_run(&r->config, &sim_host, runner_main, r);
    }
    arena_off();
    r->spec = wanted;
    scenario_spec_free(spec);
    runner_reset_stacks(r);
}

/* ---- Where the scenario begins ---- */

/*
 * Before it does, a run makes its main loop, in the same steps each time, which
 * is a quarter of a short schedule.  So most begin behind that.  Those that are
 * listened to, or traced, do not, because somebody wants to hear of it.
 */

static unsigned count_choice(Oracle *oracle, const Choice *choice)
{
    the_runner->start_choices++;
    return 0;
}

/* Stacks are given out in order, and this is how many are not free. */
static bool find_used_stacks(Runner *r)
{
    unsigned used = r->n_stacks - r->n_free;

    for (unsigned i = 0; i < r->n_free; i++) {
        if (r->free_stacks[i] != r->all_stacks[r->n_stacks - 1 - i]) {
            return false;
        }
    }
    r->start_stacks = used;
    return true;
}

static bool run_to_start(Runner *r, const SimConfig *config)
{
    bool rests = false;

    if (sigsetjmp(r->crashed, 0) == 0) {
        r->running = true;
        rests = sim_run_to_rest(config, &sim_host, runner_main, r);
    }
    r->running = false;
    return rests;
}

static void find_start(Runner *r)
{
    Oracle counting = {.choose = count_choice};
    SimConfig config = r->config;
    const void *stack;
    size_t size;

    config.oracle = &counting;
    config.tracer = &runner_deaf_tracer;
    scenario_begins = sim_rest;
    arena_on();
    r->has_start = run_to_start(r, &config);
    arena_off();
    stack = r->has_start ? sim_resting_stack(&size) : NULL;
    r->has_start = stack && !r->start_choices && !r->n_fds &&
                   find_used_stacks(r) && !thread_keys_are_new() &&
                   arena_checkpoint(stack, size);
    r->start = r->scenario;
    runner_close_descriptors(r);
    arena_restore();
    thread_keys_restore();
    runner_reset_stacks(r);
}

void runner_advance(Runner *r)
{
    arena_advance();
    r->n_free -= r->start_stacks;
    r->scenario = r->start;
}

void runner_prepare(Runner *r)
{
    const ScenarioSpec *spec = r->spec;

    stack_source = &kept_stacks;
    warm_up_libraries(r);
    thread_keys_snapshot();
    arena_snapshot(spec->source ? (const void *)spec->scenario->run : NULL);
    find_start(r);
}
