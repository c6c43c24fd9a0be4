/* SPDX-License-Identifier: MIT */
/* aiolab plan: a large search as units, one a line. */
#include "builtin.h"
#include "cli.h"

#include "unit.h"

typedef struct PlanOptions {
    char *strategy, **params;
    ExtrasOptions extras;
    gint64 seeds, schedules, chunk, first_seed;
    gboolean all;
} PlanOptions;

static void print_unit(const CommonOptions *common, const Unit *unit)
{
    g_autofree char *text = unit_text(unit);

    cli_print(common, "%s\n", text);
}

/* The same schedules as one search of each seed, cut into pieces. */
static void plan_drawn(Unit *unit, const PlanOptions *o,
                       const CommonOptions *common)
{
    for (gint64 seed = 0; seed < o->seeds; seed++) {
        unit->seed = o->first_seed + seed;
        for (gint64 from = 0; from < o->schedules; from += o->chunk) {
            unit->from = from;
            unit->max = MIN(o->chunk, o->schedules - from);
            print_unit(common, unit);
        }
    }
}

static void plan_bounded(Unit *unit, const PlanOptions *o,
                         const CommonOptions *common)
{
    unit->shards = CLAMP(o->schedules / o->chunk, 1, 10000);
    unit->max = o->schedules;
    for (unit->shard = 0; unit->shard < unit->shards; unit->shard++) {
        print_unit(common, unit);
    }
}

static void plan_scenario(const char *name, Strategy strategy,
                          const PlanOptions *o, const CommonOptions *common)
{
    Unit *unit = unit_new(name);

    unit->strategy = strategy;
    unit->all = o->all;
    extras_parse(&o->extras, &unit->extras, NULL); /* as it was checked */
    for (char **p = o->params; p && *p; p++) {
        g_ptr_array_add(unit->params, g_strdup(*p));
    }
    if (!strategy_table[strategy.kind].exhaustive) {
        plan_drawn(unit, o, common);
    } else if (strategy.kind == STRATEGY_BOUNDED) {
        plan_bounded(unit, o, common);
    } else {
        unit->max = o->schedules; /* with reduction it is one piece */
        print_unit(common, unit);
    }
    unit_free(unit);
}

static void plan_all(Strategy strategy, const PlanOptions *o,
                     const CommonOptions *common)
{
    for (unsigned i = 0; builtin_scenarios[i]; i++) {
        const Scenario *s = builtin_scenarios[i];

        if (g_strcmp0(s->host, "live") == 0) {
            continue;
        }
        for (const ScenarioVariant *v = s->variants; v && v->name; v++) {
            g_autofree char *name = g_strconcat(s->name, "/", v->name, NULL);

            plan_scenario(name, strategy, o, common);
        }
        if (!s->variants) {
            plan_scenario(s->name, strategy, o, common);
        }
    }
}

static bool check_options(const PlanOptions *o, Strategy *strategy)
{
    Error *err = NULL;
    unsigned extras;

    *strategy = (Strategy){STRATEGY_PORTFOLIO, 0};
    if (o->strategy && !strategy_parse(o->strategy, strategy, &err)) {
        cli_fail(err, STATUS_USAGE);
        return false;
    }
    if (!extras_parse(&o->extras, &extras, &err)) {
        cli_fail(err, STATUS_USAGE);
        return false;
    }
    if (o->seeds < 1 || o->schedules < 1 || o->chunk < 1 ||
        o->first_seed < 0) {
        cli_error("--seeds, --schedules and --chunk are at least 1");
        return false;
    }
    return true;
}

int cmd_plan(int argc, char **argv)
{
    static CommonOptions common;
    static PlanOptions o = {
        .seeds = 1, .schedules = 20000, .chunk = 20000, .first_seed = 1,
    };
    const GOptionEntry entries[] = {
        {"strategy", 's', 0, G_OPTION_ARG_STRING, &o.strategy,
         "as of 'aiolab explore' (default: portfolio)", "S"},
        {"seeds", 0, 0, G_OPTION_ARG_INT64, &o.seeds,
         "that many seeds (default: 1)", "N"},
        {"first-seed", 0, 0, G_OPTION_ARG_INT64, &o.first_seed,
         "from this one on (default: 1)", "N"},
        {"schedules", 'n', 0, G_OPTION_ARG_INT64, &o.schedules,
         "schedules of each seed (default: 20000)", "N"},
        {"chunk", 0, 0, G_OPTION_ARG_INT64, &o.chunk,
         "schedules of a unit (default: 20000)", "N"},
        EXTRAS_ENTRIES(&o.extras),
        {"all", 'a', 0, G_OPTION_ARG_NONE, &o.all,
         "units go on after their first failure", NULL},
        {"param", 'p', 0, G_OPTION_ARG_STRING_ARRAY, &o.params,
         "set a parameter of the scenario", "NAME=VALUE"},
        {NULL}};
    int status = cli_parse(
        &argc, &argv, "[SCENARIO...]",
        "Prints the units of a search, one a line; all scenarios if none is "
        "named.\nAny of them can be run anywhere, at any time:\n\n"
        "  aiolab plan drain --seeds 100 > units\n"
        "  parallel -a units --joblog log --resume \\\n"
        "      aiolab explore --unit {} -o out/{#}.db\n"
        "  aiolab merge out/*.db -o all.db", entries, &common);
    Strategy strategy;

    if (status >= 0) {
        return status;
    }
    if (!check_options(&o, &strategy)) {
        return STATUS_USAGE;
    }
    if (!cli_open_output(&common, NULL)) {
        return STATUS_BAD_INPUT;
    }
    for (char **name = argv + 1; *name; name++) {
        plan_scenario(*name, strategy, &o, &common);
    }
    if (argc < 2) {
        plan_all(strategy, &o, &common);
    }
    return STATUS_OK;
}
