/* SPDX-License-Identifier: MIT */
/* aiolab play: a captured trace, through the block layer. */
#include "device.h"
#include "play.h"
#include "play-run.h"
#include "play-trace.h"

typedef struct PlayCommand {
    CommonOptions common;
    char *image, **maps, **sets, *format, *fdmon, *data;
    char **drains, **faults;
    gboolean write, direct, verify, asap, closed_loop, dependencies,
        match_depth, as_captured, list_settings, force, no_index, no_replay;
    char *temporary; /* the log of a trace that was imported for this, or NULL */
} PlayCommand;

static PlayCommand c;

/* Options that are passed on as they are: X(name, help, what) */
#define PASSED_ON(X)                                                           \
    X("device", "play in virtual time, on this device", "null|ssd|hdd|TABLE")  \
    X("driver", "of --device", "file|null-co|null-aio")                        \
    X("aio", "how files are read and written", "ENGINE")                       \
    X("iothreads", "use so many IOThreads (0: the main thread)", "N")          \
    X("speed", "divide all times by this", "X")                                \
    X("lag", "what to do with late requests", "catch-up|slip|drop")            \
    X("max-lag", "with --lag drop: how late is too late", "TIME")              \
    X("depth", "at most so many requests in flight", "N")                      \
    X("epsilon", "with --dependencies: how soon after a completion", "TIME")   \
    X("waiter", "how the next request's time is awaited", "sleep|hybrid|spin") \
    X("window", "play this part of the trace", "A..B")                         \
    X("loops", "play it so often", "N")                                        \
    X("where", "play the records that meet an SQL condition", "CONDITION")     \
    X("fold", "what is behind the target's end", "wrap|scale|skip")            \
    X("seed", "of patterns, and of the simulated machine", "N")

static const char *const passed_on[] = {
#define X(name, help, what) name,
    PASSED_ON(X)
#undef X
};

static char *passed_values[ARRAY_SIZE(passed_on)];

/* ---- Options to parameters ---- */

static bool set(ScenarioSpec *spec, const char *name, const char *value)
{
    g_autofree char *assignment = g_strconcat(name, "=", value, NULL);
    Error *err = NULL;

    if (!scenario_spec_set(spec, assignment, &err)) {
        cli_fail(err, STATUS_USAGE);
        return false;
    }
    return true;
}

static const char *timing(void)
{
    return c.asap         ? "asap"
         : c.closed_loop  ? "closed-loop"
         : c.dependencies ? "dependencies"
         : c.match_depth  ? "match-depth" : "captured";
}

static bool set_map(ScenarioSpec *spec)
{
    g_autoptr(GString) map = g_string_new(NULL);

    for (char **entry = c.maps; entry && *entry; entry++) {
        if (!strchr(*entry, '=')) {
            cli_error("--map %s: say DEVICE=FILE, or DEVICE=- to leave it out",
                      *entry);
            return false;
        }
        g_string_append_printf(map, "%s\n", *entry);
    }
    if (c.image) {
        g_string_append_printf(map, "*=%s\n", c.image);
    }
    return set(spec, "map", map->str);
}

static bool set_list(ScenarioSpec *spec, const char *name, char **values)
{
    g_autofree char *text = values ? g_strjoinv("\n", values) : g_strdup("");

    return set(spec, name, text);
}

static bool set_all(ScenarioSpec *spec, const char *trace)
{
    for (unsigned i = 0; i < ARRAY_SIZE(passed_on); i++) {
        if (passed_values[i] && !set(spec, passed_on[i], passed_values[i])) {
            return false;
        }
    }
    return set(spec, "trace", trace) && set_map(spec) &&
           set(spec, "timing", timing()) &&
           set(spec, "direct", c.direct ? "1" : "0") &&
           set(spec, "write", c.write ? "1" : "0") &&
           set(spec, "verify", c.verify ? "1" : "0") &&
           set_list(spec, "drain", c.drains) &&
           set_list(spec, "fault", c.faults);
}

