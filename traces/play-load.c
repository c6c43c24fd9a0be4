/* SPDX-License-Identifier: MIT */
/* From a trace to a plan: which records, to where, and when. */
#include "play-plan.h"

#include "log-sql.h"
#include "store.h"

#include <sys/mman.h>

enum { TARGETS_MAX = 255 };

/* ---- Which records ---- */

/* Does the statement call a function that has another value each time? */
static bool is_of_chance(Log *log, const char *sql)
{
    static const char *const functions[] = {
        "random(", "randomblob(", "current_time(", "current_date(",
        "current_timestamp(",
    };
    g_autofree char *explain = g_strdup_printf("EXPLAIN %s", sql);
    LogSql *program = log_sql_new(log, explain);
    bool found = false;

    while (log_sql_row(program)) {
        const char *opcode = log_sql_get_text(program, 1);
        const char *callee = log_sql_get_text(program, 5);

        for (unsigned i = 0; callee && g_str_has_prefix(opcode, "Func") &&
                             i < ARRAY_SIZE(functions); i++) {
            found |= g_str_has_prefix(callee, functions[i]);
        }
    }
    log_sql_free(program);
    return found;
}

/* --where: the condition, with the columns of one record. */
static LogSql *condition_new(Log *log, const char *where, Error **errp)
{
    g_autofree char *sql = g_strdup_printf(
        "SELECT 1 FROM (SELECT ?1 AS seq, ?2 AS start_ns, ?3 AS op, "
        "?4 AS \"offset\", ?5 AS bytes, ?6 AS device, ?7 AS comm, ?8 AS pid, "
        "?9 AS tid, ?10 AS cpu, ?11 AS latency_ns, ?12 AS error) "
        "WHERE CASE WHEN %s\n THEN 1 END", where);
    g_autofree char *checked = NULL;
    Error *err = NULL;

    /* The log keeps errors for itself; this one is the user's. */
    checked = log_query(log, sql, &err);
    if (err) {
        error_setg(errp, "where=%s: not an SQL condition; the columns are seq, "
                   "start_ns, op, offset, bytes, device, comm, pid, tid, cpu, "
                   "latency_ns and error", where);
        error_free(err);
        return NULL;
    }
    if (is_of_chance(log, sql)) {
        error_setg(errp, "where=%s: must choose the same records in each run, "
                   "and random() and the time do not; seq %% 10 = 0 takes "
                   "each tenth", where);
        return NULL;
    }
    return log_sql_new(log, sql);
}

bool play_where_check(const PlayConfig *config, Error **errp)
{
    Log *log = *config->where ? log_open(config->trace, errp) : NULL;
    LogSql *condition = log ? condition_new(log, config->where, errp) : NULL;
    bool ok = condition || !*config->where;

    log_sql_free(condition);
    log_close(log, NULL);
    return ok;
}

typedef struct Loader {
    const PlayConfig *config;
    PlayPlan *plan;
    Log *log;
    TraceReader *reader;
    TraceNames *names;
    LogSql *condition; /* or NULL */
    TraceAt at;
    PlayTimes *times;  /* of the plan's requests */
    size_t times_mapped; /* bytes */
    GHashTable *map;   /* device -> file, or "-" */
    int *target_of;    /* by device: a target, -1: not known, -2: left out */
} Loader;

static void bind_time(LogSql *sql, int index, int64_t ns)
{
    if (ns == TRACE_NO_TIME) {
        log_sql_text(sql, index, NULL);
    } else {
        log_sql_int(sql, index, ns);
    }
}

static bool meets_condition(Loader *l, uint64_t number, const TraceRecord *r)
{
    TraceProcess process;
    bool met;

    if (!l->condition) {
        return true;
    }
    process = trace_process_name(l->names, r->process);
    log_sql_int(l->condition, 1, number);
    bind_time(l->condition, 2, trace_record_start(r, l->at));
    log_sql_text(l->condition, 3, trace_op_names[r->op]);
    log_sql_int(l->condition, 4, r->offset);
    log_sql_int(l->condition, 5, r->bytes);
    log_sql_text(l->condition, 6, trace_device_name(l->names, r->device));
    log_sql_text(l->condition, 7, process.comm);
    log_sql_int(l->condition, 8, process.pid);
    log_sql_int(l->condition, 9, process.tid);
    log_sql_int(l->condition, 10, r->cpu);
    bind_time(l->condition, 11, trace_record_latency(r, l->at));
    log_sql_int(l->condition, 12, r->error);
    met = log_sql_row(l->condition);
    log_sql_reset(l->condition);
    return met;
}

