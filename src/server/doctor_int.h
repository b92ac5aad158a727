/* SPDX-License-Identifier: MIT */
/* doctor_int.h - shared by doctor.c (order, calls), doctor_graph.c (Meta) and doctor_callback.c */
#ifndef SERVER_DOCTOR_INT_H
#define SERVER_DOCTOR_INT_H

#include "json/json.h"
#include "net/http_client.h"
#include "server/doctor.h"

/* An answer, until the next call. */
struct doctor_reply {
	enum http_end end;
	int status, code, subcode; /* of a Graph error */
	struct json_val json;
	struct str body;
	int64_t ms;
	char text[512]; /* Meta's message, or why there was no answer */
};

struct doctor {
	struct doctor_options o;
	struct doctor_facts facts;
	struct http_client *graph, *user; /* user: behind the guard */
	struct http_exchange *exchange;
	struct timer turn; /* the next step, on a fresh stack */
	struct arena *arena;
	struct buf body;
	struct doctor_reply reply;
	void (*then)(struct doctor *d); /* with reply */
	size_t step, number; /* where it is */
	struct doctor_number numbers[DOCTOR_NUMBERS_MAX]; /* that are looked at */
	size_t number_count;
	const char *down; /* why nothing more can be asked of Meta; NULL: it can */
	bool asked_as_app, was_fixed;
	char url[576], nonce[33], right[128];
	int64_t handshake_ms;
};

/* Go on with the next step. */
void doctor_next(struct doctor *d);
/* A Graph call with the account's token (or the app's); then() has the answer. */
void doctor_ask(struct doctor *d, const char *method, bool as_app, const char *path,
		void (*then)(struct doctor *d));
void doctor_call(struct doctor *d, const struct http_request *r, bool to_user,
		 void (*then)(struct doctor *d));
bool doctor_is_ok(const struct doctor *d); /* a 2xx with JSON */
void doctor_put_escaped(struct buf *b, struct str s);
struct doctor_number *doctor_at(struct doctor *d); /* the number that is looked at */

void doctor_tell(struct doctor *d, enum doctor_result r, const char *check, const char *number,
		 const char *topic, const char *fmt, ...) GW_PRINTF(6, 7);
/* With Meta's code of the last answer, or that there was none. */
void doctor_tell_reply(struct doctor *d, const char *check, const char *number, const char *what);
void doctor_tell_code(struct doctor *d, enum doctor_result r, const char *check, const char *number,
		      int code, int subcode, const char *fmt, ...) GW_PRINTF(7, 8);

/* Steps; each ends in doctor_next(). */
void doctor_token(struct doctor *d);
void doctor_waba(struct doctor *d);
void doctor_number(struct doctor *d);
void doctor_template(struct doctor *d);
void doctor_subscription(struct doctor *d);
void doctor_secret(struct doctor *d);
void doctor_callback(struct doctor *d);
void doctor_limits(struct doctor *d);
void doctor_health(struct doctor *d);

#endif
