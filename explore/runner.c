/* SPDX-License-Identifier: MIT */
/* Schedules back to back; see runner.h. */
#include "runner.h"

#include "arena.h"
#include "machine.h"
#include "races.h"
#include "stack.h"
#include "thread-keys.h"
#include "stacks.h"

#include <execinfo.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

const char *const schedule_end_names[] = {
    "done", "failed", "deadlock", "crash", "endless", "race", "abandoned",
    "bad",
};

enum {
    STACKS_MAX = 1 << 14,
    SIGNAL_STACK = 1 << 16,
    DESCRIPTORS_MAX = 1024,
    QUIET_SECONDS = 2, /* without a step: it computes for ever */
};

/* Shared with the signal handler, and kept outside of what runs may write. */
struct Runner {
    const ScenarioSpec *spec;
    SimConfig config;
    ScheduleOutcome outcome;
    ScenarioOutcome scenario;
    sigjmp_buf crashed;
    volatile sig_atomic_t running;
    int fds[DESCRIPTORS_MAX]; /* that the run has made */
    unsigned n_fds;
    pid_t pid;               /* forks of a scenario's are not ours */
    int own_stderr;
    int stderr_fd;           /* what runs write there, until it is read */
    uint64_t runs;
    uint64_t last_progress;  /* the watchdog's */
    unsigned quiet;
    void *free_stacks[STACKS_MAX];
    void *all_stacks[STACKS_MAX];
    unsigned n_free, n_stacks;
    const SimTracer *tracer; /* the caller's */
    TraceAccess *listener;
    bool watch;
    Races *races;
    MemoryFault race;        /* the first one between the scenario's places */
    bool raced;
    GHashTable *places;      /* code address -> whether it is the scenario's */
};

/* Pages that are never restored: the pointer is set once, before a snapshot. */
static Runner *the_runner;

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
static void reset_stacks(Runner *r)
{
    r->n_free = r->n_stacks;
    for (unsigned i = 0; i < r->n_stacks; i++) {
        r->free_stacks[i] = r->all_stacks[r->n_stacks - 1 - i];
    }
}

/* ---- Crashes ---- */

/*
 * Where it happened, innermost first.  The C library keeps no frame pointers,
 * and abort() is in it, so its own unwinder is asked; it knows signal frames.
 */
static void note_frames(ScheduleOutcome *outcome)
{
    void *frames[OUTCOME_FRAMES + 8];
    int n = backtrace(frames, ARRAY_SIZE(frames));

    for (int i = 0; i < n && outcome->n_frames < OUTCOME_FRAMES; i++) {
        outcome->frames[outcome->n_frames++] = (uintptr_t)frames[i];
    }
}

static void leave(Runner *r, ScheduleEnd end)
{
    r->running = false;
    r->outcome.end = end;
    siglongjmp(r->crashed, 1);
}

void runner_descriptor(int fd)
{
    Runner *r = the_runner;

    if (r && r->running && fd >= 0 && r->n_fds < DESCRIPTORS_MAX) {
        r->fds[r->n_fds++] = fd;
    }
}

/* A run that has ended well has closed its own. */
static void close_descriptors(Runner *r)
{
    while (r->n_fds) {
        int fd = r->fds[--r->n_fds];

        if (r->outcome.end != SCHEDULE_DONE) {
            close(fd);
        }
    }
}

void runner_exits(int status)
{
    Runner *r = the_runner;
    ScheduleOutcome *o;

    if (!r || !r->running || r->pid != getpid()) {
        return;
    }
    o = &r->outcome;
    if (r->scenario.failed_checks) {
        g_strlcpy(o->text, r->scenario.first_failure, OUTCOME_TEXT);
        leave(r, SCHEDULE_FAILED);
    } else if (status) {
        g_snprintf(o->text, OUTCOME_TEXT, "it ends the process with status %d",
                   status);
        note_frames(o);
        leave(r, SCHEDULE_FAILED);
    }
    leave(r, SCHEDULE_DONE);
}

