/* SPDX-License-Identifier: MIT */
/*
 * simclock.h - the clock that tests move, and those who follow it
 *
 * A follower (a gateway in the sandbox profile) polls with the version it
 * knows and is answered when there is a newer one.  A move is answered when
 * everything due has happened and every follower that was waiting has come
 * back with the new version, or after two seconds: then all are in step.
 *
 * THREADS  The loop's.
 */
#ifndef SANDBOX_SIMCLOCK_H
#define SANDBOX_SIMCLOCK_H

#include "json/json.h"
#include "net/http_server.h"
#include "net/loop.h"

struct simclock;

struct simclock *simclock_new(struct loop *loop);
void simclock_free(struct simclock *s); /* answers whoever waits */
void simclock_release(struct simclock *s); /* the same, and lives on */

/* {"version","wall_ms","offset_ms","frozen"} */
void simclock_write(const struct simclock *s, struct json_writer *w);
/* GET clock: answer when the version is not `after` (also one that never was), or after wait_s. */
void simclock_poll(struct simclock *s, struct http_call *call, int64_t after, int64_t wait_s);
/* GET clock without `after`: at once. */
void simclock_show(struct simclock *s, struct http_call *call);

/* Do what {"advance"|"advance_ms"|"freeze"|"resume"|"set"} says. */
GW_NODISCARD gw_status simclock_change(struct simclock *s, struct json_val order,
				       struct gw_error *err);
/* Answer the call that made a change once all are in step. */
void simclock_settle(struct simclock *s, struct http_call *call);

/* RFC 3339 to milliseconds since the epoch. */
bool simclock_parse_time(struct str text, int64_t *out_ms);

#endif
