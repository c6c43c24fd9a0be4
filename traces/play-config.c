/* SPDX-License-Identifier: MIT */
/* From the parameters of a play, as text, to what they mean. */
#include "play-config.h"

#include "device.h"

const ScenarioParam play_params[] = {
#define X(name, value, help) {name, value, help},
    PLAY_PARAMS(X)
#undef X
    {NULL}
};

const char *const play_timing_names[PLAY_TIMINGS] = {
    "captured", "asap", "closed-loop", "dependencies", "match-depth",
};
static const char *const lag_names[] = {"catch-up", "slip", "drop", NULL};
static const char *const fold_names[] = {"", "wrap", "scale", "skip", NULL};
static const char *const waiter_names[] = {
    "auto", "sleep", "hybrid", "spin", NULL,
};

typedef struct Parse {
    PlayGet *get;
    const void *opaque;
    Error **errp;
    bool ok;
} Parse;

static void G_GNUC_PRINTF_(2, 3) complain(Parse *p, const char *fmt, ...)
{
    va_list ap;

    if (p->ok) {
        g_autofree char *text = NULL;

        va_start(ap, fmt);
        text = g_strdup_vprintf(fmt, ap);
        va_end(ap);
        error_setg(p->errp, "%s", text);
        p->ok = false;
    }
}

static const char *get(Parse *p, const char *name)
{
    return p->get(p->opaque, name);
}

/* ---- Values ---- */

static int64_t get_int(Parse *p, const char *name, int64_t least, int64_t most)
{
    const char *text = get(p, name);
    int64_t value = 0;

    if (!g_ascii_string_to_signed(text, 10, least, most, &value, NULL)) {
        complain(p, "%s=%s: say a number from %" PRId64 " to %" PRId64, name,
                 text, least, most);
    }
    return value;
}

static int64_t time_of(Parse *p, const char *name, const char *text)
{
    int64_t ns = 0;

    if (!sim_time_parse(text, &ns)) {
        complain(p, "%s: '%s' is no time; write one such as 250us, 20ms or "
                 "1.5s", name, text);
    }
    return ns;
}

static int get_word(Parse *p, const char *name, const char *const *words)
{
    const char *text = get(p, name);
    g_autofree char *all = NULL;

    for (int i = 0; words[i]; i++) {
        if (g_str_equal(words[i], text)) {
            return i;
        }
    }
    all = g_strjoinv(", ", (char **)words + !*words[0]);
    complain(p, "%s=%s: say one of %s", name, text, all);
    return 0;
}

static double get_speed(Parse *p)
{
    const char *text = get(p, "speed");
    char *end;
    double value = g_ascii_strtod(text, &end);

    if (end == text || *end || !(value >= 1e-6 && value <= 1e6)) {
        complain(p, "speed=%s: say a factor, such as 2 or 0.5", text);
        value = 1;
    }
    return value;
}

static void parse_window(PlayConfig *c, Parse *p)
{
    const char *text = get(p, "window");
    const char *dots = strstr(text, "..");
    g_autofree char *from = dots ? g_strndup(text, dots - text) : NULL;

    c->from_ns = 0;
    c->to_ns = INT64_MAX;
    if (!*text) {
        return;
    }
    if (!dots) {
        complain(p, "window=%s: say A..B, such as 10s..20s, or 10s..", text);
        return;
    }
    if (*from) {
        c->from_ns = time_of(p, "window", from);
    }
    if (dots[2]) {
        c->to_ns = time_of(p, "window", dots + 2);
    }
    if (c->from_ns >= c->to_ns) {
        complain(p, "window=%s: ends before it begins", text);
    }
}

/* ---- Drains and faults ---- */

static int by_time(gconstpointer a, gconstpointer b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

static void add_drain(PlayConfig *c, Parse *p, const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, "+", 2);
    PlayDrain drain = {.at_ns = time_of(p, "drain", parts[0])};

    if (parts[1]) {
        drain.hold_ns = time_of(p, "drain", parts[1]);
    }
    g_array_append_val(c->drains, drain);
}

static int errno_of(const char *name)
{
    static const struct {
        const char *name;
        int value;
    } errors[] = {
        {"EIO", EIO}, {"ENOSPC", ENOSPC}, {"EAGAIN", EAGAIN},
        {"ETIMEDOUT", ETIMEDOUT}, {"ENOMEM", ENOMEM}, {"EPERM", EPERM},
        {"EROFS", EROFS}, {"ENODEV", ENODEV}, {"EINVAL", EINVAL},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(errors); i++) {
        if (g_str_equal(errors[i].name, name)) {
            return errors[i].value;
        }
    }
    return 0;
}