static void handle_crash(int number, siginfo_t *info, void *context)
{
    Runner *r = the_runner;

    if (number == SIGSEGV && arena_handle_fault(info->si_addr)) {
        return;
    }
    if (!r->running) {
        signal(number, SIG_DFL);
        raise(number);
        return;
    }
    r->outcome.signal = number;
    note_frames(&r->outcome);
    leave(r, SCHEDULE_CRASHED);
}

/* Of processor time: a step must come now and then. */
static void handle_tick(int number, siginfo_t *info, void *context)
{
    Runner *r = the_runner;
    uint64_t progress = r->runs << 32 | sim_steps();

    if (!r->running || progress != r->last_progress) {
        r->quiet = 0;
    } else if (++r->quiet > QUIET_SECONDS) {
        r->quiet = 0;
        g_strlcpy(r->outcome.text, "it computes, and does nothing that "
                  "another thread could wait for", OUTCOME_TEXT);
        note_frames(&r->outcome);
        leave(r, SCHEDULE_ENDLESS);
    }
    r->last_progress = progress;
}

static void catch_signals(void)
{
    static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT,
                                  SIGTRAP, SIGSYS};
    struct itimerval second = {{1, 0}, {1, 0}};
    struct sigaction action = {
        .sa_flags = SA_ONSTACK | SA_NODEFER | SA_SIGINFO,
    };
    stack_t stack = {
        .ss_sp = mmap(NULL, SIGNAL_STACK, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
        .ss_size = SIGNAL_STACK,
    };

    sigaltstack(&stack, NULL);
    action.sa_sigaction = handle_crash;
    for (unsigned i = 0; i < ARRAY_SIZE(crashes); i++) {
        sigaction(crashes[i], &action, NULL);
    }
    action.sa_sigaction = handle_tick;
    action.sa_flags |= SA_RESTART;
    sigaction(SIGVTALRM, &action, NULL);
    setitimer(ITIMER_VIRTUAL, &second, NULL);
}

/* What a run says there is the message of an assertion, if it crashes. */
static void capture_stderr(Runner *r)
{
    r->own_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    r->stderr_fd = memfd_create("stderr", MFD_CLOEXEC);
    dup2(r->stderr_fd, STDERR_FILENO);
}

static void take_message(Runner *r)
{
    off_t len = lseek(r->stderr_fd, 0, SEEK_END);
    ScheduleOutcome *o = &r->outcome;
    ssize_t n = pread(r->stderr_fd, o->text, OUTCOME_TEXT - 1,
                      MAX(0, len - OUTCOME_TEXT + 1));

    o->text[MAX(n, 0)] = 0;
    g_strchomp(o->text);
    if (ftruncate(r->stderr_fd, 0) == 0) {
        lseek(r->stderr_fd, 0, SEEK_SET);
    }
}

/* ---- Memory ---- */

/* What the event loop does with its own memory is not for the scenario. */
static bool is_scenarios(Runner *r, uintptr_t place)
{
    gpointer known;
    FrameName name;
    bool is;

    if (g_hash_table_lookup_extended(r->places, (gpointer)place, NULL,
                                     &known)) {
        return GPOINTER_TO_INT(known);
    }
    name = frame_name(place - 1);
    is = name.file && (strstr(name.file, "lessons/") ||
                       (r->spec->source && strstr(name.file, ".c") &&
                        g_str_has_suffix(r->spec->source,
                                         strrchr(name.file, '/')
                                             ? strrchr(name.file, '/')
                                             : name.file)));
    frame_name_finish(&name);
    g_hash_table_insert(r->places, (gpointer)place, GINT_TO_POINTER(is));
    return is;
}

static void tell_fault(Runner *r, const MemoryFault *fault)
{
    for (unsigned i = 0; i < 2; i++) {
        if (fault->places[i] ? !is_scenarios(r, fault->places[i])
                             : !fault->freed) {
            return;
        }
    }
    if (fault->freed && fault->places[0]) {
        g_strlcpy(r->outcome.text, "it uses memory that was freed",
                  OUTCOME_TEXT);
        note_frames(&r->outcome);
        leave(r, SCHEDULE_CRASHED);
    }
    if (!r->raced) {
        r->race = *fault;
        r->raced = true;
    }
}

