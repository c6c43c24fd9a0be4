/* SPDX-License-Identifier: MIT */
/* Cursors into a recording, and whose turn it is. */
#include "follow-internal.h"

#include <stdarg.h>

Follow follow;

enum {
    WINDOW = 16,       /* so far ahead may the recording be; twice as far */
    STALLED = 64,      /* after so many unknown ones others go first */
    LOST_MAX = 6,      /* for each that was not found, so many times */
    LOOSE_WINDOW = 64, /* where an input looks like many others */
};

/* ---- Kinds ---- */

static InputKind plain_kind(InputKind kind)
{
    switch (kind) {
    case INPUT_CQE_DATA:
    case INPUT_CQE_HASH:
        return INPUT_CQE;
    case INPUT_FILE_IO_DATA:
    case INPUT_FILE_IO_HASH:
        return INPUT_FILE_IO;
    default:
        return kind;
    }
}

/* Those that come now and then, and have no object: one is like another. */
static bool is_loose(InputKind kind)
{
    switch (kind) {
    case INPUT_WAIT:
    case INPUT_READY:
    case INPUT_NOTIFIER:
    case INPUT_POLL:
    case INPUT_BUSY_POLL:
    case INPUT_FOUND:
    case INPUT_LAIO_EVENTS:
    case INPUT_WORD:
    case INPUT_SEEN:
        return true;
    default:
        return false;
    }
}

bool follow_knows(InputKind kind)
{
    switch (plain_kind(kind)) {
    case INPUT_LOCK:
    case INPUT_TRYLOCK:
    case INPUT_COND:
    case INPUT_CQE:
    case INPUT_BH:
    case INPUT_CO:
    case INPUT_THREAD_CREATE:
    case INPUT_THREAD_START:
    case INPUT_THREAD_JOIN:
    case INPUT_THREAD_END:
    case INPUT_FILE_OPEN:
    case INPUT_FILE_SIZE:
    case INPUT_FILE_IO:
    case INPUT_LAIO_SUBMIT:
    case INPUT_REPLAY_BH:
        return true;
    default:
        return is_loose(kind);
    }
}

static bool has_object(InputKind kind)
{
    return input_table[kind].obj && kind != INPUT_WAIT &&
           kind != INPUT_BUSY_POLL && kind != INPUT_FILE_IO &&
           kind != INPUT_FILE_SIZE;
}

/* ---- Reading the recording ---- */

static GArray *array_of(GHashTable *table, uint64_t key)
{
    GArray *array = g_hash_table_lookup(table, &key);

    if (!array) {
        array = g_array_new(false, false, sizeof(uint32_t));
        g_hash_table_insert(table, g_memdup2(&key, sizeof(key)), array);
    }
    return array;
}

static GHashTable *table_new(GDestroyNotify free_value)
{
    return g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free,
                                 free_value);
}

/*
 * What was published for a slice was there when its thread woke up for it;
 * gate[thread]: when it did, 0 if it has taken a slice since.
 */
static uint64_t gate_of(const Input *in, uint64_t *wakes, uint64_t *slices)
{
    unsigned thread = in->thread % FOLLOW_THREADS;

    switch (in->kind) {
    case INPUT_WAIT:
    case INPUT_POLL:
        wakes[thread] = in->a ? in->ticket : 0;
        break;
    case INPUT_BH_SLICE:
        slices[thread] = wakes[thread] ? wakes[thread] : in->ticket;
        wakes[thread] = 0;
        break;
    case INPUT_BH:
    case INPUT_CO:
        return slices[thread];
    case INPUT_NOTIFIER:
        return wakes[thread] ? wakes[thread] : in->ticket;
    default:
        break;
    }
    return in->ticket;
}

/*
 * What a slice has not, though it took all there was, came after it; @ends: by
 * context, the ticket of the last one's end.
 */
typedef struct Slice {
    uint64_t *end;   /* of its context */
    uint64_t before; /* the end of the slice before it */
} Slice;

static uint64_t earliest_of(const Input *in, Slice *slices, GHashTable *ends)
{
    Slice *slice = &slices[in->thread % FOLLOW_THREADS];

    if (in->kind == INPUT_BH_SLICE) {
        slice->end = g_hash_table_lookup(ends, &in->obj);
        if (!slice->end) {
            slice->end = g_new0(uint64_t, 1);
            g_hash_table_insert(ends, g_memdup2(&in->obj, sizeof(in->obj)),
                                slice->end);
        }
        slice->before = *slice->end;
    } else if (in->kind == INPUT_BH && slice->end) {
        *slice->end = in->ticket;
        return slice->before;
    }
    return 0;
}

