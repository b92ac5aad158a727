/* SPDX-License-Identifier: MIT */
/*
 * pacer.h - when the next message may leave: per number and per pair
 *
 * A pacer says from when on one more may go (pacer_next) and is told when one
 * went (pacer_take).  All times are clock_mono_ns(), all arithmetic is in
 * integers of nanoseconds.  Nothing here waits.
 *
 * LIMITS   a pair map keeps at most pairs_max recipients (reference in pacer.c)
 * THREADS  the loop's
 */
#ifndef GATEWAY_PACER_H
#define GATEWAY_PACER_H

#include "base/str.h"
#include "gateway/arrivals.h"

/* ---- one number ---- */

struct pacer_rate {
	uint32_t limit; /* messages/s that Meta allows the number, both directions */
	uint32_t share_ppm; /* of it that we use: 995,000 */
};

struct pacer {
	int64_t tat_ns; /* theoretical arrival time of the next message (GCRA) */
	int64_t paused_ns; /* nothing leaves before */
	uint32_t factor_ppm; /* of the rate; below 1,000,000 after a 130429 */
	uint32_t cut_from_ppm; /* what the factor was before its last cut ... */
	int64_t cut_ns; /* ... and when that was: it has recovered since */
	int64_t held_ns; /* since when a slot is kept free; 0: none is */
	int64_t hold_left_ns, hold_at_ns; /* what holds may still cost, as of then */
	struct arrivals arrivals;
};

void pacer_init(struct pacer *p);
/* The earliest time the next message may leave; not after now: at once. */
int64_t pacer_next(const struct pacer *p, const struct pacer_rate *r, int64_t now_ns);
/* One message leaves now; messages have stood here without a break since waits_ns.  Returns its
 * place, for pacer_answered(). */
uint64_t pacer_take(struct pacer *p, const struct pacer_rate *r, int64_t now_ns, int64_t waits_ns);
/* Meta answered the one of that place, whatever it said: it was there. */
void pacer_answered(struct pacer *p, uint64_t place, int64_t now_ns);
/* A slot is due, and somebody better is one commit away: until when it may be kept free for them.
 * It ends with the next take, or with pacer_unhold() where there is none. */
int64_t pacer_hold(struct pacer *p, int64_t now_ns);
void pacer_unhold(struct pacer *p, int64_t now_ns);
/* One message came in: Meta counts it too. */
void pacer_inbound(struct pacer *p, const struct pacer_rate *r, int64_t now_ns);
/* 130429 for a message that left at sent_ns: rate x 0.7, once for all that left before the cut.
 * It is back after 6 s at the most, two thirds of it in the first third of that. */
void pacer_throttled(struct pacer *p, int64_t sent_ns, int64_t now_ns);
void pacer_pause(struct pacer *p, int64_t until_ns);
/* Time between two messages now, with the factor. */
int64_t pacer_interval(const struct pacer *p, const struct pacer_rate *r, int64_t now_ns);

/* ---- one number and one recipient ---- */

struct pairs;

struct pairs_options {
	int64_t interval_ns; /* 6 s */
	uint32_t burst; /* 10, at most 45 (Meta's) */
	size_t max; /* recipients remembered */
};

struct pairs *pairs_new(const struct pairs_options *o);
void pairs_free(struct pairs *p);
size_t pairs_count(const struct pairs *p);
/* 0: never heard of, at once. */
int64_t pairs_next(const struct pairs *p, struct str number_id, struct str lane);
void pairs_take(struct pairs *p, struct str number_id, struct str lane, int64_t now_ns);
/* 131056 came back: blocked for 4^X s, X = 0, 1, 2, ... (at most max_ns); returns until when. */
int64_t pairs_throttled(struct pairs *p, struct str number_id, struct str lane, int64_t now_ns,
			int64_t max_ns);
/* Meta accepted one: X is 0 again. */
void pairs_accepted(struct pairs *p, struct str number_id, struct str lane);

/* ---- which class goes next ---- */

#define CHOOSER_CLASSES 4
#define CHOOSER_FAVOUR_AFTER 15 /* slots a lower class is passed over before it gets one */

/* Strict order with a weight: the best class that has something, but a class
 * that was passed over CHOOSER_FAVOUR_AFTER times gets one slot, and never two
 * such slots in succession.  So a better message waits for one slot at most. */
struct chooser {
	uint32_t passed[CHOOSER_CLASSES];
	bool favoured; /* the last slot was given out of order */
};

/* have[c]: how many of class c are there; one of class `last` or better must be.  Those behind
 * `last` have no turn now and keep what they have been passed over. */
unsigned chooser_choose(struct chooser *c, const size_t have[CHOOSER_CLASSES], unsigned last);

#endif
