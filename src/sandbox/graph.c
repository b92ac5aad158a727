/* SPDX-License-Identifier: MIT */
/*
 * graph.c - routing, tokens, faults, and errors in Meta's order
 *
 * ROLE        /[vNN.N/]{object}[/{edge}].  Order of refusals (cloud-api.md 9.1,
 *             read 2026-11): faults, token, object, body, world.  Shapes of
 *             unknown objects and paths: 1.3.
 * FAILURE     An answer over SANDBOX_ANSWER_MAX becomes error 1.
 * THREADS     Loop thread only.
 * TESTS       tests/unit/test_sandbox_graph.c
 */
#include "sandbox/graph.h"

#include "base/panic.h"
#include "sandbox/customer.h"
#include "sandbox/multipart.h"
#include "sandbox/sandbox.h"
#include "sandbox/sent.h"
#include "sandbox/template.h"

#define NEWEST_VERSION "v26.0" /* cloud-api.md 1.1 */
#define PARAMETER_MAX 4096

void graph_init(struct graph *g, struct world *w, struct faults *f)
{
	memset(g, 0, sizeof(*g));
	g->world = w;
	g->faults = f;
	g->arena = arena_new(SANDBOX_ARENA_MAX);
	ASSERT(g->arena != NULL);
}

void graph_release(struct graph *g)
{
	arena_free(g->arena);
	g->arena = NULL;
}

bool graph_query(const struct graph_call *c, const char *name, struct str *out)
{
	return c->ask->query != NULL && c->ask->query(c->ask->cookie, name, out);
}

bool graph_parameter(const struct graph_call *c, const char *name, struct str *out)
{
	return json_get_text(c->body, str_from(name), PARAMETER_MAX, out) ||
	       graph_query(c, name, out);
}

void graph_write_success(struct graph_call *c)
{
	buf_put_text(&c->out->body, "{\"success\":true}");
}

/* "v26.0": the letter, digits, a dot, digits. */
static bool is_version(struct str s)
{
	struct str major, rest = s;
	uint32_t n;

	if (s.len < 4 || s.len > 8 || s.ptr[0] != 'v')
		return false;
	rest = str_slice(s, 1, s.len);
	return str_split(&rest, '.', &major) && str_to_u32(major, &n) && str_to_u32(rest, &n);
}

static bool fail_path(struct graph_call *c, struct str at)
{
	metaerr_graph(&c->err, 2500, 0, "OAuthException", "Unknown path components: /%.*s",
		      STR_ARG(str_slice(at, 0, 128)));
	(void)snprintf(c->err.hint, sizeof(c->err.hint),
		       "godwit sandbox: this path is not emulated, see docs/sandbox.md");
	return false;
}

static bool fail_object(struct graph_call *c)
{
	bool is_get = str_eq(c->ask->method, STR("GET"));

	return metaerr_graph(&c->err, 100, 33, "GraphMethodException",
			     "Unsupported %s request. Object with ID '%.*s' does not exist, "
			     "cannot be loaded due to missing permissions, or does not support "
			     "this operation. Please read the Graph API documentation at "
			     "https://developers.facebook.com/docs/graph-api",
			     is_get ? "get" : "post", STR_ARG(str_slice(c->object, 0, 64)));
}

/* Split the path; the version goes into the answer's header. */
static void read_path(struct graph_call *c, struct str *rest)
{
	struct str part;

	*rest = c->ask->path;
	(void)str_copy(STR(NEWEST_VERSION), c->out->version, sizeof(c->out->version));
	if (rest->len > 0 && rest->ptr[0] == '/')
		*rest = str_slice(*rest, 1, rest->len);
	if (!str_split(rest, '/', &part))
		part = STR_EMPTY;
	if (is_version(part)) {
		(void)str_copy(part, c->out->version, sizeof(c->out->version));
		if (!str_split(rest, '/', &part))
			part = STR_EMPTY;
	}
	c->object = part;
	if (!str_split(rest, '/', &c->edge))
		c->edge = STR_EMPTY;
}

