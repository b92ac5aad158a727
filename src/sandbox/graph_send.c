/* SPDX-License-Identifier: MIT */
/*
 * graph_send.c - POST /{phone}/messages: refuse, or accept and start the delivery
 *
 * ROLE        After the envelope (graph_check.c) what only the world knows:
 *             registered number, recipient, template, window, rates.  What
 *             Meta says at once and what it says by a failed status follows
 *             cloud-api.md 9.3, read 2026-11.
 * INVARIANTS  Nothing is charged, recorded or opened for a refused message.
 * THREADS     Loop thread only.
 * TESTS       tests/unit/test_sandbox_graph.c
 */
#include "sandbox/graph.h"

#include "sandbox/customer.h"
#include "sandbox/delivery.h"
#include "sandbox/graph_check.h"
#include "sandbox/link.h"
#include "sandbox/sent.h"
#include "sandbox/template.h"

#define WINDOW_DETAILS                                                                      \
	"Message failed to send because more than 24 hours have passed since the customer " \
	"last replied to this number."

static bool find_recipient(struct graph_call *c, const struct number *n, const struct send *s,
			   struct customer **out)
{
	char digits[PHONE_MAX];

	if (s->is_group)
		return metaerr_set(&c->err, 131041, "there is no group %.*s", STR_ARG(s->to));
	if (s->by_user_id) {
		*out = customer_by_user_id(c->world, s->to);
		if (*out == NULL)
			return metaerr_set(&c->err, 131009,
					   "recipient is no business-scoped user id of a customer");
		return true;
	}
	if (!customer_normalize(c->world, n, s->to, digits))
		return metaerr_set(&c->err, 131009, "Param to is not a valid phone number");
	if (str_eq(str_from(digits), str_from(n->digits)))
		return metaerr_set(&c->err, 131021,
				   "Recipient phone number cannot be the same as the sender's");
	if (!number_may_write(n, str_from(digits)))
		return metaerr_set(
			&c->err, 131030,
			"Recipient phone number not in allowed list: Add recipient phone "
			"number to recipient list and try again.");
	*out = customer_by_phone(c->world, str_from(digits), true);
	if (*out == NULL)
		return metaerr_set(&c->err, 131000, "the sandbox holds %d customers already",
				   SANDBOX_CUSTOMERS_MAX);
	return true;
}

static bool check_template(struct graph_call *c, const struct send *s, const struct template **out)
{
	if (!template_check_send(c->world->templates, s->content, out, &c->err))
		return false;
	if (s->by_user_id && strcmp((*out)->category, "AUTHENTICATION") == 0)
		return metaerr_set(&c->err, 131062, "authentication templates need a phone number");
	return true;
}

static bool take_rates(struct graph_call *c, struct number *n, struct customer *customer)
{
	const struct settings *s = &c->world->settings;
	struct gcra *rate = &customer_pair(customer, n)->rate;
	struct gcra before = *rate;

	if (s->pair_refill_ms > 0 &&
	    !gcra_take(rate, world_now_ns(c->world), s->pair_refill_ms * NS_PER_MS, s->pair_burst))
		return metaerr_set(&c->err, 131056,
				   "Too many messages sent from this phone number to the same "
				   "phone number in a short period of time");
	if (world_take_throughput(c->world, n))
		return true;
	*rate = before;
	return metaerr_set(&c->err, 130429, "Cloud API message throughput has been reached.");
}

/* 0: it will arrive; else the code of the failed status. */
static int fate_of(struct graph_call *c, const struct number *n, struct customer *customer,
		   const struct send *s, const struct template *t, const char **details)
{
	struct world *w = c->world;

	if (!customer->on_whatsapp || customer->blocked) {
		*details = "Message Undeliverable.";
		return 131026;
	}
	if (customer_pair(customer, n)->is_blocked) {
		*details = "The user is blocked by the business.";
		return 130403;
	}
	if (t == NULL && w->settings.enforce_window && !customer_window_is_open(w, customer, n)) {
		*details = WINDOW_DETAILS;
		return 131047;
	}
	if (!link_all_public(s->type, s->content)) {
		*details = "Media upload error: the link could not be fetched";
		return 131053;
	}
	if (s->is_reaction && !customers_knows_wamid(w->customers, s->message_id) &&
	    sent_find(w->sent, s->message_id) == NULL) {
		*details = "The message reacted to was not found";
		return 131009;
	}
	return 0;
}

