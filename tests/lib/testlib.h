/* SPDX-License-Identifier: MIT */
/* What cmocka.h wants to have before it, and cmocka.h. */
#ifndef TESTS_TESTLIB_H
#define TESTS_TESTLIB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
