/* SPDX-License-Identifier: MIT */
/*
 * control_read.c - what the control API shows, at once or when it has come true
 *
 * ROLE        Views of messages, webhooks, customers and the whole state.  A
 *             long-poll (?wait=N&timeout_s=T) counts what matches as it
 *             happens and is answered with the same view.
 * LIMITS      SANDBOX_WAITERS_MAX long-polls; beyond it the oldest is
 *             answered with what there is.
 * THREADS     Loop thread only.
 * TESTS       tests/unit/test_sandbox_run.c
 */
#include "sandbox/control_int.h"

#include "base/mem.h"
#include "base/panic.h"
#include "sandbox/customer.h"
#include "sandbox/sandbox.h"
#include "sandbox/template.h"

#define LIMIT_DEFAULT 1000
#define LIMIT_MAX 20000
#define TIMEOUT_DEFAULT_S 10
#define TIMEOUT_MAX_S 600
#define CONTAINS_MAX 256

enum view_kind { VIEW_MESSAGES, VIEW_WEBHOOKS };

/* What a GET asked for. */
struct view {
	enum view_kind kind;
	char number[GRAPH_ID_MAX], to[USER_ID_MAX], contains[CONTAINS_MAX]; /* empty: all */
	bool brief; /* messages in short form */
	bool has_state;
	enum hook_state state;
	uint64_t after, limit, wait;
	int64_t timeout_s;
};

struct waiter {
	TAILQ_ENTRY(waiter) link;
	struct control *control;
	struct http_call *call;
	struct timer timer;
	struct view view;
	uint64_t have;
};

static gw_status read_u64(struct ctl *c, const char *name, uint64_t max, uint64_t *out)
{
	struct str text;

	if (!http_query(c->call, name, &text))
		return GW_OK;
	if (!str_to_u64(text, out) || *out > max)
		return gw_error_set(&c->err, GW_EARG, "%s: want an integer from 0 to %llu", name,
				    (unsigned long long)max);
	return GW_OK;
}

static gw_status read_view(struct ctl *c, enum view_kind kind, struct view *out)
{
	uint64_t timeout_s = TIMEOUT_DEFAULT_S;
	struct str text;
	gw_status st;

	memset(out, 0, sizeof(*out));
	out->kind = kind;
	out->limit = LIMIT_DEFAULT;
	if (http_query(c->call, "number", &text))
		(void)str_copy(text, out->number, sizeof(out->number));
	if (http_query(c->call, "to", &text)) {
		text = str_trim(text); /* an unescaped + arrives as a blank */
		if (text.len > 0 && text.ptr[0] == '+')
			text = str_slice(text, 1, text.len);
		(void)str_copy(text, out->to, sizeof(out->to));
	}
	if (http_query(c->call, "contains", &text))
		(void)str_copy(text, out->contains, sizeof(out->contains));
	out->brief = http_query(c->call, "brief", &text) && !str_eq(text, STR("0"));
	if (http_query(c->call, "state", &text)) {
		if (!hook_state_of(text, &out->state))
			return gw_error_set(&c->err, GW_EARG, "state: %.*s is not one",
					    STR_ARG(text));
		out->has_state = true;
	}
	st = read_u64(c, "after", UINT64_MAX, &out->after);
	if (st == GW_OK)
		st = read_u64(c, "limit", LIMIT_MAX, &out->limit);
	if (st == GW_OK)
		st = read_u64(c, "wait", UINT64_MAX, &out->wait);
	if (st == GW_OK)
		st = read_u64(c, "timeout_s", TIMEOUT_MAX_S, &timeout_s);
	out->timeout_s = (int64_t)timeout_s;
	return st;
}

static bool has_text(const struct view *v, const char *body, size_t len)
{
	size_t at;

	return v->contains[0] == '\0' || str_find(str_make(body, len), str_from(v->contains), &at);
}