/* What is found out about it is not the run's. */
static void take_fault(Runner *r, const MemoryFault *fault)
{
    runner_pause();
    tell_fault(r, fault);
    runner_resume();
}

static void on_memory(uintptr_t address, size_t size, SimAccess how,
                      bool atomic, uintptr_t place)
{
    Runner *r = the_runner;
    MemoryFault fault;

    if (arena_is_local(address)) {
        return;
    }
    if (r->listener) {
        r->listener(address, size, how, atomic, place);
    }
    if (!r->watch) {
        return;
    }
    if (atomic) {
        races_sync(r->races, address);
    } else if (races_access(r->races, address, size, how == SIM_WRITE, place,
                            &fault)) {
        take_fault(r, &fault);
    }
}

static void on_freed(void *p, size_t size)
{
    MemoryFault fault;

    if (races_freed(the_runner->races, (uintptr_t)p, size, &fault)) {
        take_fault(the_runner, &fault);
    }
}

static char *place_text(uintptr_t place)
{
    FrameName name = frame_name(place - 1);
    char *text = g_strdup_printf("%s (%s:%d)", name.function,
                                 name.file ? name.file : "?", name.line);

    frame_name_finish(&name);
    return text;
}

static void tell_race(Runner *r)
{
    g_autofree char *later = r->race.freed ? g_strdup("free()")
                                           : place_text(r->race.places[0]);
    g_autofree char *earlier = place_text(r->race.places[1]);

    g_snprintf(r->outcome.text, OUTCOME_TEXT, "%s %s what %s %s, in another "
               "thread, and nothing orders the two; use qatomic_*() or a lock",
               later, r->race.freed ? "gives back" : r->race.writes[0]
               ? "writes" : "reads", earlier,
               r->race.writes[1] ? "has written" : "has read");
    for (unsigned i = 0; i < 2; i++) {
        if (r->race.places[i]) {
            r->outcome.frames[r->outcome.n_frames++] = r->race.places[i];
        }
    }
    r->outcome.end = SCHEDULE_RACE;
}

void runner_watch_memory(Runner *r, bool watch)
{
    r->watch = watch && trace_hooks_are_linked();
}

void runner_set_listener(Runner *r, TraceAccess *listener)
{
    r->listener = listener;
}

/* ---- One run ---- */

void runner_pause(void)
{
    if (the_runner) {
        arena_off();
    }
}

void runner_resume(void)
{
    if (the_runner) {
        arena_on();
    }
}

static void step_in_lane(uint32_t thread)
{
    const SimTracer *tracer = the_runner->tracer;

    arena_set_lane(thread);
    if (the_runner->watch) {
        races_step(the_runner->races, thread);
    }
    if (tracer) {
        tracer->step(thread);
    }
}

static void forward_access(const volatile void *object, SimAccess how)
{
    const SimTracer *tracer = the_runner->tracer;

    if (the_runner->watch && how < SIM_OWN_READ) {
        races_sync(the_runner->races, (uintptr_t)object);
    }
    if (tracer) {
        tracer->access(object, how);
    }
}

static void forward_wake(uint32_t thread)
{
    const SimTracer *tracer = the_runner->tracer;

    if (the_runner->watch) {
        races_wake(the_runner->races, thread);
    }
    if (tracer) {
        tracer->wake(thread);
    }
}

static void forward_stuck(void)
{
    if (the_runner->tracer) {
        the_runner->tracer->stuck();
    }
}

static const SimTracer lane_tracer = {step_in_lane, forward_access,
                                      forward_wake, forward_stuck};
/* Nobody wants to know what is touched, which is most of what is told. */
static const SimTracer deaf_tracer = {step_in_lane, NULL, forward_wake,
                                      forward_stuck};

static void scenario_main(void *opaque)
{
    Runner *r = opaque;
    Error *err = NULL;

    if (scenario_run(r->spec, &r->scenario, &err) < 0) {
        g_strlcpy(r->outcome.text, error_get_pretty(err), OUTCOME_TEXT);
        r->outcome.end = SCHEDULE_BAD;
    }
}

