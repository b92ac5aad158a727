/* SPDX-License-Identifier: MIT */
/* notify.h - the service manager is told: ready, alive, leaving */
#ifndef SERVER_NOTIFY_H
#define SERVER_NOTIFY_H

#include "base/log.h"

#include <sys/socket.h>
#include <sys/un.h>

/* Where to (NOTIFY_SOCKET); fd -1: nobody wants to know, and every call does nothing. */
struct notify {
	int fd;
	struct sockaddr_un to;
	socklen_t to_len;
	bool has_watchdog; /* WatchdogSec is set, and it is us that are watched */
};

void notify_open(struct notify *n, const struct log *log);
void notify_close(struct notify *n);

void notify_ready(const struct notify *n, const char *status); /* status: one line for people */
void notify_alive(const struct notify *n); /* at least twice in WatchdogSec */
void notify_stopping(const struct notify *n, int64_t takes_ms); /* it may take so long */

#endif
