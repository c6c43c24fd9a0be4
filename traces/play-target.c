/* SPDX-License-Identifier: MIT */
/* Where requests go: a BlockBackend for each device of the trace. */
#include "play.h"

#include "blkdebug.h"
#include "device.h"

enum { MIB = 1 << 20 };

static const char *driver_of(const PlayConfig *config)
{
    return *config->driver ? config->driver
         : g_str_equal(config->device, "null") ? "null-co" : "file";
}

/* What the simulated machine makes a device of; see sim/device.h. */
static char *device_name(const PlayConfig *config, const PlayTarget *target)
{
    g_autofree char *name = g_strdelimit(g_strdup(target->device), ":", '_');

    return g_strdup_printf("device:%" PRIu64 ":%s:%s:%s",
                           ROUND_UP(target->end, MIB),
                           config->verify ? "kept" : "hollow", name,
                           config->device);
}

static BlockDriverState *open_target(const Play *play,
                                     const PlayTarget *target, Error **errp)
{
    const PlayConfig *config = &play->config;
    g_autofree char *name = target->path ? g_strdup(target->path)
                                         : device_name(config, target);
    BlockdevOptions options = {
        .driver = target->path ? "file" : driver_of(config),
        .filename = name,
        .read_only = target->path && !config->write,
        .cache_direct = config->direct,
        .aio = config->aio,
        .size = MAX(ROUND_UP(target->end, MIB), MIB),
    };

    return bdrv_open_blockdev(&options, errp);
}

static bool is_large_enough(const Play *play, const PlayTarget *target,
                            int64_t size)
{
    if (size < 0) {
        scenario_bad_input("%s: its size is not known: %s", target->path,
                           g_strerror(-size));
        return false;
    }
    if (target->end > (uint64_t)size && play->config.fold == FOLD_NONE) {
        scenario_bad_input("%s: has %" PRId64 " bytes, and the trace of %s "
                           "needs %" PRIu64 "; give a larger one, or --fold "
                           "wrap, scale or skip",
                           target->path ? target->path : target->device, size,
                           target->device, target->end);
        return false;
    }
    return true;
}

/* Devices that go to the same file share its node. */
static BlockDriverState *node_of(Play *play, unsigned i, Error **errp)
{
    PlayTarget *target = &g_array_index(play->plan->targets, PlayTarget, i);

    if (target->file == i) {
        play->nodes[i] = open_target(play, target, errp);
    }
    if (play->nodes[target->file]) {
        bdrv_ref(play->nodes[target->file]);
    }
    return play->nodes[target->file];
}

static bool add_target(Play *play, unsigned i)
{
    PlayTarget *target = &g_array_index(play->plan->targets, PlayTarget, i);
    Error *err = NULL;
    BlockDriverState *bs = node_of(play, i, &err);

    if (!bs) {
        scenario_bad_input("%s", error_get_pretty(err));
        error_free(err);
        return false;
    }
    if (play->config.faults->len) {
        play->filters[i] = blkdebug_new(bs);
        bdrv_unref(bs);
        bs = play->filters[i];
    }
    play->blks[i] = blk_new(qemu_get_aio_context(), target->device);
    blk_insert_bs(play->blks[i], bs);
    bdrv_unref(bs);
    play->sizes[i] = blk_getlength(play->blks[i]);
    return is_large_enough(play, target, play->sizes[i]);
}

bool play_open_targets(Play *play)
{
    unsigned n = play->plan->targets->len;
    bool ok = true;

    play->blks = g_new0(BlockBackend *, n);
    play->filters = g_new0(BlockDriverState *, n);
    play->sizes = g_new0(int64_t, n);
    play->nodes = g_new0(BlockDriverState *, n);
    for (unsigned i = 0; i < n && ok; i++) {
        ok = add_target(play, i);
    }
    return ok;
}

void play_close_targets(Play *play)
{
    for (unsigned i = 0; i < play->plan->targets->len; i++) {
        if (play->blks[i]) {
            blk_drain(play->blks[i]);
            blk_unref(play->blks[i]);
        }
        if (play->nodes[i]) {
            bdrv_unref(play->nodes[i]);
        }
    }
    g_free(play->nodes);
    g_free(play->blks);
    g_free(play->filters);
    g_free(play->sizes);
}