static void read_inputs(void)
{
    uint64_t wakes[FOLLOW_THREADS] = {0}, slices[FOLLOW_THREADS] = {0};
    Slice last[FOLLOW_THREADS] = {{NULL}};
    GHashTable *ends = table_new(g_free);

    for (uint32_t i = 0; i < follow.n; i++) {
        const Input *in = &follow.inputs[i];

        follow.gates[i] = gate_of(in, wakes, slices);
        follow.earliest[i] = earliest_of(in, last, ends);
        if (follow_knows(in->kind)) {
            g_array_append_val(array_of(follow.sequences, in->thread), i);
        }
        if (in->kind == INPUT_BH || in->kind == INPUT_CO ||
            (in->kind == INPUT_NOTIFIER && in->a)) {
            g_array_append_val(array_of(follow.taken, in->obj), i);
        } else if (in->kind == INPUT_THREAD_CREATE) {
            g_hash_table_insert(follow.numbers,
                                g_memdup2(&in->obj, sizeof(in->obj)),
                                GSIZE_TO_POINTER(in->a));
        }
    }
    g_hash_table_destroy(ends);
}

/* What may be missing between here and a loose input. */
static bool may_pass(InputKind kind, InputKind other)
{
    switch (kind) {
    case INPUT_SEEN:
    case INPUT_READY:
    case INPUT_FOUND:
        return other == kind;
    case INPUT_NOTIFIER:
        return is_loose(other) && other != INPUT_WAIT && other != INPUT_POLL;
    case INPUT_WORD:
        return other == INPUT_SEEN || other == INPUT_READY ||
               other == INPUT_NOTIFIER;
    default:
        return is_loose(other);
    }
}

static void follows(uint32_t id, uint32_t number, const char *name)
{
    Follower *f = follow_thread(id);
    uint64_t key = number;

    *f = (Follower){
        .result = &follow.result->threads[id % FOLLOW_THREADS],
        .sequence = number ? g_hash_table_lookup(follow.sequences, &key) : NULL,
        .wanted = -1,
    };
    f->result->number = number;
    f->result->inputs = f->sequence ? f->sequence->len : 0;
    g_strlcpy(f->result->name, name, FOLLOW_NAME);
}

void follow_start(const Input *inputs, size_t n, FollowResult *result)
{
    follow = (Follow){
        .inputs = inputs, .n = n, .result = result,
        .gates = g_new0(uint64_t, n + 1),
        .earliest = g_new0(uint64_t, n + 1),
        .sequences = table_new((GDestroyNotify)g_array_unref),
        .taken = table_new((GDestroyNotify)g_array_unref),
        .numbers = table_new(NULL),
        .patience = FOLLOW_PATIENCE,
    };
    follow_host_init();
    read_inputs();
    follows(1, 1, "main");
}

void follow_stop(void)
{
    g_hash_table_destroy(follow.sequences);
    g_hash_table_destroy(follow.taken);
    g_hash_table_destroy(follow.numbers);
    g_free(follow.gates);
    g_free(follow.earliest);
}

/* ---- Threads and objects ---- */

Follower *follow_thread(uint64_t id)
{
    return &follow.threads[id % FOLLOW_THREADS];
}

Follower *follow_self(void)
{
    return follow_thread(host_self()->id);
}

uint64_t follow_object(uint64_t id)
{
    uint32_t creator = id >> 32;
    const Follower *f = follow_thread(creator);

    return creator && f->result && f->result->number
               ? (uint64_t)f->result->number << 32 | (uint32_t)id : id;
}

void follow_created(uint64_t qemu_thread, uint32_t id, const char *name)
{
    uint64_t key = follow_object(qemu_thread);

    follows(id, GPOINTER_TO_SIZE(g_hash_table_lookup(follow.numbers, &key)),
            name ? name : "thread");
}

/* ---- Leaving the recording ---- */

static G_GNUC_PRINTF_(2, 3) void left(uint64_t ticket, const char *fmt, ...)
{
    va_list ap;

    if (follow.result->left_at) {
        return;
    }
    follow.result->left_at = MAX(ticket, 1);
    va_start(ap, fmt);
    vsnprintf(follow.result->left, FOLLOW_TEXT, fmt, ap);
    va_end(ap);
}

static void describe(char *out, size_t size, InputKind kind, uint64_t obj)
{
    const InputInfo *info = &input_table[kind];

    if (!has_object(kind)) {
        snprintf(out, size, "%s", info->name);
    } else if (obj >> 32) {
        snprintf(out, size, "%s %s %u.%u", info->name, info->obj,
                 (unsigned)(obj >> 32), (unsigned)obj);
    } else {
        snprintf(out, size, "%s %s %" PRIu64, info->name, info->obj, obj);
    }
}

/* ---- Matching ---- */

static const Input *input_at(const Follower *f, unsigned place)
{
    return &follow.inputs[g_array_index(f->sequence, uint32_t, place)];
}