static bool in_window(const Loader *l, const TraceRecord *r)
{
    int64_t start = trace_record_start(r, l->at);

    return start == TRACE_NO_TIME ||
           (start >= l->config->from_ns && start < l->config->to_ns);
}

/* ---- To where ---- */

static GHashTable *parse_map(const char *text)
{
    GHashTable *map = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                            g_free);
    g_auto(GStrv) lines = g_strsplit(text, "\n", 0);

    for (char **line = lines; *line; line++) {
        char *equals = strchr(*line, '=');

        if (equals) {
            g_hash_table_insert(map, g_strndup(*line, equals - *line),
                                g_strdup(equals + 1));
        }
    }
    return map;
}

/* -2: it is left out. */
static int find_target(Loader *l, const char *device)
{
    const char *path = g_hash_table_lookup(l->map, device);
    GArray *targets = l->plan->targets;
    PlayTarget target = {.first_written = UINT64_MAX};

    if (!path && !*l->config->device) {
        path = g_hash_table_lookup(l->map, "*");
    }
    if (path ? g_str_equal(path, "-") : !*l->config->device) {
        return -2;
    }
    if (targets->len == TARGETS_MAX) {
        return -2;
    }
    while (path && target.file < targets->len &&
           g_strcmp0(g_array_index(targets, PlayTarget, target.file).path,
                     path) != 0) {
        target.file++;
    }
    target.file = path ? target.file : targets->len;
    target.device = g_strdup(device);
    target.path = g_strdup(path);
    g_array_append_val(targets, target);
    return targets->len - 1;
}

static bool has_device(const Loader *l, const char *device)
{
    for (unsigned i = 0; i < l->names->devices->len; i++) {
        if (g_str_equal(trace_device_name(l->names, i), device)) {
            return true;
        }
    }
    return false;
}

/* What --map names must be in the trace. */
static bool check_map(const Loader *l, Error **errp)
{
    g_autoptr(GString) known = g_string_new(NULL);
    GHashTableIter iter;
    gpointer device;

    for (unsigned i = 0; i < MIN(l->names->devices->len, 8); i++) {
        g_string_append_printf(known, "%s%s", i ? ", " : "",
                               trace_device_name(l->names, i));
    }
    g_hash_table_iter_init(&iter, l->map);
    while (g_hash_table_iter_next(&iter, &device, NULL)) {
        if (!g_str_equal(device, "*") && !has_device(l, device)) {
            error_setg(errp, "map=%s: the trace has no such device; it has %s",
                       (const char *)device, known->str);
            return false;
        }
    }
    return true;
}

static int target_of(Loader *l, uint32_t device)
{
    if (device >= l->names->devices->len) {
        return -2;
    }
    if (l->target_of[device] == -1) {
        l->target_of[device] = find_target(
            l, trace_device_name(l->names, device));
    }
    return l->target_of[device];
}

static void note_range(PlayTarget *target, const PlayRequest *r)
{
    target->requests++;
    if (!trace_op_has_range(r->op)) {
        return;
    }
    target->end = MAX(target->end, r->offset + r->bytes);
    if (r->op == TRACE_READ) {
        return;
    }
    target->first_written = MIN(target->first_written, r->offset);
    target->end_written = MAX(target->end_written, r->offset + r->bytes);
    if (r->op == TRACE_DISCARD) {
        target->discards++;
    } else {
        target->writes++;
        target->written_bytes += r->bytes;
    }
}

/* ---- When ---- */

static void add_request(Loader *l, uint64_t number, const TraceRecord *record,
                        int target)
{
    PlayPlan *plan = l->plan;
    int64_t start = trace_record_start(record, l->at);
    PlayRequest *r = &plan->requests[plan->n];

    l->times[plan->n++] = (PlayTimes){start, record->complete_ns,
                                      record->process};
    *r = (PlayRequest){
        .record = number, .offset = record->offset, .bytes = record->bytes,
        .op = record->op, .flags = record->flags, .target = target,
        .result = PLAY_WAITING,
    };
    if (start != TRACE_NO_TIME) {
        r->at_ns = play_at_speed(start - l->config->from_ns,
                                 l->config->speed);
    }
    plan->ops[record->op]++;
    note_range(&g_array_index(plan->targets, PlayTarget, target), r);
}