static bool route_number(struct graph_call *c, struct number *n)
{
	bool is_get = str_eq(c->ask->method, STR("GET")), found = false, ok;

	if (c->edge.len == 0 && is_get)
		return graph_read_number(c, n);
	if (str_eq(c->edge, STR("messages")) && str_eq(c->ask->method, STR("POST")))
		return graph_send(c, n);
	if (str_eq(c->edge, STR("media")) && str_eq(c->ask->method, STR("POST")))
		return graph_upload_media(c, n);
	if (c->edge.len == 0 && str_eq(c->ask->method, STR("POST")))
		return graph_change_number(c, n);
	if (str_eq(c->edge, STR("block_users")))
		return graph_block_users(c, n);
	if (str_eq(c->edge, STR("message_qrdls")))
		return graph_qr_codes(c, n, STR_EMPTY);
	ok = graph_number_edge(c, n, &found);
	if (found)
		return ok;
	return fail_path(c, c->edge);
}

static bool route_waba(struct graph_call *c)
{
	bool is_get = str_eq(c->ask->method, STR("GET"));

	if (c->edge.len == 0 && is_get)
		return graph_read_waba(c);
	if (str_eq(c->edge, STR("phone_numbers")) && is_get)
		return graph_read_phone_numbers(c);
	if (str_eq(c->edge, STR("message_templates")) && is_get)
		return graph_read_templates(c);
	if (str_eq(c->edge, STR("message_templates")) && str_eq(c->ask->method, STR("POST")))
		return graph_create_template(c);
	if (str_eq(c->edge, STR("message_templates")) && str_eq(c->ask->method, STR("DELETE")))
		return graph_delete_templates(c);
	if (str_eq(c->edge, STR("phone_numbers")) && str_eq(c->ask->method, STR("POST")))
		return graph_add_number(c);
	if (str_eq(c->edge, STR("subscribed_apps")))
		return graph_subscribed_apps(c);
	return fail_path(c, c->edge);
}

/* Where write_media() in graph_media.c points to. */
static bool is_media_link(const struct graph_call *c)
{
	return str_eq(c->object, STR("whatsapp_business")) && str_eq(c->edge, STR("attachments")) &&
	       str_eq(c->ask->method, STR("GET"));
}

static bool route(struct graph_call *c, struct str rest)
{
	struct number *n;
	bool found = false, ok;

	n = world_number(c->world, c->object);
	if (!graph_check_scope(c, n))
		return false;
	if (rest.len > 0 && n != NULL && str_eq(c->edge, STR("message_qrdls")))
		return graph_qr_codes(c, n, rest);
	if (rest.len > 0)
		return fail_path(c, rest);
	if (str_eq(c->object, STR("debug_token")))
		return graph_debug_token(c);
	if (str_eq(c->object, STR("me")) && c->edge.len == 0)
		return graph_me(c);
	if (str_eq(c->object, STR("app")) && c->edge.len == 0)
		return graph_read_app(c);
	if (is_media_link(c))
		return graph_fetch_media(c);
	if (n != NULL)
		return route_number(c, n);
	if (str_eq(c->object, STR(SANDBOX_WABA_ID)))
		return route_waba(c);
	if (str_eq(c->object, STR(SANDBOX_BUSINESS_ID)) &&
	    str_eq(c->edge, STR("owned_whatsapp_business_accounts")) &&
	    str_eq(c->ask->method, STR("GET")))
		return graph_read_owned(c);
	if (templates_by_id(c->world->templates, c->object) != NULL && c->edge.len == 0)
		return str_eq(c->ask->method, STR("POST")) ? graph_edit_template(c)
							   : graph_read_template(c);
	if (graph_is_upload(c))
		return graph_upload(c);
	if (str_eq(c->object, STR(SANDBOX_APP_ID))) {
		if (c->edge.len == 0 && str_eq(c->ask->method, STR("GET")))
			return graph_read_app(c);
		ok = graph_app_edge(c, &found);
		return found ? ok : fail_path(c, c->edge);
	}
	ok = c->edge.len == 0 && graph_media(c, &found);
	if (found)
		return ok;
	if (c->object.len == 0 || c->object.ptr[0] < '0' || c->object.ptr[0] > '9')
		return fail_path(c, c->object);
	return fail_object(c);
}

/* Turn the error into the answer. */
static void answer_error(struct graph_call *c)
{
	bool is_throttle = c->err.code == 4 || c->err.code == 80007 || c->err.code == 130429 ||
			   c->err.code == 131048 || c->err.code == 131056 || c->err.code == 133016;
	char trace[METAERR_TRACE_MAX];

	world_trace_id(c->world, trace);
	if (is_throttle && c->world->settings.throttle_http_429)
		c->err.http = 429;
	c->out->status = c->err.http;
	c->out->retry_after_s = c->err.retry_after_s;
	c->out->type = "application/json; charset=UTF-8";
	buf_reset(&c->out->body);
	metaerr_write(&c->err, trace, &c->out->body);
}

