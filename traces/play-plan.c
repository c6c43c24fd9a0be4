/* SPDX-License-Identifier: MIT */
/* The memory of a plan, and what its trace says besides. */
#include "play-plan.h"

#include "store.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- Memory ---- */

void *play_plan_map(size_t bytes, bool shared, Error **errp)
{
    int fd = open(g_get_tmp_dir(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    void *memory = MAP_FAILED;
    int err = 0;

    if (fd < 0) {
        g_autofree char *name = NULL;

        fd = g_file_open_tmp("aiolab-play-XXXXXX", &name, NULL);
        if (fd >= 0) {
            unlink(name);
        }
    }
    if (fd >= 0) {
        err = posix_fallocate(fd, 0, bytes);
        if (!err) {
            memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                          shared ? MAP_SHARED : MAP_PRIVATE, fd, 0);
        }
        close(fd);
    }
    if (memory == MAP_FAILED) {
        error_setg(errp, "%s: no room for a plan of %zu bytes (%s); set TMPDIR "
                   "to a larger place, or choose fewer records",
                   g_get_tmp_dir(), bytes, g_strerror(err ? err : errno));
        return NULL;
    }
    return memory;
}

void play_plan_free(PlayPlan *plan)
{
    if (!plan) {
        return;
    }
    if (plan->requests) {
        munmap(plan->requests, plan->mapped);
    }
    if (plan->outcome) {
        munmap(plan->outcome, sizeof(*plan->outcome));
    }
    for (unsigned i = 0; i < plan->targets->len; i++) {
        PlayTarget *target = &g_array_index(plan->targets, PlayTarget, i);

        g_free(target->device);
        g_free(target->path);
    }
    g_array_free(plan->targets, true);
    g_free(plan->clock);
    g_free(plan);
}

/* ---- What was captured ---- */

struct PlayCaptured {
    Log *log;
    TraceReader *reader;
    uint64_t next;
    int64_t latency_ns; /* of record next - 1 */
};

PlayCaptured *play_captured_new(const PlayConfig *config, Error **errp)
{
    PlayCaptured *c = g_new0(PlayCaptured, 1);

    c->next = 1;
    c->log = log_open(config->trace, errp);
    c->reader = c->log ? trace_reader_open(c->log, errp) : NULL;
    if (!c->reader) {
        play_captured_free(c);
        return NULL;
    }
    return c;
}

int64_t play_captured_latency(PlayCaptured *c, uint32_t record)
{
    TraceRecord r;

    if (record + 1 == c->next) {
        return c->latency_ns;
    }
    trace_reader_seek(c->reader, record);
    c->next = record + 1;
    c->latency_ns = trace_reader_next(c->reader, &r, NULL)
        ? trace_record_latency(&r, trace_reader_at(c->reader)) : TRACE_NO_TIME;
    return c->latency_ns;
}

void play_captured_free(PlayCaptured *c)
{
    if (c) {
        trace_reader_free(c->reader);
        log_close(c->log, NULL);
        g_free(c);
    }
}
