/* SPDX-License-Identifier: MIT */
/*
 * serve.h - `godwit serve`: wire the gateway together, run it, drain it
 *
 * The only place that knows every part.  Threads (design.md section 11): this
 * one becomes the loop; one per listener, one for the store, two readers.
 */
#ifndef SERVER_SERVE_H
#define SERVER_SERVE_H

#include <godwit/error.h>

struct config;

struct serve_options {
	struct config *config; /* checked by config_load(); gets the problems that only the store
				* shows; a reload writes its LIVE keys */
	int ready_fd; /* one line "ready public=PORT api=PORT socket=PATH\n" is
				       * written here when all listeners are up; -1: none */
};

/* What serve_run() would refuse when it has opened the store, without starting anything: GW_EPARSE
 * and problems in c.  Another status: the store cannot be read, so nothing in it was counted. */
GW_NODISCARD gw_status serve_check(struct config *c, struct gw_error *err);

/* Runs until SIGTERM or SIGINT has been drained; the exit code (0, 1, 7, 74, 78). */
int serve_run(const struct serve_options *o, struct gw_error *err);

#endif