static bool is_playable(const TraceRecord *r)
{
    uint16_t unknown = TRACE_QUALITY_OFFSET_NONE | TRACE_QUALITY_SIZE_NONE;

    return !trace_op_has_range(r->op) ||
           (!(r->quality & unknown) && r->bytes &&
            r->offset <= INT64_MAX - r->bytes);
}

static bool read_records(Loader *l, Error **errp)
{
    PlayPlan *plan = l->plan;
    Error *err = NULL;
    TraceRecord record;

    for (uint64_t number = 1; trace_reader_next(l->reader, &record, &err);
         number++) {
        int target;

        if (!in_window(l, &record) || !meets_condition(l, number, &record) ||
            (target = target_of(l, record.device)) < 0) {
            plan->left_out++;
        } else if (!is_playable(&record)) {
            plan->unsized++;
        } else {
            add_request(l, number, &record, target);
        }
    }
    error_propagate(errp, err);
    return !err;
}

static bool open_trace(Loader *l, Error **errp)
{
    const char *clock;

    l->log = log_open(l->config->trace, errp);
    l->reader = l->log ? trace_reader_open(l->log, errp) : NULL;
    if (!l->reader) {
        return false;
    }
    l->at = trace_reader_at(l->reader);
    l->names = trace_names_load(l->log);
    l->target_of = g_new(int, l->names->devices->len + 1);
    for (unsigned i = 0; i < l->names->devices->len; i++) {
        l->target_of[i] = -1;
    }
    clock = log_meta(l->log, "trace.clock");
    l->plan->clock = g_strdup(clock ? clock : "none");
    if (g_str_equal(l->plan->clock, "none") &&
        l->config->timing != PLAY_ASAP) {
        error_setg(errp, "the trace has no times, only an order; play it with "
                   "--asap");
        return false;
    }
    if (!check_map(l, errp)) {
        return false;
    }
    if (*l->config->where) {
        l->condition = condition_new(l->log, l->config->where, errp);
        return l->condition != NULL;
    }
    return true;
}

static bool make_room(Loader *l, bool shared, Error **errp)
{
    PlayPlan *plan = l->plan;
    uint64_t n;

    plan->records = trace_reader_count(l->reader);
    n = MAX((uint64_t)plan->records, 1) * l->config->loops;
    if (n > UINT32_MAX - 1) {
        error_setg(errp, "%" PRIu64 " requests are more than one play can "
                   "have; choose a window, or fewer loops", n);
        return false;
    }
    plan->mapped = n * sizeof(PlayRequest);
    plan->requests = play_plan_map(plan->mapped, shared, errp);
    plan->outcome = plan->requests
        ? play_plan_map(sizeof(*plan->outcome), shared, errp) : NULL;
    if (!plan->outcome) {
        return false;
    }
    l->times_mapped = MAX(plan->records, 1) * sizeof(PlayTimes);
    l->times = play_plan_map(l->times_mapped, true, errp); /* not copied */
    return l->times != NULL;
}

static void loader_finish(Loader *l)
{
    if (l->times) {
        munmap(l->times, l->times_mapped);
    }
    g_hash_table_destroy(l->map);
    g_free(l->target_of);
    log_sql_free(l->condition);
    trace_names_free(l->names);
    trace_reader_free(l->reader);
    log_close(l->log, NULL);
}

PlayPlan *play_plan_load(const PlayConfig *config, bool shared, Error **errp)
{
    Loader l = {
        .config = config, .plan = g_new0(PlayPlan, 1),
        .map = parse_map(config->map),
    };
    PlayPlan *plan = l.plan;
    bool ok;

    plan->targets = g_array_new(false, false, sizeof(PlayTarget));
    ok = open_trace(&l, errp) && make_room(&l, shared, errp) &&
         read_records(&l, errp);
    if (ok && !plan->n) {
        error_setg(errp, "none of its %zu records is to be played; look at "
                   "--window, --where and --map", plan->records);
        ok = false;
    }
    if (ok) {
        plan->per_loop = plan->n;
        play_plan_order(plan, config, l.times);
    }
    loader_finish(&l);
    if (!ok) {
        play_plan_free(plan);
        return NULL;
    }
    return plan;
}
