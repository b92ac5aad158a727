/* SPDX-License-Identifier: MIT */
/*
 * reconcile.c - unknown messages: proven by statuses, or decided by policy
 *
 * ROLE        Owns the promise "nothing is sent twice by us": only a status, an
 *             operator or a policy that has proof of absence moves an unknown
 *             message.
 *
 * EVIDENCE    A status that carries our token (or, later, the wamid) proves that
 *             the message exists at Meta.  It moves the message to accepted from
 *             wherever it stands: unknown, waiting for a resend, claimed and not
 *             sent.  While an attempt is on the wire its answer is given
 *             EVIDENCE_GRACE_NS to come, since it is what the caller waits for.
 *
 * ABSENCE     is proven when the way back was alive: statuses of ALIVE_MIN
 *             messages of the same number that left later have arrived, nothing
 *             that may have been its status was turned away in between, and
 *             settings.unknown_wait has passed.  What was turned away (wayback.h):
 *
 *               refused     by our fault, or signed and not kept: a gap
 *               the process was down (drain, kill, start): a gap
 *               unverified  a gap only if the number's statuses were signed with
 *                           different secrets before and after, or never before:
 *                           between two with the same secret Meta used that one,
 *                           so the call was not Meta's.  While none came after it,
 *                           nothing is known since the last (heard_ns).
 *               partial     Meta repeats such a call within minutes, so the wait
 *                           becomes PARTIAL_WAIT_NS, once, however many there are
 *               larger than Meta's largest, no HTTP: not Meta's, nothing
 *
 *             After a gap Meta may still repeat the status for seven days, and so
 *             long it takes.  Why a stranger cannot put it off for ever, and a wrong
 *             secret cannot prove anything: docs/decisions/008.
 *
 * POLICY      hold: nothing, ever; shelf.c puts it out of memory.  resend: queued
 *             again once absence is proven and attempts and lifetime allow, ended
 *             when the lifetime is over.  expire: ended once absence is proven or
 *             the lifetime is over.  Statuses that come later are kept as evidence.
 *
 * A START     finds messages in SENDING. Those with evidence were accepted; those that
 *             by departures.h have never left wait again, no attempt is burned; the
 *             rest is UNKNOWN.
 *
 * INVARIANTS  1. UNKNOWN -> QUEUED happens here only after is_absent(), or by an
 *                operator's word (outbox_resolve).
 *             2. An entry is in its number's unsettled list exactly while it is
 *                UNKNOWN, or SENDING with evidence.
 *             3. Two different tries echoed for one message are one duplicate,
 *                counted once.
 *
 * FAILURE     Crash: evidence is in the store with the event; the next start finds
 *             it (store_message_row.has_evidence) and settles the message.
 * LIMITS      WATERMARK_MAX messages watched a number, REMEMBERED_MAX finished ones.
 * TESTS       tests/unit/test_reconcile.c
 */
#include "gateway/reconcile.h"

#include "base/map.h"
#include "base/mem.h"
#include "gateway/departures.h"
#include "gateway/metrics.h"

#define EVIDENCE_GRACE_NS NS_PER_S
#define ALIVE_MIN 3 /* reliability.md 3.4 item 4 */
#define META_REPEATS_NS (7 * 24 * 3600 * NS_PER_S) /* reliability.md 1.3: retries up to 7 days */
#define PARTIAL_WAIT_NS (3600 * NS_PER_S) /* docs/decisions/008 */
#define TICK_NS_MIN NS_PER_S
#define WATERMARK_MAX 64
#define REMEMBERED_MAX 4096

/* The latest messages of a number that Meta accepted while something was unknown. */
struct watermark {
	size_t at;
	struct {
		int64_t row; /* 0: free, or its status was seen */
		int64_t sent_ns;
	} of[WATERMARK_MAX];
};

/* A finished message that had several tries: a second echo would be a duplicate. */
struct remembered {
	struct link link;
	int64_t row;
	uint64_t echoed;
};

struct reconcile {
	struct reconcile_options o;
	struct timer timer;
	struct map *remembered; /* by row */
	struct link oldest; /* head of the remembered */
};

static int64_t now_of(const struct reconcile *r)
{
	return clock_mono_ns(loop_clock(r->o.loop));
}