static bool message_matches(const struct view *v, const struct sent_message *m)
{
	if (v->kind != VIEW_MESSAGES || m->seq <= v->after)
		return false;
	if (v->number[0] != '\0' && strcmp(v->number, m->number->id) != 0)
		return false;
	if (v->to[0] != '\0' && strcmp(v->to, m->to) != 0)
		return false;
	return has_text(v, m->body, m->body_len);
}

/* Waiting means delivered unless a state is named; listing means all. */
static bool hook_matches(const struct view *v, const struct hook *hook, bool waiting)
{
	if (v->kind != VIEW_WEBHOOKS || hook->id <= v->after)
		return false;
	if (v->has_state && hook->state != v->state)
		return false;
	if (waiting &&
	    (hook->kind == HOOK_HANDSHAKE || (!v->has_state && hook->state != HOOK_DELIVERED)))
		return false;
	return has_text(v, hook->body, hook->body_len);
}

static void write_statuses(const struct sent_message *m, struct json_writer *w)
{
	json_w_key(w, STR("statuses"));
	json_w_array(w);
	for (size_t i = 0; i < m->status_count; i++) {
		json_w_object(w);
		json_w_kv_text(w, "status", m->statuses[i].status);
		json_w_kv_i64(w, "at_ms", m->statuses[i].at_ms);
		if (m->statuses[i].code != 0)
			json_w_kv_i64(w, "code", m->statuses[i].code);
		json_w_end(w);
	}
	json_w_end(w);
}

static void write_message(const struct sent *s, const struct sent_message *m, struct json_writer *w)
{
	char at[CLOCK_RFC3339_MAX];

	clock_format_ms(m->at_ms, at);
	json_w_object(w);
	json_w_kv_i64(w, "seq", (int64_t)m->seq);
	json_w_kv_text(w, "id", m->wamid);
	json_w_kv_text(w, "number", m->number->id);
	json_w_kv_text(w, "to", m->to);
	json_w_kv_text(w, "type", m->type);
	json_w_kv_str(w, "body", str_make(m->body, m->body_len));
	json_w_kv_text(w, "opaque", m->opaque);
	if (m->opaque != NULL)
		json_w_kv_i64(w, "accepted_count",
			      (int64_t)sent_token_count(s, str_from(m->opaque)));
	json_w_kv_text(w, "at", at);
	json_w_kv_i64(w, "at_ms", m->at_ms);
	write_statuses(m, w);
	json_w_end(w);
}

static void write_short(uint64_t seq, const struct sent_short *b, struct json_writer *w)
{
	json_w_object(w);
	json_w_kv_i64(w, "seq", (int64_t)seq);
	json_w_kv_text(w, "id", b->text);
	json_w_kv_text(w, "to", b->text + b->to_at);
	json_w_kv_text(w, "opaque", b->opaque_at == 0 ? NULL : b->text + b->opaque_at);
	json_w_kv_i64(w, "at_ms", b->at_ms);
	json_w_end(w);
}

static void write_counters(const struct world *world, struct json_writer *w)
{
	const struct sent_refusals *r = sent_refusals(world->sent);
	size_t worst = 0;
	char code[16];

	for (size_t i = 0; i < world->number_count; i++) {
		if (world->numbers[i]->worst_second > worst)
			worst = world->numbers[i]->worst_second;
	}
	json_w_key(w, STR("counters"));
	json_w_object(w);
	json_w_kv_i64(w, "accepted", (int64_t)sent_total(world->sent));
	json_w_kv_i64(w, "doubled", (int64_t)sent_doubled(world->sent));
	json_w_kv_i64(w, "worst_second", (int64_t)worst);
	json_w_kv_i64(w, "reads", (int64_t)world->reads);
	json_w_kv_i64(w, "typings", (int64_t)world->typings);
	json_w_key(w, STR("refused"));
	json_w_object(w);
	for (size_t i = 0; i < r->count; i++) {
		(void)snprintf(code, sizeof(code), "%d", r->codes[i].code);
		json_w_kv_i64(w, code, (int64_t)r->codes[i].times);
	}
	json_w_end(w);
	json_w_end(w);
}

