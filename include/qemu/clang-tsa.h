/* SPDX-License-Identifier: MIT */
/*
 * Clang's thread safety annotations under QEMU's names.  They are not checked
 * here: the names exist so that annotated code compiles.
 */
#ifndef QEMU_CLANG_TSA_H
#define QEMU_CLANG_TSA_H

#define TSA_CAPABILITY(x)
#define TSA_GUARDED_BY(x)
#define TSA_PT_GUARDED_BY(x)
#define TSA_ACQUIRED_BEFORE(...)
#define TSA_ACQUIRED_AFTER(...)
#define TSA_REQUIRES(...)
#define TSA_REQUIRES_SHARED(...)
#define TSA_EXCLUDES(...)
#define TSA_ACQUIRE(...)
#define TSA_ACQUIRE_SHARED(...)
#define TSA_RELEASE(...)
#define TSA_RELEASE_SHARED(...)
#define TSA_RELEASE_GENERIC(...)
#define TSA_NO_TSA
#define TSA_ASSERT(...)
#define TSA_ASSERT_SHARED(...)

#endif
