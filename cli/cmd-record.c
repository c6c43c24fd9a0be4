/* SPDX-License-Identifier: MIT */
/* aiolab record: run a scenario, live unless told otherwise, into a log. */
#include "record-run.h"

enum { ENTRIES = 32 };

/* The scenario's options, and our own. */
static const GOptionEntry *entries(ScenarioOptions *options, gint64 *flight)
{
    static GOptionEntry all[ENTRIES];
    const GOptionEntry own = {
        "flight-recorder", 0, 0, G_OPTION_ARG_INT64, flight,
        "keep only the last N inputs, for a long run; such a log can be looked "
        "at by SQL, not replayed", "N",
    };
    const GOptionEntry *entry = scenario_option_entries(options);
    unsigned n = 0;

    for (; entry->long_name && n < ENTRIES - 2; entry++) {
        all[n++] = *entry;
    }
    all[n] = own;
    return all;
}

int cmd_record(int argc, char **argv)
{
    static ScenarioOptions options;
    static CommonOptions common;
    ScenarioSpec *spec;
    RunConfig config;
    gint64 flight = -1;
    int status = cli_parse(&argc, &argv, "SCENARIO[/VARIANT] -o LOG",
                           "Runs a scenario on the live host and records it.",
                           entries(&options, &flight), &common);

    if (status >= 0) {
        return status;
    }
    if (argc != 2 || !common.output) {
        cli_error("record needs a scenario and -o LOG; see --help");
        return STATUS_USAGE;
    }
    if (flight == 0 || flight < -1) {
        cli_error("--flight-recorder: give the number of inputs to keep");
        return STATUS_USAGE;
    }
    if (!options.host && !options.seed && !options.choices) {
        options.host = g_strdup("live");
    }
    spec = scenario_options_apply(&options, argv[1], &config, &status);
    if (!spec) {
        return status;
    }
    config.flight = MAX(flight, 0);
    status = record_and_index(spec, &config, &options, &common, common.output);
    scenario_spec_free(spec);
    return status;
}
