/* SPDX-License-Identifier: MIT */
/*
 * graph_token.c - tokens: which are taken, what they may, what debug_token says of them
 *
 * ROLE        cloud-api.md 1.2 and 1.3, read 2026-11.  Any token is the system
 *             user's, as the settings make it; "APPID|SECRET" is the app's and
 *             must hold the app's secret.  It may ask about tokens and manage
 *             the app, and nothing else.
 * THREADS     Loop thread only.
 * TESTS       tests/unit/test_sandbox_token.c
 */
#include "sandbox/graph.h"

#include "sandbox/sandbox.h"
#include "sandbox/template.h"

#define USER_ID "122100000000000001"
#define APP_PREFIX SANDBOX_APP_ID "|"

static bool read_token(const struct graph_call *c, struct str *out)
{
	struct str header = c->ask->authorization;

	if (header.len > 7 && str_eq_nocase(str_slice(header, 0, 7), STR("Bearer ")))
		*out = str_trim(str_slice(header, 7, header.len));
	else if (header.len > 6 && str_eq_nocase(str_slice(header, 0, 6), STR("OAuth ")))
		*out = str_trim(str_slice(header, 6, header.len));
	else if (!graph_query(c, "access_token", out))
		return false;
	return out->len > 0;
}

static bool is_app_secret(const struct graph_call *c, struct str text)
{
	const struct secret *want = c->graph->app_secret;

	return want != NULL ? secret_eq(want, text) : str_eq(text, STR(SANDBOX_APP_SECRET));
}

/* 0, or the subcode of 190 that a token of a user ends with. */
static int dead_subcode(const struct graph_call *c, struct str token)
{
	const struct settings *s = &c->world->settings;

	if (s->check_token.len > 0 && !secret_eq(&s->check_token, token))
		return 467;
	if (s->token_expires_at != 0 && clock_wall_s(c->world->clock) >= s->token_expires_at)
		return 463;
	return 0;
}

static const char *why_dead(int subcode)
{
	return subcode == 463 ? "Error validating access token: Session has expired"
			      : "Error validating access token: the session is invalid";
}

bool graph_check_token(struct graph_call *c)
{
	int subcode;

	if (!read_token(c, &c->token))
		return metaerr_graph(&c->err, 104, 0, "OAuthException",
				     "An access token is required to request this resource.");
	if (str_starts(c->token, STR(APP_PREFIX))) {
		c->is_app = is_app_secret(
			c, str_slice(c->token, sizeof(APP_PREFIX) - 1, c->token.len));
		return c->is_app || metaerr_graph(&c->err, 190, 0, "OAuthException",
						  "Error validating application. Cannot get "
						  "application info due to a system error.");
	}
	subcode = dead_subcode(c, c->token);
	return subcode == 0 ||
	       metaerr_graph(&c->err, 190, subcode, "OAuthException", "%s", why_dead(subcode));
}

static bool is_messaging(const struct graph_call *c)
{
	return str_eq(c->edge, STR("messages")) || str_eq(c->edge, STR("media"));
}

bool graph_check_scope(struct graph_call *c, const struct number *n)
{
	bool is_managed = n != NULL || str_eq(c->object, STR(SANDBOX_WABA_ID)) ||
			  str_eq(c->object, STR(SANDBOX_BUSINESS_ID)) ||
			  templates_by_id(c->world->templates, c->object) != NULL;

	if (!is_managed)
		return true;
	if (n != NULL && is_messaging(c)) {
		if (c->world->settings.scope_messaging && !c->is_app)
			return true;
		return metaerr_graph(&c->err, 10, 0, "OAuthException",
				     "(#10) Application does not have permission for this action");
	}
	if (c->world->settings.scope_management && !c->is_app)
		return true;
	return metaerr_graph(&c->err, 200, 0, "OAuthException",
			     "(#200) You do not have the necessary permissions required to "
			     "send requests on behalf of this WhatsApp Business Account");
}

static void write_scopes(struct json_writer *w, const struct settings *s, bool granular)
{
	static const char *const names[] = { "whatsapp_business_management",
					     "whatsapp_business_messaging" };
	const bool has[] = { s->scope_management, s->scope_messaging };

	json_w_array(w);
	for (size_t i = 0; i < 2; i++) {
		if (!has[i])
			continue;
		if (!granular) {
			json_w_str(w, str_from(names[i]));
			continue;
		}
		json_w_object(w);
		json_w_kv_text(w, "scope", names[i]);
		if (s->granular_scopes)
			json_w_kv_raw(w, "target_ids", STR("[\"" SANDBOX_WABA_ID "\"]"));
		json_w_end(w);
	}
	json_w_end(w);
}

bool graph_debug_token(struct graph_call *c)
{
	const struct settings *s = &c->world->settings;
	struct json_writer w;
	struct str token;
	int subcode;

	if (!graph_query(c, "input_token", &token) || token.len == 0)
		return metaerr_param(&c->err, "The parameter input_token is required.");
	if (s->debug_needs_app_token && !c->is_app)
		return metaerr_param(&c->err,
				     "You must provide an app access token, or a user access "
				     "token that is an owner or developer of the app");
	subcode = dead_subcode(c, token);
	json_w_init(&w, &c->out->body);
	json_w_object(&w);
	json_w_key(&w, STR("data"));
	json_w_object(&w);
	json_w_kv_text(&w, "app_id", SANDBOX_APP_ID);
	json_w_kv_text(&w, "type", s->token_of_user ? "USER" : "SYSTEM_USER");
	json_w_kv_text(&w, "application", "Godwit Sandbox");
	if (subcode != 0) {
		json_w_key(&w, STR("error"));
		json_w_object(&w);
		json_w_kv_i64(&w, "code", 190);
		json_w_kv_text(&w, "message", why_dead(subcode));
		json_w_kv_i64(&w, "subcode", subcode);
		json_w_end(&w);
	}
	json_w_kv_i64(&w, "data_access_expires_at", 0);
	json_w_kv_i64(&w, "expires_at", s->token_expires_at);
	json_w_kv_bool(&w, "is_valid", subcode == 0);
	json_w_key(&w, STR("scopes"));
	write_scopes(&w, s, false);
	json_w_key(&w, STR("granular_scopes"));
	write_scopes(&w, s, true);
	json_w_kv_text(&w, "user_id", USER_ID);
	json_w_end(&w);
	json_w_end(&w);
	return true;
}

bool graph_me(struct graph_call *c)
{
	if (c->is_app)
		return graph_read_app(c);
	buf_put_text(&c->out->body, "{\"name\":\"Godwit Sandbox\",\"id\":\"" USER_ID "\"}");
	return true;
}

bool graph_read_app(struct graph_call *c)
{
	buf_put_text(&c->out->body,
		     "{\"category\":\"Business\",\"link\":\"https://www.facebook.com/games/"
		     "?app_id=" SANDBOX_APP_ID
		     "\",\"name\":\"Godwit Sandbox\",\"id\":\"" SANDBOX_APP_ID "\"}");
	return true;
}
