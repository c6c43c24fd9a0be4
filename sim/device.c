/* SPDX-License-Identifier: MIT */
/* Models of devices; see device.h. */
#include "device.h"

#include "qemu/iov.h"
#include "sim.h"
#include "sim-internal.h"

#include <linux/falloc.h>
#include <math.h>

typedef enum ModelOp {
    MODEL_READ, MODEL_WRITE, MODEL_FLUSH, MODEL_DISCARD, MODEL_ZEROES,
    MODEL_OPS,
} ModelOp;

static const char *const op_names[MODEL_OPS] = {
    "read", "write", "flush", "discard", "zeroes",
};

enum { SLOTS_MAX = 1024, TIMES_MAX = 64 };
#define TIME_MAX_NS 1000000000000000000LL

/* What a request of at most @up_to bytes takes: one of @times. */
typedef struct ModelRow {
    ModelOp op;
    uint64_t up_to;
    unsigned n;
    int64_t times[TIMES_MAX];
} ModelRow;

struct SimModel {
    uint64_t size;
    unsigned slots;
    int64_t free_at[SLOTS_MAX]; /* a heap: which slot it is is all the same */
    bool moves;      /* a head goes to where the data is */
    uint64_t head;   /* where it stands */
    unsigned jitter_percent;
    int64_t base_ns[MODEL_OPS], ns_per_mib[MODEL_OPS];
    GArray *rows;    /* of ModelRow; or NULL */
};

/* ---- What takes how long ---- */

/* A disk of 7,200 turns a minute. */
enum {
    TURN_NS = 8333333, SETTLE_NS = 600000, STROKE_NS = 9000000,
};

/* The head moves, waits until the sector comes round, and is there. */
static int64_t seek_ns(const SimModel *model, uint64_t offset, int64_t begin)
{
    uint64_t distance = offset > model->head ? offset - model->head
                                             : model->head - offset;
    int64_t move, angle;

    if (!distance) {
        return 0;
    }
    move = SETTLE_NS + (int64_t)(STROKE_NS *
                                 sqrt((double)distance / MAX(model->size, 1)));
    angle = (int64_t)((offset >> 9) % 2048 * TURN_NS / 2048);
    return move + (angle + TURN_NS - (begin + move) % TURN_NS) % TURN_NS;
}

static int64_t row_ns(const SimModel *model, ModelOp op, uint64_t bytes,
                      uint64_t *rng)
{
    for (unsigned i = 0; i < model->rows->len; i++) {
        const ModelRow *row = &g_array_index(model->rows, ModelRow, i);

        if (row->op == op && bytes <= row->up_to) {
            return row->times[row->n > 1 ? sim_random(rng) % row->n : 0];
        }
    }
    return 0;
}

static int64_t jitter(const SimModel *model, int64_t ns, uint64_t *rng)
{
    int64_t spread = ns * model->jitter_percent / 100;

    return spread ? ns + (int64_t)(sim_random(rng) % (2 * spread + 1)) - spread
                  : ns;
}

static ModelOp op_of(const struct io_uring_sqe *sqe)
{
    switch (sqe->opcode) {
    case IORING_OP_READ:
    case IORING_OP_READV:
        return MODEL_READ;
    case IORING_OP_WRITE:
    case IORING_OP_WRITEV:
        return MODEL_WRITE;
    case IORING_OP_FALLOCATE:
        return sqe->len & FALLOC_FL_PUNCH_HOLE ? MODEL_DISCARD : MODEL_ZEROES;
    default:
        return MODEL_FLUSH;
    }
}

static uint64_t bytes_of(const struct io_uring_sqe *sqe)
{
    switch (sqe->opcode) {
    case IORING_OP_READV:
    case IORING_OP_WRITEV:
        return iov_size((void *)(uintptr_t)sqe->addr, sqe->len);
    case IORING_OP_FALLOCATE:
        return sqe->addr;
    case IORING_OP_FSYNC:
        return 0;
    default:
        return sqe->len;
    }
}

static int64_t service_ns(SimModel *model, const struct io_uring_sqe *sqe,
                          int64_t begin, uint64_t *rng)
{
    ModelOp op = op_of(sqe);
    uint64_t bytes = bytes_of(sqe);
    int64_t ns;

    if (model->rows) {
        return row_ns(model, op, bytes, rng);
    }
    ns = jitter(model, model->base_ns[op], rng) +
         (int64_t)((double)model->ns_per_mib[op] * bytes / (1 << 20));
    if (model->moves && (op == MODEL_READ || op == MODEL_WRITE)) {
        ns += seek_ns(model, sqe->off, begin);
        model->head = sqe->off + bytes;
    }
    return ns;
}

