/* SPDX-License-Identifier: MIT */
/* Descriptors by object; see fd-table.h. */
#include "fd-table.h"

void fd_table_init(FdTable *table)
{
    g_mutex_init(&table->lock);
    table->objects = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    table->contexts = g_hash_table_new_full(NULL, NULL, NULL, g_free);
}

void fd_table_finish(FdTable *table)
{
    g_hash_table_destroy(table->objects);
    g_hash_table_destroy(table->contexts);
    g_mutex_clear(&table->lock);
}

static void insert(FdTable *table, GHashTable *where, void *key, uint64_t value)
{
    uint64_t *copy = g_new(uint64_t, 1);

    *copy = value;
    g_mutex_lock(&table->lock);
    g_hash_table_insert(where, key, copy);
    g_mutex_unlock(&table->lock);
}

static uint64_t find(FdTable *table, GHashTable *where, void *key)
{
    uint64_t *value;

    g_mutex_lock(&table->lock);
    value = g_hash_table_lookup(where, key);
    g_mutex_unlock(&table->lock);
    return value ? *value : 0;
}

void fd_table_add(FdTable *table, int fd, uint64_t object)
{
    insert(table, table->objects, GINT_TO_POINTER(fd), object);
}

void fd_table_forget(FdTable *table, int fd, uint64_t object)
{
    uint64_t *value;

    g_mutex_lock(&table->lock);
    value = g_hash_table_lookup(table->objects, GINT_TO_POINTER(fd));
    if (value && *value == object) {
        g_hash_table_remove(table->objects, GINT_TO_POINTER(fd));
    }
    g_mutex_unlock(&table->lock);
}

uint64_t fd_table_find(FdTable *table, int fd)
{
    return find(table, table->objects, GINT_TO_POINTER(fd));
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

void fd_table_monitor(FdTable *table, HostMonitor *monitor, uint64_t ctx)
{
    insert(table, table->contexts, monitor, ctx);
}

void fd_table_forget_monitor(FdTable *table, HostMonitor *monitor)
{
    g_mutex_lock(&table->lock);
    g_hash_table_remove(table->contexts, monitor);
    g_mutex_unlock(&table->lock);
}

uint64_t fd_table_context(FdTable *table, HostMonitor *monitor)
{
    return find(table, table->contexts, monitor);
}
