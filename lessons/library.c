/* SPDX-License-Identifier: MIT */
/* The table of the deadlock library; library.def has its rows. */
#include "library.h"

#define LIBRARY_BUG(ident, year, kind, commit, title, reach, classes) \
    extern const Scenario scenario_##ident;
#include "library/library.def"
#undef LIBRARY_BUG

const LibraryBug library_bugs[] = {
#define LIBRARY_BUG(ident, year, kind, commit, title, reach, classes) \
    {&scenario_##ident, year, kind, commit, title, BUG_##reach, classes},
#include "library/library.def"
#undef LIBRARY_BUG
    {NULL},
};

const LibraryBug *library_find(const char *name)
{
    for (const LibraryBug *bug = library_bugs; bug->scenario; bug++) {
        if (g_str_equal(bug->scenario->name, name)) {
            return bug;
        }
    }
    return NULL;
}
