/* SPDX-License-Identifier: MIT */
/*
 * Words that threads share, as a simulated processor sees them (SimConfig.fine:
 * each qatomic_*() is a scheduling point).
 *
 * Two things are special about them.
 *
 * A thread that reads the same word again and again, and sees the same, spins:
 * it would take for ever, because each look is a step of its own.  From the
 * third look in a row on it waits instead, until somebody stores into the word.
 *
 * With SIM_STORE_BUFFERS a store goes into a buffer of its thread first,
 * and into memory at a moment of the oracle's choice, in order.  The thread
 * itself sees its own stores at once, other threads do not.  That is the memory
 * of x86: a later load may overtake an earlier store, and nothing else may
 * change places.  smp_mb(), a read-modify-write, a lock and a system call empty
 * the buffer.  The macros access memory themselves, so a buffered value is put
 * there for as long as its own thread's access takes, and taken away again.
 */
#include "sim-internal.h"

enum {
    SPIN_LOOKS = 3, BUFFER_MAX = 8,
};

typedef struct BufferedStore {
    volatile void *word;
    unsigned size;
    uint64_t value;
} BufferedStore;

typedef struct SimWordState {
    const volatile void *last; /* the word of its latest access */
    unsigned how;
    uint64_t last_value, last_points;
    unsigned looks;            /* in a row, that saw the same */
    bool waits;                /* until `last` is stored into */
    BufferedStore buffer[BUFFER_MAX]; /* oldest first */
    unsigned n_buffered;
    uint64_t hidden;           /* what memory held behind a buffered value */
} SimWordState;

static SimWordState *state_of(VThread *thread)
{
    if (!thread->words) {
        thread->words = g_new0(SimWordState, 1);
    }
    return thread->words;
}

static uint64_t load(const volatile void *word, unsigned size)
{
    switch (size) {
    case 1:
        return *(const volatile uint8_t *)word;
    case 2:
        return *(const volatile uint16_t *)word;
    case 4:
        return *(const volatile uint32_t *)word;
    default:
        return *(const volatile uint64_t *)word;
    }
}

static void store(volatile void *word, unsigned size, uint64_t value)
{
    switch (size) {
    case 1:
        *(volatile uint8_t *)word = value;
        break;
    case 2:
        *(volatile uint16_t *)word = value;
        break;
    case 4:
        *(volatile uint32_t *)word = value;
        break;
    default:
        *(volatile uint64_t *)word = value;
        break;
    }
}

/* ---- Spinning ---- */

static void wake_waiters(const volatile void *word)
{
    VThread *thread;

    QTAILQ_FOREACH(thread, &machine.threads, next) {
        if (thread->words && thread->words->waits &&
            thread->words->last == word) {
            thread->words->waits = false;
            sim_wake(thread);
        }
    }
}

/* A plain store has no hook: look whether there was one. */
bool sim_words_recheck(void)
{
    bool any = false;
    VThread *thread;

    QTAILQ_FOREACH(thread, &machine.threads, next) {
        SimWordState *s = thread->words;

        if (s && s->waits &&
            load(s->last, s->how & QATOMIC_SIZE_) != s->last_value) {
            s->waits = false;
            sim_wake(thread);
            any = true;
        }
    }
    return any;
}

/* The access saw @value, and memory holds @now: has nothing changed? */
static void note_look(SimWordState *s, const volatile void *word, unsigned how,
                      uint64_t now, bool changed)
{
    bool again = s->last == word && s->last_value == now && !changed &&
                 s->last_points + 1 == machine_current()->points;

    s->looks = again ? s->looks + 1 : 1;
    s->last = word;
    s->how = how;
    s->last_value = now;
    s->last_points = machine_current()->points;
}

static void wait_if_spinning(SimWordState *s, const volatile void *word)
{
    if (s->looks >= SPIN_LOOKS && s->last == word &&
        s->last_value == load(word, s->how & QATOMIC_SIZE_)) {
        sim_access(word, SIM_READ);
        s->looks = 0;
        s->waits = true;
        sim_block(-1);
    }
}

/* ---- Store buffers ---- */

static void flush_one(SimWordState *s)
{
    BufferedStore oldest = s->buffer[0];

    sim_access(oldest.word, SIM_WRITE);
    store(oldest.word, oldest.size, oldest.value);
    s->n_buffered--;
    memmove(s->buffer, s->buffer + 1, s->n_buffered * sizeof(*s->buffer));
    wake_waiters(oldest.word);
}

void sim_fence(void)
{
    VThread *self = machine_current();

    while (self->words && self->words->n_buffered) {
        flush_one(self->words);
    }
}

static BufferedStore *newest(SimWordState *s, const volatile void *word)
{
    for (unsigned i = s->n_buffered; i > 0; i--) {
        if (s->buffer[i - 1].word == word) {
            return &s->buffer[i - 1];
        }
    }
    return NULL;
}

static void buffer_store(SimWordState *s, const volatile void *word,
                         unsigned size)
{
    if (s->n_buffered == BUFFER_MAX) {
        flush_one(s);
    }
    s->buffer[s->n_buffered++] = (BufferedStore){
        .word = (volatile void *)word, .size = size, .value = load(word, size),
    };
    store((volatile void *)word, size, s->hidden);
}

/* How many of its stores become visible now: any number from the first on. */
static void flush_some(SimWordState *s)
{
    uint64_t counts[BUFFER_MAX + 1];
    unsigned n = s->n_buffered;

    if (n) {
        for (unsigned i = 0; i <= n; i++) {
            counts[i] = n - i; /* the default: all */
        }
        n = counts[sim_choose(CHOICE_STORES, host_self()->id, counts, n + 1)];
        while (n--) {
            flush_one(s);
        }
    }
}

/* ---- The hooks ---- */

void sim_word_begin(const volatile void *word, unsigned how)
{
    VThread *self = machine_current();
    SimWordState *s = state_of(self);
    unsigned size = how & QATOMIC_SIZE_;
    BufferedStore *own;

    if (self->looking) {
        s->how = 0;
        return;
    }
    sim_point();
    wait_if_spinning(s, word);
    sim_access(word, how & QATOMIC_STORES_ ? SIM_WRITE : SIM_READ);
    s->how = how;
    if (sim.config.extras & SIM_STORE_BUFFERS) {
        if ((how & QATOMIC_CHANGES_) == QATOMIC_CHANGES_) {
            sim_fence();
        } else {
            flush_some(s);
        }
        own = newest(s, word);
        if (own) {
            s->hidden = load(word, size);
            store((volatile void *)word, size, own->value);
        } else {
            s->hidden = load(word, size);
        }
    } else {
        s->hidden = load(word, size);
    }
}

void sim_word_end(const volatile void *word, uint64_t value)
{
    SimWordState *s = state_of(machine_current());
    unsigned size = s->how & QATOMIC_SIZE_;
    uint64_t now, before = s->hidden;

    if (!size) {
        return;
    }
    if (sim.config.extras & SIM_STORE_BUFFERS) {
        switch (s->how & QATOMIC_CHANGES_) {
        case QATOMIC_STORES_:
            buffer_store(s, word, size);
            s->looks = 0;
            s->last = NULL;
            return;
        case QATOMIC_LOADS_:
            if (newest(s, word)) {
                store((volatile void *)word, size, s->hidden);
                s->looks = 0;
                return;
            }
            break;
        }
    }
    now = load(word, size);
    note_look(s, word, s->how, now, now != before ||
              (s->how & QATOMIC_CHANGES_) == QATOMIC_STORES_);
    if (s->how & QATOMIC_STORES_ && now != before) {
        wake_waiters(word);
    }
}
