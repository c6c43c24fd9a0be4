/* SPDX-License-Identifier: MIT */
/* The searching program's side; see explorer-messages.h. */
#include "explorer-messages.h"

#include <time.h>
#include <unistd.h>

enum { PROGRESS_NS = 200000000 };

/* The line, with its newline. */
static char *take_line(JsonBuilder *b, size_t *length)
{
    JsonGenerator *generator = json_generator_new();
    JsonNode *root = json_builder_get_root(b);
    char *text;

    json_generator_set_root(generator, root);
    text = json_generator_to_data(generator, length);
    text[(*length)++] = '\n'; /* over the terminating zero */
    json_node_unref(root);
    g_object_unref(generator);
    g_object_unref(b);
    return text;
}

static void send_message(JsonBuilder *b)
{
    size_t length, done = 0;
    g_autofree char *text = take_line(b, &length);
    ssize_t n;

    while (done < length &&
           (n = write(EXPLORER_FD, text + done, length - done)) > 0) {
        done += n;
    }
    if (done < length) {
        _exit(0); /* nobody listens any more */
    }
}

static JsonBuilder *message(const char *kind)
{
    JsonBuilder *b = json_builder_new();

    json_builder_begin_object(b);
    json_builder_set_member_name(b, kind);
    return b;
}

static void add_number(JsonBuilder *b, const char *name, int64_t value)
{
    json_builder_set_member_name(b, name);
    json_builder_add_int_value(b, value);
}

static void send_stats(const char *kind, const SearchStats *stats)
{
    JsonBuilder *b = message(kind);

    json_builder_begin_object(b);
    add_number(b, "schedules", stats->schedules);
    add_number(b, "steps", stats->steps);
    add_number(b, "failing", stats->failing);
    add_number(b, "endless", stats->endless);
    add_number(b, "blocked", stats->blocked);
    add_number(b, "classes", stats->classes);
    add_number(b, "complete", stats->complete);
    add_number(b, "watched", stats->watched);
    add_number(b, "trace", stats->expected_trace);
    if (stats->stopped) {
        json_builder_set_member_name(b, "stopped");
        json_builder_add_string_value(b, stats->stopped);
    }
    json_builder_end_object(b);
    json_builder_end_object(b);
    send_message(b);
}

static void on_finding(const Finding *finding, void *opaque)
{
    JsonBuilder *b = message("finding");

    finding_to_json(finding, b);
    json_builder_end_object(b);
    send_message(b);
}

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void on_progress(const SearchStats *stats, void *opaque)
{
    int64_t *last = opaque, now = now_ns();

    if (now - *last >= PROGRESS_NS) {
        *last = now;
        send_stats("progress", stats);
    }
}

void explorer_send_error(Error *err)
{
    JsonBuilder *b = message("error");

    json_builder_add_string_value(b, error_get_pretty(err));
    json_builder_end_object(b);
    send_message(b);
    error_free(err);
}

/*
 * GLib's data are restored after each schedule, so what it keeps for JSON must
 * be there before the first.
 */
static void warm_up_json(void)
{
    Finding *finding = finding_new();
    JsonBuilder *b = message("finding");
    size_t length;

    finding->scenario = g_strdup("warm-up");
    finding_to_json(finding, b);
    json_builder_end_object(b);
    g_free(take_line(b, &length));
    finding_free(finding);
}

int explorer_serve(const ScenarioSpec *spec, const SearchJob *job)
{
    int64_t last = now_ns();
    SearchListener listener = {on_finding, job->scout ? NULL : on_progress,
                               &last};
    SearchStats stats;
    Error *err = NULL;

    warm_up_json();
    if (!search_run(spec, job, &listener, &stats, &err)) {
        explorer_send_error(err);
        return 3;
    }
    if (job->scout) {
        return 0; /* it has said what it had to */
    }
    send_stats("end", &stats);
    return 0;
}
