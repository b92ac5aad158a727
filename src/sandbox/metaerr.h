/* SPDX-License-Identifier: MIT */
/* metaerr.h - errors in the shapes Meta gives them: in an answer and in a webhook */
#ifndef SANDBOX_METAERR_H
#define SANDBOX_METAERR_H

#include "json/json.h"

#define METAERR_TEXT_MAX 512
#define METAERR_TRACE_MAX 24 /* fbtrace_id with the NUL */

struct metaerr {
	int http;
	int code;
	int subcode; /* 0: none */
	int retry_after_s; /* 0: no header */
	const char *type; /* "OAuthException" */
	char message[METAERR_TEXT_MAX];
	char details[METAERR_TEXT_MAX]; /* empty: no error_data */
	const char *title; /* error_user_title; NULL: none; static */
	char hint[METAERR_TEXT_MAX]; /* error_user_msg; empty: none */
};

/* The row of errors.def; for unlisted codes HTTP 400 and a general title. */
int metaerr_http(int code);
const char *metaerr_title(int code);
bool metaerr_is_listed(int code);

/* All return false, so that a check can end with them. */
/* "(#code) Title", the reason in error_data.details. */
bool metaerr_set(struct metaerr *e, int code, const char *details, ...) GW_PRINTF(3, 4);
/* "(#100) reason" without error_data, as Graph itself answers. */
bool metaerr_param(struct metaerr *e, const char *reason, ...) GW_PRINTF(2, 3);
/* A message of its own. */
bool metaerr_graph(struct metaerr *e, int code, int subcode, const char *type, const char *message,
		   ...) GW_PRINTF(5, 6);

/* Code 100 "Invalid parameter" as template calls answer it: the reason is error_user_msg. */
bool metaerr_template(struct metaerr *e, int subcode, const char *title, const char *reason, ...)
	GW_PRINTF(4, 5);

/* The body of an answer. */
void metaerr_write(const struct metaerr *e, const char *trace_id, struct buf *out);
/* One item of an errors[] in a webhook. */
void metaerr_write_webhook(struct json_writer *w, int code, const char *details);

#endif
