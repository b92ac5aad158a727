/* SPDX-License-Identifier: MIT */
/*
 * graph_account.c - the account: subscribed app, numbers to come, the business above
 *
 * ROLE        cloud-api.md 4.1 to 4.3, read 2026-11.  Without a subscription
 *             no webhook is made (world_emit()).
 * THREADS     Loop thread only.
 * TESTS       tests/unit/test_sandbox_number.c
 */
#include "sandbox/graph.h"

#include "base/utf8.h"
#include "sandbox/sandbox.h"

bool graph_subscribed_apps(struct graph_call *c)
{
	if (str_eq(c->ask->method, STR("GET"))) {
		if (c->world->unsubscribed) {
			buf_put_text(&c->out->body, "{\"data\":[]}");
			return true;
		}
		return graph_read_subscribed_apps(c);
	}
	if (str_eq(c->ask->method, STR("POST")) &&
	    json_exists(json_member(c->body, STR("override_callback_uri"))))
		return metaerr_param(&c->err, "the sandbox has one callback and no overrides: "
					      "POST /sandbox/v1/callback");
	c->world->unsubscribed = str_eq(c->ask->method, STR("DELETE"));
	graph_write_success(c);
	return true;
}

static bool is_taken(const struct world *w, const char *digits)
{
	for (size_t i = 0; i < w->number_count; i++) {
		if (strcmp(w->numbers[i]->digits, digits) == 0)
			return true;
	}
	return false;
}

bool graph_add_number(struct graph_call *c)
{
	struct gw_error err = GW_ERROR_INIT;
	struct str cc, phone, name;
	char digits[PHONE_MAX];
	struct json_writer w;
	struct number *n;

	if (!json_get_text(c->body, STR("cc"), 3, &cc) || cc.len == 0)
		return metaerr_param(&c->err, "The parameter cc is required.");
	if (!json_get_text(c->body, STR("phone_number"), 15, &phone) || phone.len == 0)
		return metaerr_param(&c->err, "The parameter phone_number is required.");
	if (!json_get_str(c->body, STR("verified_name"), sizeof(n->name) - 1, &name) ||
	    utf8_count(name) < 2 || utf8_count(name) > 75)
		return metaerr_param(&c->err, "Param verified_name must have 2 to 75 characters.");
	(void)snprintf(digits, sizeof(digits), "%.*s%.*s", STR_ARG(cc), STR_ARG(phone));
	if (is_taken(c->world, digits))
		return metaerr_template(&c->err, 2388012, "Phone number already added",
					"+%s is in the list of numbers already", digits);
	if (world_set_number(c->world, STR_EMPTY, str_from(digits), &n, &err) != GW_OK)
		return metaerr_param(&c->err, "%s", err.message);
	(void)str_copy(name, n->name, sizeof(n->name));
	n->registered = false;
	n->unverified = true;
	json_w_init(&w, &c->out->body);
	json_w_object(&w);
	json_w_kv_text(&w, "id", n->id);
	json_w_end(&w);
	return true;
}

bool graph_read_owned(struct graph_call *c)
{
	buf_put_text(&c->out->body, "{\"data\":[");
	(void)graph_read_waba(c);
	buf_put_text(&c->out->body, "]}");
	return true;
}