static void fault_error(struct graph_call *c, int code, int http, const struct fault *f)
{
	const char *details = f->details[0] != '\0' ? f->details : "injected by the sandbox";

	metaerr_set(&c->err, code, "%s", details);
	c->err.http = http != 0 ? http : metaerr_http(code);
	c->err.retry_after_s = f->retry_after_s;
	answer_error(c);
	if (http != 0)
		c->out->status = http;
}

static void fault_5xx(struct graph_call *c, const struct fault *f)
{
	c->out->status = f->http != 0 ? f->http : 502;
	c->out->type = "text/html";
	c->out->version[0] = '\0';
	buf_reset(&c->out->body);
	buf_put_text(&c->out->body, "<html><body>Sorry, something went wrong.</body></html>");
}

/* The answer as the fault wants it; whatever was written before is gone. */
static void apply_fault(struct graph_call *c, const struct fault *f)
{
	c->out->retry_after_s = f->retry_after_s;
	switch (f->kind) {
	case FAULT_ERROR: fault_error(c, f->code, f->http, f); break;
	case FAULT_ERROR_AFTER_ACCEPT: fault_error(c, 131000, 500, f); break;
	case FAULT_5XX:
	case FAULT_ACCEPT_5XX: fault_5xx(c, f); break;
	case FAULT_HANG:
	case FAULT_ACCEPT_HANG: c->out->act = ANSWER_HANG; break;
	case FAULT_RESET:
	case FAULT_ACCEPT_RESET: c->out->act = ANSWER_RESET; break;
	case FAULT_CLOSE:
	case FAULT_ACCEPT_CLOSE: c->out->act = ANSWER_CLOSE; break;
	case FAULT_GARBAGE:
		buf_reset(&c->out->body);
		buf_put_text(&c->out->body, "{\"messaging_product\":\"whatsapp\",\"cont");
		break;
	case FAULT_NONE:
	case FAULT_SLOW:
	case FAULT_RESET_HEAD: /* the HTTP thread's */
	case FAULT_NKINDS: break;
	}
}

/* What the rules may look at: a message's number and recipient. */
static void describe(const struct graph_call *c, char to[PHONE_MAX], struct fault_call *out)
{
	const struct number *n = world_number(c->world, c->object);
	struct str text;

	memset(out, 0, sizeof(*out));
	out->to = out->number = STR_EMPTY;
	if (n == NULL)
		return;
	out->number = str_from(n->id);
	out->is_send = str_eq(c->edge, STR("messages")) && str_eq(c->ask->method, STR("POST")) &&
		       !json_exists(json_member(c->body, STR("status")));
	if (json_get_text(c->body, STR("to"), 256, &text) &&
	    customer_normalize(c->world, n, text, to))
		out->to = str_from(to);
}

void graph_handle(struct graph *g, const struct ask *ask, struct answer *out)
{
	struct graph_call c = { .graph = g, .world = g->world, .ask = ask, .out = out };
	const struct json_doc *doc;
	const struct fault *fault;
	struct fault_call seen;
	char to[PHONE_MAX];
	struct str rest;

	g->calls++;
	arena_reset(g->arena);
	read_path(&c, &rest);
	if (ask->body.len > 0 && !multipart_is(ask->content_type) &&
	    json_scan(ask->body, g->arena, &doc, NULL) == GW_OK)
		c.body = json_root(doc);
	describe(&c, to, &seen);
	out->delay_ms = g->world->settings.answer_delay_ms;
	out->date_ahead_s = g->world->settings.date_ahead_s;
	fault = faults_before(g->faults, &seen, &out->delay_ms);
	if (fault != NULL) {
		apply_fault(&c, fault);
		return;
	}
	if (!graph_check_token(&c) || !route(&c, rest)) {
		if (seen.is_send)
			sent_note_refusal(g->world->sent, c.err.code);
		answer_error(&c);
	} else if (seen.is_send) {
		fault = faults_after(g->faults, &seen);
		if (fault != NULL)
			apply_fault(&c, fault);
	}
	if (buf_failed(&out->body)) {
		metaerr_set(&c.err, 1, "the answer would be larger than the sandbox allows");
		answer_error(&c);
	}
}
