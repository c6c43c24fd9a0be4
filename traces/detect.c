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

/* How the sample's lines fit, from 0 to 100. */
static unsigned try(const TraceFormat *format, const TraceSample *sample,
                    unsigned *lines)
{
    TraceImport import = {.log = NULL};
    const char *at = sample->text;
    uint64_t fits = 0, fits_not = 0;
    void *state = format->begin(&import, format->argument);

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
    }
    format->end(&import, state);
    for (unsigned i = 0; i < REASON_MAX; i++) {
        fits += trace_reasons[i].hint == HINT_FITS ? import.account.n[i] : 0;
        fits_not += trace_reasons[i].hint == HINT_FITS_NOT
            ? import.account.n[i] : 0;
    }
    *lines = import.account.in;
    return fits ? fits * 100 / (fits + fits_not) : 0;
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

static void set_unsure(Error **errp, const char *path, const GString *names)
{
    if (names->len) {
        error_setg(errp, "%s: could be %s; say which with --format", path,
                   names->str);
    } else {
        error_setg(errp, "%s: is of no format that is known here; 'aiolab "
                   "import --list-formats' names them, and --columns describes "
                   "others", path);
    }
}

const TraceFormat *trace_format_detect(const TraceSample *sample,
                                       const char *path, char **why,
                                       Error **errp)
{
    const TraceFormat *best = by_first_bytes(sample, why);
    unsigned scores[64] = {0}, best_score = 0, candidates = 0;
    unsigned lines = 0;
    GString *names;

    if (best) {
        return best;
    }
    names = g_string_new(NULL);
    for (unsigned i = 0; i < trace_formats_count; i++) {
        if (trace_formats[i]->line && (!trace_formats[i]->recognise ||
                                       trace_formats[i]->by_lines)) {
            scores[i] = try(trace_formats[i], sample, &lines);
        }
        if (scores[i] > best_score) {
            best = trace_formats[i];
            best_score = scores[i];
        }
    }
    for (unsigned i = 0; best && i < trace_formats_count; i++) {
        if (scores[i] * 2 >= best_score && scores[i]) {
            candidates++;
            g_string_append_printf(names, "%s%s", names->len ? " or " : "",
                                   trace_formats[i]->name);
        }
    }
    if (candidates == 1 && best_score >=
        (lines < FEW_LINES ? (unsigned)ENOUGH_OF_FEW : (unsigned)ENOUGH)) {
        *why = g_strdup_printf("%u %% of its first lines are such",
                               best_score);
    } else {
        set_unsure(errp, path, names);
        best = NULL;
    }
    g_string_free(names, true);
    return best;
}
