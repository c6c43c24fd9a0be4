/* SPDX-License-Identifier: MIT */
/* What if: the same play with each combination of some settings. */
#include "play-run.h"

#include "report.h"

enum { MOST_PLAYS = 1000 };

typedef struct GridAxis {
    char *name;
    char **values;
    unsigned n, at;
} GridAxis;

static void clear_axis(gpointer opaque)
{
    GridAxis *axis = opaque;

    g_free(axis->name);
    g_strfreev(axis->values);
}

static const GridAxis *find_axis(GArray *axes, const char *name)
{
    for (unsigned i = 0; i < axes->len; i++) {
        if (g_str_equal(g_array_index(axes, GridAxis, i).name, name)) {
            return &g_array_index(axes, GridAxis, i);
        }
    }
    return NULL;
}

char *play_grid_first(char *const *sets, const char *name)
{
    size_t len = strlen(name);

    for (; *sets; sets++) {
        if (g_str_has_prefix(*sets, name) && (*sets)[len] == '=') {
            return g_strndup(*sets + len + 1, strcspn(*sets + len + 1, ","));
        }
    }
    return NULL;
}

/* NULL, and said, if one is not NAME=VALUE,... */
static GArray *parse_axes(char *const *sets)
{
    GArray *axes = g_array_new(false, true, sizeof(GridAxis));
    uint64_t plays = 1;

    g_array_set_clear_func(axes, clear_axis);
    for (; *sets; sets++) {
        const char *equals = strchr(*sets, '=');
        GridAxis axis = {.n = 0};

        if (!equals || !equals[1]) {
            cli_error("--set %s: say NAME=VALUE,VALUE,...", *sets);
            g_array_free(axes, true);
            return NULL;
        }
        axis.name = g_strndup(*sets, equals - *sets);
        if (find_axis(axes, axis.name)) {
            cli_error("--set %s: is given twice; give all values at once",
                      axis.name);
            g_free(axis.name);
            g_array_free(axes, true);
            return NULL;
        }
        axis.values = g_strsplit(equals + 1, ",", 0);
        axis.n = g_strv_length(axis.values);
        plays *= axis.n;
        g_array_append_val(axes, axis);
    }
    if (plays > MOST_PLAYS) {
        cli_error("--set: %" PRIu64 " plays are more than %d", plays,
                  MOST_PLAYS);
        g_array_free(axes, true);
        return NULL;
    }
    return axes;
}

/* To the next combination; false after the last. */
static bool advance(GArray *axes)
{
    for (unsigned i = axes->len; i > 0; i--) {
        GridAxis *axis = &g_array_index(axes, GridAxis, i - 1);

        if (++axis->at < axis->n) {
            return true;
        }
        axis->at = 0;
    }
    return false;
}

static bool apply(PlayJob *job, GArray *axes)
{
    g_ptr_array_set_size(job->settings, 0);
    for (unsigned i = 0; i < axes->len; i++) {
        const GridAxis *axis = &g_array_index(axes, GridAxis, i);
        g_autofree char *assignment = g_strconcat(
            axis->name, "=", axis->values[axis->at], NULL);
        Error *err = NULL;

        if (!scenario_spec_set(job->spec, assignment, &err)) {
            cli_error("--set %s: a play has no such setting; 'aiolab play "
                      "--list-settings' prints them", axis->name);
            error_free(err);
            return false;
        }
        g_ptr_array_add(job->settings, g_steal_pointer(&assignment));
    }
    return true;
}

/* Each combination makes sense; said if one does not. */
static bool check_all(PlayJob *job, GArray *axes)
{
    bool ok;

    do {
        Error *err = NULL;

        ok = apply(job, axes);
        if (ok && !play_job_check(job, &err)) {
            cli_fail(err, STATUS_USAGE);
            ok = false;
        }
    } while (advance(axes) && ok);
    return ok && apply(job, axes);
}

/* ---- The table ---- */

static void print_title(const CommonOptions *common, GArray *axes)
{
    for (unsigned i = 0; i < axes->len; i++) {
        cli_print(common, "%-14s ", g_array_index(axes, GridAxis, i).name);
    }
    cli_print(common, "%12s %10s %10s %10s %10s %10s %8s  %s\n", "requests/s",
              "p50", "p99", "p99.9", "most", "lag p99", "failed", "hash");
}

static void print_times(const CommonOptions *common, const PlayStats *stats)
{
    const int64_t times[] = {
        histogram_percentile(&stats->all, 50),
        histogram_percentile(&stats->all, 99),
        histogram_percentile(&stats->all, 99.9), stats->all.most,
        histogram_percentile(&stats->lag, 99),
    };

    for (unsigned i = 0; i < ARRAY_SIZE(times); i++) {
        g_autofree char *text = report_time(times[i]);

        cli_print(common, " %10s", text);
    }
}

static void print_line(const PlayJob *job, GArray *axes, const PlayStats *stats)
{
    for (unsigned i = 0; i < axes->len; i++) {
        const GridAxis *axis = &g_array_index(axes, GridAxis, i);

        cli_print(job->common, "%-14s ", axis->values[axis->at]);
    }
    cli_print(job->common, "%12.0f", play_stats_iops(stats));
    print_times(job->common, stats);
    cli_print(job->common, " %8zu  %016" PRIx64 "\n", stats->failed,
              stats->hash);
    fflush(stdout);
}

static int play_one(PlayJob *job, GArray *axes)
{
    PlayStats *stats;
    Error *err = NULL;
    int status = play_job_load(job);

    if (status == STATUS_OK) {
        status = play_job_run(job);
    }
    if (status > STATUS_FINDING) {
        return status;
    }
    stats = play_stats_new(job->plan, &job->config, &err);
    if (!stats) {
        return cli_fail(err, STATUS_BAD_INPUT);
    }
    if (job->common->json) {
        play_print_json(job, stats);
    } else {
        print_line(job, axes, stats);
    }
    g_free(stats);
    return status;
}

int play_grid(PlayJob *job, char *const *sets)
{
    GArray *axes = parse_axes(sets);
    int status = STATUS_OK;
    bool ok;

    if (!axes) {
        return STATUS_USAGE;
    }
    job->settings = g_ptr_array_new_with_free_func(g_free);
    ok = check_all(job, axes);
    if (ok && !job->common->json) {
        print_title(job->common, axes);
    }
    while (ok && status <= STATUS_FINDING) {
        int one = play_one(job, axes);

        play_job_unload(job);
        status = MAX(status, one);
        if (!advance(axes)) {
            break;
        }
        ok = apply(job, axes);
    }
    g_array_free(axes, true);
    g_clear_pointer(&job->settings, g_ptr_array_unref);
    return ok ? status : STATUS_USAGE;
}
