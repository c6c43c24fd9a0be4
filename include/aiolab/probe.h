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

typedef struct ProbeSite {
    const char *file;
    int line;
    const char *func;
} ProbeSite;

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

extern int probe_on;

/* Turns probes on.  @sink NULL: digests only.  Before threads exist. */
void probe_start(ProbeSink *sink, void *opaque);
void probe_stop(void);

void probe_emit(ProbeKind kind, const ProbeSite *site, uint64_t obj, uint64_t a,
                uint64_t b, uint64_t c, const char *text);

#define PROBE_TEXT(ID, obj, a, b, c, text)                                  \
    do {                                                                    \
        if (unlikely(probe_on)) {                                           \
            static const ProbeSite site_ = {__FILE__, __LINE__, __func__};  \
            probe_emit(PROBE_##ID, &site_, obj, a, b, c, text);             \
        }                                                                   \
    } while (0)
#define PROBE(ID, obj, a, b, c) PROBE_TEXT(ID, obj, a, b, c, NULL)

#endif
