/* SPDX-License-Identifier: MIT */
/*
 * What the compiler can be told: attributes, build-time checks, and pasting
 * of tokens.  After QEMU's qemu/compiler.h; gcc and clang.
 */
#ifndef QEMU_COMPILER_H
#define QEMU_COMPILER_H

#include <stddef.h>

/* ---- Tokens ---- */

/* stringify(LIMIT) is the text of LIMIT's expansion. */
#define tostring(s) #s
#define stringify(s) tostring(s)
/* glue(a, __COUNTER__) pastes what both expand to. */
#define xglue(x, y) x##y
#define glue(x, y) xglue(x, y)
/* Each use is another name, so that macros nest without shadowing. */
#define MAKE_IDENTIFIER(prefix) glue(prefix, __COUNTER__)

/* ---- Attributes ---- */

#ifndef likely
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#endif

#define QEMU_PACKED __attribute__((packed))
#define QEMU_ALIGNED(n) __attribute__((aligned(n)))
#define QEMU_NORETURN __attribute__((noreturn))
#define QEMU_NOINLINE __attribute__((noinline))
#define QEMU_ALWAYS_INLINE __attribute__((always_inline))
#define QEMU_USED __attribute__((used))
#define QEMU_SENTINEL __attribute__((sentinel))
#define QEMU_WARN_UNUSED_RESULT __attribute__((warn_unused_result))
#define QEMU_EXTERN_C extern
#define QEMU_DISABLE_CFI
#define QEMU_ANNOTATE(x)
#define G_GNUC_PRINTF_(f, a) __attribute__((format(printf, f, a)))

#ifdef __OPTIMIZE__
#define QEMU_FLATTEN __attribute__((flatten))
#else
#define QEMU_FLATTEN
#endif

#if defined(__has_attribute)
#if __has_attribute(nonstring)
#define QEMU_NONSTRING __attribute__((nonstring))
#endif
#if __has_attribute(error)
#define QEMU_ERROR(text) __attribute__((error(text)))
#endif
#endif
#ifndef QEMU_NONSTRING
#define QEMU_NONSTRING
#endif
#ifndef QEMU_ERROR
#define QEMU_ERROR(text)
#endif

/* ---- Types ---- */

#define typeof_field(type, field) __typeof__(((type *)0)->field)
#define sizeof_field(type, field) sizeof(((type *)0)->field)
/* The offset of what follows @field. */
#define endof(type, field) (offsetof(type, field) + sizeof_field(type, field))

/* The structure whose member @ptr points at; checks the pointer's type. */
#undef container_of
#define container_of(ptr, type, member)                           \
    ({                                                            \
        const typeof_field(type, member) *container_of_ = (ptr);  \
        (type *)((char *)container_of_ - offsetof(type, member)); \
    })
#define DO_UPCAST(type, field, dev) container_of(dev, type, field)

/*
 * The type of a value, without const and volatile: what a variable that
 * receives it must have.  A value has no qualifiers; the comma makes one.
 */
#define typeof_strip_qual(expr) __typeof__(((void)0, (expr)))

/* ---- Checks when the program is built ---- */

#define QEMU_BUILD_BUG_MSG(x, msg) _Static_assert(!(x), msg)
#define QEMU_BUILD_BUG_ON(x) \
    QEMU_BUILD_BUG_MSG(x, "not expecting: " #x)
#define QEMU_BUILD_BUG_ON_STRUCT(x) \
    struct {                        \
        int : (x) ? -1 : 1;         \
    }
/* As an expression: 0, if it compiles. */
#define QEMU_BUILD_BUG_ON_ZERO(x) \
    (sizeof(QEMU_BUILD_BUG_ON_STRUCT(x)) - sizeof(QEMU_BUILD_BUG_ON_STRUCT(x)))

/* For branches that the compiler must find to be dead. */
#if defined(__OPTIMIZE__) && !defined(__NO_INLINE__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
void QEMU_NORETURN QEMU_ERROR("code path is reachable")
    qemu_build_not_reached_always(void);
#define qemu_build_not_reached() qemu_build_not_reached_always()
#else
#define qemu_build_not_reached() __builtin_trap()
#endif
#define qemu_build_assert(test) \
    while (!(test))             \
    qemu_build_not_reached()

#endif
