/* SPDX-License-Identifier: MIT */
/* See canary.h. */
#include "canary.h"

#include "explorer-messages.h"
#include "input.h"
#include "unit.h"

enum { SCHEDULES = 16 };

/* The schedule, and a digest of all that is said of it. */
static void sing(const Finding *finding, void *opaque)
{
    g_autofree char *text = finding_text(finding);
    char **song = opaque;

    g_free(*song);
    *song = g_strdup_printf("%s %016" PRIx64, finding->token,
                            content_hash(text, strlen(text)));
}

char *canary_song(Error **errp)
{
    Unit *unit = unit_new("nested-laio/buggy");
    char *song = NULL;
    SearchListener listener = {sing, NULL, &song};
    g_auto(GStrv) argv = NULL;
    SearchStats stats;
    Explorer *explorer;
    bool ok;

    unit->max = SCHEDULES;
    argv = unit_arguments(unit);
    unit_free(unit);
    explorer = explorer_start(argv, errp);
    ok = explorer && explorer_read(explorer, &listener, &stats, errp);
    explorer_free(explorer);
    if (ok && !song) {
        error_setg(errp, "the canary is silent: nested-laio/buggy did not "
                   "fail, so this search cannot be trusted");
    }
    return song;
}
