/* SPDX-License-Identifier: MIT */
/* What a thread says to its processor while it waits for another one. */
#ifndef QEMU_PROCESSOR_H
#define QEMU_PROCESSOR_H

#if defined(__x86_64__) || defined(__i386__)
#define cpu_relax() __asm__ volatile("pause" ::: "memory")
#elif defined(__aarch64__)
#define cpu_relax() __asm__ volatile("yield" ::: "memory")
#elif defined(__powerpc64__)
#define cpu_relax() __asm__ volatile("or 1, 1, 1; or 2, 2, 2" ::: "memory")
#else
#define cpu_relax() __asm__ volatile("" ::: "memory")
#endif

#endif
