/* SPDX-License-Identifier: MIT */
/*
 * sandbox.h - an emulation of Meta's side of the WhatsApp Cloud API
 *
 * One process or thread plays Meta: it takes Graph calls on any version
 * prefix, keeps customers, windows, limits and templates, sends signed
 * webhooks to one callback URL, and is steered by a control API
 * (docs/sandbox.md).  Nothing is stored: what it knows ends with it.
 *
 * THREADS  sandbox_run() runs the loop on the caller's thread and starts one
 *          HTTP thread.  Several may run in one process, each with its own
 *          options; then handle_signals belongs to one of them at most.
 */
#ifndef SANDBOX_SANDBOX_H
#define SANDBOX_SANDBOX_H

#include "base/log.h"
#include "base/mac.h"
#include <godwit/error.h>

/* What a sandbox without secrets of its own uses; public on purpose: it guards nothing. */
#define SANDBOX_APP_SECRET "sandbox-app-secret"
#define SANDBOX_VERIFY_TOKEN "sandbox-verify-token"
#define SANDBOX_NUMBER_ID "573542517421694"
#define SANDBOX_WABA_ID "412233445566778"
#define SANDBOX_BUSINESS_ID "510000000000001"
#define SANDBOX_APP_ID "610000000000001"

struct sandbox_options {
	const char *address; /* listen here */
	uint16_t port; /* 0: any free one */
	const char *callback_url; /* where webhooks go; NULL: nowhere until POST callback */
	const struct secret *app_secret; /* signs webhooks; NULL: SANDBOX_APP_SECRET */
	const struct secret *verify_token; /* handshake; NULL: SANDBOX_VERIFY_TOKEN */
	uint64_t seed; /* of ids and jitter; 0: drawn from the system and logged */
	bool freeze; /* start with the clock standing still */
	int64_t start_wall_ms; /* time of day at the start, since the epoch; 0: the system's */
	bool no_seed_message; /* the seeded customer stays silent */
	bool handle_signals; /* SIGTERM and SIGINT end the run (signalfd) */
	int stop_fd; /* ends the run when it becomes readable; -1: none */
	int ready_fd; /* gets "PORT\n" once it listens, stays open; -1: none */
	void (*on_ready)(void *cookie, uint16_t port); /* on the loop's thread; NULL: none */
	void *cookie;
	const struct log *log; /* NULL: warnings to standard error */
};

#define SANDBOX_OPTIONS_INIT                                                                 \
	{                                                                                    \
		.address = "127.0.0.1", .port = 8081, .handle_signals = true, .stop_fd = -1, \
		.ready_fd = -1                                                               \
	}

/* Run until told to stop.  0, or 1 with err set when it could not start. */
int sandbox_run(const struct sandbox_options *o, struct gw_error *err);

#endif
