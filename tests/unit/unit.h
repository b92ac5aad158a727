/* SPDX-License-Identifier: MIT */
/* unit.h - what every unit test starts with: cmocka, and checks for our own types */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/panic.h"
#include "base/str.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK_STR(name, want, got) check_str_at((name), (want), (got), __FILE__, __LINE__)

/* `name` is the row of the table that failed. */
static inline void check_str_at(const char *name, const char *want, struct str got,
				const char *file, int line)
{
	if (str_eq(str_from(want), got))
		return;
	print_error("%s: want \"%s\", got \"%.*s\"\n", name, want, STR_ARG(got));
	_fail(file, line);
}

#define CHECK_INT(name, want, got) \
	check_int_at((name), (long long)(want), (long long)(got), __FILE__, __LINE__)

static inline void check_int_at(const char *name, long long want, long long got, const char *file,
				int line)
{
	if (want == got)
		return;
	print_error("%s: want %lld, got %lld\n", name, want, got);
	_fail(file, line);
}

/* Whether fn(arg) ends the process by abort(): for ASSERT and PANIC. */
static inline bool dies(void (*fn)(void *), void *arg)
{
	pid_t pid = fork();
	int status = 0;

	assert_true(pid >= 0);
	if (pid == 0) {
		struct sigaction plain = { .sa_handler = SIG_DFL };
		int null = open("/dev/null", O_WRONLY);

		(void)dup2(null, STDERR_FILENO);
		(void)sigaction(SIGABRT, &plain, NULL);
		fn(arg);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

#endif
