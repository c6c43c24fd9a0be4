/* SPDX-License-Identifier: MIT */
/* Following descriptors through what a program did with them. */
#include "open-files.h"

/* Where the table of the first thread is found by those whose beginning was not
 * seen. */
#define FIRST_THREAD GINT_TO_POINTER(-2)

struct OpenFiles {
    GHashTable *tables; /* tid -> table of descriptors, which may be shared */
};

static void drop_file(gpointer opaque)
{
    OpenFile *file = opaque;

    if (!--file->users) {
        g_free(file->path);
        g_free(file);
    }
}

static GHashTable *table_new(void)
{
    return g_hash_table_new_full(NULL, NULL, NULL, drop_file);
}

OpenFiles *open_files_new(void)
{
    OpenFiles *files = g_new0(OpenFiles, 1);

    files->tables = g_hash_table_new_full(NULL, NULL, NULL,
                                          (GDestroyNotify)g_hash_table_unref);
    return files;
}

void open_files_free(OpenFiles *files)
{
    g_hash_table_destroy(files->tables);
    g_free(files);
}

static GHashTable *table_of(OpenFiles *files, int64_t tid)
{
    GHashTable *table = g_hash_table_lookup(files->tables,
                                            GINT_TO_POINTER(tid));

    if (!table) {
        table = g_hash_table_lookup(files->tables, FIRST_THREAD);
        table = table ? g_hash_table_ref(table) : table_new();
        if (!g_hash_table_size(files->tables)) {
            g_hash_table_insert(files->tables, FIRST_THREAD,
                                g_hash_table_ref(table));
        }
        g_hash_table_insert(files->tables, GINT_TO_POINTER(tid), table);
    }
    return table;
}

static void set_file(GHashTable *table, int64_t fd, OpenFile *file)
{
    file->users++;
    g_hash_table_insert(table, GINT_TO_POINTER(fd), file);
}

OpenFile *open_files_find(OpenFiles *files, int64_t tid, int64_t fd)
{
    return g_hash_table_lookup(table_of(files, tid), GINT_TO_POINTER(fd));
}

OpenFile *open_files_open(OpenFiles *files, int64_t tid, int64_t fd, Word path)
{
    OpenFile *file = g_new0(OpenFile, 1);

    file->named = path.len > 0;
    file->path = path.len ? g_strndup(path.text, path.len)
                          : g_strdup_printf("fd %" PRId64, fd);
    set_file(table_of(files, tid), fd, file);
    return file;
}

OpenFile *open_files_get(OpenFiles *files, int64_t tid, int64_t fd, Word path)
{
    OpenFile *file = open_files_find(files, tid, fd);

    if (!file || (path.len && file->named && !word_is(path, file->path))) {
        return open_files_open(files, tid, fd, path);
    }
    if (path.len && !file->named) {
        g_free(file->path);
        file->path = g_strndup(path.text, path.len);
        file->named = true;
        file->other = false;
    }
    return file;
}

void open_files_dup(OpenFiles *files, int64_t tid, int64_t from, int64_t to)
{
    OpenFile *file = open_files_find(files, tid, from);

    if (file && from != to) {
        set_file(table_of(files, tid), to, file);
    }
}

void open_files_close(OpenFiles *files, int64_t tid, int64_t fd)
{
    g_hash_table_remove(table_of(files, tid), GINT_TO_POINTER(fd));
}

void open_files_fork(OpenFiles *files, int64_t parent, int64_t child,
                     bool shared)
{
    GHashTable *from = table_of(files, parent), *to;
    GHashTableIter iter;
    gpointer fd, file;

    if (shared) {
        to = g_hash_table_ref(from);
    } else {
        to = table_new();
        g_hash_table_iter_init(&iter, from);
        while (g_hash_table_iter_next(&iter, &fd, &file)) {
            set_file(to, GPOINTER_TO_INT(fd), file);
        }
    }
    g_hash_table_insert(files->tables, GINT_TO_POINTER(child), to);
}
