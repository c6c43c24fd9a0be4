/* SPDX-License-Identifier: MIT */
/* The list of built-in scenarios; each has a file in scenarios/. */
#include "builtin.h"
#include "library.h"

extern const Scenario scenario_bh_order;
extern const Scenario scenario_drain;
extern const Scenario scenario_file_io;
extern const Scenario scenario_nested_laio;
extern const Scenario scenario_opt_in;

const Scenario *const builtin_scenarios[] = {
    &scenario_bh_order,
    &scenario_drain,
    &scenario_file_io,
    &scenario_nested_laio,
    &scenario_opt_in,
    NULL,
};

const Scenario *builtin_scenario_find(const char *name)
{
    const LibraryBug *bug = library_find(name);

    for (unsigned i = 0; builtin_scenarios[i]; i++) {
        if (g_str_equal(builtin_scenarios[i]->name, name)) {
            return builtin_scenarios[i];
        }
    }
    return bug ? bug->scenario : NULL;
}
