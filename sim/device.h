/* SPDX-License-Identifier: MIT */
/*
 * Models of devices: how long a request takes, by its operation, its size, and
 * what the device is busy with.
 *
 * A device works at so many requests together (slots); others queue, and are
 * served in their order.  Names of models are "ssd", "hdd", or the path of a
 * table:
 *
 *     # comment
 *     slots 4
 *     read  4k   80us 85us 900us    up to 4 KiB: one of these, equally likely
 *     read  max  1ms
 *     write max  40us
 *
 * Operations are read, write, flush, discard and zeroes; one that has no row
 * takes no time.
 */
#ifndef SIM_DEVICE_H
#define SIM_DEVICE_H

#include "host.h"
#include "qapi/error.h"

typedef struct SimModel SimModel;

/* NULL and *errp if there is no such model, or its table makes no sense. */
SimModel *sim_model_new(const char *name, uint64_t size, Error **errp);
void sim_model_free(SimModel *model);
/*
 * When a request is done that reaches the device @now.  @rng: chance comes
 * from there.
 */
int64_t sim_model_done(SimModel *model, const struct io_uring_sqe *sqe,
                       int64_t now, uint64_t *rng);

/* "80us", "2ms", "1.5s" or plain nanoseconds; false if it is no time >= 0. */
bool sim_time_parse(const char *text, int64_t *ns);

/*
 * A file of such a device.  The simulated machine knows by its name what it
 * is: device:SIZE:kept:NAME:MODEL, or "hollow" for a file that forgets what is
 * written and reads as zeroes.
 */
typedef struct SimFileName {
    bool is_device, hollow;
    int64_t size;
    const char *model; /* points into the name */
} SimFileName;

SimFileName sim_file_name_parse(const char *name);

#endif
