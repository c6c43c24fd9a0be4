/* SPDX-License-Identifier: MIT */
/* aiolab scenarios: what can be run. */
#include "builtin.h"
#include "cli.h"
#include "library.h"

static void add_bug_json(JsonBuilder *b, const LibraryBug *bug)
{
    cli_json_string(b, "class", bug->kind);
    if (*bug->commit) {
        cli_json_int(b, "year", bug->year);
        cli_json_string(b, "commit", bug->commit);
    }
    cli_json_string(b, *bug->commit ? "title" : "source", bug->title);
}

/* @bug: NULL if it is not of the deadlock library. */
static void add_json(JsonBuilder *b, const Scenario *s, const LibraryBug *bug)
{
    json_builder_begin_object(b);
    cli_json_string(b, "name", s->name);
    cli_json_string(b, "summary", s->summary);
    cli_json_string(b, "shows", s->shows);
    cli_json_string(b, "host", s->host ? s->host : "sim");
    if (bug) {
        add_bug_json(b, bug);
    }
    json_builder_set_member_name(b, "variants");
    json_builder_begin_array(b);
    for (const ScenarioVariant *v = s->variants; v && v->name; v++) {
        json_builder_begin_object(b);
        cli_json_string(b, "name", v->name);
        cli_json_string(b, "help", v->help);
        json_builder_end_object(b);
    }
    json_builder_end_array(b);
    json_builder_set_member_name(b, "parameters");
    json_builder_begin_array(b);
    for (const ScenarioParam *p = s->params; p && p->name; p++) {
        json_builder_begin_object(b);
        cli_json_string(b, "name", p->name);
        cli_json_string(b, "default", p->value);
        cli_json_string(b, "help", p->help);
        json_builder_end_object(b);
    }
    json_builder_end_array(b);
    json_builder_end_object(b);
}

static void print_text(const Scenario *s)
{
    printf("%s\n  %s\n", s->name, s->summary);
    if (s->shows) {
        printf("  shows: %s\n", s->shows);
    }
    for (const ScenarioVariant *v = s->variants; v && v->name; v++) {
        printf("    /%-12s %s\n", v->name, v->help);
    }
    for (const ScenarioParam *p = s->params; p && p->name; p++) {
        g_autofree char *assignment = g_strdup_printf("%s=%s", p->name,
                                                      p->value);

        printf("    -p %-16s %s\n", assignment, p->help);
    }
}

static void print_bug(const LibraryBug *bug)
{
    printf("%s\n  %s\n  %s; ", bug->scenario->name, bug->scenario->summary,
           bug->kind);
    if (*bug->commit) {
        printf("fixed %d by %s \"%s\"\n", bug->year, bug->commit, bug->title);
    } else {
        printf("from QEMU's %s\n", bug->title);
    }
}

static void print_all(void)
{
    for (unsigned i = 0; builtin_scenarios[i]; i++) {
        print_text(builtin_scenarios[i]);
    }
    printf("\nThe deadlock library: bugs of QEMU's, each with the variants "
           "/buggy and /fixed\n\n");
    for (const LibraryBug *bug = library_bugs; bug->scenario; bug++) {
        print_bug(bug);
    }
}

static void print_all_json(void)
{
    JsonBuilder *b = json_builder_new();

    json_builder_begin_array(b);
    for (unsigned i = 0; builtin_scenarios[i]; i++) {
        add_json(b, builtin_scenarios[i], NULL);
    }
    for (const LibraryBug *bug = library_bugs; bug->scenario; bug++) {
        add_json(b, bug->scenario, bug);
    }
    json_builder_end_array(b);
    cli_print_json(b);
}

int cmd_scenarios(int argc, char **argv)
{
    static CommonOptions common;
    int status = cli_parse(&argc, &argv, "", "Lists the built-in scenarios, "
                           "their variants and parameters,\nand the "
                           "library of QEMU's deadlocks.", NULL, &common);

    if (status >= 0) {
        return status;
    }
    if (!cli_open_output(&common, NULL)) {
        return STATUS_BAD_INPUT;
    }
    if (common.json) {
        print_all_json();
    } else {
        print_all();
    }
    return STATUS_OK;
}