const Input *follow_wanted(const Follower *f)
{
    return f->wanted < 0 ? NULL : input_at(f, f->wanted);
}

static uint64_t next_ticket(const Follower *f)
{
    return f->sequence && f->cursor < f->sequence->len
               ? input_at(f, f->cursor)->ticket : 0;
}

static bool is_list(InputKind kind)
{
    return kind == INPUT_BH || kind == INPUT_CO || kind == INPUT_CQE;
}

/*
 * One of the same list that was passed over: they came in another order.  The
 * inputs of a list have their tickets together.
 */
static int64_t find_behind(const Follower *f, InputKind kind, uint64_t obj)
{
    for (unsigned i = f->cursor; i > 0; i--) {
        const Input *in = input_at(f, i - 1);

        if (plain_kind(in->kind) != kind ||
            (i < f->cursor && input_at(f, i)->ticket != in->ticket + 1)) {
            return -1;
        }
        if (in->obj == obj && !follow.result->came[in - follow.inputs]) {
            return i - 1;
        }
    }
    return -1;
}

/*
 * The place of the next input of that kind and object, or -1.  What has an
 * object is looked for behind anything else; the rest only up to there.
 */
static int64_t find(const Follower *f, InputKind kind, uint64_t obj)
{
    bool loose = is_loose(kind);
    unsigned end = f->cursor + (loose ? LOOSE_WINDOW
                                     : WINDOW << MIN(f->lost, LOST_MAX));
    int64_t at;

    if (!f->sequence) {
        return -1;
    }
    if (is_list(kind) && (at = find_behind(f, kind, obj)) >= 0) {
        return at;
    }
    for (unsigned i = f->cursor; i < end && i < f->sequence->len; i++) {
        const Input *in = input_at(f, i);
        InputKind its = plain_kind(in->kind);

        if (its == kind && (!has_object(kind) || in->obj == obj)) {
            return i;
        }
        if (loose && !may_pass(kind, its)) {
            return -1;
        }
    }
    return -1;
}

void follow_spins(void)
{
    Follower *f = follow_self();
    const Input *next = f->sequence && f->cursor < f->sequence->len
                            ? input_at(f, f->cursor) : NULL;

    f->wanted = -1;
    f->timed = f->publishes = false;
    f->turn = next && next->kind == INPUT_WORD ? turn_of(next->ticket)
                                               : TURN_LAST;
}

void follow_turn_ends(void)
{
    Follower *f = follow_self();
    const Input *next = f->sequence && f->cursor < f->sequence->len
                            ? input_at(f, f->cursor) : NULL;

    f->wanted = -1;
    f->timed = f->publishes = false;
    f->turn = !next ? TURN_LAST
            : next->kind == INPUT_SEEN ? turn_before(next->ticket) : TURN_NOW;
}

static bool is_over(const Follower *f)
{
    return f->sequence && f->cursor >= f->sequence->len;
}

/* Only time, and nobody else, makes that happen. */
static bool is_timed(const Follower *f, const Input *in)
{
    switch (plain_kind(in->kind)) {
    case INPUT_WAIT:
        return !in->a || in->a & 0xffff;
    case INPUT_POLL:
    case INPUT_BUSY_POLL:
    case INPUT_COND:
        return !in->a;
    case INPUT_FILE_IO:
        return true;
    default:
        return false;
    }
}

static void not_recorded(Follower *f, InputKind kind, uint64_t obj)
{
    char what[80];

    f->result->added++;
    f->lost += !is_loose(kind);
    f->timed = f->sequence && !is_over(f) &&
               (kind == INPUT_BUSY_POLL || kind == INPUT_WAIT ||
                kind == INPUT_POLL);
    /* When the recording has ended, or for who is not in it: at the end. */
    f->stalled++;
    f->turn = !f->sequence || is_over(f) || f->stalled > STALLED ? TURN_LAST
            : is_loose(kind) ? turn_before(next_ticket(f)) : TURN_NOW;
    if (!is_loose(kind) && f->sequence && !is_over(f)) {
        describe(what, sizeof(what), kind, obj);
        left(f->last, "%s does what the recording has not there: %s",
             f->result->name, what);
    }
}

void follow_begin(InputKind kind, uint64_t obj)
{
    Follower *f = follow_self();
    uint64_t recorded = follow_object(obj);

    f->wanted = find(f, kind, recorded);
    f->timed = false;
    f->publishes = false;
    if (f->wanted < 0) {
        not_recorded(f, kind, recorded);
    } else {
        f->turn = turn_of(follow_wanted(f)->ticket);
        f->timed = is_timed(f, follow_wanted(f));
    }
}