static void conclude(Runner *r, const SimResult *result)
{
    ScheduleOutcome *o = &r->outcome;

    o->steps = result->steps;
    o->end = o->end == SCHEDULE_BAD ? SCHEDULE_BAD
           : r->scenario.failed_checks ? SCHEDULE_FAILED
           : result->outcome == SIM_DONE ? SCHEDULE_DONE
           : result->outcome == SIM_STUCK ? SCHEDULE_STUCK
           : result->outcome == SIM_EXITED ? SCHEDULE_CRASHED
           : result->outcome == SIM_BUDGET ? SCHEDULE_ENDLESS
                                           : SCHEDULE_ABANDONED;
    if (result->outcome == SIM_EXITED) {
        g_snprintf(o->text, OUTCOME_TEXT, "it ends its process with status %d, "
                   "which would end the search, too; return from run() "
                   "instead", result->exit_status);
    }
    if (o->end == SCHEDULE_DONE && r->raced) {
        o->end = SCHEDULE_RACE; /* told when memory is what it was */
    }
    if (o->end == SCHEDULE_FAILED && r->scenario.first_failure) {
        g_strlcpy(o->text, r->scenario.first_failure, OUTCOME_TEXT);
    }
}

static void run_here(Runner *r, const SimConfig *config)
{
    SimResult result;

    if (sigsetjmp(r->crashed, 0) == 0) {
        r->running = true;
        result = sim_run(config, &sim_host, scenario_main, r);
        r->running = false;
        conclude(r, &result);
    } else {
        r->outcome.steps = sim_steps();
    }
}

static void run_and_restore(Runner *r, const SimConfig *config)
{
    if (r->watch) {
        races_begin(r->races);
        arena_set_freed(on_freed);
    }
    r->raced = false;
    trace_access = r->watch || r->listener ? on_memory : NULL;
    arena_on();
    run_here(r, config);
    arena_off();
    trace_access = NULL;
    close_descriptors(r);
    arena_set_freed(NULL);
    if (r->outcome.end == SCHEDULE_RACE) {
        tell_race(r);
    }
    if (r->outcome.signal && r->outcome.end == SCHEDULE_CRASHED) {
        take_message(r);
    }
    arena_restore();
    thread_keys_restore();
    reset_stacks(r);
}

ScheduleOutcome runner_run(Runner *r, Oracle *oracle, const SimTracer *tracer,
                           ProbeSink *sink, void *opaque)
{
    SimConfig config = r->config;

    r->runs++;
    r->outcome = (ScheduleOutcome){.end = SCHEDULE_DONE};
    r->scenario = (ScenarioOutcome){.failed_checks = 0};
    r->tracer = tracer;
    config.oracle = oracle;
    config.tracer = tracer || r->watch ? &lane_tracer : &deaf_tracer;
    if (sink) {
        probe_start(sink, opaque);
    }
    run_and_restore(r, &config);
    if (sink) {
        probe_stop();
    }
    return r->outcome;
}

/* ---- Begin and end ---- */

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
        sim_run(&r->config, &sim_host, scenario_main, r);
    }
    arena_off();
    r->spec = wanted;
    scenario_spec_free(spec);
    reset_stacks(r);
}

Runner *runner_new(const ScenarioSpec *spec, const SimConfig *config)
{
    Runner *r = mmap(NULL, sizeof(Runner), PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    assert(arena_is_linked() && !the_runner && r != MAP_FAILED);
    the_runner = r;
    r->spec = spec;
    r->config = *config;
    r->races = races_new();
    r->places = g_hash_table_new(g_direct_hash, g_direct_equal);
    stack_source = &kept_stacks;
    r->pid = getpid();
    catch_signals();
    capture_stderr(r);
    warm_up_libraries(r);
    thread_keys_snapshot();
    arena_snapshot(spec->source ? (const void *)spec->scenario->run : NULL);
    return r;
}

void runner_free(Runner *r)
{
    stack_source = NULL;
    dup2(r->own_stderr, STDERR_FILENO);
    close(r->own_stderr);
    close(r->stderr_fd);
    races_free(r->races);
    g_hash_table_destroy(r->places);
    the_runner = NULL;
}