static void add_fault(PlayConfig *c, Parse *p, const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, ":", 4);
    unsigned n = g_strv_length(parts);
    PlayFault fault = {.op = TRACE_OP_MAX, .count = 1};

    if (n < 2 || !(fault.error = errno_of(parts[1]))) {
        complain(p, "fault=%s: say AT:ERROR, such as 1.5s:EIO, and :OP and "
                 ":COUNT if you like", text);
        return;
    }
    fault.at_ns = time_of(p, "fault", parts[0]);
    if (n > 2 && *parts[2]) {
        fault.op = trace_op_find(parts[2]);
        if (fault.op == TRACE_OP_MAX) {
            complain(p, "fault=%s: '%s' is no operation; there are read, "
                     "write, flush, discard and write-zeroes", text, parts[2]);
        }
    }
    if (n > 3) {
        guint64 count = 0;

        if (!g_ascii_string_to_unsigned(parts[3], 10, 1, UINT32_MAX, &count,
                                        NULL)) {
            complain(p, "fault=%s: '%s' is no count", text, parts[3]);
        }
        fault.count = count;
    }
    g_array_append_val(c->faults, fault);
}

static void parse_list(PlayConfig *c, Parse *p, const char *name,
                       void (*add)(PlayConfig *c, Parse *p, const char *text))
{
    g_auto(GStrv) lines = g_strsplit(get(p, name), "\n", 0);

    for (char **line = lines; *line; line++) {
        if (**line) {
            add(c, p, *line);
        }
    }
}

static void parse_lists(PlayConfig *c, Parse *p)
{
    c->drains = g_array_new(false, false, sizeof(PlayDrain));
    c->faults = g_array_new(false, false, sizeof(PlayFault));
    parse_list(c, p, "drain", add_drain);
    parse_list(c, p, "fault", add_fault);
    g_array_sort(c->drains, by_time); /* times stand first in both */
    g_array_sort(c->faults, by_time);
}

/* ---- All of them ---- */

/* What makes no sense together. */
static void check_target(const PlayConfig *c, Parse *p)
{
    bool null = g_str_equal(c->device, "null");

    if (g_str_equal(c->aio, "native") && !c->direct) {
        complain(p, "aio=native is for O_DIRECT; give --direct, too");
    }
    if (!*c->device && *c->driver && !g_str_equal(c->driver, "file")) {
        complain(p, "driver=%s needs no file; it goes with --device null",
                 c->driver);
    }
    if (*c->device && c->direct) {
        complain(p, "direct: is for files; a simulated device has no cache");
    }
    if (*c->device && *c->driver &&
        null != g_str_has_prefix(c->driver, "null-")) {
        complain(p, "driver=%s does not go with device=%s; null has null-co "
                 "and null-aio, the others have file", c->driver, c->device);
    }
    if (null && c->verify) {
        complain(p, "verify: device=null keeps nothing that could be checked; "
                 "ssd and hdd do");
    }
}

static void parse_target(PlayConfig *c, Parse *p)
{
    static const char *const engines[] = {
        "io_uring", "native", "threads", NULL,
    };
    static const char *const drivers[] = {
        "", "file", "null-co", "null-aio", NULL,
    };

    c->trace = get(p, "trace");
    c->map = get(p, "map");
    c->device = get(p, "device");
    c->where = get(p, "where");
    c->driver = drivers[get_word(p, "driver", drivers)];
    c->aio = engines[get_word(p, "aio", engines)];
    c->direct = get_int(p, "direct", 0, 1);
    c->write = get_int(p, "write", 0, 1);
    c->verify = get_int(p, "verify", 0, 1);
    c->seed = get_int(p, "seed", 0, INT64_MAX);
    if (!*c->trace) {
        complain(p, "trace: say which log holds the trace; 'aiolab play' makes "
                 "one of any trace");
    }
    check_target(c, p);
}

static void parse_timing(PlayConfig *c, Parse *p)
{
    static const char *words[PLAY_TIMINGS + 1];

    memcpy(words, play_timing_names, sizeof(play_timing_names));
    c->timing = get_word(p, "timing", words);
    c->lag = get_word(p, "lag", lag_names);
    c->fold = get_word(p, "fold", fold_names);
    c->waiter = get_word(p, "waiter", waiter_names);
    c->speed = get_speed(p);
    c->max_lag_ns = time_of(p, "max-lag", get(p, "max-lag"));
    c->epsilon_ns = time_of(p, "epsilon", get(p, "epsilon"));
    c->iothreads = get_int(p, "iothreads", 0, 64);
    c->depth = get_int(p, "depth", 0, 65535);
    c->loops = get_int(p, "loops", 1, 1000000);
    c->poll_max_ns = get_int(p, "poll-max-ns", -1, NANOSECONDS_PER_SECOND);
    c->aio_max_batch = get_int(p, "aio-max-batch", -1, 65535);
}

bool play_config_parse(PlayConfig *config, PlayGet *get, const void *opaque,
                       Error **errp)
{
    Parse p = {get, opaque, errp, true};

    *config = (PlayConfig){.speed = 1};
    parse_target(config, &p);
    parse_timing(config, &p);
    parse_window(config, &p);
    parse_lists(config, &p);
    return p.ok;
}

void play_config_clear(PlayConfig *config)
{
    if (config->drains) {
        g_array_free(config->drains, true);
        g_array_free(config->faults, true);
    }
    *config = (PlayConfig){.speed = 1};
}
