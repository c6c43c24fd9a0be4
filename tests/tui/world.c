/* SPDX-License-Identifier: MIT */
/* The hand-made session: events as a program would have emitted them. */
#include "world.h"

enum { MAIN = 1, ID = 1 };

static const ProbeSite site = {"demo/program.c", 42, "do_something"};
static int64_t now;
static uint32_t who = MAIN;

static uint64_t id(unsigned ordinal)
{
    return (uint64_t)ID << 32 | ordinal;
}

static void emit(Session *session, ProbeKind kind, uint64_t obj, uint64_t a,
                 uint64_t b, uint64_t c, const char *text)
{
    ProbeEvent event = {
        .kind = kind, .thread = who, .t_ns = now += 50, .obj = obj,
        .a = a, .b = b, .c = c, .site = &site, .text = text,
    };

    event_store_add(session->events, &event);
}

static void setup(Session *s)
{
    emit(s, PROBE_THREAD_START, 1, 0, 0, 0, "main");
    emit(s, PROBE_CTX_NEW, id(1), 0, 0, 0, NULL);
    emit(s, PROBE_CTX_NAME, id(1), 0, 0, 0, "main");
    emit(s, PROBE_CTX_HOME, id(1), 0, 0, 0, NULL);
    emit(s, PROBE_FD_ADD, id(2), id(1), 1, 0, NULL);
    emit(s, PROBE_BH_NEW, id(3), id(1), 0, 0, "co_schedule_bh_cb");
    emit(s, PROBE_BH_NEW, id(4), id(1), 0, 0, "completion_bh");
    emit(s, PROBE_TIMER_NEW, id(5), id(1), 0, 0, NULL);
    emit(s, PROBE_TIMER_ARM, id(5), 90000, 0, 0, NULL);
    emit(s, PROBE_BLK_NEW, id(6), 0, 0, 0, "disk0");
    emit(s, PROBE_CO_CREATE, id(7), 0, 0, 0, "worker");
    emit(s, PROBE_CO_ENTER, id(7), id(1), 0, 0, NULL);
    emit(s, PROBE_REQ_BEGIN, id(8), id(6), 8192, 4096, "read");
    emit(s, PROBE_SQE, id(9), id(1), 0, 0, NULL);
    emit(s, PROBE_CO_YIELD, id(7), 0, 0, 0, NULL);
}

static void idle_turn(Session *s)
{
    emit(s, PROBE_POLL_BEGIN, id(1), 0, 1, 0, NULL);
    emit(s, PROBE_BH_SCHEDULE, id(4), id(1), 2, 0, NULL);
    emit(s, PROBE_BH_SLICE, id(1), id(4), 0, 0, NULL);
    emit(s, PROBE_BH_BEGIN, id(4), id(1), 0, 0, NULL);
    emit(s, PROBE_BH_END, id(4), id(1), 0, 0, NULL);
    emit(s, PROBE_POLL_END, id(1), 1, 1, 0, NULL);
}

static void get_stuck(Session *s)
{
    emit(s, PROBE_WAIT_BEGIN, id(1), id(1), 0, 0, "!done");
    emit(s, PROBE_POLL_BEGIN, id(1), 1, 1, 0, NULL);
    emit(s, PROBE_POLL_WAIT, id(1), (uint64_t)-1, 0, 0, NULL);
    emit(s, PROBE_POLL_WAKE, id(1), 1, 1, 0, NULL);
    emit(s, PROBE_FD_READY, id(2), 1, 0, 0, NULL);
    emit(s, PROBE_CQE, id(9), id(1), 4096, 0, NULL);
    emit(s, PROBE_FD_BEGIN, id(2), 1, 0, 0, NULL);
    emit(s, PROBE_NOTE, 0, 0, 0, 0, "异步 I/O waits for itself");
    emit(s, PROBE_POLL_BEGIN, id(1), 1, 2, 0, NULL);
    emit(s, PROBE_POLL_WAIT, id(1), (uint64_t)-1, 0, 0, NULL);
    emit(s, PROBE_STUCK, 1, 0, 0, 0, "main");
}

/* Options as the machine lists them; @taken of them. */
static void choose(Session *s, const char *kind, uint64_t object, unsigned n,
                   unsigned taken, uint64_t detail)
{
    emit(s, PROBE_CHOICE, object, n, taken, detail, kind);
}

static Session *empty_world(void)
{
    Session *session = g_new0(Session, 1);

    now = 1000;
    session->title = g_strdup("demo");
    session->events = event_store_new();
    session->model = model_new();
    session->keyframes =
        g_ptr_array_new_with_free_func((GDestroyNotify)model_free);
    return session;
}

Session *world_with_choices(void)
{
    Session *s = empty_world();

    setup(s);
    who = 2;
    emit(s, PROBE_THREAD_START, 2, 0, 0, 0, "io0");
    who = MAIN;
    choose(s, "thread", MAIN, 2, 0, 1 << MAIN | 1 << 2);
    idle_turn(s);
    choose(s, "thread", MAIN, 3, 1, 1 << MAIN | 1 << 2 | 1);
    choose(s, "batch", id(1), 3, 0, 2);
    choose(s, "request", id(1), 2, 1, 9);
    idle_turn(s);
    choose(s, "stores", 2, 2, 1, 1);
    emit(s, PROBE_NOTE, 0, 0, 0, 0, "the end");
    session_goto(s, session_count(s));
    return s;
}

Session *world_new(unsigned idle_turns)
{
    Session *session = empty_world();

    session->end = SESSION_STUCK;
    setup(session);
    while (idle_turns--) {
        idle_turn(session);
    }
    get_stuck(session);
    session_goto(session, session_count(session));
    return session;
}

void world_free(Session *session)
{
    session_free(session);
}