/* The slot that was free first has work until @until: a step in the heap. */
static void occupy_first(SimModel *model, int64_t until)
{
    unsigned at = 0, child;

    for (; (child = 2 * at + 1) < model->slots; at = child) {
        child += child + 1 < model->slots &&
                 model->free_at[child + 1] < model->free_at[child];
        if (model->free_at[child] >= until) {
            break;
        }
        model->free_at[at] = model->free_at[child];
    }
    model->free_at[at] = until;
}

int64_t sim_model_done(SimModel *model, const struct io_uring_sqe *sqe,
                       int64_t now, uint64_t *rng)
{
    /* Times of a table may be so long that they add up to no number. */
    int64_t begin = MIN(MAX(now, model->free_at[0]), INT64_MAX / 2);
    int64_t done = begin + service_ns(model, sqe, begin, rng);

    occupy_first(model, done);
    return done;
}

/* ---- Tables ---- */

bool sim_time_parse(const char *text, int64_t *ns)
{
    static const struct {
        const char *name;
        int64_t scale;
    } units[] = {
        {"", 1}, {"ns", 1}, {"us", SCALE_US}, {"ms", SCALE_MS},
        {"s", NANOSECONDS_PER_SECOND},
    };
    char *end;
    double value = g_ascii_strtod(text, &end);

    for (unsigned i = 0; end > text && i < ARRAY_SIZE(units); i++) {
        if (g_str_equal(end, units[i].name)) {
            value = value * units[i].scale + 0.5;
            if (!(value >= 0 && value < TIME_MAX_NS)) {
                return false;
            }
            *ns = (int64_t)value;
            return true;
        }
    }
    return false;
}

static bool parse_size(const char *text, uint64_t *bytes)
{
    static const char suffixes[] = "kMG";
    char *end;
    const char *suffix;

    if (g_str_equal(text, "max")) {
        *bytes = UINT64_MAX;
        return true;
    }
    *bytes = g_ascii_strtoull(text, &end, 10);
    suffix = *end ? strchr(suffixes, *end) : NULL;
    if (suffix && end > text) {
        unsigned shift = 10 * (suffix - suffixes + 1);

        if (*bytes > UINT64_MAX >> shift) {
            return false;
        }
        *bytes <<= shift;
        end++;
    }
    return end > text && !*end;
}

static bool parse_row(SimModel *model, char **words, unsigned n)
{
    ModelRow row = {.op = 0, .n = 0};

    while (row.op < MODEL_OPS && !g_str_equal(words[0], op_names[row.op])) {
        row.op++;
    }
    if (row.op == MODEL_OPS || n < 3 || n - 2 > TIMES_MAX ||
        !parse_size(words[1], &row.up_to)) {
        return false;
    }
    for (; row.n < n - 2; row.n++) {
        if (!sim_time_parse(words[row.n + 2], &row.times[row.n])) {
            return false;
        }
    }
    g_array_append_val(model->rows, row);
    return true;
}

static bool parse_line(SimModel *model, char *line)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    char *save = NULL;

    line[strcspn(line, "#\r")] = 0;
    for (char *word = strtok_r(line, " \t", &save); word;
         word = strtok_r(NULL, " \t", &save)) {
        g_ptr_array_add(words, word);
    }
    if (!words->len) {
        return true;
    }
    if (g_str_equal(words->pdata[0], "slots")) {
        model->slots = words->len == 2 ? atoi(words->pdata[1]) : 0;
        return model->slots >= 1 && model->slots <= SLOTS_MAX;
    }
    return parse_row(model, (char **)words->pdata, words->len);
}

/* An operation that has rows has one for whatever is larger than the others. */
static bool has_last_rows(const SimModel *model, const char *path,
                          Error **errp)
{
    bool any[MODEL_OPS] = {false}, last[MODEL_OPS] = {false};

    for (unsigned i = 0; i < model->rows->len; i++) {
        const ModelRow *row = &g_array_index(model->rows, ModelRow, i);

        any[row->op] = true;
        last[row->op] |= row->up_to == UINT64_MAX;
    }
    for (unsigned op = 0; op < MODEL_OPS; op++) {
        if (any[op] && !last[op]) {
            error_setg(errp, "%s: says nothing of larger %ss; add a row such "
                       "as '%s max 1ms'", path, op_names[op], op_names[op]);
            return false;
        }
    }
    return true;
}

