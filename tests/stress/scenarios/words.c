/* SPDX-License-Identifier: MIT */
/*
 * words: four threads share words by qatomic_...() and nothing else.
 *
 * A counter, a maximum by compare-and-exchange, flags, a stack that is pushed
 * to and taken as a whole, and a word of each width.
 */
#include "stress.h"

enum { THREADS = 4 };

typedef struct Item {
    unsigned owner;
    uint64_t value;
    QSLIST_ENTRY(Item) next;
} Item;

typedef QSLIST_HEAD(ItemList, Item) ItemList;

static struct {
    uint64_t counter, maximum;
    uint32_t flags;
    uint8_t byte;
    uint16_t half;
    int64_t wide;
    ItemList stack;
    bool ready;
} words;

static Gate gate;

typedef struct Worker {
    QemuThread thread;
    unsigned index;
    int64_t rounds;
    uint64_t popped;
    Trace trace;
} Worker;

static void raise_maximum(Worker *worker, uint64_t value)
{
    uint64_t seen = qatomic_read(&words.maximum), tried;

    while (seen < value) {
        tried = seen;
        seen = qatomic_cmpxchg(&words.maximum, tried, value);
        trace_add(&worker->trace, seen);
        if (seen == tried) {
            break;
        }
    }
}

static void flags(Worker *worker)
{
    uint32_t bit = 1u << worker->index;

    SCENARIO_CHECK(!(qatomic_fetch_or(&words.flags, bit) & bit),
                   "our bit was set");
    trace_add(&worker->trace, qatomic_read(&words.flags));
    SCENARIO_CHECK(qatomic_fetch_and(&words.flags, ~bit) & bit,
                   "our bit was clear");
    trace_add(&worker->trace, qatomic_xor_fetch(&words.byte, 1 << worker->index));
    trace_add(&worker->trace, qatomic_fetch_add(&words.half, 3));
}

static void push(Worker *worker, uint64_t value)
{
    Item *item = g_new(Item, 1);

    *item = (Item){.owner = worker->index, .value = value};
    QSLIST_INSERT_HEAD_ATOMIC(&words.stack, item, next);
}

static void take_all(Worker *worker)
{
    ItemList list;
    Item *item, *next;

    QSLIST_MOVE_ATOMIC(&list, &words.stack);
    QSLIST_FOREACH_SAFE(item, &list, next, next) {
        trace_add(&worker->trace, item->owner * 1000000 + item->value);
        worker->popped++;
        g_free(item);
    }
}

static void one_round(Worker *worker, int64_t i)
{
    uint64_t number = qatomic_fetch_inc(&words.counter);

    trace_add(&worker->trace, number);
    raise_maximum(worker, number * 7 % 10007 + i);
    flags(worker);
    push(worker, i);
    if (number % 5 == 0) {
        take_all(worker);
    }
    if (qatomic_xchg(&words.ready, number % 2)) {
        qatomic_set_i64(&words.wide, number);
    } else {
        trace_add(&worker->trace, qatomic_read_i64(&words.wide));
    }
}

static void *work(void *opaque)
{
    Worker *worker = opaque;

    gate_pass(&gate);
    for (int64_t i = 0; i < worker->rounds; i++) {
        one_round(worker, i);
    }
    return NULL;
}

static void run(const ScenarioArgs *args)
{
    int64_t rounds = stress_rounds(args);
    Worker workers[THREADS];
    Trace total = {0, 0};
    uint64_t popped = 0;

    memset(&words, 0, sizeof(words));
    gate_init(&gate);
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i] = (Worker){.index = i, .rounds = rounds};
        qemu_thread_create(&workers[i].thread, "worker", work, &workers[i],
                           QEMU_THREAD_JOINABLE);
    }
    gate_open(&gate);
    for (unsigned i = 0; i < THREADS; i++) {
        qemu_thread_join(&workers[i].thread);
    }
    gate_destroy(&gate);
    take_all(&workers[0]);
    for (unsigned i = 0; i < THREADS; i++) {
        popped += workers[i].popped;
        trace_fold(&total, &workers[i].trace);
    }
    SCENARIO_CHECK(popped == (uint64_t)rounds * THREADS, "%" PRIu64
                   " of the items came back", popped);
    SCENARIO_CHECK(qatomic_read(&words.counter) == popped, "%" PRIu64
                   " were counted", qatomic_read(&words.counter));
    SCENARIO_CHECK(qatomic_read(&words.flags) == 0, "a flag is left");
    trace_report(&total);
}

SCENARIO(words) = {
    .name = "words",
    .summary = "four threads share words by atomic operations, without a lock",
    .host = "live",
    .params = (const ScenarioParam[]){
        {"rounds", "400", "rounds of each of four threads"}, {NULL}},
    .run = run,
};
