/* SPDX-License-Identifier: MIT */
/*
 * The simulated machine: virtual threads on one OS thread, in virtual time.
 *
 * A virtual thread runs until it reaches a host operation.  There the machine
 * may let another one go first, and which one is a choice of the oracle.  The
 * clock moves by a tick at each operation, and jumps to the next deadline when
 * all threads wait.  If they wait and there is no deadline and no request at
 * the device, the machine is stuck: that is a deadlock, found at the moment it
 * happens.
 *
 * The same oracle and the same seed give the same run, on every machine.
 */
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include "host.h"

/* ---- Choices ---- */

typedef enum ChoiceKind {
    CHOICE_THREAD, /* who runs next; option 0: whoever runs now; SimConfig.fine:
                      the last may be nobody (number 0): time passes */
    CHOICE_BATCH,  /* how many of the ready completions a wait returns;
                      option 0: all of them, option k: the first k, and the
                      last: none, if there are descriptors to return */
    CHOICE_REQUEST, /* SimConfig.fine: which request at the device is done
                       next; option 0: the one that takes least time */
    CHOICE_STORES,  /* SIM_STORE_BUFFERS: how many of a thread's stores become
                       visible; option 0: all */
    CHOICE_WAKE,    /* SIM_SPURIOUS: does a wait for a condition end though
                       nobody wakes it? */
    CHOICE_FAULT,   /* SIM_FAULT(): how a request fails; 0: it does not, else
                       a SimFault + 1 */
    CHOICE_KIND_MAX
} ChoiceKind;

extern const char *const choice_kind_names[CHOICE_KIND_MAX];

typedef struct Choice {
    ChoiceKind kind;
    unsigned n;      /* options 0 .. n-1, at least 2 */
    uint64_t object; /* the thread or the context that reached it */
    const uint64_t *options; /* thread numbers, batch sizes, or requests */
} Choice;

/* Answers choices.  Option 0 is the default policy: keep going. */
typedef struct Oracle Oracle;
struct Oracle {
    unsigned (*choose)(Oracle *oracle, const Choice *choice);
};

/* Always option 0. */
extern Oracle oracle_default;

typedef struct RandomOracle {
    Oracle base;
    uint64_t state;
} RandomOracle;
void oracle_random_init(RandomOracle *oracle, uint64_t seed);

/* Takes @picks in turn, then option 0; remembers what was asked. */
typedef struct ScriptOracle {
    Oracle base;
    const unsigned *picks;
    unsigned n_picks;
    GArray *asked; /* of ScriptAnswer */
} ScriptOracle;
typedef struct ScriptAnswer {
    ChoiceKind kind;
    unsigned n, taken;
} ScriptAnswer;
void oracle_script_init(ScriptOracle *oracle, const unsigned *picks,
                        unsigned n_picks);
void oracle_script_finish(ScriptOracle *oracle);

/*
 * For whoever explores: which steps a schedule consists of.  A step is what a
 * thread does from one scheduling point to the next; what it touched tells
 * which steps could change places without a difference.
 */
typedef enum SimAccess {
    SIM_READ,
    SIM_WRITE,
    /* Of what the machine alone knows, as time and chance: no thread can learn
     * from it what another has done. */
    SIM_OWN_READ,
    SIM_OWN_WRITE,
} SimAccess;

typedef struct SimTracer {
    /* @thread makes the next step; 0: time passes. */
    void (*step)(uint32_t thread);
    /* The current step touches what stands at @object; or NULL. */
    void (*access)(const volatile void *object, SimAccess how);
    /* It lets @thread, which waited, go on, or begin. */
    void (*wake)(uint32_t thread);
    /* Nobody can go on, ever: what follows tells so, and is no step. */
    void (*stuck)(void);
} SimTracer;

/* ---- The device behind the simulated ring ---- */

typedef struct SimDevice {
    int64_t read_ns, write_ns, flush_ns, nop_ns;
    unsigned jitter_percent; /* of each latency, either way, from the seed */
} SimDevice;

extern const SimDevice sim_device_ssd;

/* ---- Running ---- */

typedef enum SimFault {
    SIM_FAULT_SHORT, /* half of it is transferred */
    SIM_FAULT_AGAIN, /* -EAGAIN */
    SIM_FAULT_EIO,   /* -EIO */
    SIM_FAULTS
} SimFault;

extern const char *const sim_fault_names[SIM_FAULTS];

