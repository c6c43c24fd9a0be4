/* SPDX-License-Identifier: MIT */
/*
 * aiolab diff: the first event at which two runs of a scenario differ.
 *
 * Both are replayed (or simulated) to the end and compared: in the order in
 * which everything happened, thread by thread, and input by input.
 */
#include "cli.h"
#include "diff-print.h"

typedef struct DiffOptions {
    ScenarioOptions scenario;
    gint64 other_seed;
    gint events;
} DiffOptions;

static int open_both(DiffSide *sides, char **names, DiffOptions *options)
{
    int status = STATUS_OK;

    for (unsigned i = 0; i < 2 && status == STATUS_OK; i++) {
        sides[i].name = names[i];
        if (i && options->other_seed >= 0) {
            options->scenario.seed = options->other_seed;
        }
        if (diff_side_open(&sides[i], &options->scenario, &status)) {
            status = STATUS_OK;
        }
    }
    return status;
}

/* Whether a run goes on behind its last event, where we cannot see. */
static bool is_short(const Diff *diff, unsigned side)
{
    return diff->run[side]->end == SESSION_DIVERGED &&
           !diff_event(diff, side, diff->common);
}

static int compare(DiffSide *sides, unsigned events,
                   const CommonOptions *common)
{
    Diff *diff = diff_new(sides[0].session, sides[1].session);
    bool identical = diff->same_events &&
                     sides[0].session->end == sides[1].session->end;
    int status = is_short(diff, 0) || is_short(diff, 1) ? STATUS_DIVERGED
               : identical ? STATUS_OK : STATUS_FINDING;

    if (common->json) {
        diff_print_json(diff, sides, events, identical);
    } else if (!common->quiet) {
        diff_print_text(diff, sides, events);
    }
    diff_free(diff);
    return status;
}

int cmd_diff(int argc, char **argv)
{
    static DiffOptions options = {.events = 4, .other_seed = -1};
    static CommonOptions common;
    const GOptionEntry entries[] = {
        {"events", 'n', 0, G_OPTION_ARG_INT, &options.events,
         "show so many events of each (default: 4)", "N"},
        {"param", 'p', 0, G_OPTION_ARG_STRING_ARRAY, &options.scenario.params,
         "set a parameter of a scenario that is simulated", "NAME=VALUE"},
        {"seed", 0, 0, G_OPTION_ARG_INT64, &options.scenario.seed,
         "simulate with random choices from this seed", "N"},
        {"other-seed", 0, 0, G_OPTION_ARG_INT64, &options.other_seed,
         "the seed of the second (default: the same)", "N"},
        {NULL}};
    int status = cli_parse(&argc, &argv, "LOG|SCENARIO LOG|SCENARIO",
                           "Says where two runs of a scenario part, and what "
                           "made them.\nTimes are not compared.  Exit status: "
                           "0 the same, 1 they differ, 3 damaged.",
                           entries, &common);
    DiffSide sides[2] = {{.letter = "A"}, {.letter = "B"}};

    if (status >= 0) {
        return status;
    }
    if (argc != 3 || options.events < 1) {
        cli_error("diff needs two logs or scenarios, and --events of 1 or "
                  "more; see --help");
        return STATUS_USAGE;
    }
    cli_progress_start(&common);
    status = open_both(sides, argv + 1, &options);
    cli_progress_stop();
    if (status == STATUS_OK) {
        status = cli_check_output(&common, argv[2]) &&
                 cli_open_output(&common, argv[1])
            ? compare(sides, options.events, &common) : STATUS_BAD_INPUT;
    }
    /* The second's process has copies of the first's pipes. */
    diff_side_close(&sides[1]);
    diff_side_close(&sides[0]);
    return status;
}
