/* SPDX-License-Identifier: MIT */
/* aiolab record: run a scenario, live unless told otherwise, into a log. */
#include "record-run.h"

int cmd_record(int argc, char **argv)
{
    static ScenarioOptions options;
    static CommonOptions common;
    ScenarioSpec *spec;
    RunConfig config;
    int status = cli_parse(&argc, &argv, "SCENARIO[/VARIANT] -o LOG",
                           "Runs a scenario on the live host and records it.",
                           scenario_option_entries(&options), &common);

    if (status >= 0) {
        return status;
    }
    if (argc != 2 || !common.output) {
        cli_error("record needs a scenario and -o LOG; see --help");
        return STATUS_USAGE;
    }
    if (!options.host && !options.seed && !options.choices) {
        options.host = g_strdup("live");
    }
    spec = scenario_options_apply(&options, argv[1], &config, &status);
    if (!spec) {
        return status;
    }
    status = record_and_index(spec, &config, &options, &common, common.output);
    scenario_spec_free(spec);
    return status;
}
