/* SPDX-License-Identifier: MIT */
/* Scatter/gather arrays and vectors, against a plain buffer; and sockets. */
#include "qemu/cutils.h"
#include "qemu/iov.h"
#include "qemu/memalign.h"
#include "qemu/sockets.h"
#include "testlib.h"

enum { ELEMENTS = 9, SIZE = 400 };

/* Elements of many sizes, empty ones too, one behind the other in a buffer. */
typedef struct World {
    uint8_t bytes[SIZE];
    struct iovec iov[ELEMENTS];
    unsigned n;
    size_t size;
} World;

static World world_of(GRand *rand, uint8_t *memory)
{
    World w = {.n = g_rand_int_range(rand, 1, ELEMENTS + 1)};

    for (unsigned i = 0; i < w.n; i++) {
        size_t len = g_rand_int_range(rand, 0, SIZE / ELEMENTS);

        w.iov[i] = (struct iovec){memory + w.size, len};
        w.size += len;
    }
    for (size_t i = 0; i < SIZE; i++) {
        memory[i] = w.bytes[i] = g_rand_int_range(rand, 0, 256);
    }
    return w;
}

/* Calls @check with many worlds, and with every offset of a few lengths. */
static void for_all(void (*check)(World *w, size_t offset, size_t len))
{
    GRand *rand = g_rand_new_with_seed(1);
    uint8_t memory[SIZE];

    for (int round = 0; round < 30; round++) {
        World w = world_of(rand, memory);

        for (size_t offset = 0; offset <= w.size; offset++) {
            check(&w, offset, 0);
            check(&w, offset, w.size - offset);
            check(&w, offset, (w.size - offset) / 2);
        }
    }
    g_rand_free(rand);
}

static void check_copy(World *w, size_t offset, size_t len)
{
    uint8_t buf[SIZE + 10];

    assert_int_equal(iov_to_buf(w->iov, w->n, offset, buf, len), len);
    assert_memory_equal(buf, w->bytes + offset, len);
    /* No more than there is. */
    assert_int_equal(iov_to_buf(w->iov, w->n, offset, buf, SIZE + 10),
                     w->size - offset);
    assert_int_equal(iov_from_buf(w->iov, w->n, offset, w->bytes + offset,
                                  len), len);
    assert_int_equal(iov_memset(w->iov, w->n, offset, 0x55, len), len);
    iov_to_buf(w->iov, w->n, 0, buf, w->size);
    assert_memory_equal(buf, w->bytes, offset);
    for (size_t i = 0; i < len; i++) {
        assert_int_equal(buf[offset + i], 0x55);
    }
    assert_memory_equal(buf + offset + len, w->bytes + offset + len,
                        w->size - offset - len);
    iov_from_buf(w->iov, w->n, 0, w->bytes, w->size);
}

static void test_copy(void **state)
{
    for_all(check_copy);
}

static void test_outside(void **state)
{
    char a[4], buf[4] = "";
    struct iovec iov = {a, sizeof(a)};

    assert_int_equal(iov_size(&iov, 1), 4);
    assert_int_equal(iov_to_buf(&iov, 1, 4, buf, 1), 0);
    assert_int_equal(iov_from_buf(&iov, 1, 9, buf, 1), 0);
    assert_int_equal(iov_memset(&iov, 1, 5, 0, 1), 0);
}

static void check_iov_copy(World *w, size_t offset, size_t len)
{
    struct iovec dst[ELEMENTS];
    unsigned n = iov_copy(dst, ELEMENTS, w->iov, w->n, offset, len);
    uint8_t buf[SIZE];

    assert_int_equal(iov_size(dst, n), len);
    iov_to_buf(dst, n, 0, buf, len);
    assert_memory_equal(buf, w->bytes + offset, len);
    assert_true(iov_copy(dst, 2, w->iov, w->n, offset, len) <= 2);
}

static void test_iov_copy(void **state)
{
    for_all(check_iov_copy);
}

