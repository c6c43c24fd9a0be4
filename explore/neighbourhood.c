/* SPDX-License-Identifier: MIT */
/* From a recording to a schedule, and how good it is. */
#include "neighbourhood.h"
#include "search.h"

#include "replay-explicit.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_CHOICES = 1 << 25 };

/* ---- The run that follows ---- */

static void *share(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    return memory == MAP_FAILED ? NULL : memory;
}

static size_t came_size(size_t n)
{
    return (n + 1) * sizeof(uint32_t);
}

static void result_free(FollowResult *result, size_t n)
{
    if (result) {
        munmap(result->choices, MAX_CHOICES * sizeof(FollowedChoice));
        munmap(result->came, came_size(n));
        munmap(result, sizeof(*result));
    }
}

/* In memory of several processes: the run may crash. */
static FollowResult *result_new(size_t n, Error **errp)
{
    FollowResult *result = share(sizeof(*result));

    if (!result) {
        error_setg_errno(errp, errno, "cannot get memory");
        return NULL;
    }
    result->choices = share(MAX_CHOICES * sizeof(FollowedChoice));
    result->came = share(came_size(n));
    result->max_choices = MAX_CHOICES;
    if (!result->choices || !result->came) {
        error_setg_errno(errp, errno, "cannot get memory");
        return NULL;
    }
    return result;
}

static void run_main(void *opaque)
{
    ScenarioOutcome outcome;

    scenario_run(opaque, &outcome, NULL);
}

static bool follow_in_child(const ScenarioSpec *spec, const SimConfig *config,
                            const Input *inputs, size_t n,
                            FollowResult *result, Error **errp)
{
    pid_t pid;

    fflush(NULL);
    pid = fork();
    if (pid < 0) {
        error_setg_errno(errp, errno, "cannot start a process");
        return false;
    }
    if (pid == 0) {
        SimConfig own = *config;

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        own.oracle = &follow_oracle;
        follow_start(inputs, n, result);
        probe_start(NULL, NULL); /* as a recording: it looks when they are on */
        sim_run(&own, &follow_host, run_main, (void *)spec);
        _exit(0);
    }
    /* If it crashes, so will a run by the same choices, and tell how. */
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
    return true;
}

/* ---- How good it is ---- */

static bool found_something(const Input *in)
{
    return in->kind == INPUT_WAIT && in->a;
}

static void add_pair(const Neighbourhood *n, const Input *inputs,
                     const Input *first, const Input *second,
                     NeighbourhoodPairs *pairs)
{
    uint32_t one = n->result->came[first - inputs];
    uint32_t two = n->result->came[second - inputs];

    if (first->thread != second->thread) {
        pairs->recorded++;
        pairs->kept += one && two && one < two;
    }
}

static void count_pairs(Neighbourhood *n, const Input *inputs, size_t count)
{
    GHashTable *lockers = g_hash_table_new(g_int64_hash, g_int64_equal);
    const Input *waiter = NULL;

    for (size_t i = 0; i < count; i++) {
        const Input *in = &inputs[i], *before;

        if (in->kind == INPUT_LOCK || (in->kind == INPUT_TRYLOCK && in->a)) {
            before = g_hash_table_lookup(lockers, &in->obj);
            if (before) {
                add_pair(n, inputs, before, in, &n->locks);
            }
            g_hash_table_replace(lockers, (void *)&in->obj, (void *)in);
        } else if (found_something(in)) {
            if (waiter) {
                add_pair(n, inputs, waiter, in, &n->waits);
            }
            waiter = in;
        }
    }
    g_hash_table_destroy(lockers);
}

static void count_followed(Neighbourhood *n, const Input *inputs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (follow_knows(inputs[i].kind)) {
            n->inputs++;
            n->followed += n->result->came[i] != 0;
        }
    }
    count_pairs(n, inputs, count);
}

/* ---- What the log says of its machine ---- */

static void take_monitor(SimConfig *sim, uint64_t which)
{
    const FDMonOps *ops = which == 0 ? &fdmon_poll_ops
                        : which == 1 ? &fdmon_epoll_ops : &fdmon_io_uring_ops;

    /* epoll begins as poll(), and is what is meant if it appears. */
    if (!sim->fdmon || which == 1) {
        sim->fdmon = ops;
    }
}

static void take_machine(SimConfig *sim, const Input *inputs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (inputs[i].kind == INPUT_FDMON) {
            take_monitor(sim, inputs[i].a);
        } else if (inputs[i].kind == INPUT_FILE_SIZE && !sim->file_size &&
                   inputs[i].a <= 1 << 30) {
            sim->file_size = inputs[i].a;
        }
    }
}

static bool has_ended(const Input *inputs, size_t n)
{
    while (n && inputs[n - 1].kind != INPUT_END &&
           inputs[n - 1].kind != INPUT_STUCK) {
        n--;
    }
    return n > 0;
}

/* A simulated log has its choices. */
static void take_choices(Neighbourhood *n, const Input *inputs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t a = inputs[i].a;

        if (inputs[i].kind == INPUT_CHOICE) {
            FollowedChoice choice = {a >> 16, a >> 8, a};

            g_array_append_val(n->choices, choice);
        }
    }
}

/* ---- The whole ---- */

static void count_deviations(Neighbourhood *n)
{
    for (unsigned i = 0; i < n->choices->len; i++) {
        n->deviations += g_array_index(n->choices, FollowedChoice, i).taken > 0;
    }
}

