/* SPDX-License-Identifier: MIT */
/*
 * answer.h - an answer to a Graph call: what, when, or in what way not at all
 *
 * THREADS  The loop's.
 */
#ifndef SANDBOX_ANSWER_H
#define SANDBOX_ANSWER_H

#include "base/buf.h"
#include "net/http_server.h"
#include "net/loop.h"

enum answer_act {
	ANSWER_REPLY,
	ANSWER_CLOSE, /* close the connection, answer nothing */
	ANSWER_RESET, /* the same with a TCP reset */
	ANSWER_HANG, /* say nothing until answers_release() */
};

struct answer {
	enum answer_act act;
	int status;
	const char *type; /* content type; static */
	struct buf body;
	int retry_after_s; /* 0: no header */
	char version[12]; /* facebook-api-version; empty: none */
	int64_t delay_ms; /* real time */
	int64_t date_ahead_s; /* of the Date header; 0: the server's own */
};

void answer_init(struct answer *a);
void answer_release(struct answer *a);

/* Calls that wait for their answer's time. */
struct answers;
struct answers *answers_new(struct loop *loop);
void answers_free(struct answers *all); /* releases what is held */
size_t answers_held(const struct answers *all);
/* Answer now or later; takes the body. */
void answers_give(struct answers *all, struct http_call *call, struct answer *a);
/* Answer what is late at once, cut what hangs. */
void answers_release(struct answers *all);

#endif
