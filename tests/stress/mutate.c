/* SPDX-License-Identifier: MIT */
/*
 * Damages logs in N ways, each read and replayed in a fork: flipped bits, files
 * cut short, chunks that are swapped, repeated or left out, tables edited by
 * SQL, and single inputs changed with all checksums made right again.  Each
 * must end by itself, soon, and be detected or harmless; and what was planted
 * must be reported where it is.
 *
 * usage: mutate LOG WORK N SEED     WORK: a file that is written all the time
 */
#include "builtin.h"
#include "log.h"
#include "replayer.h"
#include "run.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CPU_SECONDS = 5, WALL_SECONDS = 120, NEAR = 1024, PAGE = 4096 };

typedef enum Outcome {
    IDENTICAL, DAMAGED, DIVERGED, SHORTER, RUNNING, OUTCOME_MAX
} Outcome;

static const char *const outcome_names[] = {
    "identical", "damaged", "diverged", "cut short",
};

/* What a fork has found. */
typedef struct Found {
    Outcome outcome;
    uint64_t input; /* DIVERGED: where */
} Found;

static const char *whole, *work;
static char *bytes;
static gsize size;
static Input *inputs;
static size_t n_inputs;
static Log *source;
static Found *found;
static uint64_t rng;
static unsigned totals[OUTCOME_MAX], bad;
static unsigned planted, noticed, exact, near;

static uint64_t next_random(void)
{
    rng ^= rng << 13;
    rng ^= rng >> 7;
    rng ^= rng << 17;
    return rng >> 11;
}

/* ---- One log, in a fork ---- */

static Found read_and_replay(void)
{
    Found f = {.outcome = DAMAGED};
    Error *err = NULL;
    Log *log = log_open(work, &err);
    ScenarioSpec *spec;
    ReplayResult result;

    if (!log || !log_check_structure(log, &err)) {
        return f;
    }
    spec = run_spec_from_log(log, &err);
    if (!spec) {
        return f;
    }
    result = replay_run(log, spec, NULL, NULL);
    if (result.outcome == REPLAY_DIVERGED) {
        f.outcome = DIVERGED;
        sscanf(result.report, "DIVERGENCE at input %" SCNu64, &f.input);
    } else if (result.outcome != REPLAY_BAD_LOG) {
        f.outcome = result.outcome == REPLAY_CUT ? SHORTER : IDENTICAL;
    }
    return f;
}

static void child_main(void)
{
    int null = open("/dev/null", O_RDWR);

    setrlimit(RLIMIT_CPU, &(struct rlimit){CPU_SECONDS, CPU_SECONDS});
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    alarm(WALL_SECONDS);
    dup2(null, STDOUT_FILENO);
    dup2(null, STDERR_FILENO);
    *found = read_and_replay();
    _exit(0);
}

static void QEMU_NORETURN no_file(const char *path)
{
    fprintf(stderr, "mutate: %s: %s\n", path, g_strerror(errno));
    exit(2);
}

static void write_work(const char *data, size_t len)
{
    int fd;

    log_remove(work); /* with what stood beside the last one */
    fd = open(work, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    if (fd < 0 || write(fd, data, len) != (ssize_t)len) {
        no_file(work);
    }
    close(fd);
}

static Outcome judge(const char *what)
{
    int status;
    pid_t pid;

    found->outcome = RUNNING;
    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        child_main();
    }
    if (waitpid(pid, &status, 0) != pid) {
        no_file("waitpid");
    }
    if (status || found->outcome == RUNNING) {
        g_autofree char *kept = g_strdup_printf("%s.bad%u", work, ++bad);

        printf("%s: %s %d; the log is kept as %s\n", what,
               WIFSIGNALED(status) ? "killed by signal" : "exit status",
               WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
               kept);
        if (rename(work, kept) < 0) {
            no_file(kept);
        }
        return RUNNING;
    }
    totals[found->outcome]++;
    return found->outcome;
}

/* ---- The file ---- */

static void flip_bits(void)
{
    size_t at = next_random() % size;
    g_autofree char *what = NULL;
    uint8_t change = 1 << next_random() % 8;

    if (next_random() % 2) { /* where SQLite's structure is */
        at = at / PAGE * PAGE + next_random() % 128;
        at = MIN(at, size - 1);
    }
    bytes[at] ^= change;
    write_work(bytes, size);
    bytes[at] ^= change;
    what = g_strdup_printf("byte %zu xor %u", at, change);
    judge(what);
}

