/* SPDX-License-Identifier: MIT */
/* Both sides of a scout; see scout.h. */
#include "scout.h"

#include "explorer-messages.h"

#include <fcntl.h>
#include <unistd.h>

enum {
    WORDS = 512,      /* are told together */
    AHEAD = 32 * 1024 /* bytes: no further than that */
};

/* ---- Its own side ---- */

struct ScoutWords {
    unsigned n;
    ScoutWord words[WORDS];
};

ScoutWords *scout_words_new(void)
{
    return g_new0(ScoutWords, 1);
}

static void tell(ScoutWords *w)
{
    const char *at = (const char *)w->words;
    size_t left = w->n * sizeof(*w->words);

    while (left) {
        ssize_t n = write(EXPLORER_FD, at, left);

        if (n <= 0) {
            _exit(0); /* nobody listens any more */
        }
        at += n;
        left -= n;
    }
    w->n = 0;
}

static ScoutVerdict verdict(const ScheduleOutcome *outcome)
{
    return outcome->steps >> 30 ? SCOUT_LOOK
         : outcome->end == SCHEDULE_DONE ? SCOUT_DONE
         : outcome->end == SCHEDULE_ABANDONED ? SCOUT_ABANDONED
                                              : SCOUT_LOOK;
}

void scout_words_add(ScoutWords *w, const ScheduleOutcome *outcome,
                     uint64_t trace)
{
    w->words[w->n++] = (ScoutWord){
        .verdict = verdict(outcome), .steps = outcome->steps, .trace = trace,
    };
    if (w->n == WORDS) {
        tell(w);
    }
}

void scout_words_free(ScoutWords *w)
{
    tell(w);
    g_free(w);
}

/* ---- Who sends it ---- */

struct Scout {
    Explorer *explorer;
    unsigned at, n;
    ScoutWord words[WORDS];
};

Scout *scout_new(char **arguments, uint64_t from)
{
    g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);
    Explorer *explorer;
    Scout *scout;

    g_ptr_array_add(argv, g_strdup("aiolab-scout"));
    g_ptr_array_add(argv, g_strdup_printf("--scout=%" PRIu64, from));
    for (char **argument = arguments + 1; *argument; argument++) {
        g_ptr_array_add(argv, g_strdup(*argument));
    }
    g_ptr_array_add(argv, NULL);
    explorer = explorer_start((char **)argv->pdata, NULL);
    if (!explorer) {
        return NULL;
    }
    fcntl(explorer_fd(explorer), F_SETPIPE_SZ, AHEAD);
    scout = g_new0(Scout, 1);
    scout->explorer = explorer;
    return scout;
}

/* A word that was cut is none. */
static void refill(Scout *scout)
{
    char *at = (char *)scout->words;
    size_t had = 0, wanted = sizeof(scout->words);
    ssize_t n;

    do {
        n = read(explorer_fd(scout->explorer), at + had, wanted - had);
        had += MAX(n, 0);
    } while (n > 0 && had < wanted);
    scout->at = 0;
    scout->n = had / sizeof(*scout->words);
}

bool scout_read(Scout *scout, ScoutWord *word)
{
    if (scout->at == scout->n) {
        refill(scout);
    }
    if (scout->at == scout->n) {
        return false;
    }
    *word = scout->words[scout->at++];
    return true;
}

void scout_free(Scout *scout)
{
    if (scout) {
        explorer_free(scout->explorer);
        g_free(scout);
    }
}