/* Drops @offset bytes in front and all behind the next @len, and undoes it. */
static void check_discard(World *w, size_t offset, size_t len)
{
    struct iovec before[ELEMENTS], *iov = w->iov;
    unsigned n = w->n;
    size_t behind = w->size - offset - len;
    IOVDiscardUndo front, back;
    uint8_t buf[SIZE];

    memcpy(before, w->iov, sizeof(before));
    assert_int_equal(iov_discard_front_undoable(&iov, &n, offset, &front),
                     offset);
    assert_int_equal(iov_discard_back_undoable(iov, &n, behind, &back),
                     behind);
    assert_int_equal(iov_size(iov, n), len);
    iov_to_buf(iov, n, 0, buf, len);
    assert_memory_equal(buf, w->bytes + offset, len);
    iov_discard_undo(&back);
    iov_discard_undo(&front);
    assert_memory_equal(before, w->iov, sizeof(before));

    n = w->n;
    iov = w->iov;
    assert_int_equal(iov_discard_back(iov, &n, SIZE + 1), w->size);
    assert_int_equal(n, 0);
    n = w->n;
    assert_int_equal(iov_discard_front(&iov, &n, SIZE + 1), w->size);
    assert_int_equal(n, 0);
    memcpy(w->iov, before, sizeof(before));
}

static void test_discard(void **state)
{
    for_all(check_discard);
}

/* ---- Vectors ---- */

static void check_slice(World *w, size_t offset, size_t len)
{
    QEMUIOVector all, slice, joined;
    uint8_t buf[SIZE];
    size_t head, tail;
    struct iovec *iov;
    int niov;

    qemu_iovec_init_external(&all, w->iov, w->n);
    assert_int_equal(all.size, w->size);
    qemu_iovec_init_slice(&slice, &all, offset, len);
    assert_int_equal(slice.size, len);
    assert_int_equal(qemu_iovec_to_buf(&slice, 0, buf, len), len);
    assert_memory_equal(buf, w->bytes + offset, len);

    iov = qemu_iovec_slice(&all, offset, len, &head, &tail, &niov);
    assert_int_equal(niov, qemu_iovec_subvec_niov(&all, offset, len));
    assert_int_equal(iov_size(iov, niov), head + len + tail);

    qemu_iovec_init(&joined, 0);
    qemu_iovec_concat(&joined, &all, offset, len);
    qemu_iovec_concat(&joined, &all, 0, offset);
    assert_int_equal(joined.size, len + offset);
    qemu_iovec_to_buf(&joined, len, buf, offset);
    assert_memory_equal(buf, w->bytes, offset);
    qemu_iovec_discard_back(&joined, offset);
    assert_int_equal(joined.size, len);
    assert_int_equal(iov_size(joined.iov, joined.niov), len);
    qemu_iovec_reset(&joined);
    assert_int_equal(joined.size, 0);
    assert_int_equal(qemu_iovec_concat_iov(&joined, w->iov, w->n, offset,
                                           SIZE), w->size - offset);
    qemu_iovec_destroy(&joined);
    qemu_iovec_destroy(&slice);
}

static void test_slice(void **state)
{
    for_all(check_slice);
}

static void check_zero(World *w, size_t offset, size_t len)
{
    QEMUIOVector all;
    uint8_t saved;

    if (len == 0) {
        return;
    }
    qemu_iovec_init_external(&all, w->iov, w->n);
    qemu_iovec_memset(&all, offset, 0, len);
    assert_true(qemu_iovec_is_zero(&all, offset, len));
    for (int end = 0; end < 2; end++) {
        size_t at = end ? offset + len - 1 : offset;

        saved = 1;
        qemu_iovec_from_buf(&all, at, &saved, 1);
        assert_false(qemu_iovec_is_zero(&all, offset, len));
        qemu_iovec_memset(&all, at, 0, 1);
    }
    qemu_iovec_from_buf(&all, 0, w->bytes, w->size);
}

static void test_zero(void **state)
{
    assert_true(buffer_is_zero("", 0));
    for_all(check_zero);
}

static void test_one_buffer(void **state)
{
    char buf[16] = "abc";
    QEMUIOVector qiov = QEMU_IOVEC_INIT_BUF(qiov, buf, sizeof(buf)), other;

    assert_int_equal(qiov.size, 16);
    assert_int_equal(qiov.niov, 1);
    assert_ptr_equal(qemu_iovec_buf(&qiov), buf);
    qemu_iovec_init_buf(&other, "xyz", 3);
    assert_ptr_equal(other.iov, &other.local_iov);
    assert_int_equal(qemu_iovec_size(&other), 3);
    qemu_iovec_discard_back(&qiov, 13);
    assert_int_equal(qiov.size, 3);
    assert_int_equal(qiov.iov->iov_len, 3);
    assert_int_equal(qemu_iovec_compare(&qiov, &other), 0);
    memcpy(buf, "xyw", 3);
    assert_int_equal(qemu_iovec_compare(&qiov, &other), 2);
    buf[2] = 'z';
    assert_int_equal(qemu_iovec_compare(&qiov, &other), -1);
}

