/* SPDX-License-Identifier: MIT */
/* The words of a search; see explore-print.h. */
#include "explore-print.h"

#include <unistd.h>

void exploration_begin(Exploration *e, const Unit *unit,
                       const CommonOptions *common, bool watch)
{
    *e = (Exploration){
        .unit = unit, .common = common, .watch = watch,
        .started_us = g_get_monotonic_time(),
        .told_us = g_get_monotonic_time(),
        .terminal = isatty(STDERR_FILENO),
        .findings = g_ptr_array_new_with_free_func(
            (GDestroyNotify)finding_free),
    };
}

void exploration_finish(Exploration *e)
{
    g_ptr_array_free(e->findings, true);
}

/* ---- While it runs ---- */

/* "3834 of 20000 schedules, 3746 failing, 12 classes, 51000/s, 1 finding" */
static char *progress_text(const Exploration *e, double per_second)
{
    const SearchStats *s = &e->stats;
    GString *text = g_string_new(e->unit->scenario);

    g_string_append_printf(text, ": %" PRIu64 " of %" PRIu64 " schedules",
                           s->schedules, e->unit->max);
    if (s->failing) {
        g_string_append_printf(text, ", %" PRIu64 " failing", s->failing);
    }
    if (s->endless) {
        g_string_append_printf(text, ", %" PRIu64 " cut", s->endless);
    }
    if (s->classes) {
        g_string_append_printf(text, ", %" PRIu64 " classes, %" PRIu64
                               " blocked", s->classes, s->blocked);
    }
    g_string_append_printf(text, ", %.0f/s, %u finding%s", per_second,
                           e->findings->len, e->findings->len == 1 ? "" : "s");
    return g_string_free(text, false);
}

static double rate(uint64_t schedules, int64_t us)
{
    return schedules / MAX(us / 1e6, 1e-3);
}

/* One line that stays on a terminal, or one after the other elsewhere. */
static void say_progress(Exploration *e)
{
    int64_t now = g_get_monotonic_time();
    g_autofree char *text = progress_text(
        e, rate(e->stats.schedules - e->told_schedules, now - e->told_us));

    fprintf(stderr, e->terminal ? "\r\033[K%s" : "%s\n", text);
    fflush(stderr);
    e->on_line = e->terminal;
    e->told_us = now;
    e->told_schedules = e->stats.schedules;
}

static void clear_line(Exploration *e)
{
    if (e->on_line) {
        fputs("\r\033[K", stderr);
        e->on_line = false;
    }
}

/* Before what only broke a rule, or might happen. */
static void keep_finding(Exploration *e, const Finding *finding)
{
    unsigned at = 0;

    while (at < e->findings->len && (!finding_is_failure(finding) ||
           finding_is_failure(g_ptr_array_index(e->findings, at)))) {
        at++;
    }
    g_ptr_array_insert(e->findings, at, finding_copy(finding));
}

static void on_finding(const Finding *finding, void *opaque)
{
    Exploration *e = opaque;

    keep_finding(e, finding);
    if (e->watch && !e->common->quiet) {
        clear_line(e);
        fprintf(stderr, "%s: %s, found by %s, schedule %" PRIu64 "\n",
                finding->scenario, finding->kind, finding->found_by,
                finding->number);
    }
}

/* Somebody who only waits is told after a second, and on a terminal. */
static void on_progress(const SearchStats *stats, void *opaque)
{
    Exploration *e = opaque;
    int64_t now = g_get_monotonic_time();
    bool wanted = e->watch || (e->terminal && now - e->started_us >= 1000000);

    e->stats = *stats;
    if (wanted && !e->common->quiet &&
        now - e->told_us >= (e->terminal ? 200000 : 1000000)) {
        say_progress(e);
    }
}

SearchListener exploration_listener(Exploration *e)
{
    return (SearchListener){on_finding, on_progress, e};
}

void exploration_end_progress(Exploration *e)
{
    clear_line(e);
    if (e->watch && !e->common->quiet) {
        g_autofree char *text = progress_text(
            e, rate(e->stats.schedules,
                    g_get_monotonic_time() - e->started_us));

        fprintf(stderr, "%s\n", text);
    }
}

