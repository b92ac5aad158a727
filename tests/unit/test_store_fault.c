/* SPDX-License-Identifier: MIT */
/*
 * test_store_fault.c - a failing disk and a killed process: nothing acknowledged is lost
 *
 * Fault points are read once per process, so each case runs this program again (with the folder as
 * its argument) under GODWIT_FAULT.  The child puts texts one after the other and writes one byte
 * per acknowledged one; afterwards the store must hold all of those, and pass its check.
 */
#include "store_kit.h"

#include <spawn.h>

#define ANN "16505551234"
#define TEXTS 60

extern char **environ;

/* ---- the child */

static int child(const char *dir)
{
	struct kit k;
	struct gw_error err = GW_ERROR_INIT;

	kit_prepare(&k);
	(void)rmdir(k.dir); /* it uses another one */
	(void)str_copy(str_from(dir), k.dir, sizeof(k.dir));
	if (kit_try_open(&k, &err) != GW_OK) {
		kit_release(&k);
		return 3;
	}
	for (int i = 0; i < TEXTS; i++) {
		struct store_event_in ev = kit_text(&k, ANN, kit_str(&k, "%d", i).ptr);

		kit_put(&k, &ev, 1);
		if (write(STDOUT_FILENO, ".", 1) != 1)
			return 4;
	}
	kit_shut(&k);
	kit_release(&k);
	return 0;
}

/* ---- the parent */

static pid_t start_child(const char *dir, const char *fault, int *out_fd)
{
	char env[128];
	char *argv[] = { (char *)(uintptr_t) "test_store_fault", (char *)(uintptr_t)dir, NULL };
	char **vars = xcalloc(512, sizeof(*vars));
	posix_spawn_file_actions_t files;
	size_t n = 0;
	int pipe_fd[2];
	pid_t pid;

	(void)snprintf(env, sizeof(env), "GODWIT_FAULT=%s", fault);
	for (char **e = environ; *e != NULL && n < 500; e++) {
		if (strncmp(*e, "GODWIT_FAULT=", 13) != 0)
			vars[n++] = *e;
	}
	vars[n] = env;
	assert_int_equal(pipe(pipe_fd), 0);
	(void)posix_spawn_file_actions_init(&files);
	(void)posix_spawn_file_actions_adddup2(&files, pipe_fd[1], STDOUT_FILENO);
	(void)posix_spawn_file_actions_addclose(&files, pipe_fd[0]);
	assert_int_equal(posix_spawn(&pid, "/proc/self/exe", &files, NULL, argv, vars), 0);
	(void)posix_spawn_file_actions_destroy(&files);
	(void)close(pipe_fd[1]);
	free(vars);
	*out_fd = pipe_fd[0];
	return pid;
}

/* Returns how many were acknowledged. */
static int64_t run_child(const char *dir, const char *fault, int *out_status)
{
	char dots[256];
	int64_t total = 0;
	ssize_t n;
	int fd;
	pid_t pid = start_child(dir, fault, &fd);

	while ((n = read(fd, dots, sizeof(dots))) > 0)
		total += n;
	(void)close(fd);
	assert_int_equal(waitpid(pid, out_status, 0), pid);
	return total;
}

struct count {
	int64_t events, last_seq;
};

static bool on_event(void *cookie, const struct store_event_row *e)
{
	struct count *c = cookie;

	c->events++;
	if (e->seq > c->last_seq)
		c->last_seq = e->seq;
	return true;
}

static void count_events(struct store_reader *r, void *cookie)
{
	const struct store_event_filter all = { .limit = 1000 };

	assert_int_equal(reader_events(r, &all, on_event, cookie), GW_OK);
}

enum how { KILLED, EXIT_74, WELL };

static void nothing_acknowledged_is_lost(void **state)
{
	/* Passages: a start commits once (the schema), sweeps once an hour in several steps, and
	 * writes and syncs once for each commit; a checkpoint syncs twice. */
	static const struct {
		const char *fault;
		enum how how;
		int64_t at_least; /* acknowledged before it happened */
	} cases[] = {
		{ "store.before_begin:20:kill", KILLED, 19 },
		{ "store.before_commit:20:kill", KILLED, 19 },
		{ "store.after_commit:20:kill", KILLED, 19 },
		{ "store.before_begin:20:fail", EXIT_74, 19 },
		{ "store.before_commit:20:fail", EXIT_74, 19 },
		{ "store.after_commit:20:fail", EXIT_74, 19 },
		{ "store.commit_fails:20:fail", EXIT_74, 19 },
		{ "store.commit_fails:1:once", EXIT_74, 0 },
		{ "vfs.sync:40:once", EXIT_74, 1 },
		{ "vfs.sync:40:kill", KILLED, 1 },
		{ "vfs.write:40:once", EXIT_74, 1 },
		{ "vfs.write:41:kill", KILLED, 1 },
		{ "vfs.write:52:kill", KILLED, 1 },
		{ "store.before_begin:1000:kill", WELL, TEXTS },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct count c = { .events = 0 };
		struct kit k;
		int status;
		int64_t acknowledged;

		kit_prepare(&k);
		acknowledged = run_child(k.dir, cases[i].fault, &status);
		if (cases[i].how == KILLED)
			assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		else
			CHECK_INT(cases[i].fault, cases[i].how == EXIT_74 ? 74 : 0,
				  WEXITSTATUS(status));
		assert_true(acknowledged >= cases[i].at_least);
		kit_reopen(&k);
		kit_read(&k, count_events, &c);
		/* One more than acknowledged may be on disk: the one that was on its way. */
		if (c.events < acknowledged || c.events > acknowledged + 1)
			fail_msg("%s: %lld acknowledged, %lld there", cases[i].fault,
				 (long long)acknowledged, (long long)c.events);
		CHECK_INT(cases[i].fault, c.events, c.last_seq);
		kit_close(&k);
	}
}

/* A start that cannot write leaves a folder that can be started again. */
static void start_fails(void **state)
{
	static const char *const cases[] = { "vfs.write:1:fail", "vfs.write:3:fail",
					     "vfs.sync:1:fail" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct kit k;
		int status;

		kit_prepare(&k);
		CHECK_INT(cases[i], 0, run_child(k.dir, cases[i], &status));
		assert_true(WIFEXITED(status) &&
			    (WEXITSTATUS(status) == 3 || WEXITSTATUS(status) == 74));
		kit_reopen(&k);
		kit_close(&k);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_acknowledged_is_lost),
		cmocka_unit_test(start_fails),
	};

	if (argc > 1)
		return child(argv[1]);
	return cmocka_run_group_tests_name("store_fault", tests, NULL, NULL);
}