static bool follow_log(Neighbourhood *n, const ScenarioSpec *spec,
                       const Input *inputs, size_t count, Error **errp)
{
    /* The machine that searches run on, so that one can begin here. */
    SimConfig machine = search_machine(
        &(SearchJob){.max_steps = n->sim.max_steps});

    machine.fdmon = n->sim.fdmon;
    machine.file_size = n->sim.file_size;
    n->sim = machine;
    n->result = result_new(count, errp);
    if (!n->result ||
        !follow_in_child(spec, &n->sim, inputs, count, n->result, errp)) {
        return false;
    }
    g_array_append_vals(n->choices, n->result->choices, n->result->n_choices);
    count_followed(n, inputs, count);
    return true;
}

Neighbourhood *neighbourhood_new(Log *log, const ScenarioSpec *spec,
                                 uint64_t max_steps, Error **errp)
{
    Neighbourhood *n = g_new0(Neighbourhood, 1);
    g_autofree Input *inputs = NULL;
    size_t count;
    bool ok = true;

    n->choices = g_array_new(false, false, sizeof(FollowedChoice));
    if (log_is_explicit(log)) {
        error_setg(errp, "%s: holds explicit calls only (--capture=explicit), "
                   "which tell no schedule; record with --capture=full",
                   log_path(log));
        neighbourhood_free(n);
        return NULL;
    }
    n->sim = (SimConfig){
        .seed = log_meta_int(log, "seed", 0), .max_steps = max_steps,
        .fine = log_meta(log, "choices") != NULL,
    };
    inputs = log_inputs(log, &count, errp);
    if (!inputs) {
        neighbourhood_free(n);
        return NULL;
    }
    n->n_inputs = count;
    n->simulated = g_strcmp0(log_meta(log, "host"), "sim") == 0;
    n->cut = !has_ended(inputs, count);
    take_machine(&n->sim, inputs, count);
    if (n->simulated) {
        take_choices(n, inputs, count);
    } else {
        ok = follow_log(n, spec, inputs, count, errp);
    }
    if (!ok) {
        neighbourhood_free(n);
        return NULL;
    }
    count_deviations(n);
    return n;
}

void neighbourhood_free(Neighbourhood *n)
{
    if (n) {
        if (n->picks) {
            oracle_script_finish(&n->script);
            g_array_unref(n->picks);
        }
        g_array_unref(n->choices);
        result_free(n->result, n->n_inputs);
        g_free(n);
    }
}

RunConfig neighbourhood_config(Neighbourhood *n)
{
    RunConfig config = {.sim = n->sim};

    if (!n->picks) {
        n->picks = g_array_new(false, false, sizeof(unsigned));
        for (unsigned i = 0; i < n->choices->len; i++) {
            unsigned pick = g_array_index(n->choices, FollowedChoice, i).taken;

            g_array_append_val(n->picks, pick);
        }
        oracle_script_init(&n->script, (const unsigned *)n->picks->data,
                           n->picks->len);
    }
    config.sim.oracle = &n->script.base;
    return config;
}

char *neighbourhood_schedule(const Neighbourhood *n)
{
    GString *text = g_string_new(NULL);
    unsigned last = 0;

    for (unsigned i = 0; i < n->choices->len; i++) {
        unsigned taken = g_array_index(n->choices, FollowedChoice, i).taken;

        if (taken) {
            g_string_append_printf(text, last ? " +%u=%u" : "%u=%u",
                                   i + 1 - last, taken);
            last = i + 1;
        }
    }
    if (!last) {
        g_string_append_c(text, '-');
    }
    return g_string_free(text, false);
}

/* ---- Where a search begins ---- */

/* In a child: what is abandoned there is gone with it. */
static void send_token(Neighbourhood *n, const ScenarioSpec *spec, int fd)
{
    RunConfig config = neighbourhood_config(n);
    NotingOracle *noting = noting_oracle_new();
    g_autofree char *name = scenario_spec_name(spec);
    g_autofree char *token = NULL;
    Schedule *schedule;
    RunResult result;

    noting_oracle_begin(noting, config.sim.oracle);
    config.sim.oracle = &noting->base;
    if (!run_scenario(spec, &config, &result, NULL)) {
        _exit(1);
    }
    schedule = noting_oracle_schedule(noting);
    token = schedule_token(
        schedule, &(ScheduleOwner){name, search_identity(spec), 0},
        noting->trace);
    if (write(fd, token, strlen(token)) < 0) {
        _exit(1);
    }
    _exit(0);
}

char *neighbourhood_token(Neighbourhood *n, const ScenarioSpec *spec)
{
    GString *token = g_string_new(NULL);
    char piece[4096];
    int fds[2];
    ssize_t got;
    pid_t pid;

    if (n->simulated || pipe(fds) < 0) {
        g_string_free(token, true);
        return NULL;
    }
    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        close(fds[0]);
        send_token(n, spec, fds[1]);
    }
    close(fds[1]);
    while (pid > 0 && (got = read(fds[0], piece, sizeof(piece))) > 0) {
        g_string_append_len(token, piece, got);
    }
    close(fds[0]);
    if (pid > 0) {
        waitpid(pid, NULL, 0);
    }
    return g_string_free(token, token->len == 0);
}
