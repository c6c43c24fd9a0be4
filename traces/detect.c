/* SPDX-License-Identifier: MIT */
/*
 * Which format a file is of: by its first bytes where these tell, else each
 * text format reads the first lines, and the one that can must be alone.
 */
#include "format.h"

enum {
    LINES = 200,
    ENOUGH = 90, /* per cent of the lines that fit... */
    FEW_LINES = 20,
    ENOUGH_OF_FEW = 50, /* ...or of so few lines */
};

typedef struct Trial {
    unsigned score;  /* per cent of the lines that fit */
    unsigned lines;
    unsigned misfits;
    TraceLine first; /* that does not fit */
} Trial;

static uint64_t count(const TraceImport *import, AccountHint hint)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < REASON_MAX; i++) {
        n += trace_reasons[i].hint == hint ? import->account.n[i] : 0;
    }
    return n;
}

/* How the sample's lines fit. */
static Trial try(const TraceFormat *format, const TraceSample *sample)
{
    TraceImport import = {.log = NULL};
    const char *at = sample->text;
    void *state = format->begin(&import, format->argument);
    Trial trial = {.score = 0};
    uint64_t fits;

    for (unsigned n = 1; n <= LINES && at < sample->end; n++) {
        const char *newline = memchr(at, '\n', sample->end - at);
        TraceLine line = {
            at, newline ? newline : sample->end, n, !newline, false,
        };

        if (!newline && !sample->whole && n > 1) {
            break; /* the sample ends in it, not the file */
        }
        at = newline ? newline + 1 : sample->end;
        if (line.end > line.text && line.end[-1] == '\r') {
            line.end--;
        }
        import.place = n;
        format->line(&import, state, &line);
        if (!trial.misfits &&
            (trial.misfits = count(&import, HINT_FITS_NOT))) {
            trial.first = line;
        }
    }
    format->end(&import, state);
    fits = count(&import, HINT_FITS);
    trial.misfits = count(&import, HINT_FITS_NOT);
    trial.lines = import.account.in;
    trial.score = fits ? fits * 100 / (fits + trial.misfits) : 0;
    return trial;
}

static bool is_enough(const TraceFormat *format, const Trial *trial)
{
    unsigned enough = format->enough ? format->enough
                    : trial->lines < FEW_LINES ? ENOUGH_OF_FEW : ENOUGH;

    return trial->score >= enough;
}

static const TraceFormat *by_first_bytes(const TraceSample *sample, char **why)
{
    const char *reason;

    for (unsigned i = 0; i < trace_formats_count; i++) {
        if (trace_formats[i]->recognise &&
            trace_formats[i]->recognise(sample, &reason)) {
            *why = g_strdup(reason);
            return trace_formats[i];
        }
    }
    return NULL;
}

static void set_unknown(Error **errp, const char *path)
{
    error_setg(errp, "%s: is of no format that is known here; 'aiolab "
               "import --list-formats' names them, and --columns describes "
               "others", path);
}

/* It is like one format, and that one only. */
static void set_unsure(Error **errp, const char *path,
                       const TraceFormat *format, const Trial *trial)
{
    enum { SHOWN = 60 };
    g_autofree char *shown = g_utf8_make_valid(
        trial->first.text, MIN(trial->first.end - trial->first.text, SHOWN));

    error_setg(errp, "%s: is like %s, but %u of its first %u lines are not "
               "(line %" PRIu64 ": %s); give --format %s if it is that", path,
               format->name, trial->misfits, trial->lines, trial->first.number,
               shown, format->name);
}

const TraceFormat *trace_format_detect(const TraceSample *sample,
                                       const char *path, char **why,
                                       Error **errp)
{
    const TraceFormat *best = by_first_bytes(sample, why);
    Trial trials[64] = {{0}}, trial = {0};
    g_autoptr(GString) names = NULL;
    unsigned candidates = 0;

    if (best) {
        return best;
    }
    for (unsigned i = 0; i < trace_formats_count; i++) {
        if (trace_formats[i]->line && (!trace_formats[i]->recognise ||
                                       trace_formats[i]->by_lines)) {
            trials[i] = try(trace_formats[i], sample);
        }
        if (trials[i].score > trial.score) {
            best = trace_formats[i];
            trial = trials[i];
        }
    }
    names = g_string_new(NULL);
    for (unsigned i = 0; best && i < trace_formats_count; i++) {
        if (trials[i].score && trials[i].score * 2 >= trial.score) {
            candidates++;
            g_string_append_printf(names, "%s%s", names->len ? " or " : "",
                                   trace_formats[i]->name);
        }
    }
    if (!best) {
        set_unknown(errp, path);
    } else if (candidates > 1) {
        error_setg(errp, "%s: could be %s; say which with --format", path,
                   names->str);
    } else if (!is_enough(best, &trial)) {
        set_unsure(errp, path, best, &trial);
    } else {
        *why = g_strdup_printf("%u %% of its first lines are such",
                               trial.score);
        return best;
    }
    return NULL;
}