static void write_message_list(const struct sent *s, const struct view *v, struct json_writer *w)
{
	uint64_t first = sent_first_full(s), shown = 0;

	for (uint64_t seq = v->after + 1 > first ? v->after + 1 : first;
	     seq <= sent_total(s) && shown < v->limit; seq++) {
		if (!message_matches(v, sent_get(s, seq)))
			continue;
		write_message(s, sent_get(s, seq), w);
		shown++;
	}
}

static void write_short_list(const struct sent *s, const struct view *v, struct json_writer *w)
{
	uint64_t first = sent_first_short(s), shown = 0;

	for (uint64_t seq = v->after + 1 > first ? v->after + 1 : first;
	     seq <= sent_total(s) && shown < v->limit; seq++) {
		const struct sent_short *b = sent_get_short(s, seq);

		if (v->to[0] != '\0' && strcmp(v->to, b->text + b->to_at) != 0)
			continue;
		write_short(seq, b, w);
		shown++;
	}
}

static void write_messages(const struct control *c, const struct view *v, struct json_writer *w)
{
	const struct sent *s = c->world->sent;
	uint64_t total = sent_total(s);

	json_w_object(w);
	json_w_kv_i64(w, "total", (int64_t)total);
	json_w_kv_i64(w, "kept_from", (int64_t)sent_first_full(s));
	json_w_kv_i64(w, "kept_max", SANDBOX_SENT_FULL_MAX);
	json_w_kv_i64(w, "brief_from", (int64_t)sent_first_short(s));
	json_w_kv_i64(w, "brief_max", SANDBOX_SENT_TOKENS_MAX);
	write_counters(c->world, w);
	json_w_key(w, STR("messages"));
	json_w_array(w);
	if (v->brief)
		write_short_list(s, v, w);
	else
		write_message_list(s, v, w);
	json_w_end(w);
	json_w_end(w);
}

static void write_hook_counts(const struct hooks *h, struct json_writer *w)
{
	struct hooks_counts n;

	hooks_counts(h, &n);
	json_w_key(w, STR("counters"));
	json_w_object(w);
	json_w_kv_i64(w, "created", (int64_t)n.created);
	json_w_kv_i64(w, "delivered", (int64_t)n.delivered);
	json_w_kv_i64(w, "attempts", (int64_t)n.attempts);
	json_w_kv_i64(w, "failed_attempts", (int64_t)n.failed_attempts);
	json_w_kv_i64(w, "dropped", (int64_t)n.dropped);
	json_w_kv_i64(w, "pending", (int64_t)n.pending);
	json_w_kv_i64(w, "in_flight", (int64_t)n.in_flight);
	json_w_end(w);
}

static void write_webhooks(const struct control *c, const struct view *v, struct json_writer *w)
{
	const struct hook *hook = NULL;
	uint64_t shown = 0;

	json_w_object(w);
	json_w_kv_text(w, "callback", hooks_callback(c->hooks));
	json_w_kv_bool(w, "ready", hooks_is_ready(c->hooks));
	write_hook_counts(c->hooks, w);
	json_w_key(w, STR("webhooks"));
	json_w_array(w);
	while (shown < v->limit && (hook = hooks_next(c->hooks, hook)) != NULL) {
		if (!hook_matches(v, hook, false))
			continue;
		hook_write(hook, w);
		shown++;
	}
	json_w_end(w);
	json_w_end(w);
}

static void write_view(const struct control *c, const struct view *v, struct json_writer *w)
{
	if (v->kind == VIEW_MESSAGES)
		write_messages(c, v, w);
	else
		write_webhooks(c, v, w);
}

static void waiter_answer(struct waiter *x)
{
	struct control *c = x->control;
	struct json_writer w;
	struct buf b;

	timer_cancel(&x->timer);
	TAILQ_REMOVE(&c->waiters, x, link);
	c->waiter_count--;
	buf_init(&b, SANDBOX_ANSWER_MAX);
	json_w_init(&w, &b);
	write_view(c, &x->view, &w);
	if (buf_failed(&b))
		http_reply_json(x->call, 413, STR("{\"error\":\"use after and limit\"}"));
	else
		http_reply_json(x->call, 200, buf_str(&b));
	buf_release(&b);
	free(x);
}

