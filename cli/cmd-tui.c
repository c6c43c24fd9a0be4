/* SPDX-License-Identifier: MIT */
/* aiolab tui: the screen. */
#include "open-session.h"

#include "tui.h"

int cmd_tui(int argc, char **argv)
{
    static ScenarioOptions scenario;
    static CommonOptions common;
    gboolean ascii = false, no_color = false, dump = false;
    gint64 at = -1; /* the last */
    int rows = 24, cols = 80;
    const GOptionEntry entries[] = {
        {"at", 0, 0, G_OPTION_ARG_INT64, &at, "begin at this event (default: "
         "the last)", "EVENT"},
        {"ascii", 0, 0, G_OPTION_ARG_NONE, &ascii, "draw with ASCII only",
         NULL},
        {"no-color", 0, 0, G_OPTION_ARG_NONE, &no_color, "no colours", NULL},
        {"dump", 0, 0, G_OPTION_ARG_NONE, &dump, "print one screen as text",
         NULL},
        {"rows", 0, 0, G_OPTION_ARG_INT, &rows, "for --dump", "N"},
        {"cols", 0, 0, G_OPTION_ARG_INT, &cols, "for --dump", "N"},
        {"param", 'p', 0, G_OPTION_ARG_STRING_ARRAY, &scenario.params,
         "set a parameter of the scenario", "NAME=VALUE"},
        {"seed", 0, 0, G_OPTION_ARG_INT64, &scenario.seed,
         "random choices from this seed", "N"},
        {"schedule", 0, 0, G_OPTION_ARG_STRING, &scenario.token,
         "by the schedule that 'aiolab explore' has printed", "TOKEN"},
        {"fine", 0, 0, G_OPTION_ARG_NONE, &scenario.fine,
         "what a kernel decides is a choice, too", NULL},
        {"choices", 0, 0, G_OPTION_ARG_STRING, &scenario.choices,
         "answer the choice points with these options", "N,N,..."},
        {NULL}};
    int status = cli_parse(&argc, &argv, "LOG|SCENARIO", "Steps through a "
                           "recording, or a simulated scenario, both ways.",
                           entries, &common);
    TuiOptions options;
    RunSource *source;
    Session *session;
    Error *err = NULL;

    if (status >= 0) {
        return status;
    }
    if (argc != 2 || rows < 1 || cols < 1 || rows > 1000 ||
        cols > 1000) {
        cli_error("tui needs one log or scenario, and sizes from 1 to 1000; "
                  "see --help");
        return STATUS_USAGE;
    }
    session = open_session_by_name(argv[1], &scenario, &source, &status);
    if (!session) {
        return status;
    }
    if (at != -1 && (at < 1 || (uint64_t)at > session_count(session))) {
        cli_error("--at %" PRId64 ": the run has events 1 to %" PRIu64, at,
                  session_count(session));
        return STATUS_USAGE;
    }
    options = (TuiOptions){
        .ascii = ascii || tui_wants_ascii(),
        .color = !no_color && tui_wants_color(), .at = MAX(at, 0),
        .source = source,
    };
    if (dump) {
        g_autofree char *text = tui_dump(session, &options, rows, cols);

        fputs(text, stdout);
        return STATUS_OK;
    }
    status = tui_run(session, &options, &err) ? STATUS_OK
                                              : cli_fail(err, STATUS_MACHINE);
    run_source_free(source);
    return status;
}