static bool parse_table(SimModel *model, const char *path, const char *text,
                        Error **errp)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", 0);

    for (unsigned i = 0; lines[i]; i++) {
        if (!parse_line(model, lines[i])) {
            error_setg(errp, "%s: not a latency table (line %u); rows are "
                       "'read 4k 80us 90us', 'write max 1ms' or 'slots 4'",
                       path, i + 1);
            return false;
        }
    }
    if (!model->rows->len) {
        error_setg(errp, "%s: not a latency table (it has no rows); write "
                   "one such as 'read max 80us'", path);
        return false;
    }
    return has_last_rows(model, path, errp);
}

static bool load_table(SimModel *model, const char *path, Error **errp)
{
    g_autofree char *text = NULL;
    GError *gerr = NULL;

    if (g_file_test(path, G_FILE_TEST_EXISTS) &&
        !g_file_test(path, G_FILE_TEST_IS_REGULAR)) {
        error_setg(errp, "%s: is no file, and so no latency table", path);
        return false;
    }
    if (!g_file_get_contents(path, &text, NULL, &gerr)) {
        error_setg(errp, "%s: no such device model (%s); say null, ssd, hdd "
                   "or the path of a latency table", path, gerr->message);
        g_error_free(gerr);
        return false;
    }
    model->slots = 1;
    model->rows = g_array_new(false, false, sizeof(ModelRow));
    return parse_table(model, path, text, errp);
}

/* ---- Models ---- */

static const SimModel ssd = {
    .slots = 32, .jitter_percent = 25,
    .base_ns = {70000, 18000, 200000, 40000, 40000},
    .ns_per_mib = {320000, 500000, 0, 1000, 1000},
};

static const SimModel hdd = {
    .slots = 1, .moves = true,
    .base_ns = {100000, 100000, 4000000, 100000, 100000},
    .ns_per_mib = {5600000, 5600000, 0, 1000, 1000},
};

SimModel *sim_model_new(const char *name, uint64_t size, Error **errp)
{
    SimModel *model = g_new0(SimModel, 1);

    if (g_str_equal(name, "ssd")) {
        *model = ssd;
    } else if (g_str_equal(name, "hdd")) {
        *model = hdd;
    } else if (!load_table(model, name, errp)) {
        sim_model_free(model);
        return NULL;
    }
    model->size = size;
    return model;
}

void sim_model_free(SimModel *model)
{
    if (model) {
        if (model->rows) {
            g_array_free(model->rows, true);
        }
        g_free(model);
    }
}

/* ---- Names of files ---- */

SimFileName sim_file_name_parse(const char *name)
{
    g_auto(GStrv) parts = g_strsplit(name, ":", 5);
    SimFileName parsed = {.is_device = false};

    if (g_strv_length(parts) == 5 && g_str_equal(parts[0], "device")) {
        parsed.is_device = true;
        parsed.size = g_ascii_strtoll(parts[1], NULL, 10);
        parsed.hollow = g_str_equal(parts[2], "hollow");
        parsed.model = name + strlen(name) - strlen(parts[4]);
    }
    return parsed;
}

/* ---- The device of the configuration ---- */

const SimDevice sim_device_ssd = {
    .read_ns = 60000, .write_ns = 25000, .flush_ns = 200000, .nop_ns = 1000,
    .jitter_percent = 25,
};

int64_t sim_latency(const struct io_uring_sqe *sqe)
{
    const SimDevice *device = sim.config.device;
    SimModel *model = sqe->opcode == IORING_OP_NOP ? NULL
                                                   : sim_file_model(sqe->fd);
    int64_t ns, spread;

    sim_access(&sim.now, SIM_OWN_READ);
    if (model) {
        sim_access(model, SIM_OWN_WRITE);
        return sim_model_done(model, sqe, sim.now, &sim.rng) - sim.now;
    }
    switch (sqe->opcode) {
    case IORING_OP_NOP:
        return device->nop_ns; /* no device is involved: no jitter */
    case IORING_OP_READ:
    case IORING_OP_READV:
        ns = device->read_ns;
        break;
    case IORING_OP_WRITE:
    case IORING_OP_WRITEV:
        ns = device->write_ns;
        break;
    default:
        ns = device->flush_ns;
        break;
    }
    spread = ns * device->jitter_percent / 100;
    if (spread) {
        sim_access(&sim.rng, SIM_OWN_WRITE);
        ns += (int64_t)(sim_random(&sim.rng) % (2 * spread + 1)) - spread;
    }
    return ROUND_UP(ns, 1000);
}