static void on_waited(void *cookie)
{
	waiter_answer(cookie);
}

void control_free_waiters(struct control *c)
{
	while (!TAILQ_EMPTY(&c->waiters))
		waiter_answer(TAILQ_FIRST(&c->waiters));
}

static uint64_t count_present(const struct control *c, const struct view *v)
{
	const struct sent *s = c->world->sent;
	const struct hook *hook = NULL;
	uint64_t count = 0;

	if (v->kind == VIEW_WEBHOOKS) {
		while ((hook = hooks_next(c->hooks, hook)) != NULL)
			count += hook_matches(v, hook, true);
		return count;
	}
	if (v->number[0] == '\0' && v->to[0] == '\0' && v->contains[0] == '\0')
		return sent_total(s) > v->after ? sent_total(s) - v->after : 0;
	for (uint64_t seq = sent_first_full(s); seq <= sent_total(s); seq++)
		count += message_matches(v, sent_get(s, seq));
	return count;
}

static gw_status show_or_wait(struct ctl *c, enum view_kind kind)
{
	struct control *all = c->control;
	struct waiter *x;
	struct view v;
	gw_status st = read_view(c, kind, &v);

	if (st != GW_OK)
		return st;
	if (v.wait == 0 || v.timeout_s == 0 || count_present(all, &v) >= v.wait) {
		write_view(all, &v, &c->w);
		return GW_OK;
	}
	if (all->waiter_count == SANDBOX_WAITERS_MAX)
		waiter_answer(TAILQ_FIRST(&all->waiters));
	x = xcalloc(1, sizeof(*x));
	x->control = all;
	x->call = c->call;
	x->view = v;
	x->have = count_present(all, &v);
	timer_init(&x->timer, all->world->loop, LOOP_REAL, on_waited, x);
	timer_in_ms(&x->timer, v.timeout_s * 1000);
	TAILQ_INSERT_TAIL(&all->waiters, x, link);
	all->waiter_count++;
	c->taken = true;
	return GW_OK;
}

gw_status ctl_get_messages(struct ctl *c)
{
	return show_or_wait(c, VIEW_MESSAGES);
}

gw_status ctl_get_webhooks(struct ctl *c)
{
	return show_or_wait(c, VIEW_WEBHOOKS);
}

void control_accepted(struct control *c, const struct sent_message *m)
{
	struct waiter *x, *next;

	for (x = TAILQ_FIRST(&c->waiters); x != NULL; x = next) {
		next = TAILQ_NEXT(x, link);
		if (message_matches(&x->view, m) && ++x->have >= x->view.wait)
			waiter_answer(x);
	}
}

void control_hook_changed(struct control *c, const struct hook *hook)
{
	struct waiter *x, *next;

	for (x = TAILQ_FIRST(&c->waiters); x != NULL; x = next) {
		next = TAILQ_NEXT(x, link);
		if (hook_matches(&x->view, hook, true) && ++x->have >= x->view.wait)
			waiter_answer(x);
	}
}

gw_status ctl_get_clock(struct ctl *c)
{
	uint64_t wait_s = 25;
	struct str text;
	int64_t after;
	gw_status st;

	if (!http_query(c->call, "after", &text)) {
		simclock_write(c->control->clock, &c->w);
		return GW_OK;
	}
	if (!str_to_i64(text, &after))
		return gw_error_set(&c->err, GW_EARG, "after: want a version");
	st = read_u64(c, "wait_s", TIMEOUT_MAX_S, &wait_s);
	if (st != GW_OK)
		return st;
	c->taken = true;
	simclock_poll(c->control->clock, c->call, after, (int64_t)wait_s);
	return GW_OK;
}