static bool check_data(void)
{
    if (c.data && !g_str_equal(c.data, "full") &&
        !g_str_equal(c.data, "hash")) {
        cli_error("--data: '%s' is neither full nor hash", c.data);
        return false;
    }
    return true;
}

static bool check_target(const char *device)
{
    SimModel *model = NULL;
    Error *err = NULL;
    bool real = c.image || c.maps;

    if (!device == !real) {
        cli_error("play needs either --device null, ssd, hdd or a latency "
                  "table, or --image FILE (and --map DEVICE=FILE)");
        return false;
    }
    if (device && !g_str_equal(device, "null")) {
        model = sim_model_new(device, 0, &err);
        if (!model) {
            cli_fail(err, STATUS_USAGE);
            return false;
        }
        sim_model_free(model);
    }
    if (c.asap + c.closed_loop + c.dependencies + c.match_depth +
        c.as_captured > 1) {
        cli_error("--as-captured, --asap, --closed-loop, --dependencies and "
                  "--match-depth exclude each other");
        return false;
    }
    return true;
}

/* Where the value of an option that is passed on is; it is one of them. */
static char **value_of(const char *name)
{
    unsigned i = 0;

    while (!g_str_equal(passed_on[i], name)) {
        i++;
    }
    return &passed_values[i];
}

static bool make_job(PlayJob *job, const char *path, const char *trace)
{
    const char *device = *value_of("device"), *seed = *value_of("seed");
    const char *fdmon = c.fdmon ? c.fdmon : g_getenv("AIOLAB_FDMON");

    job->common = &c.common;
    job->name = path;
    job->run.live = !device;
    job->run.sim.still = true; /* only waiting takes time */
    job->run.sim.seed = seed ? g_ascii_strtoull(seed, NULL, 10) : 1;
    job->allow_write = c.write || device;
    job->run.policy = g_strcmp0(c.data, "hash") == 0 && !device ? DATA_HASH
                                                                : DATA_FULL;
    job->options.force = c.force;
    job->options.no_index = c.no_index;
    job->options.no_replay = c.no_replay;
    if (!live_monitor_kind(fdmon && *fdmon ? fdmon : "auto",
                           &job->run.monitor)) {
        cli_error("--fdmon: '%s' is not io_uring, epoll, poll or auto", fdmon);
        return false;
    }
    job->spec = scenario_spec_new(&scenario_play, NULL, NULL);
    return set_all(job->spec, trace);
}

/* ---- Playing ---- */

static int play_once(PlayJob *job)
{
    PlayStats *stats;
    Error *err = NULL;
    int status = play_job_load(job);

    if (status == STATUS_OK) {
        status = c.common.output ? play_job_record(job, c.common.output)
                                 : play_job_run(job);
    }
    if (status > STATUS_FINDING) {
        return status;
    }
    stats = play_stats_new(job->plan, &job->config, &err);
    if (!stats) {
        return cli_fail(err, STATUS_BAD_INPUT);
    }
    if (c.common.json) {
        play_print_json(job, stats);
    } else {
        play_print(job, stats);
    }
    if (c.common.output && !c.common.json) {
        cli_print(&c.common, "  recorded into %s\n", c.common.output);
        play_print_slowest(&c.common, c.common.output);
    }
    g_free(stats);
    return status;
}

static int play(const char *path)
{
    PlayJob job = {.spec = NULL};
    int status = STATUS_OK;
    const char *trace = play_trace_log(path, c.format, &c.common, &c.temporary,
                                       &status);

    if (trace && !make_job(&job, path, trace)) {
        status = STATUS_USAGE;
    } else if (trace) {
        status = c.sets ? play_grid(&job, c.sets) : play_once(&job);
        play_job_unload(&job);
    }
    scenario_spec_free(job.spec);
    if (c.temporary) {
        log_remove(c.temporary);
    }
    return status;
}

static int list_settings(void)
{
    for (const ScenarioParam *p = play_params; p->name; p++) {
        cli_print(&c.common, "%-14s %-10s %s\n", p->name, p->value, p->help);
    }
    return STATUS_OK;
}