static void write_accepted(struct graph_call *c, const struct customer *customer,
			   const struct send *s, const char *wamid)
{
	struct json_writer w;

	json_w_init(&w, &c->out->body);
	json_w_object(&w);
	json_w_kv_text(&w, "messaging_product", "whatsapp");
	json_w_key(&w, STR("contacts"));
	json_w_array(&w);
	json_w_object(&w);
	json_w_kv_str(&w, "input", s->to);
	if (s->by_user_id)
		json_w_kv_text(&w, "user_id", customer->user_id);
	else
		json_w_kv_text(&w, "wa_id", customer->phone);
	json_w_end(&w);
	json_w_end(&w);
	json_w_key(&w, STR("messages"));
	json_w_array(&w);
	json_w_object(&w);
	json_w_kv_text(&w, "id", wamid);
	if (strcmp(s->type, "template") == 0)
		json_w_kv_text(&w, "message_status", "accepted");
	json_w_end(&w);
	json_w_end(&w);
	json_w_end(&w);
}

static void accept(struct graph_call *c, struct number *n, struct customer *customer,
		   const struct send *s, const struct template *t)
{
	struct world *w = c->world;
	struct delivery_order order = { .number = n, .customer = customer, .template = t };
	const char *address = s->by_user_id ? customer->user_id : customer->phone;
	char wamid[WAMID_MAX];

	world_count_second(w, n);
	if (!s->by_user_id)
		customer->by_phone_ns = world_now_ns(w);
	world_wamid(w, WAMID_OUTBOUND, str_from(address), wamid);
	order.message = sent_add(w->sent, n, str_from(wamid), str_from(address), s->type,
				 c->ask->body, s->opaque.ptr == NULL ? NULL : &s->opaque,
				 clock_wall_ms(w->clock));
	order.by_user_id = s->by_user_id;
	order.is_reaction = s->is_reaction;
	order.is_voice = s->is_voice;
	order.fail_code = fate_of(c, n, customer, s, t, &order.fail_details);
	write_accepted(c, customer, s, wamid);
	delivery_start(w, &order);
	w->hooks.accepted(w->hooks.cookie, order.message);
}

static bool take_read(struct graph_call *c, const struct send *s)
{
	if (!customers_knows_wamid(c->world->customers, s->message_id))
		return metaerr_set(&c->err, 131009, "Param message_id is not a message received");
	c->world->reads++;
	if (s->typing)
		c->world->typings++;
	graph_write_success(c);
	return true;
}

bool graph_send(struct graph_call *c, struct number *n)
{
	const struct template *t = NULL;
	struct customer *customer;
	struct send s;

	if (!graph_check_send(c->body, &s, &c->err))
		return false;
	if (!n->registered)
		return metaerr_set(&c->err, 133010, "Phone number %s is not registered", n->id);
	if (s.is_read)
		return take_read(c, &s);
	if (!find_recipient(c, n, &s, &customer))
		return false;
	if (strcmp(s.type, "template") == 0 && !check_template(c, &s, &t))
		return false;
	if (!graph_check_media_ids(c, s.type, s.content))
		return false;
	if (t == NULL && c->world->settings.window_sync_error &&
	    c->world->settings.enforce_window && !customer_window_is_open(c->world, customer, n))
		return metaerr_set(&c->err, 131047, "%s", WINDOW_DETAILS);
	if (!take_rates(c, n, customer))
		return false;
	accept(c, n, customer, &s, t);
	return true;
}
