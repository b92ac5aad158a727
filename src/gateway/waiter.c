/* SPDX-License-Identifier: MIT */
/*
 * waiter.c - callers who wait: Meta's answer, a refusal, or 202 after graph.wait_max
 *
 * INVARIANTS  1. A waiter is answered exactly once, and never before the commit
 *                that the answer rests on.
 *             2. While an end of the message is in the store, wait_max does not
 *                answer: the end does (a 202 would hide it from the caller).
 *             3. A message that is unknown when its last waiter got 202 is told
 *                of as an event, since nobody else would tell.
 *
 * A status of 202 stands for queued, sending, waiting and unknown alike; never
 * 5xx, since SDKs resend on 5xx (design.md 5.2).
 * TESTS       tests/unit/test_outbox.c
 */
#include "base/mem.h"
#include "gateway/outbox_int.h"

static void waiter_free(struct waiter *w)
{
	timer_cancel(&w->timer);
	link_remove(&w->link);
	free(w);
}

static void answer_one(struct waiter *w, const struct outbox_answer *a)
{
	void (*answer)(void *, const struct outbox_answer *) = w->answer;
	void *cookie = w->cookie;

	waiter_free(w); /* inv. 1 */
	answer(cookie, a);
}

/* ---- bodies ---- */

static bool is_user_id(struct str to)
{
	return to.len > 3 && to.ptr[0] >= 'A' && to.ptr[0] <= 'Z' && to.ptr[1] >= 'A' &&
	       to.ptr[1] <= 'Z' && to.ptr[2] == '.';
}

struct str answer_wa_id(struct str to, char out[RECIPIENT_MAX])
{
	size_t len = 0;

	for (size_t i = 0; i < to.len && len < RECIPIENT_MAX - 1; i++) {
		char c = to.ptr[i];

		if (c >= '0' && c <= '9')
			out[len++] = c;
		else if (c != '+' && c != '-' && c != '(' && c != ')' && c != ' ')
			return to;
	}
	return str_make(out, len);
}

void answer_success(struct buf *out, struct str to, struct str id, bool queued)
{
	char digits[RECIPIENT_MAX];
	struct json_writer w;

	json_w_init(&w, out);
	json_w_object(&w);
	json_w_kv_text(&w, "messaging_product", "whatsapp");
	json_w_key(&w, STR("contacts"));
	json_w_array(&w);
	json_w_object(&w);
	json_w_kv_str(&w, "input", to);
	if (is_user_id(to))
		json_w_kv_str(&w, "user_id", to);
	else
		json_w_kv_str(&w, "wa_id", answer_wa_id(to, digits));
	json_w_end(&w);
	json_w_end(&w);
	json_w_key(&w, STR("messages"));
	json_w_array(&w);
	json_w_object(&w);
	json_w_kv_str(&w, "id", id);
	if (queued)
		json_w_kv_text(&w, "message_status", "queued");
	json_w_end(&w);
	json_w_end(&w);
	json_w_end(&w);
}

static struct outbox_answer refused_answer(const struct refusal *r, struct buf *body)
{
	refusal_put(body, r);
	return (struct outbox_answer){ .status = r->status,
				       .body = buf_str(body),
				       .refused_here = true,
				       .refused_reason = r->reason,
				       .retry_after_s = r->retry_after_s };
}

void answer_refusal(const struct outbox_submit *s, const struct refusal *r)
{
	struct outbox_answer a;
	struct buf body;

	buf_init(&body, REFUSAL_BODY_MAX);
	a = refused_answer(r, &body);
	s->answer(s->cookie, &a);
	buf_release(&body);
}

/* ---- lists ---- */

void waiters_drop(struct link *head)
{
	struct link *l;

	while ((l = link_first(head)) != NULL)
		waiter_free(CONTAINER_OF(l, struct waiter, link));
}

void waiters_answer(struct link *head, const struct outbox_answer *a)
{
	struct link *l;

	while ((l = link_first(head)) != NULL)
		answer_one(CONTAINER_OF(l, struct waiter, link), a);
}

void waiters_refuse(struct link *head, const struct refusal *r)
{
	struct outbox_answer a;
	struct buf body;

	buf_init(&body, REFUSAL_BODY_MAX);
	a = refused_answer(r, &body);
	waiters_answer(head, &a);
	buf_release(&body);
}