static int64_t min64(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t max64(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* Gaps so far, as far as they are known: statuses may be on the way for days. */
static int64_t gaps(const struct reconcile *r, const struct outq_number *n)
{
	return r->o.wayback->refused + n->breaks;
}

/* Until when we know that nothing of Meta's was turned away for its signature. */
static int64_t known_ns(const struct reconcile *r, const struct outq_number *n, int64_t now_ns)
{
	return n->heard.unverified == r->o.wayback->unverified ? now_ns : n->heard_ns;
}

/* A signed status of this number.  True: unsigned calls before it turn out to be no gap. */
static bool hear(const struct reconcile *r, struct outq_number *n, const struct wayback_mark *m)
{
	bool unsigned_between = m->unverified != n->heard.unverified;
	bool same = m->key == n->heard.key;

	if (unsigned_between && !same)
		n->breaks++;
	n->heard = *m;
	n->heard_ns = now_of(r);
	return unsigned_between && same;
}

/* ---- settling ---- */

static void unsettle(struct outq_entry *e)
{
	if (!link_is_in(&e->unsettled))
		link_push(&e->lane->number->unsettled, &e->unsettled);
}

static void accept(struct reconcile *r, struct outq_entry *e)
{
	link_remove(&e->unsettled);
	outq_want(r->o.outq, e,
		  &(struct outq_move){ .to = OUTQ_ACCEPTED,
				       .why = "a status says that it was accepted",
				       .wamid = str_from(e->wamid) });
}

static void arm_timer(struct reconcile *r, int64_t at_ns)
{
	if (!timer_is_armed(&r->timer) || at_ns < r->timer.at_ns)
		timer_at(&r->timer, at_ns);
}

/* It has evidence: accepted, as soon as nobody else has a hand on it. */
static void settle(struct reconcile *r, struct outq_entry *e)
{
	int64_t until = e->evident_ns + EVIDENCE_GRACE_NS;

	if (e->moving != NULL)
		return; /* reconcile_moved() comes back to it */
	if (e->exchange != NULL && now_of(r) < until) {
		unsettle(e);
		arm_timer(r, until);
		return;
	}
	r->o.abandon(r->o.cookie, e);
	accept(r, e);
}

/* ---- absence ---- */

/* From when on absence can be proven at all. */
static int64_t proof_ns(const struct reconcile *r, const struct outq_entry *e)
{
	bool gap = e->after_restart || gaps(r, e->lane->number) != e->gaps ||
		   !r->o.settings->failed_echoes_token;
	int64_t wait = r->o.settings->unknown_wait_ms * NS_PER_MS;

	if (gap)
		wait = META_REPEATS_NS;
	else if (r->o.wayback->partial != e->partial)
		wait = max64(wait, PARTIAL_WAIT_NS);
	return e->lost_ns + wait;
}

static bool is_absent(const struct reconcile *r, const struct outq_entry *e, int64_t now_ns)
{
	return e->alive >= ALIVE_MIN && known_ns(r, e->lane->number, now_ns) >= proof_ns(r, e);
}

static bool may_resend(const struct reconcile *r, const struct outq_entry *e, int64_t now_ns)
{
	return e->attempts < r->o.settings->attempts_max && now_ns < e->expires_ns;
}

static void decide(struct reconcile *r, struct outq_entry *e, int64_t now_ns)
{
	bool absent;

	if (e->state != OUTQ_UNKNOWN || e->moving != NULL || e->wamid != NULL)
		return;
	absent = is_absent(r, e, now_ns);
	if (e->policy == OUTQ_RESEND && absent && may_resend(r, e, now_ns)) { /* inv. 1 */
		outq_want(r->o.outq, e,
			  &(struct outq_move){
				  .to = OUTQ_QUEUED,
				  .why = "no status of it while others came: sent again" });
	} else if (e->policy == OUTQ_EXPIRE && (absent || now_ns >= e->expires_ns)) {
		outq_want(r->o.outq, e,
			  &(struct outq_move){ .to = OUTQ_EXPIRED,
					       .why = "unknown, and the policy is expire" });
	} else if (e->policy == OUTQ_RESEND && now_ns >= e->expires_ns) {
		outq_want(r->o.outq, e,
			  &(struct outq_move){ .to = OUTQ_EXPIRED,
					       .why = "unknown, and too old to be sent again" });
	}
}

/* When this one is worth looking at again without an event; INT64_MAX: only by an event. */
static int64_t look_again_ns(const struct reconcile *r, const struct outq_entry *e, int64_t now_ns)
{
	int64_t at = INT64_MAX, proof = proof_ns(r, e);

	if (e->moving != NULL)
		return INT64_MAX;
	if (e->wamid != NULL)
		return e->evident_ns + EVIDENCE_GRACE_NS;
	if (e->state != OUTQ_UNKNOWN || e->policy == OUTQ_HOLD)
		return INT64_MAX;
	if (proof > now_ns)
		at = proof;
	return min64(at, max64(e->expires_ns, now_ns));
}

static void on_timer(void *cookie)
{
	struct reconcile *r = cookie;
	int64_t now_ns = now_of(r), again = INT64_MAX;
	struct outq_number *n;
	size_t at = 0;

	while ((n = outq_next_number(r->o.outq, &at)) != NULL) {
		struct link *l = link_first(&n->unsettled), *next;

		for (; l != NULL; l = next) {
			struct outq_entry *e = CONTAINER_OF(l, struct outq_entry, unsettled);

			next = link_next(&n->unsettled, l);
			if (e->wamid != NULL)
				settle(r, e);
			else
				decide(r, e, now_ns);
			if (link_is_in(&e->unsettled))
				again = min64(again, look_again_ns(r, e, now_ns));
		}
	}
	if (again != INT64_MAX)
		arm_timer(r, max64(again, now_ns + TICK_NS_MIN));
}

/* ---- the watermark ---- */

static void watch(struct outq_number *n, const struct outq_entry *e)
{
	struct watermark *w = n->watermark;

	if (w == NULL) {
		if (link_is_empty(&n->unsettled))
			return;
		w = n->watermark = xcalloc(1, sizeof(*w));
	} else if (link_is_empty(&n->unsettled)) {
		free(w);
		n->watermark = NULL;
		return;
	}
	w->of[w->at].row = e->row;
	w->of[w->at].sent_ns = e->sent_ns;
	w->at = (w->at + 1) % WATERMARK_MAX;
}

/* The first status of a message that left after e was lost: the way back is alive. */
static void see(struct reconcile *r, const struct outq_number *n, int64_t row)
{
	struct watermark *w = n == NULL ? NULL : n->watermark;
	int64_t now_ns = now_of(r), sent_ns = INT64_MIN;
	struct link *l, *next;

	for (size_t i = 0; w != NULL && i < WATERMARK_MAX; i++) {
		if (w->of[i].row == row) {
			sent_ns = w->of[i].sent_ns;
			w->of[i].row = 0;
		}
	}
	if (sent_ns == INT64_MIN)
		return;
	for (l = link_first(&n->unsettled); l != NULL; l = next) {
		struct outq_entry *e = CONTAINER_OF(l, struct outq_entry, unsettled);

		next = link_next(&n->unsettled, l);
		if (e->state != OUTQ_UNKNOWN || e->lost_ns >= sent_ns)
			continue;
		e->alive++;
		decide(r, e, now_ns);
	}
}

/* What was not known when the others came may be known now. */
static void decide_all(struct reconcile *r, const struct outq_number *n)
{
	struct link *l, *next;

	for (l = link_first(&n->unsettled); l != NULL; l = next) {
		next = link_next(&n->unsettled, l);
		decide(r, CONTAINER_OF(l, struct outq_entry, unsettled), now_of(r));
	}
}

/* ---- evidence ---- */

static void note_try(struct reconcile *r, uint64_t *echoed, uint32_t try_, int64_t row)
{
	uint64_t bit = try_ == 0 || try_ > 64 ? 0 : UINT64_C(1) << (try_ - 1);
	bool is_second = bit != 0 && *echoed != 0 && (*echoed & bit) == 0;
	bool counted = (*echoed & (*echoed - 1)) != 0;

	*echoed |= bit;
	if (!is_second || counted)
		return; /* inv. 3 */
	metric_count(r->o.metrics, M_OUTBOX_DUPLICATES);
	log_error(r->o.log, "message row=%lld was accepted twice: two of its tries were echoed",
		  (long long)row);
}

static void remember(struct reconcile *r, const struct outq_entry *e)
{
	struct remembered *m;

	if (e->tries < 2)
		return;
	if (map_count(r->remembered) >= REMEMBERED_MAX) {
		m = CONTAINER_OF(link_first(&r->oldest), struct remembered, link);
		(void)map_remove_u64(r->remembered, (uint64_t)m->row);
		link_remove(&m->link);
		free(m);
	}
	m = xcalloc(1, sizeof(*m));
	m->row = e->row;
	m->echoed = e->echoed;
	link_push(&r->oldest, &m->link);
	(void)map_set_u64(r->remembered, (uint64_t)m->row, m);
}

void reconcile_evidence(struct reconcile *r, const struct evidence *ev)
{
	struct outq_entry *e = outq_by_row(r->o.outq, ev->row);
	struct outq_number *n = outq_find_number(r->o.outq, ev->number_id);
	struct remembered *m;
	bool cleared = n != NULL && ev->mark.key != 0 && hear(r, n, &ev->mark);

	see(r, n, ev->row);
	if (e == NULL) {
		m = map_get_u64(r->remembered, (uint64_t)ev->row);
		if (m != NULL)
			note_try(r, &m->echoed, ev->try_, ev->row);
	} else {
		note_try(r, &e->echoed, ev->try_, ev->row);
		if (e->wamid == NULL) {
			e->wamid = xstrndup(ev->wamid);
			e->evident_ns = now_of(r);
			settle(r, e);
		}
	}
	if (cleared)
		decide_all(r, n);
}

/* ---- moves ---- */

void reconcile_moved(struct reconcile *r, struct outq_entry *e, enum outq_state from)
{
	int64_t again;

	if (outq_is_terminal(e->state)) {
		link_remove(&e->unsettled);
		remember(r, e);
		if (e->state == OUTQ_ACCEPTED && from == OUTQ_SENDING)
			watch(e->lane->number, e);
		return;
	}
	if (e->wamid != NULL) {
		settle(r, e); /* the evidence came while the move was in the store */
		return;
	}
	if (e->state != OUTQ_UNKNOWN) {
		link_remove(&e->unsettled);
		e->after_restart = false;
		e->gaps = gaps(r, e->lane->number); /* from the moment it may leave */
		e->partial = r->o.wayback->partial;
		return;
	}
	unsettle(e); /* inv. 2 */
	if (e->lost_ns == 0)
		e->lost_ns = now_of(r);
	e->alive = 0;
	again = look_again_ns(r, e, now_of(r));
	if (again != INT64_MAX)
		arm_timer(r, again);
}

/* ---- a start ---- */

void reconcile_load(struct reconcile *r, struct outq_entry *e, int64_t lost_ns, struct str wamid,
		    bool has_evidence)
{
	e->lost_ns = lost_ns;
	e->after_restart = true; /* Meta called in vain while we were down */
	e->gaps = gaps(r, e->lane->number);
	e->partial = r->o.wayback->partial;
	if (has_evidence)
		e->wamid = xstrndup(wamid);
	if (e->state == OUTQ_UNKNOWN)
		unsettle(e);
}

void reconcile_start(struct reconcile *r)
{
	const struct outq_move perhaps_left = { .to = OUTQ_UNKNOWN,
						.why = "the process ended while it was sent",
						.burns = true };
	const struct outq_move never_left = { .to = OUTQ_WAITING,
					      .reason = "backoff",
					      .next_ns = now_of(r),
					      .why = "the process ended before it left" };
	struct outq_entry *e = NULL;

	while ((e = outq_next(r->o.outq, e)) != NULL) {
		if (e->wamid != NULL) {
			accept(r, e);
		} else if (e->state == OUTQ_SENDING &&
			   departures_prove_absent(r->o.departures, e->row, e->tries)) {
			e->after_restart = false; /* Meta did not know of it */
			outq_want(r->o.outq, e, &never_left);
		} else if (e->state == OUTQ_SENDING) {
			outq_want(r->o.outq, e, &perhaps_left);
		}
	}
	on_timer(r);
}

/* ---- life ---- */

struct reconcile *reconcile_new(const struct reconcile_options *o)
{
	struct reconcile *r = xcalloc(1, sizeof(*r));

	r->o = *o;
	r->remembered = map_new();
	link_init(&r->oldest);
	timer_init(&r->timer, o->loop, LOOP_MOVED, on_timer, r);
	return r;
}

void reconcile_free(struct reconcile *r)
{
	struct outq_number *n;
	struct link *l;
	size_t at = 0;

	if (r == NULL)
		return;
	timer_cancel(&r->timer);
	while ((n = outq_next_number(r->o.outq, &at)) != NULL) {
		while ((l = link_first(&n->unsettled)) != NULL)
			link_remove(l);
		free(n->watermark);
		n->watermark = NULL;
	}
	while ((l = link_first(&r->oldest)) != NULL) {
		link_remove(l);
		free(CONTAINER_OF(l, struct remembered, link));
	}
	map_free(r->remembered);
	free(r);
}
