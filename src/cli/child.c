/* SPDX-License-Identifier: MIT */
/*
 * child.c - processes of ours that stand under another
 *
 * A child is this very program (/proc/self/exe) with another command.  It has
 * a process group of its own, so that Ctrl-C reaches the parent alone, which
 * ends its children in the right order; if the parent is killed, the kernel
 * sends SIGTERM (PR_SET_PDEATHSIG).  Its environment is without our settings.
 *
 * TESTS  tests/system/test_up.py
 */
#include "cli/child.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/panic.h"
#include "base/sys_file.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define READY_CHILD_FD 3 /* the write end, in the child */
#define LOG_LINES 12
#define LOG_READ_MAX (16U << 20)

extern char **environ;

bool child_split_address(const char *text, char *host, size_t cap, uint16_t *port)
{
	struct str s = str_from(text), h;
	size_t colon = s.len;
	uint32_t n;

	while (colon > 0 && s.ptr[colon - 1] != ':')
		colon--;
	if (colon < 2 || !str_to_u32(str_slice(s, colon, s.len), &n) || n > UINT16_MAX)
		return false;
	h = str_slice(s, 0, colon - 1);
	if (h.len > 2 && h.ptr[0] == '[' && h.ptr[h.len - 1] == ']')
		h = str_slice(h, 1, h.len - 1);
	if (!str_copy(h, host, cap))
		return false;
	*port = (uint16_t)n;
	return true;
}

void child_ends_with_parent(void)
{
	pid_t parent = getppid();

	if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || parent == 1 || getppid() != parent)
		_exit(1); /* it went before we asked to be told */
}

/* Ours without what configures a gateway: GODWIT_DATA of this shell is not the child's business.
 * Fault points stay.  The strings are borrowed. */
static char **child_environment(void)
{
	size_t count = 0, n = 0;
	char **env;

	while (environ[count] != NULL)
		count++;
	env = xcalloc(count + 1, sizeof(*env));
	for (size_t i = 0; i < count; i++) {
		struct str one = str_from(environ[i]);

		if (!str_starts(one, STR("GODWIT_")) || str_starts(one, STR("GODWIT_FAULT=")))
			env[n++] = environ[i];
	}
	return env;
}

