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
}

void probe_stop(void)
{
    probe_on = 0;
    probe_sink = NULL;
}

/*
 * Mixing is a multiply and a shift a word: every bit of every argument reaches
 * the digest, and a change of order changes it.  It need not resist anybody.
 */
static inline uint64_t mix(uint64_t digest, uint64_t word)
{
    digest = (digest ^ word) * 0x9e3779b97f4a7c15ULL;
    return digest ^ digest >> 32;
}

__attribute__((noinline))
void probe_emit(ProbeKind kind, const ProbeSite *site, uint64_t obj, uint64_t a,
                uint64_t b, uint64_t c, const char *text)
{
    HostThread *self = host_self_;
    /* Not the line: compilers differ in which line a long macro call is on. */
    uint64_t head = kind | obj << 8;
    uint64_t args = mix(a + c * 0xff51afd7ed558ccdULL, b);

    G_STATIC_ASSERT(PROBE_KIND_MAX <= 256);
    self->digest = mix(mix(self->digest, head), args);
    self->events++;
    if (unlikely(probe_sink)) {
        ProbeEvent event = {
            .kind = kind, .thread = self->id, .t_ns = self->now_ns,
            .obj = obj, .a = a, .b = b, .c = c,
            .site = site, .text = text,
        };
        probe_sink(&event, probe_opaque);
    }
}
