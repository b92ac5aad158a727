/* SPDX-License-Identifier: MIT */
/*
 * sent.h - what the business sent and the sandbox accepted
 *
 * Two depths: the newest SANDBOX_SENT_FULL_MAX with body and statuses, and
 * the newest SANDBOX_SENT_TOKENS_MAX in short form (order, id, recipient,
 * opaque value), so that a test can ask after hours whether anything was
 * accepted twice.  Older ones are forgotten, oldest first; the counts stay.
 */
#ifndef SANDBOX_SENT_H
#define SANDBOX_SENT_H

#include "sandbox/world.h"

#define SENT_STATUSES_MAX 8
#define SENT_CODES_MAX 64

struct sent_status {
	const char *status; /* static word */
	int64_t at_ms; /* wall */
	int code; /* of a failure, else 0 */
};

struct sent_message {
	uint64_t seq; /* 1, 2, ... in the order of acceptance */
	const struct number *number;
	const char *type; /* static word */
	char *wamid, *to, *opaque; /* opaque: NULL when none was given */
	char *body; /* the request's bytes */
	size_t body_len;
	int64_t at_ms; /* wall */
	struct sent_status statuses[SENT_STATUSES_MAX];
	size_t status_count;
};

struct sent_short {
	int64_t at_ms;
	uint64_t token; /* hash of the opaque value; 0: none */
	uint16_t to_at, opaque_at; /* where they start in text; opaque_at 0: none */
	char text[]; /* wamid NUL to NUL opaque NUL */
};

struct sent_refusals {
	size_t count;
	struct {
		int code;
		uint64_t times;
	} codes[SENT_CODES_MAX];
};

struct sent *sent_new(void);
void sent_free(struct sent *s);

/* What was accepted; everything is copied.  Borrowed until the next call. */
const struct sent_message *sent_add(struct sent *s, const struct number *n, struct str wamid,
				    struct str to, const char *type, struct str body,
				    const struct str *opaque, int64_t at_ms);
uint64_t sent_total(const struct sent *s); /* accepted since the start; also the newest seq */
uint64_t sent_doubled(const struct sent *s); /* acceptances whose opaque value was there before */
uint64_t sent_first_full(const struct sent *s); /* oldest seq kept whole */
uint64_t sent_first_short(const struct sent *s);
const struct sent_message *sent_get(const struct sent *s, uint64_t seq); /* NULL: forgotten */
const struct sent_message *sent_find(const struct sent *s, struct str wamid);
const struct sent_short *sent_get_short(const struct sent *s, uint64_t seq);
/* How often an opaque value was accepted, among those still known. */
uint64_t sent_token_count(const struct sent *s, struct str opaque);

void sent_note_status(struct sent *s, uint64_t seq, const char *status, int64_t at_ms, int code);
void sent_note_refusal(struct sent *s, int code);
const struct sent_refusals *sent_refusals(const struct sent *s);

#endif
