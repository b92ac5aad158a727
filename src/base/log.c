/* SPDX-License-Identifier: MIT */
/*
 * log.c - one line per decision, one write(2) per line
 *
 * What does not fit LOG_LINE_MAX is cut and ends in "..."; control characters
 * become '?', so that no value can start a line of its own.  A log that
 * cannot be written is no reason to stop.
 * THREADS  any; the struct is read only
 * TESTS    tests/unit/test_log.c
 */
#include "base/log.h"

#include "base/panic.h"
#include "base/str.h"

#include <errno.h>
#include <stdarg.h>
#include <unistd.h>

static const char *const level_names[] = {
	[LOG_ERROR] = "error",
	[LOG_WARN] = "warn",
	[LOG_INFO] = "info",
	[LOG_DEBUG] = "debug",
};

void log_init(struct log *l, int fd, enum log_level level, const char *program,
	      const struct clock *clock)
{
	*l = (struct log){ .fd = fd, .level = level, .clock = clock, .program = program };
}

void log_set_level(struct log *l, enum log_level level)
{
	l->level = (int)level;
}

bool log_level_parse(const char *word, enum log_level *out)
{
	for (size_t i = 0; i < ARRAY_LEN(level_names); i++) {
		if (str_eq(str_from(word), str_from(level_names[i]))) {
			*out = (enum log_level)i;
			return true;
		}
	}
	return false;
}

static void write_line(int fd, const char *line, size_t len)
{
	ssize_t n;

	do
		n = write(fd, line, len);
	while (n < 0 && errno == EINTR);
}

void log_put(const struct log *l, enum log_level level, const char *fmt, ...)
{
	char line[LOG_LINE_MAX + 1]; /* + 1: the NUL that vsnprintf writes */
	char stamp[CLOCK_RFC3339_MAX];
	int saved = errno;
	size_t len;
	va_list ap;
	int n;

	if ((int)level > l->level)
		return;
	clock_format_ms(l->clock == NULL ? clock_real_wall_ms() : clock_wall_ms(l->clock), stamp);
	n = snprintf(line, sizeof(line) / 2, "%s %-5s %s: ", stamp, level_names[level], l->program);
	ASSERT(n > 0 && (size_t)n < sizeof(line) / 2);
	len = (size_t)n;
	va_start(ap, fmt);
	n = vsnprintf(line + len, LOG_LINE_MAX - len, fmt, ap); /* leaves the '\n' its place */
	va_end(ap);
	if (n >= 0 && (size_t)n < LOG_LINE_MAX - len) {
		len += (size_t)n;
	} else if (n >= 0) {
		len = LOG_LINE_MAX - 1;
		memcpy(line + len - 3, "...", 3);
	}
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)line[i] < ' ' || line[i] == 0x7F)
			line[i] = '?';
	}
	line[len++] = '\n';
	write_line(l->fd, line, len);
	errno = saved;
}