/* What a machine does only if it is asked for; each makes choices of its own. */
enum {
    SIM_STORE_BUFFERS = 1 << 0, /* a thread's qatomic_set() is seen by others
                                   later, in order: x86's memory */
    SIM_SPURIOUS = 1 << 1,      /* waits may end though nobody wakes them */
#define SIM_FAULT(fault) (1U << (2 + (fault)))
    SIM_ANY_FAULT = SIM_FAULT(SIM_FAULTS) - SIM_FAULT(0),
    SIM_EXTRAS_END = SIM_FAULT(SIM_FAULTS), /* greater than any of them */
};

typedef struct SimConfig {
    uint64_t seed;
    Oracle *oracle;          /* NULL: the default policy */
    const SimDevice *device; /* NULL: sim_device_ssd */
    int64_t file_size;       /* of files that are opened; 0: 64 MiB */
    uint64_t max_steps;      /* 0: no limit */
    const FDMonOps *fdmon;   /* the monitor to imitate; NULL: io_uring */
    bool fine; /* what the kernel decides is a choice, too: time may pass
                  though somebody could run, the device may finish requests in
                  any order, and threads switch at each qatomic_*() and
                  at the end of each turn */
    bool still; /* operations take no time; it passes only while threads wait,
                   or by choice */
    unsigned extras; /* SIM_... */
    const SimTracer *tracer; /* or NULL */
} SimConfig;

typedef enum SimOutcome {
    SIM_DONE,   /* the main thread returned */
    SIM_STUCK,  /* nothing can run, ever */
    SIM_BUDGET, /* max_steps operations were made */
    SIM_ABANDONED, /* sim_abandon() */
    SIM_EXITED, /* a thread has ended the process */
} SimOutcome;

typedef struct SimResult {
    SimOutcome outcome;
    uint64_t steps;
    int64_t virtual_ns;
    int exit_status, exit_signal; /* SIM_EXITED: one, or the other */
} SimResult;

typedef void SimMain(void *opaque);

extern const HostOps sim_host;

/*
 * Runs @fn as the main thread of a fresh machine whose operations are @ops:
 * sim_host, or something that wraps it.  A stuck machine's threads are
 * abandoned where they are: run it in a process of its own.
 */
SimResult sim_run(const SimConfig *config, const HostOps *ops, SimMain *fn,
                  void *opaque);

/*
 * The same in two parts, for whoever goes back to the same state again and
 * again: the main thread rests in sim_rest(), and what memory is like then, its
 * stack included, can be kept and put back before each sim_go_on().
 */
bool sim_run_to_rest(const SimConfig *config, const HostOps *ops, SimMain *fn,
                     void *opaque); /* false: it ended, without a rest */
void sim_rest(void);
/* What of the main thread's stack is in use. */
const void *sim_resting_stack(size_t *size);
SimResult sim_go_on(Oracle *oracle, const SimTracer *tracer);

/* By the oracle or the tracer: nobody needs the rest of this run. */
void sim_abandon(void);

/*
 * For a host that wraps sim_host, in one of its operations.  sim_spin: until
 * another thread has made a step, or @deadline; false: it is over.
 */
bool sim_spin(int64_t deadline);
/* How many operations were made so far. */
uint64_t sim_steps(void);
/* How many requests of @monitor, one of sim_host's, are done, and in all. */
void sim_monitor_requests(const HostMonitor *monitor, unsigned *done,
                          unsigned *all);

/* What the machine tells the recorder; set before sim_run(). */
typedef struct SimObserver {
    void (*chosen)(const Choice *choice, unsigned taken);
    void (*stuck)(uint32_t thread);
} SimObserver;
extern const SimObserver *sim_observer;

/* The events of a choice and of a stuck thread; a replay emits them too. */
struct VThread;
void sim_emit_choice(ChoiceKind kind, uint64_t object, unsigned n,
                     unsigned taken, uint64_t detail);
/*
 * What the options are, in one number.  CHOICE_THREAD: a bit for each thread
 * that could run, bit 0 for time.  CHOICE_BATCH: how many completions are due;
 * the option behind those is to return none.  CHOICE_REQUEST: the first one.
 * CHOICE_FAULT: a SIM_FAULT() for each that could be.
 */
uint64_t choice_detail(const Choice *choice);
enum { CHOICE_OPTIONS_MAX = 65 };
/*
 * The options of a choice event, from its numbers: object, options, detail.
 * False: they cannot be told (requests, or threads beyond the 63rd).
 */
bool choice_options(ChoiceKind kind, uint64_t object, unsigned n,
                    uint64_t detail, uint64_t options[CHOICE_OPTIONS_MAX]);
void sim_emit_stuck(struct VThread *thread);

#endif
