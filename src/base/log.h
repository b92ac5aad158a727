/* SPDX-License-Identifier: MIT */
/*
 * log.h - one line per decision
 *
 * "2026-11-20T18:22:51.214Z info  gateway: ready public=127.0.0.1:8080"
 * Callers write key=value pairs; numbers of people are masked first
 * (mask.h), bodies and secrets are never logged.  One write(2) per line, so
 * lines of several threads do not mix.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/clock.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

struct log {
	int fd;
	_Atomic int level; /* enum log_level; any thread reads */
	const struct clock *clock; /* NULL: the system's time */
	const char *program; /* "gateway", "sandbox" */
};

#define LOG_LINE_MAX 4096

void log_init(struct log *l, int fd, enum log_level level, const char *program,
	      const struct clock *clock);
void log_set_level(struct log *l, enum log_level level);
bool log_level_parse(const char *word, enum log_level *out);
void log_put(const struct log *l, enum log_level level, const char *fmt, ...) GW_PRINTF(3, 4);

#define log_error(l, ...) log_put((l), LOG_ERROR, __VA_ARGS__)
#define log_warn(l, ...) log_put((l), LOG_WARN, __VA_ARGS__)
#define log_info(l, ...) log_put((l), LOG_INFO, __VA_ARGS__)
#define log_debug(l, ...) log_put((l), LOG_DEBUG, __VA_ARGS__)

#endif
