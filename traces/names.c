/* SPDX-License-Identifier: MIT */
/* The names that records refer to, as a reader sees them. */
#include "store.h"

#include "log-sql.h"

static void load_strings(Log *log, const char *text, GPtrArray *into)
{
    LogSql *sql = log_sql_new(log, text);

    while (log_sql_row(sql)) {
        const char *name = log_sql_get_text(sql, 0);

        g_ptr_array_add(into, g_strdup(name ? name : "?"));
    }
    log_sql_free(sql);
}

static void clear_process(gpointer process)
{
    g_free(((TraceProcess *)process)->comm);
}

static void load_processes(Log *log, GArray *into)
{
    LogSql *sql = log_sql_new(log, "SELECT comm, ifnull(pid, -1), "
                              "ifnull(tid, -1) FROM trace_process ORDER BY id");

    while (log_sql_row(sql)) {
        const char *comm = log_sql_get_text(sql, 0);
        TraceProcess process = {
            g_strdup(comm ? comm : ""), log_sql_get_int(sql, 1),
            log_sql_get_int(sql, 2),
        };

        g_array_append_val(into, process);
    }
    log_sql_free(sql);
}

TraceNames *trace_names_load(Log *log)
{
    TraceNames *names = g_new0(TraceNames, 1);

    names->devices = g_ptr_array_new_with_free_func(g_free);
    names->files = g_ptr_array_new_with_free_func(g_free);
    names->processes = g_array_new(false, true, sizeof(TraceProcess));
    g_array_set_clear_func(names->processes, clear_process);
    load_strings(log, "SELECT name FROM trace_device ORDER BY id",
                 names->devices);
    load_strings(log, "SELECT path FROM trace_file ORDER BY id", names->files);
    load_processes(log, names->processes);
    return names;
}

void trace_names_free(TraceNames *names)
{
    if (names) {
        g_ptr_array_free(names->devices, true);
        g_ptr_array_free(names->files, true);
        g_array_free(names->processes, true);
        g_free(names);
    }
}

const char *trace_device_name(const TraceNames *names, uint32_t device)
{
    return device < names->devices->len
        ? g_ptr_array_index(names->devices, device) : "?";
}

TraceProcess trace_process_name(const TraceNames *names, uint32_t process)
{
    return process < names->processes->len
        ? g_array_index(names->processes, TraceProcess, process)
        : (TraceProcess){(char *)"?", -1, -1};
}
