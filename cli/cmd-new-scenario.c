/* SPDX-License-Identifier: MIT */
/* aiolab new-scenario: a C file to begin with, which runs as it is. */
#include "cli.h"

#include <gio/gio.h>
#include <glib/gstdio.h>

enum { NAME_MAX_LENGTH = 60 };

/* What a scenario's name, and so its file's, is made of. */
static bool is_good_name(const char *name)
{
    size_t length = strlen(name);

    return g_ascii_islower(name[0]) && length <= NAME_MAX_LENGTH &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == length;
}

/* Without the template's own licence: the file will be the user's. */
static char *fill_in_template(const char *name)
{
    GBytes *template = g_resources_lookup_data(
        "/aiolab/scenario-template.c.in", G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
    g_autofree char *ident = g_strdelimit(g_strdup(name), "-", '_');
    size_t length;
    const char *data = g_bytes_get_data(template, &length);
    const char *body = memchr(data, '\n', length) + 1;
    GString *text = g_string_new_len(body, data + length - body);

    g_string_replace(text, "@NAME@", name, 0);
    g_string_replace(text, "@IDENT@", ident, 0);
    g_bytes_unref(template);
    return g_string_free(text, false);
}

/* Never over a file that is there, and never half of one. */
static int write_new(const char *path, const char *text)
{
    FILE *file = g_fopen(path, "wx");
    bool ok;

    if (!file && errno == EEXIST) {
        cli_error("%s: exists; choose another name, or remove it", path);
        return STATUS_BAD_INPUT;
    }
    if (!file) {
        cli_error("%s: cannot be written: %s", path, g_strerror(errno));
        return STATUS_MACHINE;
    }
    ok = fputs(text, file) >= 0;
    ok = fclose(file) == 0 && ok;
    if (!ok) {
        cli_error("%s: cannot be written: %s", path, g_strerror(errno));
        g_unlink(path);
        return STATUS_MACHINE;
    }
    return STATUS_OK;
}

static void print_written(const char *path, const CommonOptions *common)
{
    JsonBuilder *b;

    if (!common->json) {
        cli_print(common, "%s: written; next: aiolab explore %s\n", path,
                  path);
        return;
    }
    b = json_builder_new();
    json_builder_begin_object(b);
    cli_json_string(b, "file", path);
    json_builder_end_object(b);
    cli_print_json(b);
}

int cmd_new_scenario(int argc, char **argv)
{
    static CommonOptions common;
    int status = cli_parse(
        &argc, &argv, "NAME", "Writes NAME.c (or the file of -o): a scenario "
        "that says in comments how to put\na function into it that you "
        "suspect. It runs as it is:\n\n"
        "  aiolab explore NAME.c\n\n"
        "Exit status: 0 it is written, 2 usage, 3 the file is there already.",
        NULL, &common);
    g_autofree char *path = NULL, *text = NULL;

    if (status >= 0) {
        return status;
    }
    if (argc != 2) {
        cli_error("new-scenario needs one name; see --help");
        return STATUS_USAGE;
    }
    if (common.output && !g_str_has_suffix(common.output, ".c")) {
        cli_error("-o %s: a scenario's file ends in .c", common.output);
        return STATUS_USAGE;
    }
    if (!is_good_name(argv[1])) {
        cli_error("'%s' is no name of a scenario; take a to z, 0 to 9 and -, "
                  "a letter first, at most %d", argv[1], NAME_MAX_LENGTH);
        return STATUS_USAGE;
    }
    path = common.output ? g_strdup(common.output)
                         : g_strconcat(argv[1], ".c", NULL);
    text = fill_in_template(argv[1]);
    status = write_new(path, text);
    if (status == STATUS_OK) {
        print_written(path, &common);
    }
    return status;
}
