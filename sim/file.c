/* SPDX-License-Identifier: MIT */
/*
 * Virtual files: memory, by name, zero until written.
 *
 * Each open has a descriptor of its own, as a kernel's has; whoever opens the
 * same name shares the content.  A name may say that it is a device (device.h),
 * of any size: then memory is used for what is written only.
 */
#include "sim-internal.h"

#include <sys/mman.h>

typedef struct SimFile {
    char *path;
    uint8_t *data;   /* NULL: it reads as zeroes */
    int64_t size;
    SimModel *model; /* or NULL */
    struct SimFile *content; /* the first one of that name, which has it */
} SimFile;

static SimFile *find(int fd)
{
    unsigned index = fd - SIM_FD_FILE;
    SimFile *file;

    if (fd < SIM_FD_FILE || index >= sim.files->len) {
        return NULL;
    }
    file = g_ptr_array_index(sim.files, index);
    return file->content;
}

static SimFile *find_name(const char *path)
{
    for (unsigned i = 0; i < sim.files->len; i++) {
        SimFile *file = g_ptr_array_index(sim.files, i);

        if (g_strcmp0(file->path, path) == 0) {
            return file;
        }
    }
    return NULL;
}

static int make_content(SimFile *file, const char *path)
{
    SimFileName name = sim_file_name_parse(path);

    file->size = name.is_device ? name.size : sim.config.file_size;
    if (name.is_device) {
        file->model = sim_model_new(name.model, file->size, NULL);
        if (!file->model || file->size < 0) {
            return -EINVAL;
        }
    }
    if (!name.hollow && file->size) {
        file->data = mmap(NULL, file->size, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (file->data == MAP_FAILED) {
            file->data = NULL;
            return -EFBIG;
        }
    }
    file->content = file;
    file->path = g_strdup(path);
    return 0;
}

static void free_file(SimFile *file)
{
    sim_model_free(file->model);
    if (file->data) {
        munmap(file->data, file->size);
    }
    g_free(file->path);
    g_free(file);
}

int sim_file_open(const char *path, bool writable, bool direct)
{
    SimFile *file = g_new0(SimFile, 1);
    int ret = 0;

    file->content = find_name(path);
    if (!file->content) {
        ret = make_content(file, path);
    }
    if (ret < 0) {
        free_file(file);
        return ret;
    }
    g_ptr_array_add(sim.files, file);
    return SIM_FD_FILE + sim.files->len - 1;
}

void sim_file_close(int fd)
{
    /* The content stays: it may be opened again. */
}

int64_t sim_file_size(int fd)
{
    return find(fd)->size;
}

void sim_files_finish(void)
{
    for (unsigned i = 0; i < sim.files->len; i++) {
        free_file(g_ptr_array_index(sim.files, i));
    }
}

SimModel *sim_file_model(int fd)
{
    SimFile *file = find(fd);

    return file ? file->model : NULL;
}

static int32_t transfer(SimFile *file, bool write, uint64_t offset,
                        const struct iovec *iov, unsigned niov)
{
    int32_t done = 0;

    for (unsigned i = 0; i < niov; i++) {
        uint64_t left = offset < (uint64_t)file->size ? file->size - offset : 0;
        size_t len = MIN(iov[i].iov_len, left);

        if (!file->data) {
            if (!write) {
                memset(iov[i].iov_base, 0, len);
            }
        } else if (write) {
            memcpy(file->data + offset, iov[i].iov_base, len);
        } else {
            memcpy(iov[i].iov_base, file->data + offset, len);
        }
        offset += len;
        done += len;
        if (len < iov[i].iov_len) {
            break;
        }
    }
    return done;
}

static int32_t clear(SimFile *file, uint64_t offset, uint64_t bytes)
{
    uint64_t left = offset < (uint64_t)file->size ? file->size - offset : 0;

    if (file->data) {
        memset(file->data + offset, 0, MIN(bytes, left));
    }
    return 0;
}

int32_t sim_file_perform(const struct io_uring_sqe *sqe)
{
    struct iovec one = {(void *)(uintptr_t)sqe->addr, sqe->len};
    const struct iovec *many = (void *)(uintptr_t)sqe->addr;
    SimFile *file;

    if (sqe->opcode == IORING_OP_NOP) {
        return 0;
    }
    file = find(sqe->fd);
    if (!file) {
        return -EBADF;
    }
    sim_access(file, SIM_WRITE);
    switch (sqe->opcode) {
    case IORING_OP_READ:
        return transfer(file, false, sqe->off, &one, 1);
    case IORING_OP_WRITE:
        return transfer(file, true, sqe->off, &one, 1);
    case IORING_OP_READV:
        return transfer(file, false, sqe->off, many, sqe->len);
    case IORING_OP_WRITEV:
        return transfer(file, true, sqe->off, many, sqe->len);
    case IORING_OP_FSYNC:
        return 0;
    case IORING_OP_FALLOCATE: /* a hole, or zeroes: the same here */
        return clear(file, sqe->off, sqe->addr);
    default:
        return -EOPNOTSUPP;
    }
}

int32_t sim_file_wait_and_perform(const struct io_uring_sqe *sqe)
{
    sim_point();
    sim_block(sim.now + sim_latency(sqe)); /* nobody wakes us before that */
    return sim_perform(machine_current()->self.id, &machine_current()->fault,
                       sqe);
}
