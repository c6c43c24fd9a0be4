/* SPDX-License-Identifier: MIT */
/* aiolab compare: two plays of the same trace, request by request. */
#include "cli.h"
#include "play-stats.h"
#include "play-store.h"
#include "report.h"

enum { SHOWN = 5 };

typedef struct Change {
    int64_t delta_ns; /* B's latency less A's */
    uint32_t record, loop;
    int64_t a_ns, b_ns;
    char op[16];
} Change;

typedef struct Comparison {
    const char *paths[2];
    Log *logs[2];
    PlayedReader *readers[2];
    uint64_t only[2], both, faster, slower, results_differ;
    Histogram latency[2], lag[2];
    GArray *changes; /* of Change */
} Comparison;

/* ---- Joining ---- */

static int order(const PlayedRequest *a, const PlayedRequest *b)
{
    return a->loop != b->loop ? (a->loop < b->loop ? -1 : 1)
         : a->record < b->record ? -1 : a->record > b->record;
}

static int64_t add_one(Comparison *c, unsigned side, const PlayedRequest *r)
{
    int64_t latency = r->completed_ns - r->issued_ns;

    histogram_add(&c->latency[side], latency);
    histogram_add(&c->lag[side], r->issued_ns - r->planned_ns);
    return latency;
}

static void add_pair(Comparison *c, const PlayedRequest *a,
                     const PlayedRequest *b)
{
    Change change = {.record = a->record, .loop = a->loop};

    c->both++;
    c->results_differ += a->result != b->result || a->done != b->done;
    if (!a->done || !b->done) {
        return;
    }
    change.a_ns = add_one(c, 0, a);
    change.b_ns = add_one(c, 1, b);
    change.delta_ns = change.b_ns - change.a_ns;
    memcpy(change.op, a->op, sizeof(change.op));
    c->faster += change.delta_ns < 0;
    c->slower += change.delta_ns > 0;
    g_array_append_val(c->changes, change);
}

static void join(Comparison *c)
{
    PlayedRequest rows[2];
    bool have[2];

    for (unsigned i = 0; i < 2; i++) {
        have[i] = played_reader_next(c->readers[i], &rows[i]);
    }
    while (have[0] || have[1]) {
        int o = !have[0] ? 1 : !have[1] ? -1 : order(&rows[0], &rows[1]);

        if (o == 0) {
            add_pair(c, &rows[0], &rows[1]);
        } else {
            c->only[o > 0]++;
        }
        if (o <= 0) {
            have[0] = played_reader_next(c->readers[0], &rows[0]);
        }
        if (o >= 0) {
            have[1] = played_reader_next(c->readers[1], &rows[1]);
        }
    }
}

static int by_delta(gconstpointer a, gconstpointer b)
{
    const Change *x = a, *y = b;

    return x->delta_ns != y->delta_ns ? (x->delta_ns < y->delta_ns ? -1 : 1)
         : x->loop != y->loop ? (x->loop < y->loop ? -1 : 1)
         : x->record < y->record ? -1 : x->record > y->record;
}

/* The least that is not below so many per cent of them, as latencies have it. */
static int64_t delta_at(const Comparison *c, double percent)
{
    double wanted = c->changes->len * percent / 100;
    unsigned rank = (unsigned)wanted + (wanted > (unsigned)wanted);

    return c->changes->len
        ? g_array_index(c->changes, Change, MAX(rank, 1) - 1).delta_ns : 0;
}

/* ---- Text ---- */

static const double parts[] = {50, 90, 99, 99.9};
static const char *const part_names[] = {"p50", "p90", "p99", "p99.9"};

static void print_time(const CommonOptions *common, int64_t ns)
{
    g_autofree char *text = report_time(ns < 0 ? -ns : ns);
    g_autofree char *with_sign = g_strconcat(ns < 0 ? "-" : "", text, NULL);

    cli_print(common, " %11s", with_sign);
}

static void print_row(const CommonOptions *common, const char *name,
                      const Histogram *h)
{
    cli_print(common, "  %-12s", name);
    for (unsigned i = 0; i < ARRAY_SIZE(parts); i++) {
        print_time(common, histogram_percentile(h, parts[i]));
    }
    print_time(common, h->most);
    cli_print(common, "\n");
}

static void print_deltas(const CommonOptions *common, const Comparison *c)
{
    cli_print(common, "  %-12s", "B - A");
    for (unsigned i = 0; i < ARRAY_SIZE(parts); i++) {
        print_time(common, delta_at(c, parts[i]));
    }
    print_time(common, delta_at(c, 100));
    cli_print(common, "\n  B is faster for %" PRIu64 ", slower for %" PRIu64
              ", the same for %" PRIu64 "; results differ for %" PRIu64 "\n",
              c->faster, c->slower, c->changes->len - c->faster - c->slower,
              c->results_differ);
}

