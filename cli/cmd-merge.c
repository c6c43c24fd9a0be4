/* SPDX-License-Identifier: MIT */
/* aiolab merge: what many units have found, in one file. */
#include "cli.h"

#include "canary.h"
#include "findings-file.h"

static void print_text(const FindingsSummary *s, unsigned rejected,
                       const CommonOptions *common)
{
    for (unsigned i = 0; i < s->findings->len; i++) {
        Finding *finding = g_ptr_array_index(s->findings, i);
        g_autofree char *text = finding_text(finding);

        cli_print(common, "%s\n", text);
    }
    cli_print(common, "%" PRIu64 " units, %" PRIu64 " schedules, %" PRIu64
              " failing, %u findings%s", s->units, s->schedules, s->failing,
              s->findings->len, rejected ? "" : "\n");
    if (rejected) {
        cli_print(common, "; %u files were left out\n", rejected);
    }
}

static void print_json(const FindingsSummary *s, unsigned rejected)
{
    JsonBuilder *b = json_builder_new();

    json_builder_begin_object(b);
    cli_json_int(b, "units", s->units);
    cli_json_int(b, "schedules", s->schedules);
    cli_json_int(b, "steps", s->steps);
    cli_json_int(b, "failing", s->failing);
    cli_json_int(b, "left_out", rejected);
    json_builder_set_member_name(b, "findings");
    json_builder_begin_array(b);
    for (unsigned i = 0; i < s->findings->len; i++) {
        finding_to_json(g_ptr_array_index(s->findings, i), b);
    }
    json_builder_end_array(b);
    json_builder_end_object(b);
    cli_print_json(b);
}

/* A file that is bad is said and left out; the others count. */
static unsigned merge_files(FindingsFile *file, char **paths)
{
    unsigned rejected = 0;

    for (; *paths; paths++) {
        Error *err = NULL;

        if (!findings_file_merge(file, *paths, &err)) {
            cli_fail(err, STATUS_BAD_INPUT);
            rejected++;
        }
    }
    return rejected;
}

int cmd_merge(int argc, char **argv)
{
    static CommonOptions common;
    static gboolean force;
    const GOptionEntry entries[] = {
        {"force", 'f', 0, G_OPTION_ARG_NONE, &force,
         "replace an existing file", NULL},
        {NULL}};
    int status = cli_parse(&argc, &argv, "FILE... -o ALL",
                           "Merges what 'aiolab explore --unit' has found; "
                           "findings with the same\nsignature become one, with "
                           "the shortest schedule.\n"
                           "Exit status: 0 there are no findings, 1 there are, "
                           "3 a file was left out.", entries, &common);
    FindingsSummary summary;
    g_autofree char *song = NULL;
    FindingsFile *file;
    unsigned rejected;
    Error *err = NULL;

    if (status >= 0) {
        return status;
    }
    if (argc < 2 || !common.output) {
        cli_error("merge needs files, and -o for the merged one; see --help");
        return STATUS_USAGE;
    }
    song = canary_song(&err);
    if (!song) {
        return cli_fail(err, STATUS_MACHINE);
    }
    file = findings_file_create(common.output, force, song, &err);
    if (!file) {
        return cli_fail(err, STATUS_BAD_INPUT);
    }
    rejected = merge_files(file, argv + 1);
    findings_file_summary(file, &summary, NULL);
    if (!findings_file_close(file, &err)) {
        return cli_fail(err, STATUS_MACHINE);
    }
    if (common.json) {
        print_json(&summary, rejected);
    } else {
        print_text(&summary, rejected, &common);
    }
    status = rejected ? STATUS_BAD_INPUT
           : summary.findings->len ? STATUS_FINDING : STATUS_OK;
    findings_summary_finish(&summary);
    return status;
}
