/* SPDX-License-Identifier: MIT */
/*
 * Probes: everything that leaves the event loop.
 *
 * Each probe is a row of probes.def.  While probes are off, a call costs one
 * predicted branch.  While they are on, every event is mixed into its thread's
 * digest (what record and replay compare) and handed to the sink, if there is
 * one (what models, views and tables are made of).
 *
 * An event holds object ids, numbers and static strings.  It never holds an
 * address, a file descriptor or a pid, because those differ between a run and
 * its replay.
 */
#ifndef AIOLAB_PROBE_H
#define AIOLAB_PROBE_H

#include "aiolab/lock-site.h"
#include "qemu/osdep.h"

typedef enum ProbeKind {
#define PROBE(ID, name, obj, a, b, c, help) PROBE_##ID,
#include "aiolab/probes.def"
#undef PROBE
    PROBE_KIND_MAX
} ProbeKind;

/* One row of the table, for people and for SQL. */
typedef struct ProbeInfo {
    const char *name;
    const char *obj, *a, *b, *c; /* what the fields mean; NULL: unused */
    const char *help;
} ProbeInfo;

extern const ProbeInfo probe_table[PROBE_KIND_MAX];

typedef struct ProbeEvent {
    uint32_t kind;   /* ProbeKind */
    uint32_t thread; /* number of the thread, in creation order */
    int64_t t_ns;    /* the last time that the thread read; 0 before that */
    uint64_t obj, a, b, c;
    const ProbeSite *site;
    const char *text; /* NULL, or valid during the sink's call */
} ProbeEvent;

/* Called on the emitting thread; must not call the event loop. */
typedef void ProbeSink(const ProbeEvent *event, void *opaque);

enum {
    PROBE_DIGEST = 1, /* events are mixed into the thread's digest */
    PROBE_SINK = 2,   /* somebody listens to them, too */
};
extern int probe_on; /* 0, PROBE_DIGEST or both */

/* Turns probes on.  @sink NULL: digests only.  Before threads exist. */
void probe_start(ProbeSink *sink, void *opaque);
void probe_stop(void);

/*
 * The digest of a thread's events: a polynomial over them, modulo 2^64.  Each
 * argument of an event is multiplied by an odd number of its own, the sum is
 * the next coefficient.  So one event that differs always changes it, and so
 * do two that change places, unless they are 2^20 events apart or more; it
 * need not resist anybody.  The numbers have 32 bits because an instruction
 * holds such a one.
 *
 * The line of the site is not in it: compilers differ in which line a long
 * macro call is on.
 */
#define PROBE_DIGEST_FACTOR 0x5851f42d
#define PROBE_DIGEST_KIND 0x3c6ef35f
#define PROBE_DIGEST_OBJ 0x7feb352d
#define PROBE_DIGEST_A 0x68e31da5
#define PROBE_DIGEST_B 0x5bd1e995
#define PROBE_DIGEST_C 0x2c1b3c6d

extern __thread uint64_t probe_digest_;

static inline uint64_t probe_event_digest(ProbeKind kind, uint64_t obj,
                                          uint64_t a, uint64_t b, uint64_t c)
{
    return (uint64_t)kind * PROBE_DIGEST_KIND + obj * PROBE_DIGEST_OBJ +
           a * PROBE_DIGEST_A + b * PROBE_DIGEST_B + c * PROBE_DIGEST_C;
}

/* The same as probe_mix(), for machines that it does not know. */
uint64_t probe_mix_slowly(uint64_t event);

/*
 * While recording this is all that a probe costs.  A compiler may keep the
 * address of a thread-local variable across a coroutine's move to another
 * thread; the instructions here find it anew.  Returns the new digest.
 */
static inline uint64_t probe_mix(uint64_t event)
{
#if defined(__x86_64__) && defined(__ELF__)
    uint64_t at, digest;

    __asm__ volatile("movq probe_digest_@gottpoff(%%rip), %0\n\t"
                     "imulq %3, %%fs:(%0), %1\n\t"
                     "addq %2, %1\n\t"
                     "movq %1, %%fs:(%0)"
                     : "=&r"(at), "=&r"(digest)
                     : "r"(event), "i"(PROBE_DIGEST_FACTOR)
                     : "cc");
    return digest;
#else
    return probe_mix_slowly(event);
#endif
}

/* The calling thread's. */
uint64_t probe_digest(void);

void probe_emit(ProbeKind kind, const ProbeSite *site, uint64_t obj, uint64_t a,
                uint64_t b, uint64_t c, const char *text);

/* The same without the digest; only if somebody listens. */
void probe_show(ProbeKind kind, const ProbeSite *site, uint64_t obj, uint64_t a,
                uint64_t b, uint64_t c, const char *text);

#define PROBE_TEXT(ID, obj, a, b, c, text)                                  \
    do {                                                                    \
        int on_ = probe_on;                                                 \
                                                                            \
        if (unlikely(on_)) {                                                \
            static const ProbeSite site_ = {__FILE__, __LINE__, __func__};  \
                                                                            \
            if (likely(on_ == PROBE_DIGEST)) {                              \
                probe_mix(probe_event_digest(PROBE_##ID, obj, a, b, c));    \
            } else {                                                        \
                probe_emit(PROBE_##ID, &site_, obj, a, b, c, text);         \
            }                                                               \
        }                                                                   \
    } while (0)
#define PROBE(ID, obj, a, b, c) PROBE_TEXT(ID, obj, a, b, c, NULL)

/*
 * An event that says again what an input of the same operation says, or the
 * event next to it: it is not in the digest, and costs a recording nothing.
 */
#define PROBE_SHOW_TEXT(ID, obj, a, b, c, text)                             \
    do {                                                                    \
        if (unlikely(probe_on & PROBE_SINK)) {                              \
            static const ProbeSite site_ = {__FILE__, __LINE__, __func__};  \
                                                                            \
            probe_show(PROBE_##ID, &site_, obj, a, b, c, text);             \
        }                                                                   \
    } while (0)
#define PROBE_SHOW(ID, obj, a, b, c) PROBE_SHOW_TEXT(ID, obj, a, b, c, NULL)

#endif
