/* SPDX-License-Identifier: MIT */
/* child.h - processes of ours that stand under another: started, watched, ended */
#ifndef CLI_CHILD_H
#define CLI_CHILD_H

#include "base/str.h"
#include <godwit/error.h>
#include <sys/types.h>

/* "127.0.0.1:8080" or "[::1]:8080" */
bool child_split_address(const char *text, char *host, size_t cap, uint16_t *port);

/* In the child: SIGTERM when the parent is gone, also when it was killed. */
void child_ends_with_parent(void);

#define CHILD_READY_MAX 640 /* bytes of the line on the ready descriptor */
#define CHILD_ARGS_MAX 24

struct child {
	const char *name; /* "gateway" */
	pid_t pid; /* 0: none */
	int pid_fd; /* readable when it has ended; -1: none */
	int ready_fd; /* our end of the pipe; -1: closed */
	const char *log_path; /* its standard error */
};

#define CHILD_INIT(what)                                     \
	{                                                    \
		.name = (what), .pid_fd = -1, .ready_fd = -1 \
	}

/*
 * Start this program again with args (NULL-terminated, the command first) plus
 * "--with-parent --ready-fd N"; standard error goes to log_path, which must
 * outlive the child.
 */
GW_NODISCARD gw_status child_start(struct child *c, const char *const *args, const char *log_path,
				   struct gw_error *err);
/* Wait for its ready line, without the line end; GW_ESTATE: it ended, GW_ETIMEOUT. */
GW_NODISCARD gw_status child_wait_ready(struct child *c, int64_t timeout_ms,
					char line[CHILD_READY_MAX], struct gw_error *err);
void child_signal(const struct child *c, int signal_number);
/* Wait for its end, at most timeout_ms; false: it still runs. */
bool child_wait(struct child *c, int64_t timeout_ms, int *out_status);
void child_release(struct child *c); /* close descriptors; kills what still runs */
/* The last lines of its log, indented, to standard error. */
void child_print_log(const struct child *c);

#endif
