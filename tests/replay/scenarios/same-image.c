/* SPDX-License-Identifier: MIT */
/*
 * same-image: one file that is open twice, and once more under another name;
 * what is written by one way is read by the others.
 */
#include "aiolab/scenario.h"

enum { BLOCK = 4096, WAYS = 3 };

static uint8_t written[BLOCK], found[BLOCK];

static BlockBackend *open_image(const char *path)
{
    BlockdevOptions options = {.driver = "file", .filename = path,
                               .aio = "io_uring"};
    BlockDriverState *bs = bdrv_open_blockdev(&options, &error_fatal);
    BlockBackend *blk = blk_new(qemu_get_aio_context(), "disk");

    blk_insert_bs(blk, bs);
    bdrv_unref(bs);
    return blk;
}

static void read_by_all(BlockBackend **ways, int64_t block)
{
    for (unsigned i = 0; i < WAYS; i++) {
        SCENARIO_CHECK(blk_pread(ways[i], block * BLOCK, BLOCK, found, 0) == 0,
                       "a read failed");
        SCENARIO_CHECK(memcmp(found, written, BLOCK) == 0,
                       "way %u reads something else", i);
    }
}

static void run(const ScenarioArgs *args)
{
    const char *image = scenario_param(args, "image");
    BlockBackend *ways[WAYS] = {open_image(image), open_image(image),
                                open_image(scenario_param(args, "other"))};

    blk_pread(ways[2], 3 * BLOCK, BLOCK, found, 0);
    for (unsigned i = 0; i < 2 * WAYS; i++) {
        memset(written, scenario_param_int(args, "fill") + i, BLOCK);
        SCENARIO_CHECK(blk_pwrite(ways[i % WAYS], i / 2 * BLOCK, BLOCK,
                                  written, 0) == 0, "a write failed");
        read_by_all(ways, i / 2);
    }
    blk_unref(ways[0]);
    ways[0] = open_image(image);
    read_by_all(ways, WAYS - 1);
    for (unsigned i = 0; i < WAYS; i++) {
        blk_unref(ways[i]);
    }
}

SCENARIO(same_image) = {
    .name = "same-image",
    .summary = "a file is written by one descriptor and read by others",
    .host = "live",
    .params = (const ScenarioParam[]){
        {"image", "disk.img", "the file"},
        {"other", "link.img", "another name of it"},
        {"fill", "1", "what is written"},
        {NULL}},
    .run = run,
};
