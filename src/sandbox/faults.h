/* SPDX-License-Identifier: MIT */
/*
 * faults.h - rules that make Graph calls go wrong
 *
 * A rule looks at calls before anything else does (error, slow, hang, reset)
 * or at messages that were accepted (the accept_ kinds).  The first rule that
 * matches and still has passages left decides; slow lets later rules have a
 * say too.
 *
 * THREADS  The loop's.
 */
#ifndef SANDBOX_FAULTS_H
#define SANDBOX_FAULTS_H

#include "json/json.h"
#include "sandbox/limits.h"

enum fault_kind {
	FAULT_NONE,
	/* before: nothing is accepted */
	FAULT_ERROR, /* a Graph error */
	FAULT_SLOW, /* the answer comes delay_ms later */
	FAULT_HANG, /* no answer until reset or the end */
	FAULT_RESET, /* TCP reset instead of an answer */
	FAULT_CLOSE, /* the connection closes instead of an answer */
	FAULT_5XX, /* a bare HTTP error without a Graph body */
	FAULT_RESET_HEAD, /* TCP reset before the body of a POST is read; only next, no filters */
	/* after: the message was accepted and takes its course */
	FAULT_ACCEPT_5XX,
	FAULT_ACCEPT_CLOSE,
	FAULT_ACCEPT_RESET,
	FAULT_ACCEPT_HANG,
	FAULT_GARBAGE, /* 200 with a body nobody can read */
	FAULT_ERROR_AFTER_ACCEPT, /* Graph error 131000 */
	FAULT_NKINDS
};

struct fault {
	uint64_t id;
	enum fault_kind kind;
	bool any_call; /* target "any": every Graph call; else sends only */
	enum { FAULT_NEXT, FAULT_EVERY, FAULT_ALWAYS } when;
	uint64_t n; /* of next and every */
	uint64_t seen, fired;
	char number[GRAPH_ID_MAX]; /* empty: all */
	char to[PHONE_MAX]; /* digits; empty: all */
	int code, http; /* of an error; http 0: the table's */
	int retry_after_s; /* 0: no header */
	int64_t delay_ms;
	char details[256];
};

/* What a call looks like to the rules. */
struct fault_call {
	bool is_send; /* POST messages with a message in it */
	struct str number; /* id; empty when the call has none */
	struct str to; /* digits; empty when unreadable */
};

struct faults;
struct faults *faults_new(void);
void faults_free(struct faults *f);
void faults_clear(struct faults *f);
size_t faults_count(const struct faults *f);

/* Read a rule from the control API and add it. */
GW_NODISCARD gw_status faults_add(struct faults *f, struct json_val rule, uint64_t *out_id,
				  struct gw_error *err);
bool faults_remove(struct faults *f, uint64_t id);
/* Is this call, whose head has just been read, to be reset?  Any thread. */
bool faults_take_head(struct faults *f);

/* The rule for this call before it is looked at, *slow_ms grown by slow rules; NULL: none.
 * Borrowed until the next change. */
const struct fault *faults_before(struct faults *f, const struct fault_call *call,
				  int64_t *slow_ms);
/* The rule for a message just accepted; NULL: none. */
const struct fault *faults_after(struct faults *f, const struct fault_call *call);

const char *fault_word(enum fault_kind kind);
void faults_write(const struct faults *f, struct json_writer *w); /* an array */

#endif
