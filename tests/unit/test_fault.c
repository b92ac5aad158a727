/* SPDX-License-Identifier: MIT */
/* test_fault.c - passages, actions and bad values of GODWIT_FAULT, each in its own process */
#include "unit.h"

#include "base/fault.h"

#include <errno.h>

#ifdef GW_FAULTS

/* Bit i: passage i + 1 through "a.b" failed (with EIO).  Ends the process. */
static void pass(const char *spec, const char *name)
{
	int bits = 0;

	(void)setenv("GODWIT_FAULT", spec, 1);
	for (int i = 0; i < 5; i++) {
		errno = 0;
		if (FAULT(name))
			bits |= errno == EIO ? 1 << i : 0x80;
	}
	_exit(bits);
}

static int wait_status(const char *spec, const char *name)
{
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		struct sigaction plain = { .sa_handler = SIG_DFL };
		int null = open("/dev/null", O_WRONLY);

		(void)dup2(null, STDERR_FILENO);
		(void)sigaction(SIGABRT, &plain, NULL);
		pass(spec, name);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void passages(void **state)
{
	static const struct {
		const char *spec;
		int bits;
	} cases[] = {
		{ "", 0 },
		{ "a.b:1:fail", 0x1F },
		{ "a.b:3:fail", 0x1C },
		{ "a.b:6:fail", 0 },
		{ "a.b:1:once", 0x01 },
		{ "a.b:2:slow", 0 },
		{ "a.b:3:once", 0x04 },
		{ "a.b:1:once,a.b:4:once", 0x09 },
		{ "x.y:1:fail", 0 },
		{ "x.y:1:fail,a.b:2:once", 0x02 },
		{ "a:1:fail,a.bc:1:fail", 0 },
		{ "a.b:6:kill", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		int status = wait_status(cases[i].spec, "a.b");

		CHECK_INT(cases[i].spec, true, WIFEXITED(status));
		CHECK_INT(cases[i].spec, cases[i].bits, WEXITSTATUS(status));
	}
}

static void kills(void **state)
{
	int status = wait_status("a.b:3:kill", "a.b");

	(void)state;
	assert_true(WIFSIGNALED(status));
	CHECK_INT("signal", SIGKILL, WTERMSIG(status));
}

static void bad_values_panic(void **state)
{
	static const char *const specs[] = {
		"a.b",         "a.b:1",       "a.b:1:",      "a.b:0:fail",
		"a.b:x:fail",  ":1:fail",     "a.b::fail",   "a.b:1:explode",
		"a.b:-1:fail", "a.b:1:fail,", "a.b:1:fail:",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(specs); i++) {
		int status = wait_status(specs[i], "a.b");

		CHECK_INT(specs[i], true, WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	}
}

#else

static void compiled_out(void **state)
{
	(void)state;
	(void)setenv("GODWIT_FAULT", "a.b:1:fail", 1);
	assert_false(FAULT("a.b"));
}

#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
#ifdef GW_FAULTS
		cmocka_unit_test(passages),
		cmocka_unit_test(kills),
		cmocka_unit_test(bad_values_panic),
#else
		cmocka_unit_test(compiled_out),
#endif
	};

	return cmocka_run_group_tests_name("fault", tests, NULL, NULL);
}