void follow_begin_wait(int64_t timeout_ns)
{
    Follower *f = follow_self();
    const Input *in;

    follow_begin(INPUT_WAIT, 0);
    while (timeout_ns < 0 && (in = follow_wanted(f)) && !in->a) {
        unsigned cursor = f->cursor;
        int64_t next;

        f->cursor = f->wanted + 1;
        next = find(f, INPUT_WAIT, 0);
        f->cursor = cursor;
        if (next < 0) {
            return;
        }
        f->wanted = next;
        f->turn = turn_of(follow_wanted(f)->ticket);
        f->timed = is_timed(f, follow_wanted(f));
    }
}

static void skip_to(Follower *f, unsigned place)
{
    for (; f->cursor < place; f->cursor++) {
        const Input *in = input_at(f, f->cursor);
        char what[80];

        follow.result->skipped++;
        if (in->kind == INPUT_SEEN) {
            f->unseen[in->obj % HOST_SIGHT_MAX] = 0;
        }
        if (!is_loose(plain_kind(in->kind))) {
            describe(what, sizeof(what), in->kind, in->obj);
            left(in->ticket, "%s does not do what it did in the recording: %s",
                 f->result->name, what);
        }
    }
}

static void came_late(Follower *f, const Input *in)
{
    char what[80];

    follow.result->late++;
    describe(what, sizeof(what), in->kind, in->obj);
    left(in->ticket, "%s was late, and others went on: %s", f->result->name,
         what);
}

void follow_end(void)
{
    Follower *f = follow_self();
    const Input *in = follow_wanted(f);

    if (!in) {
        return;
    }
    if (f->wanted < f->cursor) { /* it was not skipped after all */
        follow.result->skipped--;
    } else {
        skip_to(f, f->wanted);
        f->cursor = f->wanted + 1;
    }
    f->wanted = -1;
    f->last = in->ticket;
    f->stalled = 0;
    f->lost = is_loose(in->kind) ? f->lost : 0;
    f->timed = false;
    f->result->followed++;
    follow.result->came[in - follow.inputs] = ++follow.order;
    if (in->ticket < follow.newest) {
        came_late(f, in);
    }
    if (in->kind != INPUT_SEEN) { /* nobody could come before it */
        follow.newest = MAX(follow.newest, in->ticket);
    }
    follow.patience = FOLLOW_PATIENCE;
}

void follow_note(InputKind kind, uint64_t obj)
{
    follow_begin(kind, obj);
    follow_end();
}

/* It goes on to take a list: what belongs there must come before. */
static void hold_for_slice(Follower *f)
{
    const Input *next = f->sequence && f->cursor < f->sequence->len
                            ? input_at(f, f->cursor) : NULL;

    f->turn = next && next->kind == INPUT_BH ? turn_before(next->ticket)
                                             : TURN_NOW;
}

void follow_observed(HostSight what, uint64_t value)
{
    Follower *f = follow_self();
    int64_t wanted = f->wanted;
    uint64_t turn = f->turn;
    bool timed = f->timed;
    const Input *in;

    f->wanted = find(f, INPUT_SEEN, what);
    in = follow_wanted(f);
    if (in && (in->b == f->unseen[what] ||
               (value && in->b < f->unseen[what]))) {
        f->unseen[what] = 0;
        follow_end();
    } else {
        f->unseen[what]++;
    }
    f->wanted = wanted;
    f->timed = timed;
    f->turn = turn;
    if (what == HOST_SIGHT_NOTIFIED) {
        hold_for_slice(f);
    }
}

/* ---- Publishing ---- */

/* The first of @array behind ticket @after, or NULL. */
static const uint32_t *first_after(const GArray *array, uint64_t after)
{
    unsigned low = 0, high = array ? array->len : 0;

    while (low < high) {
        unsigned middle = (low + high) / 2;
        uint32_t at = g_array_index(array, uint32_t, middle);

        if (follow.inputs[at].ticket > after) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return array && low < array->len ? &g_array_index(array, uint32_t, low)
                                     : NULL;
}

bool follow_is_taken(uint64_t obj)
{
    uint64_t key = follow_object(obj);

    return g_hash_table_contains(follow.taken, &key);
}

void follow_publish(uint64_t obj)
{
    Follower *f = follow_self();
    uint64_t key = follow_object(obj), latest = next_ticket(f);
    const uint32_t *taken = first_after(
        g_hash_table_lookup(follow.taken, &key), f->last);
    uint64_t gate = taken ? follow.gates[*taken] : 0;

    f->wanted = -1;
    f->timed = false;
    if (taken && gate <= f->last) {
        gate = follow.inputs[*taken].ticket;
    }
    if (!gate || (latest && latest < gate)) {
        gate = latest;
    }
    f->turn = gate ? turn_before(gate) : TURN_LAST;
    f->publishes = true;
    if (taken && gate) {
        f->turn = MAX(f->turn, turn_of(follow.earliest[*taken]) + 1);
    }
    f->taker = taken ? (int64_t)*taken : -1;
}
