/* SPDX-License-Identifier: MIT */
/* relay_int.h - what the files of the relay share */
#ifndef GATEWAY_RELAY_INT_H
#define GATEWAY_RELAY_INT_H

#include "base/rnd.h"
#include "gateway/media_link.h"
#include "gateway/account.h"
#include "gateway/breaker.h"
#include "gateway/lane.h"
#include "gateway/metrics.h"
#include "gateway/relay.h"
#include "gateway/render.h"
#include "gateway/sign.h"
#include "net/http_client.h"

#define RELAY_LANES_MAX 16384 /* lanes in memory a destination: about 3 MiB of struct lane */
#define RELAY_BODY_MAX (16U * 1024 * 1024) /* a rendered event: 4 MiB, escaped */
#define RELAY_WAIT_MAX_S INT64_C(86400) /* of a Retry-After, and longer than the schedule */
#define RELAY_RETRY_SHARE 5 /* one retry for so many first attempts while these wait */

struct refill;

/* One destination as the relay sees it.  The struct destination is looked up by row each time:
 * server code replaces and removes them. */
struct outlet {
	struct relay *relay;
	int64_t row;
	char name[ID_TEXT_MAX]; /* its id, for the log: rows are the store's */
	struct lanes lanes;
	struct breaker breaker;
	struct timer wake; /* the next probe */
	struct lane_queue fresh; /* heads that were never tried */
	struct lane_queue again; /* retries and replays */
	struct lane_queue hungry; /* lanes that need a read */
	unsigned credit; /* first attempts since the last retry */
	unsigned in_flight;
	struct mac *mac, *mac_previous; /* NULL until they are needed */
	bool url_bad; /* egress_check_url() refuses it */
	struct gw_error url_error;
	/* as the lanes were rendered for; the destination may have changed since */
	char *url;
	enum destination_format format;
	bool include_raw, disabled;
	bool removed; /* freed when its moves and its read are back */
	struct refill *refill; /* the read that is under way */
	struct timer refill_again; /* after a read that failed */
	bool overflow; /* lanes that memory does not know have events in the store */
	uint64_t overflowed; /* events that went there */
	uint64_t scan_began; /* overflowed when this round of scanning began */
	int64_t scan_after; /* lanes up to this key were scanned in this round */
};

struct relay_errand; /* relay_errand.c */

/* A keyed context of an account's app secret. */
struct app_mac {
	struct secret secret; /* to see that it changed */
	struct mac *mac;
};

struct relay {
	struct relay_options o;
	struct http_client *client;
	struct rnd rnd;
	struct outlet **outlets; /* removed ones linger until their moves are back */
	size_t outlet_count;
	struct map *app_macs; /* by account name */
	struct buf scratch; /* a body being rendered */
	size_t in_flight; /* deliveries on the wire */
	size_t errands; /* tests on the wire, disabled marks in the store */
	struct relay_errand *tests;
	bool started, draining;
	void (*idle)(void *cookie);
	void *idle_cookie;
};

static inline const struct clock *relay_clock(const struct relay *r)
{
	return loop_clock(r->o.loop);
}

/* relay.c */
struct destination *outlet_destination(const struct outlet *o); /* NULL: removed */
bool outlet_is_stopped(const struct outlet *o); /* removed or disabled */
/* Put the lane where its head belongs now, or drop it.  The lane may be gone afterwards. */
void outlet_place(struct outlet *o, struct lane *l);
void outlet_pump(struct outlet *o); /* start what may start, read what should be read */
void relay_look_idle(struct relay *r);
void outlet_settle(struct outlet *o); /* free a removed one when nothing of it is out any more */

/* relay_render.c */
/* The event as this destination wants it, marked when it has no form in the format.  `out` is
 * scratch.  THREADS  Any. */
struct delivery *relay_render(struct buf *out, const struct store_event_row *e,
			      enum destination_format format, const struct render_how *how);

/* relay_request.c */
#define RELAY_HEADERS_MAX 10
#define RELAY_HEADER_MAX 320 /* the longest is webhook-signature with two of them */
struct relay_headers {
	char text[RELAY_HEADERS_MAX][RELAY_HEADER_MAX];
	const char *list[RELAY_HEADERS_MAX];
	size_t count;
};
void relay_put_header(struct relay_headers *h, const char *fmt, ...) GW_PRINTF(2, 3);
void relay_put_headers(struct relay_headers *h, struct outlet *o, const struct destination *to,
		       const struct delivery *d);
/* Borrows h and body until the outcome. */
struct http_request relay_request(const struct relay *r, const struct destination *to,
				  const struct relay_headers *h, struct str body);
void outlet_forget_macs(struct outlet *o); /* a secret may have changed */

/* relay_errand.c; relay_test() is there, too */
void outlet_disable(struct outlet *o, const char *why); /* in the store, too */
void relay_forget_tests(struct relay *r); /* their exchanges are gone */

/* relay_attempt.c */
void relay_attempt(struct outlet *o, struct lane *l, struct delivery *d);
/* How long until the attempt after `burned` failed ones, without jitter; -1: give up. */
int64_t relay_delay_ms(uint32_t burned, int64_t lifetime_ms);

/* relay_refill.c */
void outlet_refill(struct outlet *o); /* ask for a read if one is needed and possible */

#endif
