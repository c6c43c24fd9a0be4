/* SPDX-License-Identifier: MIT */
/*
 * aiolab-explorer: runs one search for "aiolab explore", which starts it.
 *
 * It is a program of its own because it is built differently: its malloc() has
 * the arena in front, so that schedules are taken back wholesale, and the
 * compiler tells it each access to memory.  It says on descriptor 3 what it
 * finds, one JSON object a line (explorer-messages.h).
 *
 * aiolab-scout is the same without the latter: scout.h.
 */
#include "builtin.h"
#include "explorer-messages.h"
#include "extras.h"
#include "play.h"

#include <locale.h>

static char **scenario_name, **params;
static char *strategy_name = (char *)"portfolio", *shard, *start;
static ExtrasOptions extras;
static gint64 seed, from, max = 20000, max_steps = 20000, scout;
static gboolean all, plain;

static const GOptionEntry entries[] = {
    {"param", 'p', 0, G_OPTION_ARG_STRING_ARRAY, &params, NULL, NULL},
    {"strategy", 0, 0, G_OPTION_ARG_STRING, &strategy_name, NULL, NULL},
    {"seed", 0, 0, G_OPTION_ARG_INT64, &seed, NULL, NULL},
    {"from", 0, 0, G_OPTION_ARG_INT64, &from, NULL, NULL},
    {"max", 0, 0, G_OPTION_ARG_INT64, &max, NULL, NULL},
    {"max-steps", 0, 0, G_OPTION_ARG_INT64, &max_steps, NULL, NULL},
    {"shard", 0, 0, G_OPTION_ARG_STRING, &shard, NULL, NULL},
    {"start", 0, 0, G_OPTION_ARG_STRING, &start, NULL, NULL},
    EXTRAS_ENTRIES(&extras),
    {"all", 0, 0, G_OPTION_ARG_NONE, &all, NULL, NULL},
    {"plain", 0, 0, G_OPTION_ARG_NONE, &plain, NULL, NULL},
    {"scout", 0, 0, G_OPTION_ARG_INT64, &scout, NULL, NULL},
    {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &scenario_name, NULL,
     NULL},
    {NULL}};

/* A user's file tells its accesses, too; see trace-hooks.c. */
static const char *const traced_flags[] = {
    "-fsanitize=thread", "-U__SANITIZE_THREAD__", "-DAIOLAB_TRACED",
    "-Wno-tsan", NULL,
};

static bool read_job(SearchJob *job, Error **errp)
{
    TokenParts parts;

    *job = (SearchJob){
        .seed = seed, .from = from, .max = max, .shards = 1, .all = all,
        .plain = plain, .max_steps = max_steps, .scout = scout,
    };
    if (!extras_parse(&extras, &job->extras, errp)) {
        return false;
    }
    if (shard) {
        sscanf(shard, "%u/%u", &job->shard, &job->shards);
    }
    if (start) {
        job->start = schedule_from_token(start, &parts, errp);
        if (!job->start) {
            return false;
        }
    }
    return strategy_parse(strategy_name, &job->strategy, errp);
}

static ScenarioSpec *read_spec(Error **errp)
{
    ScenarioSpec *spec = run_spec_from_name(scenario_name[0], errp);

    for (char **p = params; spec && p && *p; p++) {
        if (!scenario_spec_set(spec, *p, errp)) {
            return NULL;
        }
    }
    return spec;
}

/* ---- Plays ---- */

static const Scenario *find_scenario(const char *name)
{
    return g_str_equal(name, scenario_play.name) ? &scenario_play
                                                 : builtin_scenario_find(name);
}

/* The trace is read once, and not in each schedule. */
static bool prepare_play(const ScenarioSpec *spec, Error **errp)
{
    static PlayConfig config;
    PlayPlan *plan;

    if (spec->scenario != &scenario_play) {
        return true;
    }
    plan = play_config_of(&config, spec, errp)
        ? play_plan_load(&config, false, errp) : NULL;
    play_prepare(plan);
    return plan != NULL;
}

/*
 * What a scenario prints would come once for each schedule. Its buffer must
 * not be from the arena, because the C library keeps it.
 */
static void silence_stdout(void)
{
    static char buffer[BUFSIZ];

    if (freopen("/dev/null", "w", stdout)) {
        setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
    }
}

/* Sends a scout only if it does not itself tell accesses for nothing. */
static char **scout_arguments(char **argv)
{
    return trace_hooks_are_linked() && !g_getenv("AIOLAB_NO_SCOUT")
               ? g_strdupv(argv) : NULL;
}

int main(int argc, char **argv)
{
    char **arguments = scout_arguments(argv);
    GOptionContext *context = g_option_context_new(NULL);
    ScenarioSpec *spec;
    Error *err = NULL;
    SearchJob job;

    /*
     * No translations, and no conversion of characters: the C library would
     * load them in a schedule, and keep what is taken back with it.
     */
    setlocale(LC_CTYPE, "C.UTF-8");
    silence_stdout();
    run_lookup = find_scenario;
    run_compiler_flags = trace_hooks_are_linked() ? traced_flags : NULL;
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, NULL) ||
        !scenario_name) {
        fputs("aiolab-explorer: 'aiolab explore' starts this program\n",
              stderr);
        return 2;
    }
    spec = read_spec(&err);
    if (!spec || !read_job(&job, &err) || !prepare_play(spec, &err)) {
        explorer_send_error(err);
        return 3;
    }
    job.arguments = arguments;
    return explorer_serve(spec, &job);
}