gw_status ctl_get_customers(struct ctl *c)
{
	static const char *const modes[] = { "phone", "username", "hidden" };
	struct world *world = c->control->world;
	struct customer *customer = NULL;
	char name[256];
	size_t shown = 0;

	json_w_object(&c->w);
	json_w_kv_i64(&c->w, "total", (int64_t)customers_count(world->customers));
	json_w_key(&c->w, STR("customers"));
	json_w_array(&c->w);
	while (shown++ < LIMIT_DEFAULT &&
	       (customer = customers_next(world->customers, customer)) != NULL) {
		customer_name(customer, name, sizeof(name));
		json_w_object(&c->w);
		json_w_kv_text(&c->w, "phone", customer->phone);
		json_w_kv_text(&c->w, "user_id", customer->user_id);
		json_w_kv_text(&c->w, "name", name);
		json_w_kv_text(&c->w, "username", customer->username);
		json_w_kv_text(&c->w, "mode", modes[customer->mode]);
		json_w_kv_bool(&c->w, "reads", customer->reads);
		json_w_kv_bool(&c->w, "on_whatsapp", customer->on_whatsapp);
		json_w_kv_bool(&c->w, "blocked", customer->blocked);
		json_w_kv_bool(&c->w, "window_open",
			       customer_window_is_open(world, customer, world->numbers[0]));
		json_w_end(&c->w);
	}
	json_w_end(&c->w);
	json_w_end(&c->w);
	return GW_OK;
}

static void write_numbers(const struct world *world, struct json_writer *w)
{
	json_w_key(w, STR("numbers"));
	json_w_array(w);
	for (size_t i = 0; i < world->number_count; i++) {
		const struct number *n = world->numbers[i];

		json_w_object(w);
		json_w_kv_text(w, "id", n->id);
		json_w_kv_text(w, "display_phone_number", n->display);
		json_w_kv_text(w, "name", n->name);
		json_w_kv_i64(w, "limit_mps", world_limit_mps(world, n));
		json_w_kv_bool(w, "registered", n->registered);
		if (n->code[0] != '\0')
			json_w_kv_text(w, "code", n->code);
		json_w_kv_i64(w, "worst_second", (int64_t)n->worst_second);
		json_w_end(w);
	}
	json_w_end(w);
}

gw_status ctl_get_state(struct ctl *c)
{
	struct control *all = c->control;
	const struct template *t;

	json_w_object(&c->w);
	json_w_kv_text(&c->w, "app_id", SANDBOX_APP_ID);
	json_w_kv_text(&c->w, "waba_id", SANDBOX_WABA_ID);
	json_w_kv_i64(&c->w, "seed", (int64_t)all->world->seed);
	json_w_key(&c->w, STR("clock"));
	simclock_write(all->clock, &c->w);
	json_w_kv_text(&c->w, "callback", hooks_callback(all->hooks));
	json_w_kv_bool(&c->w, "ready", hooks_is_ready(all->hooks));
	write_numbers(all->world, &c->w);
	json_w_kv_i64(&c->w, "customers", (int64_t)customers_count(all->world->customers));
	json_w_kv_i64(&c->w, "inbound", (int64_t)customers_inbound_count(all->world->customers));
	json_w_kv_i64(&c->w, "deliveries", (int64_t)all->world->delivery_count);
	json_w_kv_i64(&c->w, "held_answers", (int64_t)answers_held(all->answers));
	json_w_kv_i64(&c->w, "waiting", (int64_t)all->waiter_count);
	json_w_key(&c->w, STR("templates"));
	json_w_array(&c->w);
	for (size_t i = 0; (t = templates_at(all->world->templates, i)) != NULL; i++)
		template_write(t, &c->w);
	json_w_end(&c->w);
	json_w_key(&c->w, STR("settings"));
	settings_write(&all->world->settings, &c->w);
	json_w_key(&c->w, STR("faults"));
	faults_write(all->faults, &c->w);
	write_counters(all->world, &c->w);
	json_w_end(&c->w);
	return GW_OK;
}
