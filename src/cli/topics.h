/* SPDX-License-Identifier: MIT */
/*
 * topics.h - what can be explained besides Meta's error codes
 *
 * THREADS  any; the rows are static
 */
#ifndef CLI_TOPICS_H
#define CLI_TOPICS_H

#include "base/str.h"
#include <godwit/errors.h>

enum topic_kind {
	TOPIC_HTTP, /* a status of an HTTP answer */
	TOPIC_NUMBER, /* a status of a business number */
	TOPIC_QUALITY, /* of a number or template */
	TOPIC_REJECTION, /* why a template was rejected */
	TOPIC_REFUSAL, /* a word of the header Godwit-Refused */
	TOPIC_CHECK, /* what `godwit doctor` finds */
	TOPIC_SUBJECT,
	TOPIC_NKINDS
};

struct topic {
	enum topic_kind kind;
	const char *name, *other; /* other: may be NULL */
	const char *title, *meaning, *fix; /* as in gw_error_info */
	bool is_answer; /* retry says something */
	gw_retry retry;
	const char *source;
};

/* What is said elsewhere, and what is so: half sentences, no period. */
struct wrong_advice {
	const char *topic; /* its name; NULL: about a code */
	int code;
	const char *said, *fact;
};

const struct topic *topic_at(size_t index); /* by kind; NULL: behind the last */
/* By name or other name, in any case, '-' and '_' alike; NULL: none. */
const struct topic *topic_find(struct str word);
const char *topic_kind_name(enum topic_kind kind); /* "http", "number", ...; for people and JSON */

const struct wrong_advice *wrong_at(size_t index); /* NULL: behind the last */
/* The next one about a topic, or with NULL about a code, from *at on; NULL: no more. */
const struct wrong_advice *wrong_next(const struct topic *topic, int code, size_t *at);

#endif
