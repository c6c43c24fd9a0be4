/* SPDX-License-Identifier: MIT */
/* The one exit of the event loop: digests, and the sink. */
#include "host.h"

#undef PROBE
const ProbeInfo probe_table[PROBE_KIND_MAX] = {
#define PROBE(ID, name, obj, a, b, c, help) {name, obj, a, b, c, help},
#include "aiolab/probes.def"
#undef PROBE
};

int probe_on;
static ProbeSink *probe_sink;
static void *probe_opaque;

void probe_start(ProbeSink *sink, void *opaque)
{
    probe_sink = sink;
    probe_opaque = opaque;
    probe_on = 1;
    host_fast_.trap |= TRAP_TRACED;
}

void probe_stop(void)
{
    probe_on = 0;
    host_fast_.trap &= ~TRAP_TRACED;
    probe_sink = NULL;
}

static __attribute__((noinline, cold))
void give_to_sink(ProbeKind kind, const ProbeSite *site, uint64_t obj,
                  uint64_t a, uint64_t b, uint64_t c, const char *text)
{
    HostThread *self = host_self_;
    ProbeEvent event = {
        .kind = kind, .thread = self->id, .t_ns = self->now_ns,
        .obj = obj, .a = a, .b = b, .c = c, .site = site, .text = text,
    };

    probe_sink(&event, probe_opaque);
}

/*
 * The digest: each argument is multiplied by an odd number of its own, and the
 * sum is folded in by a multiply and a shift, so every bit of every argument
 * reaches it, and another order gives another digest.  It need not resist
 * anybody.  While recording this is all that a probe costs.
 */
__attribute__((noinline))
void probe_emit(ProbeKind kind, const ProbeSite *site, uint64_t obj, uint64_t a,
                uint64_t b, uint64_t c, const char *text)
{
    HostThread *self = host_self_;
    /* Not the line: compilers differ in which line a long macro call is on. */
    uint64_t event = ((uint64_t)kind << 32) +
                     obj * 0x9fb21c651e98df25ULL + a * 0xff51afd7ed558ccdULL +
                     b * 0xc4ceb9fe1a85ec53ULL + c * 0x165667919e3779f9ULL;
    uint64_t digest = (self->digest ^ event) * 0x9e3779b97f4a7c15ULL;

    self->digest = digest ^ digest >> 32;
    self->events++;
    if (unlikely(probe_sink)) {
        give_to_sink(kind, site, obj, a, b, c, text);
    }
}
