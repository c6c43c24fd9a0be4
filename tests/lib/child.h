/* SPDX-License-Identifier: MIT */
/*
 * Test code in a process of its own: a crash, a stuck machine or a thread that
 * never ends is then a result like any other, and nothing is left behind.
 */
#ifndef TESTS_CHILD_H
#define TESTS_CHILD_H

#include "qemu/osdep.h"

typedef void ChildFn(void *opaque);

typedef struct ChildResult {
    int status;    /* exit status, or -1 */
    int signal;    /* that killed it, or 0 */
    bool late;     /* it was killed because it did not end, or not in time */
    char *out;     /* what it wrote to stdout */
    char *err;     /* and to stderr */
} ChildResult;

/* Calls @fn in a fork, which then exits with status 0. */
ChildResult child_run(ChildFn *fn, void *opaque);
/*
 * Runs a program; @seconds (or 0) is how much processor time it and each of
 * its children may take, so that a busy machine fails no test.
 */
ChildResult child_spawn(const char *const *argv, unsigned seconds);
void child_finish(ChildResult *result);

/* Fails the cmocka test, showing what was written, unless it is as said. */
void child_expect_ok(const ChildResult *result, const char *what);
void child_expect_status(const ChildResult *result, int status,
                         const char *what);
void child_expect_abort(const ChildResult *result, const char *message);

/* In the child: says where, and aborts. */
void QEMU_NORETURN check_failed(const char *file, int line, const char *fmt,
                                ...) G_GNUC_PRINTF_(3, 4);

#define CHECK(cond)                                          \
    do {                                                     \
        if (!(cond)) {                                       \
            check_failed(__FILE__, __LINE__, "%s", #cond);   \
        }                                                    \
    } while (0)
#define CHECK_EQ(got, want)                                              \
    do {                                                                 \
        int64_t got_ = (int64_t)(got), want_ = (int64_t)(want);          \
        if (got_ != want_) {                                             \
            check_failed(__FILE__, __LINE__, "%s is %" PRId64            \
                         ", not %" PRId64, #got, got_, want_);           \
        }                                                                \
    } while (0)
#define CHECK_STR(got, want) \
    check_strings(__FILE__, __LINE__, #got, (got), (want))
/* Equal, or both NULL. */
void check_strings(const char *file, int line, const char *what,
                   const char *got, const char *want);

/* The environment's number, or @otherwise. */
unsigned test_number(const char *name, unsigned otherwise);
/* A directory that is the test's own, and its removal with all in it. */
char *test_dir_new(void);
void test_dir_free(char *dir);

#endif
