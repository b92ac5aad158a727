/* SPDX-License-Identifier: MIT */
/*
 * panic.h - bugs end the process, loudly
 *
 * ASSERT is always on: state is on disk, the supervisor restarts us, and a
 * broken invariant must never reach the disk or the wire.
 */
#ifndef BASE_PANIC_H
#define BASE_PANIC_H

#include <godwit/types.h>

/* Print "panic: file:line: text" on stderr and abort(). */
_Noreturn void panic_at(const char *file, int line, const char *fmt, ...) GW_PRINTF(3, 4);

#define PANIC(...) panic_at(__FILE__, __LINE__, __VA_ARGS__)
#define ASSERT(x) ((x) ? (void)0 : panic_at(__FILE__, __LINE__, "assertion failed: %s", #x))

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
/* The struct that holds `member` at `ptr`. */
#define CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))
#define BIT(n) (1U << (n))

#endif
