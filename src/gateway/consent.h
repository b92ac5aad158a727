/* SPDX-License-Identifier: MIT */
/*
 * consent.h - who wants marketing: words that opt out or in, and the event that tells of it
 *
 * Every decision is one `consent.changed`, whoever made it: Meta's own
 * user_preferences, or a body of ours in that shape, whose member `godwit`
 * says where it comes from.  The store records it with the event.
 *
 * THREADS  Any; touches nothing but its arguments.
 */
#ifndef GATEWAY_CONSENT_H
#define GATEWAY_CONSENT_H

#include "base/arena.h"
#include "base/buf.h"
#include "store/store.h"

#define CONSENT_NOTE_MAX 512 /* bytes */
#define CONSENT_WORDS_MAX 512 /* bytes of a list of words */

struct consent_words {
	char stop[CONSENT_WORDS_MAX], start[CONSENT_WORDS_MAX]; /* with commas between them */
};
/* Lists of words with commas between them; what is no UTF-8 is no word. */
void consent_words_set(struct consent_words *w, const char *stop, const char *start);
/* Is the whole text one of them, whatever its case and the punctuation around it? */
enum store_consent consent_of_text(const struct consent_words *w, struct str text);

struct consent_change {
	enum store_consent what; /* IN or OUT */
	const char *source; /* "word", "api", "cli", "import" */
	struct str phone, user_id; /* of the contact, at least one */
	struct str number_id, address, business_id; /* empty: of no number */
	int64_t at_s;
	struct str note; /* for people; empty: none */
	struct str cause; /* what makes it this decision and no other: a wamid, or an id of ours */
	struct id key; /* API key; zeros: none */
};
/* The body of a change, in Meta's shape. */
void consent_put_body(struct buf *out, const struct consent_change *c);

/* What an item of user_preferences decides; `ours`: we wrote the body. */
void consent_read(struct str item, bool ours, struct arena *a, struct store_event_in *out);

#endif
