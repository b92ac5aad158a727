/* SPDX-License-Identifier: MIT */
/*
 * panic.c - the last words of a process with a bug
 *
 * Writes with one write(2) from the stack: the heap and stdio may be what is
 * broken.  abort() leaves a core for whoever looks for the reason.
 * TESTS  tests/unit/test_mem.c
 */
#include "base/panic.h"

#include <stdarg.h>
#include <unistd.h>

#define PANIC_LINE_MAX 1024

_Noreturn void panic_at(const char *file, int line, const char *fmt, ...)
{
	char text[PANIC_LINE_MAX];
	size_t len;
	ssize_t done;
	va_list ap;
	int n;

	n = snprintf(text, sizeof(text) / 2, "panic: %s:%d: ", file, line);
	len = n < 0 ? 0 : (size_t)n;
	if (len >= sizeof(text) / 2)
		len = sizeof(text) / 2 - 1;
	va_start(ap, fmt);
	n = vsnprintf(text + len, sizeof(text) - len, fmt, ap);
	va_end(ap);
	if (n > 0)
		len += (size_t)n < sizeof(text) - len ? (size_t)n : sizeof(text) - len - 1;
	text[len++] = '\n'; /* over the NUL: len < sizeof(text) before */
	done = write(STDERR_FILENO, text, len);
	(void)done; /* nobody is left to tell */
	abort();
}