void waiters_queued(struct outbox *ob, struct outq_entry *e, bool all)
{
	struct link *l = link_first(&e->waiters), *next;
	struct outbox_answer a = { .status = 202,
				   .has_message = true,
				   .message = e->id,
				   .parked = e->parked,
				   .has_origin = e->has_origin,
				   .origin = e->origin };
	char id[ID_TEXT_MAX];
	struct buf body;

	if (l == NULL)
		return;
	id_text(ID_MESSAGE, &e->id, id);
	buf_init(&body, ANSWER_COMPOSED_MAX);
	answer_success(&body, e->to, str_from(id), true);
	a.body = buf_str(&body);
	for (; l != NULL; l = next) {
		struct waiter *w = CONTAINER_OF(l, struct waiter, link);

		next = link_next(&e->waiters, l);
		if (!all && !w->async && !w->late)
			continue;
		a.preference_applied = w->async;
		answer_one(w, &a);
	}
	buf_release(&body);
	if (link_is_empty(&e->waiters) && e->state == OUTQ_UNKNOWN && e->moving == NULL)
		notice_put(ob, e, &(struct notice){ .state = OUTQ_UNKNOWN }); /* inv. 3 */
}

void waiters_joined(struct outbox *ob, struct outq_entry *e)
{
	if (e->row != 0 && !outq_is_ending(e)) /* inv. 1 and 2 */
		waiters_queued(ob, e, ob->draining || e->parked);
}

void waiters_final(struct outbox *ob, struct outq_entry *e, const struct store_move *m)
{
	struct outbox_answer a = { .has_message = true,
				   .message = e->id,
				   .has_origin = e->has_origin,
				   .origin = e->origin };
	char id[ID_TEXT_MAX];
	struct refusal r;
	struct buf body;

	(void)ob;
	if (link_is_empty(&e->waiters))
		return;
	buf_init(&body, ANSWER_COMPOSED_MAX);
	id_text(ID_MESSAGE, &e->id, id);
	if (m->answer.len > 0) { /* Meta's own words, or the refusal that was stored */
		a.status = e->state == OUTQ_ACCEPTED ? 200 : m->http_status;
		a.body = m->answer;
		a.refused_here = e->refused != NULL;
		a.refused_reason = e->refused;
	} else if (e->state == OUTQ_ACCEPTED) { /* known from a status: Meta's answer was lost */
		a.status = 200;
		answer_success(&body, e->to, m->wamid.len > 0 ? m->wamid : str_from(id), false);
		a.body = buf_str(&body);
	} else {
		(void)refuse(&r, REFUSAL_EXPIRED, 131043, "%s", m->why);
		refusal_put(&body, &r);
		a.status = r.status;
		a.body = buf_str(&body);
		a.refused_here = true;
		a.refused_reason = r.reason;
	}
	waiters_answer(&e->waiters, &a);
	buf_release(&body);
}

void waiters_hand_over(struct link *from, struct link *to, struct outq_entry *e)
{
	struct link *l;

	while ((l = link_first(from)) != NULL) {
		link_remove(l);
		CONTAINER_OF(l, struct waiter, link)->e = e;
		link_push(to, l);
	}
}

/* ---- wait_max ---- */

static void on_wait_max(void *cookie)
{
	struct waiter *w = cookie;

	w->late = true;
	if (w->e == NULL || w->e->row == 0 || outq_is_ending(w->e))
		return; /* inv. 1 and 2: whoever is at work answers */
	waiters_queued(w->ob, w->e, false);
}

void waiter_add(struct outbox *ob, struct outq_entry *e, const struct outbox_submit *s)
{
	struct waiter *w = xcalloc(1, sizeof(*w));

	w->ob = ob;
	w->e = e;
	w->async = s->respond_async;
	w->answer = s->answer;
	w->cookie = s->cookie;
	timer_init(&w->timer, ob->o.loop, LOOP_REAL, on_wait_max, w);
	timer_at(&w->timer, s->received_ns + ob->o.settings.wait_max_ms * NS_PER_MS);
	link_push(&e->waiters, &w->link);
}