static void print_changes(const CommonOptions *common, const Comparison *c)
{
    if (c->slower) {
        cli_print(common, "  most slower in B: record, operation, A, B\n");
    }
    for (unsigned i = 0; i < MIN(c->slower, SHOWN); i++) {
        const Change *change = &g_array_index(c->changes, Change,
                                              c->changes->len - 1 - i);

        cli_print(common, "  %9u %-12s", change->record, change->op);
        print_time(common, change->a_ns);
        print_time(common, change->b_ns);
        cli_print(common, "\n");
    }
}

static void print_text(const CommonOptions *common, const Comparison *c)
{
    cli_print(common, "A  %s\nB  %s\n", c->paths[0], c->paths[1]);
    cli_print(common, "  %" PRIu64 " requests in both, %" PRIu64
              " in A only, %" PRIu64 " in B only\n", c->both, c->only[0],
              c->only[1]);
    cli_print(common, "  %-12s", "");
    for (unsigned i = 0; i < ARRAY_SIZE(parts); i++) {
        cli_print(common, " %11s", part_names[i]);
    }
    cli_print(common, " %11s\n", "most");
    print_row(common, "latency A", &c->latency[0]);
    print_row(common, "latency B", &c->latency[1]);
    print_row(common, "lag A", &c->lag[0]);
    print_row(common, "lag B", &c->lag[1]);
    print_deltas(common, c);
    print_changes(common, c);
}

/* ---- JSON ---- */

static void json_histogram(JsonBuilder *b, const char *name,
                           const Histogram *h)
{
    json_builder_set_member_name(b, name);
    json_builder_begin_object(b);
    for (unsigned i = 0; i < ARRAY_SIZE(parts); i++) {
        cli_json_int(b, part_names[i], histogram_percentile(h, parts[i]));
    }
    cli_json_int(b, "most", h->most);
    json_builder_end_object(b);
}

static void print_json(const Comparison *c)
{
    JsonBuilder *b = json_builder_new();

    json_builder_begin_object(b);
    cli_json_string(b, "a", c->paths[0]);
    cli_json_string(b, "b", c->paths[1]);
    cli_json_int(b, "both", c->both);
    cli_json_int(b, "only_a", c->only[0]);
    cli_json_int(b, "only_b", c->only[1]);
    cli_json_int(b, "faster", c->faster);
    cli_json_int(b, "slower", c->slower);
    cli_json_int(b, "results_differ", c->results_differ);
    json_histogram(b, "latency_a", &c->latency[0]);
    json_histogram(b, "latency_b", &c->latency[1]);
    json_histogram(b, "lag_a", &c->lag[0]);
    json_histogram(b, "lag_b", &c->lag[1]);
    json_builder_set_member_name(b, "difference");
    json_builder_begin_object(b);
    for (unsigned i = 0; i < ARRAY_SIZE(parts); i++) {
        cli_json_int(b, part_names[i], delta_at(c, parts[i]));
    }
    json_builder_end_object(b);
    json_builder_end_object(b);
    cli_print_json(b);
}

/* ---- The command ---- */

static void close_all(Comparison *c)
{
    for (unsigned i = 0; i < 2; i++) {
        played_reader_free(c->readers[i]);
        log_close(c->logs[i], NULL);
    }
    if (c->changes) {
        g_array_free(c->changes, true);
    }
}

static bool open_all(Comparison *c, char **paths, Error **errp)
{
    for (unsigned i = 0; i < 2; i++) {
        c->paths[i] = paths[i];
        c->logs[i] = log_open(paths[i], errp);
        c->readers[i] = c->logs[i] ? played_reader_new(c->logs[i], errp)
                                   : NULL;
        if (!c->readers[i]) {
            return false;
        }
    }
    return true;
}

int cmd_compare(int argc, char **argv)
{
    static CommonOptions common;
    static Comparison c;
    Error *err = NULL;
    int status = cli_parse(&argc, &argv, "LOG LOG",
                           "Joins two plays of a trace, made by 'aiolab play "
                           "-o', and says what differs.", NULL, &common);

    if (status >= 0) {
        return status;
    }
    if (argc != 3) {
        cli_error("compare needs two logs of plays; see --help");
        return STATUS_USAGE;
    }
    if (!open_all(&c, argv + 1, &err)) {
        close_all(&c);
        return cli_fail(err, STATUS_BAD_INPUT);
    }
    c.changes = g_array_new(false, false, sizeof(Change));
    join(&c);
    g_array_sort(c.changes, by_delta);
    if (log_failed(c.logs[0]) || log_failed(c.logs[1])) {
        const char *failure = log_failure(c.logs[log_failed(c.logs[1])]);

        cli_error("%s", failure);
        status = STATUS_BAD_INPUT;
    } else if (!cli_open_output(&common, argv[1])) {
        status = STATUS_USAGE;
    } else {
        status = STATUS_OK;
        if (common.json) {
            print_json(&c);
        } else {
            print_text(&common, &c);
        }
    }
    close_all(&c);
    return status;
}