/* Elements that overlap in the source overlap in the copy. */
static void test_clone(void **state)
{
    char from[32], to[32];
    QEMUIOVector src, dest;

    qemu_iovec_init(&src, 1);
    qemu_iovec_add(&src, from + 16, 8);
    qemu_iovec_add(&src, from, 4);
    qemu_iovec_add(&src, from + 20, 8);
    qemu_iovec_add(&src, from + 4, 2); /* touches the second */
    qemu_iovec_init(&dest, 4);
    qemu_iovec_clone(&dest, &src, to);
    assert_int_equal(dest.niov, 4);
    assert_int_equal(dest.size, src.size);
    assert_ptr_equal(dest.iov[1].iov_base, to);
    assert_ptr_equal(dest.iov[3].iov_base, to + 4);
    assert_ptr_equal(dest.iov[0].iov_base, to + 6);
    assert_ptr_equal(dest.iov[2].iov_base, to + 10);
    qemu_iovec_destroy(&src);
    qemu_iovec_destroy(&dest);
}

/* ---- Sockets and memory ---- */

/* QEMU's /basic/iov/io: everything arrives, whatever a call takes. */
static void test_io(void **state)
{
    enum { LEN = 1 << 18 };
    QEMU_AUTO_VFREE char *out = qemu_memalign(4096, LEN);
    QEMU_AUTO_VFREE char *in = qemu_memalign(4096, LEN);
    struct iovec oiov[100], iiov[3];
    size_t sent = 0, received = 0;
    int sv[2];

    assert_int_equal((uintptr_t)out % 4096, 0);
    for (int i = 0; i < LEN; i++) {
        out[i] = i * 7 % 251;
    }
    for (int i = 0; i < 100; i++) {
        oiov[i] = (struct iovec){out + i * 2000,
                                 i < 99 ? 2000 : LEN - i * 2000};
    }
    for (int i = 0; i < 3; i++) {
        iiov[i] = (struct iovec){in + i * 1000, i < 2 ? 1000 : LEN - 2000};
    }
    assert_int_equal(qemu_socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
    assert_true(fd_is_socket(sv[0]));
    assert_true(fcntl(sv[0], F_GETFD) & FD_CLOEXEC);
    qemu_socket_set_nonblock(sv[0]);
    assert_true(qemu_set_blocking(sv[1], false, NULL));
    assert_int_equal(iov_recv(sv[1], iiov, 3, 0, 10), -1);
    assert_int_equal(errno, EAGAIN);
    while (received < LEN) {
        ssize_t ret;

        if (sent < LEN) {
            ret = iov_send(sv[0], oiov, 100, sent, LEN - sent);
            assert_true(ret > 0 || errno == EAGAIN);
            sent += MAX(ret, 0);
        }
        ret = iov_recv(sv[1], iiov, 3, received, LEN - received);
        assert_true(ret > 0 || errno == EAGAIN);
        received += MAX(ret, 0);
    }
    assert_memory_equal(in, out, LEN);
    close(sv[0]);
    assert_int_equal(iov_recv(sv[1], iiov, 3, 0, 10), 0); /* the end */
    close(sv[1]);
}

static void test_memalign(void **state)
{
    for (size_t align = 1; align <= 8192; align *= 2) {
        void *p = qemu_try_memalign(align, 0), *q = qemu_memalign(align, 100);

        assert_true(p && QEMU_PTR_IS_ALIGNED(p, align));
        assert_true(QEMU_PTR_IS_ALIGNED(q, align));
        qemu_vfree(p);
        qemu_vfree(q);
    }
    qemu_vfree(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_copy),
        cmocka_unit_test(test_outside),
        cmocka_unit_test(test_iov_copy),
        cmocka_unit_test(test_discard),
        cmocka_unit_test(test_slice),
        cmocka_unit_test(test_zero),
        cmocka_unit_test(test_one_buffer),
        cmocka_unit_test(test_clone),
        cmocka_unit_test(test_io),
        cmocka_unit_test(test_memalign),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