static void cut_short(void)
{
    size_t len = next_random() % size;
    g_autofree char *what = g_strdup_printf("cut at %zu", len);

    write_work(bytes, next_random() % 2 ? len : len / PAGE * PAGE);
    judge(what);
}

/* ---- Tables ---- */

/* %u is the id of some chunk, %v of another. */
static const char *const edits[] = {
    "UPDATE chunk SET data = (SELECT data FROM chunk WHERE id = %v) "
        "WHERE id = %u",
    "UPDATE chunk SET id = -id WHERE id IN (%u, %v); UPDATE chunk SET id = "
        "%u + %v + id WHERE id < 0",
    "INSERT INTO chunk SELECT NULL, ring, first_ticket, last_ticket, n, crc, "
        "data FROM chunk WHERE id = %u",
    "DELETE FROM chunk WHERE id = %u",
    "UPDATE chunk SET ring = ring + 1 WHERE id = %u",
    "UPDATE chunk SET n = n - 1 WHERE id = %u",
    "UPDATE chunk SET n = -1 WHERE id = %u",
    "UPDATE chunk SET n = 1e300, first_ticket = 'x' WHERE id = %u",
    "UPDATE chunk SET data = NULL WHERE id = %u",
    "UPDATE chunk SET data = zeroblob(100000000) WHERE id = %u",
    "UPDATE chunk SET first_ticket = last_ticket, last_ticket = first_ticket "
        "WHERE id = %u",
    "DELETE FROM payload WHERE hash = (SELECT hash FROM payload LIMIT 1 "
        "OFFSET %u)",
    "UPDATE payload SET data = zeroblob(length(data))",
    "UPDATE payload SET hash = hash + 1 WHERE hash = (SELECT max(hash) FROM "
        "payload)",
    "DELETE FROM meta WHERE rowid IS NULL OR name = 'inputs'",
    "UPDATE meta SET value = 'recording' WHERE name = 'state'",
    "UPDATE meta SET value = 'cut' WHERE name = 'state'",
    "UPDATE meta SET value = 'recording' WHERE name = 'state'; INSERT INTO "
        "meta VALUES ('tail.lost', '1')",
    "DELETE FROM meta",
    "DROP TABLE payload",
    "DROP TABLE chunk; CREATE VIEW chunk AS SELECT 1",
    "CREATE TRIGGER t AFTER INSERT ON meta BEGIN DELETE FROM chunk; END",
    "PRAGMA user_version = 4",
    "UPDATE meta SET value = value || '9' WHERE name = 'inputs'",
    "DELETE FROM event; DELETE FROM object",
};

static char *fill_in(const char *edit, unsigned u, unsigned v)
{
    g_auto(GStrv) parts = g_strsplit(edit, "%u", 0);
    g_autofree char *first = g_strdup_printf("%u", u);
    g_autofree char *second = g_strdup_printf("%u", v);
    g_autofree char *half = g_strjoinv(first, parts);
    g_auto(GStrv) others = g_strsplit(half, "%v", 0);

    return g_strjoinv(second, others);
}

static void edit_tables(void)
{
    unsigned chunks = DIV_ROUND_UP(n_inputs, CHUNK_INPUTS);
    g_autofree char *sql = fill_in(edits[next_random() % ARRAY_SIZE(edits)],
                                   1 + next_random() % chunks,
                                   1 + next_random() % chunks);
    sqlite3 *db;

    write_work(bytes, size);
    if (sqlite3_open(work, &db) == SQLITE_OK) {
        sqlite3_exec(db, "PRAGMA synchronous = OFF; PRAGMA journal_mode = "
                     "MEMORY", NULL, NULL, NULL);
        sqlite3_exec(db, sql, NULL, NULL, NULL);
    }
    sqlite3_close(db);
    judge(sql);
}

/* ---- Single inputs, with all checksums right ---- */

static void copy_meta(const char *name, const char *value, void *opaque)
{
    log_set_meta(opaque, name, value);
}

static void write_log(Input *in, size_t n)
{
    Error *err = NULL;
    Log *log;

    log_remove(work);
    log = log_create(work, false, &err);
    if (!log) {
        error_report_err(err);
        exit(2);
    }
    log_foreach_meta(source, copy_meta, log);
    log_set_meta_int(log, "inputs", n);
    for (size_t i = 0; i < n; i++) {
        size_t len;
        g_autofree void *data = log_payload(source, in[i].b, &len);

        if (data) {
            log_put_payload(log, in[i].b, data, len);
        }
        in[i].ticket = i + 1;
    }
    for (size_t i = 0; i < n; i += CHUNK_INPUTS) {
        log_put_chunk(log, 0, in + i, MIN(CHUNK_INPUTS, n - i));
    }
    log_close(log, NULL);
}

