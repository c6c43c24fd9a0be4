/* SPDX-License-Identifier: MIT */
/* Options, output and errors, the same for every command. */
#include "cli.h"

#include "record-log.h"
#include "session.h"

#include <sys/stat.h>
#include <unistd.h>

int cli_parse(int *argc, char ***argv, const char *usage, const char *summary,
              const GOptionEntry *entries, CommonOptions *common)
{
    const GOptionEntry common_entries[] = {
        {"json", 0, 0, G_OPTION_ARG_NONE, &common->json, "print JSON", NULL},
        {"quiet", 'q', 0, G_OPTION_ARG_NONE, &common->quiet,
         "print errors only", NULL},
        {"output", 'o', 0, G_OPTION_ARG_FILENAME, &common->output,
         "write to this file", "FILE"},
        {NULL}};
    GOptionContext *context = g_option_context_new(usage);
    GError *gerr = NULL;
    bool ok;

    g_option_context_set_summary(context, summary);
    if (entries) {
        g_option_context_add_main_entries(context, entries, NULL);
    }
    g_option_context_add_main_entries(context, common_entries, NULL);
    ok = g_option_context_parse(context, argc, argv, &gerr);
    g_option_context_free(context);
    if (!ok) {
        cli_error("%s; see --help", gerr->message);
        g_error_free(gerr);
        return STATUS_USAGE;
    }
    return -1;
}

void cli_error(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    fputs("aiolab: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
}

int cli_fail(Error *err, int status)
{
    if (err) {
        cli_error("%s", error_get_pretty(err));
        error_free(err);
    }
    return status;
}

void cli_print(const CommonOptions *common, const char *fmt, ...)
{
    va_list ap;

    if (common->quiet) {
        return;
    }
    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);
}

static bool is_same_file(const char *a, const char *b)
{
    struct stat x, y;

    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev &&
           x.st_ino == y.st_ino;
}

bool cli_check_output(const CommonOptions *common, const char *input)
{
    if (common->output && input && is_same_file(common->output, input)) {
        cli_error("%s: is what is read; give -o another name",
                  common->output);
        return false;
    }
    return true;
}

bool cli_open_output(const CommonOptions *common, const char *input)
{
    if (!cli_check_output(common, input)) {
        return false;
    }
    if (common->output && !freopen(common->output, "w", stdout)) {
        cli_error("%s: cannot be written: %s", common->output,
                  g_strerror(errno));
        return false;
    }
    return true;
}

void cli_print_json(JsonBuilder *builder)
{
    JsonNode *root = json_builder_get_root(builder);
    g_autofree char *text = json_to_string(root, false);

    puts(text);
    json_node_unref(root);
    g_object_unref(builder);
}

void cli_json_string(JsonBuilder *builder, const char *name, const char *value)
{
    json_builder_set_member_name(builder, name);
    if (value) {
        json_builder_add_string_value(builder, value);
    } else {
        json_builder_add_null_value(builder);
    }
}

void cli_json_int(JsonBuilder *builder, const char *name, int64_t value)
{
    json_builder_set_member_name(builder, name);
    json_builder_add_int_value(builder, value);
}

void cli_json_bool(JsonBuilder *builder, const char *name, bool value)
{
    json_builder_set_member_name(builder, name);
    json_builder_add_boolean_value(builder, value);
}

/* ---- Progress ---- */

static int64_t progress_began;
static bool progress_shown;

static void show_progress(uint64_t events)
{
    if (g_get_monotonic_time() - progress_began > G_USEC_PER_SEC) {
        fprintf(stderr, "\r%" PRIu64 "k events ", events / 1000);
        progress_shown = true;
    }
}

static void show_seconds(unsigned seconds)
{
    fprintf(stderr, "\rrecording, %u s ", seconds);
    progress_shown = true;
}

void cli_progress_start(const CommonOptions *common)
{
    if (!common->quiet && isatty(STDERR_FILENO)) {
        progress_began = g_get_monotonic_time();
        session_progress = show_progress;
        record_progress = show_seconds;
    }
}

void cli_progress_stop(void)
{
    session_progress = NULL;
    record_progress = NULL;
    if (progress_shown) {
        fprintf(stderr, "\r\033[K");
        progress_shown = false;
    }
}