#define FLAG(name, field, help) \
    {name, 0, 0, G_OPTION_ARG_NONE, &c.field, help, NULL}
#define TEXT(name, field, help, what) \
    {name, 0, 0, G_OPTION_ARG_STRING, &c.field, help, what}
#define LIST(name, field, help, what) \
    {name, 0, 0, G_OPTION_ARG_STRING_ARRAY, &c.field, help, what}

static const GOptionEntry own_entries[] = {
    TEXT("image", image, "play on this file, in real time", "FILE"),
    LIST("map", maps, "play this device of the trace on this file",
         "DEVICE=FILE"),
    FLAG("write", write, "files may be written to"),
    FLAG("direct", direct, "O_DIRECT"),
    FLAG("as-captured", as_captured, "at the trace's times (default)"),
    FLAG("asap", asap, "as fast as --depth allows"),
    FLAG("closed-loop", closed_loop,
         "as long after the process's last completion as then"),
    FLAG("dependencies", dependencies,
         "what began shortly after a completion waits for it"),
    FLAG("match-depth", match_depth, "as many in flight as there were then"),
    FLAG("verify", verify, "write patterns, and check what is read"),
    LIST("drain", drains, "drain the devices at this time of the trace",
         "AT[+HOLD]"),
    LIST("fault", faults, "let the next requests from then on fail",
         "AT:ERROR[:OP[:COUNT]]"),
    LIST("set", sets, "play each combination of settings, and print a table",
         "NAME=VALUE,..."),
    FLAG("list-settings", list_settings, "print what --set can set"),
    TEXT("format", format, "what the trace is, if it is no log", "FORMAT"),
    TEXT("fdmon", fdmon, "descriptors by io_uring, epoll or poll", "MONITOR"),
    TEXT("data", data, "recorded: keep what is read, or its hash", "full|hash"),
    FLAG("no-index", no_index, "recorded: make no SQL tables of events"),
    FLAG("no-replay", no_replay, "recorded: do not prove it"),
    {"force", 'f', 0, G_OPTION_ARG_NONE, &c.force,
     "recorded: replace an existing log", NULL},
};

static const GOptionEntry *all_entries(void)
{
    static const GOptionEntry passed[] = {
#define X(name, help, what) \
        {name, 0, 0, G_OPTION_ARG_STRING, NULL, help, what},
        PASSED_ON(X)
#undef X
    };
    static GOptionEntry all[ARRAY_SIZE(own_entries) + ARRAY_SIZE(passed) + 1];

    memcpy(all, own_entries, sizeof(own_entries));
    memcpy(all + ARRAY_SIZE(own_entries), passed, sizeof(passed));
    for (unsigned i = 0; i < ARRAY_SIZE(passed); i++) {
        all[ARRAY_SIZE(own_entries) + i].arg_data = &passed_values[i];
    }
    return all;
}

int cmd_play(int argc, char **argv)
{
    g_autofree char *first_device = NULL;
    int status = cli_parse(&argc, &argv, "LOG|TRACE",
                           "Plays a captured I/O trace through the block "
                           "layer: in virtual time on a\nsimulated device, or "
                           "on files.  With -o LOG the play is recorded.",
                           all_entries(), &c.common);

    if (status >= 0) {
        return status;
    }
    if (c.list_settings) {
        return list_settings();
    }
    if (argc != 2) {
        cli_error("play needs one trace, or a log that holds one; see --help");
        return STATUS_USAGE;
    }
    if (c.sets && c.common.output) {
        cli_error("--set plays several times, and -o records one play; give "
                  "one of them");
        return STATUS_USAGE;
    }
    if (c.sets && !*value_of("device") && !c.image && !c.maps) {
        first_device = play_grid_first(c.sets, "device");
        *value_of("device") = first_device;
    }
    if (!check_data() || !check_target(*value_of("device")) ||
        !cli_check_output(&c.common, argv[1])) {
        return STATUS_USAGE;
    }
    return play(argv[1]);
}
