/* SPDX-License-Identifier: MIT */
/* Descriptors by object; see fd-table.h. */
#include "fd-table.h"

void fd_table_init(FdTable *table)
{
    pthread_mutex_init(&table->lock, NULL);
    table->objects = g_hash_table_new_full(NULL, NULL, NULL, g_free);
}

void fd_table_finish(FdTable *table)
{
    g_hash_table_destroy(table->objects);
    pthread_mutex_destroy(&table->lock);
}

void fd_table_add(FdTable *table, int fd, uint64_t object)
{
    uint64_t *copy = g_new(uint64_t, 1);

    *copy = object;
    pthread_mutex_lock(&table->lock);
    g_hash_table_insert(table->objects, GINT_TO_POINTER(fd), copy);
    pthread_mutex_unlock(&table->lock);
}

void fd_table_forget(FdTable *table, int fd, uint64_t object)
{
    uint64_t *value;

    pthread_mutex_lock(&table->lock);
    value = g_hash_table_lookup(table->objects, GINT_TO_POINTER(fd));
    if (value && *value == object) {
        g_hash_table_remove(table->objects, GINT_TO_POINTER(fd));
    }
    pthread_mutex_unlock(&table->lock);
}

uint64_t fd_table_find(FdTable *table, int fd)
{
    uint64_t *value, object;

    if (fd == host_self()->glib.wakeup_fd) {
        return FD_TABLE_WAKEUP;
    }
    pthread_mutex_lock(&table->lock);
    value = g_hash_table_lookup(table->objects, GINT_TO_POINTER(fd));
    object = value ? *value : 0;
    pthread_mutex_unlock(&table->lock);
    return object;
}

unsigned fd_table_ordinal(FdTable *table, const GPollFD *fds, unsigned i)
{
    uint64_t object = fd_table_find(table, fds[i].fd);
    unsigned ordinal = 0;

    while (i-- > 0) {
        ordinal += fd_table_find(table, fds[i].fd) == object;
    }
    return ordinal;
}