/* ---- In the end ---- */

static bool is_exhaustive(const Unit *unit)
{
    return strategy_table[unit->strategy.kind].exhaustive;
}

static char *counts(const SearchStats *s)
{
    return g_strdup_printf(
        "%" PRIu64 " classes of equivalent schedules in %" PRIu64
        " executions, %" PRIu64 " blocked, %" PRIu64 " failing", s->classes,
        s->schedules, s->blocked, s->failing);
}

static char *exhaustive_verdict(const Unit *unit, const SearchStats *s)
{
    g_autofree char *text = counts(s);

    if (!s->complete) {
        return g_strdup_printf("INCOMPLETE  %s; stopped: %s", text,
                               s->stopped ? s->stopped
                               : "--max schedules were run");
    }
    if (unit->strategy.kind == STRATEGY_BOUNDED) {
        return g_strdup_printf("COMPLETE up to %u deviations  %" PRIu64
                               " executions, %" PRIu64 " failing",
                               unit->strategy.d, s->schedules, s->failing);
    }
    if (unit->plain) {
        return g_strdup_printf("COMPLETE  %" PRIu64 " executions, none left "
                               "out, %" PRIu64 " failing", s->schedules,
                               s->failing);
    }
    return g_strdup_printf("%s  %s", s->watched ? "COMPLETE"
                           : "all were run, but nobody watched plain memory",
                           text);
}

char *exploration_verdict(const Unit *unit, const SearchStats *s,
                          unsigned n_findings)
{
    g_autofree char *cut = s->endless
        ? g_strdup_printf(", %" PRIu64 " cut after %" PRIu64 " steps",
                          s->endless, unit->max_steps)
        : g_strdup("");

    if (is_exhaustive(unit)) {
        return exhaustive_verdict(unit, s);
    }
    return g_strdup_printf("%s  %" PRIu64 " schedules, %" PRIu64 " failing%s",
                           n_findings ? "FOUND" : "nothing found",
                           s->schedules, s->failing, cut);
}

void exploration_print(const Exploration *e)
{
    g_autofree char *verdict = exploration_verdict(e->unit, &e->stats,
                                                   e->findings->len);

    for (unsigned i = 0; i < e->findings->len; i++) {
        Finding *finding = g_ptr_array_index(e->findings, i);
        g_autofree char *text = finding_text(finding);

        cli_print(e->common, "%s\n", text);
    }
    cli_print(e->common, "%s: %s\n", e->unit->scenario, verdict);
    if (e->findings->len) {
        Finding *first = g_ptr_array_index(e->findings, 0);

        cli_print(e->common, strstr(e->unit->scenario, ".c")
                  ? "next: aiolab tui %2$s --schedule %1$s\n"
                  : "next: aiolab tui %s\n", first->token,
                  e->unit->scenario);
    }
}

void exploration_print_json(const Exploration *e)
{
    JsonBuilder *b = json_builder_new();
    const SearchStats *s = &e->stats;
    g_autofree char *unit = unit_text(e->unit);
    g_autofree char *verdict = exploration_verdict(e->unit, s,
                                                   e->findings->len);

    json_builder_begin_object(b);
    cli_json_string(b, "scenario", e->unit->scenario);
    cli_json_string(b, "unit", unit);
    cli_json_string(b, "verdict", verdict);
    cli_json_bool(b, "complete", s->complete);
    cli_json_int(b, "schedules", s->schedules);
    cli_json_int(b, "steps", s->steps);
    cli_json_int(b, "failing", s->failing);
    cli_json_int(b, "blocked", s->blocked);
    cli_json_int(b, "classes", s->classes);
    cli_json_int(b, "cut", s->endless);
    cli_json_string(b, "stopped", s->stopped);
    json_builder_set_member_name(b, "findings");
    json_builder_begin_array(b);
    for (unsigned i = 0; i < e->findings->len; i++) {
        finding_to_json(g_ptr_array_index(e->findings, i), b);
    }
    json_builder_end_array(b);
    json_builder_end_object(b);
    cli_print_json(b);
}