static int spawn_setup(posix_spawn_file_actions_t *files, posix_spawnattr_t *attr, int ready_fd,
		       const char *log_path)
{
	sigset_t none;
	int rc;

	sigemptyset(&none);
	rc = posix_spawn_file_actions_adddup2(files, ready_fd, READY_CHILD_FD);
	if (rc == 0)
		rc = posix_spawn_file_actions_addopen(files, STDIN_FILENO, "/dev/null", O_RDONLY,
						      0);
	if (rc == 0)
		rc = posix_spawn_file_actions_addopen(files, STDOUT_FILENO, "/dev/null", O_WRONLY,
						      0);
	if (rc == 0)
		rc = posix_spawn_file_actions_addopen(files, STDERR_FILENO, log_path,
						      O_WRONLY | O_CREAT | O_APPEND, 0600);
	if (rc == 0)
		rc = posix_spawnattr_setpgroup(attr, 0);
	if (rc == 0)
		rc = posix_spawnattr_setsigmask(attr, &none); /* ours are blocked (signalfd) */
	if (rc == 0)
		rc = posix_spawnattr_setflags(attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
	return rc;
}

gw_status child_start(struct child *c, const char *const *args, const char *log_path,
		      struct gw_error *err)
{
	char fd_text[] = { '0' + READY_CHILD_FD, '\0' };
	char *argv[CHILD_ARGS_MAX + 6], **env;
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	size_t n = 0;
	int pipe_fd[2], rc;

	argv[n++] = (char *)(uintptr_t) "godwit";
	for (; *args != NULL; args++) {
		ASSERT(n <= CHILD_ARGS_MAX);
		argv[n++] = (char *)(uintptr_t)*args;
	}
	argv[n++] = (char *)(uintptr_t) "--with-parent";
	argv[n++] = (char *)(uintptr_t) "--ready-fd";
	argv[n++] = fd_text;
	argv[n] = NULL;
	if (pipe2(pipe_fd, O_CLOEXEC) != 0)
		return gw_error_sys(err, GW_EIO, "cannot make a pipe");
	(void)posix_spawn_file_actions_init(&files);
	(void)posix_spawnattr_init(&attr);
	env = child_environment();
	rc = spawn_setup(&files, &attr, pipe_fd[1], log_path);
	if (rc == 0)
		rc = posix_spawn(&c->pid, "/proc/self/exe", &files, &attr, argv, env);
	free(env);
	(void)posix_spawn_file_actions_destroy(&files);
	(void)posix_spawnattr_destroy(&attr);
	(void)close(pipe_fd[1]);
	if (rc != 0) {
		(void)close(pipe_fd[0]);
		c->pid = 0;
		errno = rc;
		return gw_error_sys(err, GW_EIO, "cannot start the %s", c->name);
	}
	c->ready_fd = pipe_fd[0];
	c->log_path = log_path;
	c->pid_fd = (int)syscall(SYS_pidfd_open, c->pid, 0);
	if (c->pid_fd < 0)
		return gw_error_sys(err, GW_EIO, "cannot watch the %s", c->name);
	return GW_OK;
}

gw_status child_wait_ready(struct child *c, int64_t timeout_ms, char line[CHILD_READY_MAX],
			   struct gw_error *err)
{
	int64_t until = clock_real_ns() + timeout_ms * NS_PER_MS;
	size_t len = 0;

	for (;;) {
		struct pollfd fd = { .fd = c->ready_fd, .events = POLLIN };
		int64_t left = (until - clock_real_ns()) / NS_PER_MS;
		ssize_t n;

		if (left <= 0)
			return gw_error_set(err, GW_ETIMEOUT, "the %s is not ready after %lld ms",
					    c->name, (long long)timeout_ms);
		if (poll(&fd, 1, (int)left) < 0 && errno != EINTR)
			return gw_error_sys(err, GW_EIO, "cannot wait for the %s", c->name);
		if (fd.revents == 0)
			continue;
		n = read(c->ready_fd, line + len, CHILD_READY_MAX - 1 - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return gw_error_set(err, GW_ESTATE, "the %s did not start", c->name);
		len += (size_t)n;
		line[len] = '\0';
		if (line[len - 1] == '\n' || len == CHILD_READY_MAX - 1) {
			line[len - 1] = '\0';
			return GW_OK;
		}
	}
}

void child_signal(const struct child *c, int signal_number)
{
	if (c->pid > 0)
		(void)kill(c->pid, signal_number);
}

bool child_wait(struct child *c, int64_t timeout_ms, int *out_status)
{
	struct pollfd fd = { .fd = c->pid_fd, .events = POLLIN };
	int64_t until = clock_real_ns() + timeout_ms * NS_PER_MS;

	if (c->pid <= 0)
		return true;
	while (waitpid(c->pid, out_status, WNOHANG) == 0) {
		int64_t left = (until - clock_real_ns()) / NS_PER_MS;

		if (left <= 0)
			return false;
		(void)poll(&fd, 1, (int)left);
	}
	c->pid = 0;
	return true;
}

void child_release(struct child *c)
{
	int status;

	if (c->pid > 0) {
		(void)kill(c->pid, SIGKILL);
		(void)waitpid(c->pid, &status, 0);
		c->pid = 0;
	}
	if (c->pid_fd >= 0)
		(void)close(c->pid_fd);
	if (c->ready_fd >= 0)
		(void)close(c->ready_fd);
	c->pid_fd = c->ready_fd = -1;
}

void child_print_log(const struct child *c)
{
	struct str rest, line;
	size_t lines = 0, at;
	struct buf b;

	buf_init(&b, LOG_READ_MAX);
	if (c->log_path == NULL || sys_read_file(c->log_path, &b, NULL) != GW_OK) {
		buf_release(&b);
		return;
	}
	rest = str_trim(buf_str(&b));
	for (at = rest.len; at > 0; at--)
		if (rest.ptr[at - 1] == '\n' && ++lines == LOG_LINES)
			break;
	rest = str_slice(rest, at, rest.len);
	while (rest.len > 0 && str_split(&rest, '\n', &line))
		(void)fprintf(stderr, "  | %.*s\n", STR_ARG(line));
	buf_release(&b);
}