static bool equal(const Input *x, const Input *y)
{
    return x->thread == y->thread && x->kind == y->kind && x->obj == y->obj &&
           x->a == y->a && x->b == y->b && x->check == y->check;
}

/* Returns what was done. */
static const char *change_one(Input *in, size_t *n, size_t at)
{
    switch (next_random() % 5) {
    case 0:
        memmove(in + at, in + at + 1, (*n - at - 1) * sizeof(Input));
        (*n)--;
        return "left out";
    case 1:
        memmove(in + at + 1, in + at, (*n - at) * sizeof(Input));
        (*n)++;
        return "repeated";
    case 2:
        in[at].kind = (in[at].kind + 1 + next_random() %
                       (INPUT_KIND_MAX - 1)) % INPUT_KIND_MAX;
        return "another kind";
    case 3:
        in[at].obj ^= 1 + next_random() % 7;
        return "another object";
    default:
        in[at].a ^= 1ULL << next_random() % 64;
        return "another value";
    }
}

static void plant_change(void)
{
    size_t n = n_inputs, at = next_random() % n, where = 0;
    g_autofree Input *in = g_new0(Input, n + 2);
    g_autofree char *what = NULL;
    const char *change;

    memcpy(in, inputs, n * sizeof(Input));
    change = change_one(in, &n, at);
    for (size_t i = 0; i < n; i++) { /* what is not stored is as it was */
        const char *packing = input_table[in[i].kind].packing;

        in[i].obj = packing[0] == '-' ? 0 : in[i].obj;
        in[i].a = packing[1] == '-' ? 0 : in[i].a;
        in[i].b = packing[2] == '-' ? 0 : in[i].b;
    }
    while (where < n && where < n_inputs && equal(&in[where], &inputs[where])) {
        where++;
    }
    what = g_strdup_printf("input %zu: %s", where + 1, change);
    write_log(in, n);
    if (where == n && n == n_inputs) {
        judge(what); /* nothing that is stored was changed */
        return;
    }
    planted++;
    if (judge(what) == DIVERGED) {
        uint64_t distance = MAX(found->input, where + 1) -
                            MIN(found->input, where + 1);

        noticed++;
        exact += distance == 0;
        near += distance <= NEAR;
        if (distance > NEAR || g_getenv("MUTATE_VERBOSE")) {
            printf("%s (%s): reported at input %" PRIu64 "\n", what,
                   input_table[in[where].kind].name, found->input);
        }
    } else if (g_getenv("MUTATE_VERBOSE")) {
        printf("%s (%s): not noticed\n", what,
               input_table[in[MIN(where, n - 1)].kind].name);
    }
}

/* ---- All of them ---- */

static void load(void)
{
    Error *err = NULL;

    source = log_open(whole, &err);
    inputs = source ? log_inputs(source, &n_inputs, &err) : NULL;
    if (!inputs || !g_file_get_contents(whole, &bytes, &size, NULL)) {
        error_report_err(err);
        exit(2);
    }
}

static int report(void)
{
    for (unsigned i = 0; i < ARRAY_SIZE(outcome_names); i++) {
        printf("%s%u %s", i ? ", " : "", totals[i], outcome_names[i]);
    }
    printf(", %u crashed or hung\n", bad);
    printf("planted: %u, noticed by the replay %u, of these at the exact input "
           "%u, within %d inputs %u\n", planted, noticed, exact, NEAR, near);
    if (near != noticed) {
        printf("too far from where they are\n");
        return 1;
    }
    return bad ? 1 : 0;
}

int main(int argc, char **argv)
{
    static void (*const ways[])(void) = {
        flip_bits, flip_bits, cut_short, edit_tables, plant_change,
    };

    if (argc != 5) {
        fputs("usage: mutate LOG WORK N SEED\n", stderr);
        return 2;
    }
    whole = argv[1];
    work = argv[2];
    rng = g_ascii_strtoull(argv[4], NULL, 10) * 2654435761u + 1;
    run_lookup = builtin_scenario_find;
    found = mmap(NULL, sizeof(*found), PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    load();
    write_work(bytes, size);
    if (judge("unchanged") != IDENTICAL) {
        puts("the unchanged log does not replay");
        return 1;
    }
    for (int i = atoi(argv[3]); i > 0; i--) {
        ways[i % ARRAY_SIZE(ways)]();
    }
    return report();
}
