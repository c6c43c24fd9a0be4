/* SPDX-License-Identifier: MIT */
/* The one exit of the event loop: digests, and the sink. */
#include "host.h"
#include "raw-atomic.h"

#undef PROBE
const ProbeInfo probe_table[PROBE_KIND_MAX] = {
#define PROBE(ID, name, obj, a, b, c, help) {name, obj, a, b, c, help},
#include "aiolab/probes.def"
#undef PROBE
};

int probe_on;
__thread uint64_t probe_digest_;
static ProbeSink *probe_sink;
static void *probe_opaque;
static int64_t probe_latest_ns; /* the latest time that any thread has shown */

void probe_start(ProbeSink *sink, void *opaque)
{
    probe_sink = sink;
    probe_opaque = opaque;
    probe_latest_ns = 0;
    probe_on = PROBE_DIGEST | (sink ? PROBE_SINK : 0);
    host_fast_.trap |= host_probe_trap();
}

void probe_stop(void)
{
    probe_on = 0;
    host_fast_.trap &= ~(TRAP_TRACED | TRAP_DIGESTED);
    probe_sink = NULL;
}

__attribute__((noinline)) uint64_t probe_digest(void)
{
    return probe_digest_;
}

__attribute__((noinline)) uint64_t probe_mix_slowly(uint64_t event)
{
    return probe_digest_ = probe_digest_ * PROBE_DIGEST_FACTOR + event;
}

/*
 * When the thread last looked at a clock; one that never did, as the workers of
 * a pool, has the time of whoever came before.
 */
static int64_t time_of(const HostThread *self)
{
    int64_t latest = raw_read(&probe_latest_ns);

    if (!self->now_ns) {
        return latest;
    }
    if (self->now_ns > latest) {
        raw_set(&probe_latest_ns, self->now_ns);
    }
    return self->now_ns;
}

void probe_show(ProbeKind kind, const ProbeSite *site, uint64_t obj, uint64_t a,
                uint64_t b, uint64_t c, const char *text)
{
    HostThread *self = host_self_;
    ProbeEvent event = {
        .kind = kind, .thread = self->id, .t_ns = time_of(self),
        .obj = obj, .a = a, .b = b, .c = c, .site = site, .text = text,
    };

    if (probe_sink) {
        probe_sink(&event, probe_opaque);
    }
}

void probe_emit(ProbeKind kind, const ProbeSite *site, uint64_t obj, uint64_t a,
                uint64_t b, uint64_t c, const char *text)
{
    probe_mix_slowly(probe_event_digest(kind, obj, a, b, c));
    probe_show(kind, site, obj, a, b, c, text);
}
