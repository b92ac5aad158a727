/* SPDX-License-Identifier: MIT */
/*
 * inbox.h - verified bodies in, committed events out (W3 to W5)
 *
 * ROLE  Between webhook_front (and what we compose ourselves) and the sinks:
 *       relay, outbox, windows, taps.  Owns the rule: 200 only after the commit.
 *
 * inbox_item_new() parses and normalizes on the caller's thread; inbox_put()
 * takes the item on the loop's thread, gives ids, asks the destinations who
 * wants what, and submits one store_put_body.  When the commit is through the
 * call is answered 200 (or 503), then every new event goes to the sinks, in
 * the order of the body.
 */
#ifndef GATEWAY_INBOX_H
#define GATEWAY_INBOX_H

#include "gateway/event.h"

#define INBOX_BODY_MAX (4U * 1024 * 1024) /* bytes; Meta sends up to 3 MB */
#define INBOX_UNCOMMITTED_MAX (64U * 1024 * 1024) /* design.md 6.7 */
#define INBOX_UNCOMMITTED_NS NS_PER_S

struct inbox;
struct destinations;
struct metrics;
struct token_reader;

struct inbox_source {
	struct str signature; /* header; empty: composed by us */
	struct str account; /* whose secret matched */
	int64_t received_ms; /* wall clock */
	struct http_call *call; /* answered after the commit; NULL: composed */
	const struct token_reader *token; /* checks our tokens in statuses; read-only */
	struct wayback_mark mark; /* how it was verified */
	/* composed: told after the commit, before the sinks; ev NULL: it was not stored */
	void (*done)(void *cookie, const struct store_event_in *ev);
	void *cookie;
};
/* Takes body.ptr (malloc).  Never fails: what cannot be parsed is quarantined. */
struct inbox_item *inbox_item_new(struct str body, const struct inbox_source *source);

/* Who is told about committed events; each may be NULL.  Called on the loop in this order. */
struct inbox_sinks {
	void *cookie;
	void (*evidence)(void *cookie, struct event *e); /* a status with a message of ours */
	void (*window)(void *cookie, struct event *e); /* a customer opened the window */
	void (*consent)(void *cookie, struct event *e); /* what holds for a contact may be new */
	void (*relay)(void *cookie, struct event *e); /* has destinations */
	void (*tap)(void *cookie, struct event *e); /* every new event */
	void (*template_)(void *cookie, struct event *e); /* something was learned of one */
};

struct inbox_options {
	struct store *store;
	struct destinations *destinations;
	const struct clock *clock;
	const struct log *log;
	struct metrics *metrics;
	struct wayback *wayback; /* told what could not be kept or read */
	struct inbox_sinks sinks;
};
struct inbox *inbox_new(const struct inbox_options *o);
/* Texts that opt out and in: lists with commas between the words (consent.h). */
void inbox_set_words(struct inbox *in, const char *stop, const char *start);
void inbox_free(struct inbox *in); /* nothing may be in the store any more */
/* From now on committed events go to no sink: the last step of a drain. */
void inbox_mute(struct inbox *in);
void inbox_put(struct inbox *in, struct inbox_item *item);
/* Commit is stuck or the disk is at its watermark: refuse with 503 before parsing.  Any thread. */
bool inbox_is_stuck(const struct store *store, int64_t disk_min_bytes);
size_t inbox_pending(const struct inbox *in); /* items submitted, not yet answered */

#endif
