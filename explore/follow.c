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

/* ---- Begin and end ---- */

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
        .sequences = follow_table_new((GDestroyNotify)g_array_unref),
        .taken = follow_table_new((GDestroyNotify)g_array_unref),
        .numbers = follow_table_new(NULL),
        .patience = FOLLOW_PATIENCE,
    };
    follow_host_init();
    follow_read();
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

    if (!follow_has_object(kind)) {
        snprintf(out, size, "%s", info->name);
    } else if (obj >> 32) {
        snprintf(out, size, "%s %s %u.%u", info->name, info->obj,
                 (unsigned)(obj >> 32), (unsigned)obj);
    } else {
        snprintf(out, size, "%s %s %" PRIu64, info->name, info->obj, obj);
    }
}

/* ---- Matching ---- */

/* What may be missing between here and a loose input. */
static bool may_pass(InputKind kind, InputKind other)
{
    switch (kind) {
    case INPUT_SEEN:
    case INPUT_READY:
    case INPUT_FOUND:
        return other == kind;
    case INPUT_NOTIFIER:
        return follow_is_loose(other) && other != INPUT_WAIT &&
               other != INPUT_POLL;
    case INPUT_WORD:
        return other == INPUT_SEEN || other == INPUT_READY ||
               other == INPUT_NOTIFIER;
    default:
        return follow_is_loose(other);
    }
}

static const Input *input_at(const Follower *f, unsigned place)
{
    return &follow.inputs[g_array_index(f->sequence, uint32_t, place)];
}

const Input *follow_wanted(const Follower *f)
{
    return f->wanted < 0 ? NULL : input_at(f, f->wanted);
}

uint64_t follow_next_ticket(const Follower *f)
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

        if (follow_plain_kind(in->kind) != kind ||
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
    bool loose = follow_is_loose(kind);
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
        InputKind its = follow_plain_kind(in->kind);

        if (its == kind && (!follow_has_object(kind) || in->obj == obj)) {
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
    switch (follow_plain_kind(in->kind)) {
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
    f->lost += !follow_is_loose(kind);
    f->timed = f->sequence && !is_over(f) &&
               (kind == INPUT_BUSY_POLL || kind == INPUT_WAIT ||
                kind == INPUT_POLL);
    /* When the recording has ended, or for who is not in it: at the end. */
    f->stalled++;
    f->turn = !f->sequence || is_over(f) || f->stalled > STALLED ? TURN_LAST
            : follow_is_loose(kind) ? turn_before(follow_next_ticket(f))
                                    : TURN_NOW;
    if (!follow_is_loose(kind) && f->sequence && !is_over(f)) {
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
        if (!follow_is_loose(follow_plain_kind(in->kind))) {
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
    f->lost = follow_is_loose(in->kind) ? f->lost : 0;
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
