/* SPDX-License-Identifier: MIT */
/*
 * Coroutines over a socket of the kernel: more than it holds, in pieces; its
 * end; errors; and that other hosts say that they have none.
 */
#include "harness.h"

#include "qemu/coroutine.h"
#include "qemu/main-loop.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BYTES = 1 << 20, SKIP = 1000 };

typedef struct End {
    int fd;
    Coroutine *co;
    uint8_t *data;
    ssize_t ret;
    int error;
    bool running, send, half;
} End;

static void enter_cb(void *opaque)
{
    End *end = opaque;

    qemu_coroutine_enter(end->co);
}

/* Three pieces, of which the first is not sent. */
static void coroutine_fn vector_entry(void *opaque)
{
    End *end = opaque;
    struct iovec iov[] = {
        {end->data, SKIP}, {end->data + SKIP, 7},
        {end->data + SKIP + 7, BYTES - SKIP - 7},
    };

    end->ret = end->send
        ? qemu_co_sendv(end->fd, iov, 3, SKIP, BYTES - SKIP)
        : qemu_co_recvv(end->fd, iov, 3, SKIP, BYTES - SKIP);
    aio_set_fd_handler(qemu_get_aio_context(), end->fd, NULL, NULL, NULL, NULL,
                       NULL);
    end->running = false;
}

static void coroutine_fn buffer_entry(void *opaque)
{
    End *end = opaque;

    errno = 0;
    end->ret = end->send ? qemu_co_send(end->fd, end->data, 100)
                         : qemu_co_recv(end->fd, end->data, 100);
    end->error = errno;
    aio_set_fd_handler(qemu_get_aio_context(), end->fd, NULL, NULL, NULL, NULL,
                       NULL);
    end->running = false;
}

static void start_end(End *end, int fd, bool send, CoroutineEntry *entry)
{
    *end = (End){.fd = fd, .send = send, .running = true};
    end->data = g_malloc0(BYTES);
    for (unsigned i = 0; send && i < BYTES; i++) {
        end->data[i] = i * 7 + (i >> 8);
    }
    CHECK_EQ(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    aio_set_fd_handler(qemu_get_aio_context(), fd, send ? NULL : enter_cb,
                       send ? enter_cb : NULL, NULL, NULL, end);
    end->co = qemu_coroutine_create(entry, end);
    qemu_coroutine_enter(end->co);
}

static void test_vectors(const ScenarioArgs *args)
{
    End ends[2];
    int fds[2];

    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    start_end(&ends[0], fds[0], true, vector_entry);
    CHECK(ends[0].running); /* more than the kernel takes at once */
    start_end(&ends[1], fds[1], false, vector_entry);
    while (ends[0].running || ends[1].running) {
        aio_poll(qemu_get_aio_context(), true);
    }
    CHECK_EQ(ends[0].ret, BYTES - SKIP);
    CHECK_EQ(ends[1].ret, BYTES - SKIP);
    CHECK(!memcmp(ends[0].data + SKIP, ends[1].data + SKIP, BYTES - SKIP));
    for (unsigned i = 0; i < 2; i++) {
        g_free(ends[i].data);
        close(fds[i]);
    }
}

static void test_end(const ScenarioArgs *args)
{
    End end;
    int fds[2];

    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    start_end(&end, fds[0], false, buffer_entry);
    CHECK(end.running);
    CHECK_EQ(write(fds[1], "12345", 5), 5);
    poll_until_idle(qemu_get_aio_context());
    CHECK(end.running);
    close(fds[1]);
    while (end.running) {
        aio_poll(qemu_get_aio_context(), true);
    }
    CHECK_EQ(end.ret, 5);
    CHECK_STR((char *)end.data, "12345");
    g_free(end.data);
    start_end(&end, fds[0], false, buffer_entry);
    CHECK(!end.running);
    CHECK_EQ(end.ret, 0); /* at the end of the stream */
    g_free(end.data);
    start_end(&end, fds[0], true, buffer_entry);
    CHECK(!end.running);
    CHECK_EQ(end.ret, -1);
    CHECK_EQ(end.error, EPIPE);
    g_free(end.data);
    close(fds[0]);
}

static void coroutine_fn receive_entry(void *opaque)
{
    char byte;

    qemu_co_recv(0, &byte, 1);
}

static void abort_simulated(const ScenarioArgs *args)
{
    qemu_coroutine_enter(qemu_coroutine_create(receive_entry, NULL));
}

int main(int argc, char **argv)
{
    static const AbortTest simulated[] = {
        {"/co-io/simulated", abort_simulated,
         "a socket of the kernel is for live runs that are not recorded: "
         "qemu_co_sendv_recvv() on the sim host"},
        {NULL}};
    static const LoopTest tests[] = {
        {"/co-io/vectors", test_vectors, TEST_LIVE_ONLY},
        {"/co-io/end", test_end, TEST_LIVE_ONLY},
        {NULL}};

    return harness_main(argc, argv, tests,
                        argc > 1 && g_str_equal(argv[1], "sim") ? simulated
                                                                : NULL);
}
