/* SPDX-License-Identifier: MIT */
/*
 * notify.c - the service manager is told: ready, alive, leaving
 *
 * ROLE        One datagram to NOTIFY_SOCKET for each change (sd_notify(3)).  The
 *             protocol is a promise of systemd's and these lines are all of it;
 *             libsystemd would bring three compressors (docs/decisions/021).
 * FAILURE     A manager that does not listen is not our trouble: nothing is
 *             repeated, nothing waits.  It will say that we never became ready.
 * THREADS     The loop's.
 * TESTS       tests/system/test_service.py
 */
#include "server/notify.h"
#include "base/str.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TEXT_MAX 512

/* True: this process is the one that WATCHDOG_USEC is meant for. */
static bool is_watched(void)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	int64_t n;

	if (usec == NULL || !str_to_i64(str_from(usec), &n) || n <= 0)
		return false;
	return pid == NULL || (str_to_i64(str_from(pid), &n) && n == getpid());
}

void notify_open(struct notify *n, const struct log *log)
{
	const char *path = getenv("NOTIFY_SOCKET");
	size_t len = path != NULL ? strlen(path) : 0;

	*n = (struct notify){ .fd = -1 };
	if (len == 0)
		return;
	if ((path[0] != '/' && path[0] != '@') || len >= sizeof(n->to.sun_path)) {
		log_warn(log, "NOTIFY_SOCKET: want an absolute path or @name");
		return;
	}
	n->to.sun_family = AF_UNIX;
	memcpy(n->to.sun_path, path, len);
	if (path[0] == '@')
		n->to.sun_path[0] = '\0'; /* of the abstract kind, which has no file */
	n->to_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (n->fd < 0)
		log_warn(log, "NOTIFY_SOCKET: %s", strerror(errno));
	n->has_watchdog = is_watched();
}

void notify_close(struct notify *n)
{
	if (n->fd >= 0)
		(void)close(n->fd);
	n->fd = -1;
}

static void tell(const struct notify *n, const char *text)
{
	if (n->fd >= 0) /* a manager that is gone is nobody to tell */
		(void)sendto(n->fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT,
			     (const struct sockaddr *)(const void *)&n->to, n->to_len);
}

void notify_ready(const struct notify *n, const char *status)
{
	char text[TEXT_MAX];

	(void)snprintf(text, sizeof(text), "READY=1\nSTATUS=%s", status);
	tell(n, text);
}

void notify_alive(const struct notify *n)
{
	if (n->has_watchdog)
		tell(n, "WATCHDOG=1");
}

void notify_stopping(const struct notify *n, int64_t takes_ms)
{
	char text[TEXT_MAX];

	(void)snprintf(text, sizeof(text), "STOPPING=1\nSTATUS=draining\nEXTEND_TIMEOUT_USEC=%lld",
		       (long long)takes_ms * 1000);
	tell(n, text);
}
