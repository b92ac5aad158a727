/* SPDX-License-Identifier: MIT */
/*
 * client_result.c - what an HTTP outcome says about a call
 *
 * ROLE  The one place where transport and Graph errors become a retry class
 *       for users of the library. The rule is design.md section 5 rule 7: only
 *       what provably was not accepted may be repeated.
 */
#include "cloudapi/client_int.h"
#include "cloudapi/fill.h"

#define ANSWER_ERROR_MAX 160 /* bytes of a foreign answer shown in a message */

static gw_status fail(gw_result *r, gw_status status, gw_retry retry, const char *text)
{
	r->error.retry = retry;
	r->error.http_status = r->http_status;
	return r->status = gw_error_set(&r->error, status, "%s", text);
}

/* {"messages":[{"id":...,"message_status":...}],"contacts":[{"wa_id":...,"user_id":...}]} */
static bool read_sent(struct json_val root, gw_result *r)
{
	struct json_val message = json_at(json_member(root, STR("messages")), 0);
	struct json_val contact = json_at(json_member(root, STR("contacts")), 0);

	r->message_id = fill_text(json_member(message, STR("id")), FILL_ID_MAX);
	r->message_status = fill_text(json_member(message, STR("message_status")), FILL_WORD_MAX);
	r->wa_id = fill_text(json_member(contact, STR("wa_id")), FILL_ID_MAX);
	r->user_id = fill_text(json_member(contact, STR("user_id")), GW_USER_ID_MAX);
	return r->message_id.len > 0;
}

static void read_success(enum client_kind kind, struct arena *a, gw_result *r)
{
	const struct json_doc *doc = NULL;

	if (kind != CLIENT_SEND)
		return;
	if (a == NULL || json_scan(str_of_gw(r->body), a, &doc, NULL) != GW_OK ||
	    !read_sent(json_root(doc), r))
		(void)fail(r, GW_EPARSE, GW_RETRY_UNKNOWN,
			   "the answer is a success without a message id; the message may have "
			   "been accepted");
}

/* Not from Meta's application: a proxy, a load balancer, a wrong base URL. */
static void read_foreign(enum client_kind kind, gw_result *r)
{
	struct str shown = str_slice(str_of_gw(r->body), 0, ANSWER_ERROR_MAX);
	gw_retry retry = gw_retry_of(r->http_status, false, 0, 0);

	if (kind == CLIENT_READ && retry == GW_RETRY_UNKNOWN)
		retry = GW_RETRY_LATER;
	r->error.retry = retry;
	r->error.http_status = r->http_status;
	for (size_t i = 0; i < shown.len; i++) {
		if ((unsigned char)shown.ptr[i] < ' ' || (unsigned char)shown.ptr[i] > '~')
			shown.len = i; /* the first line is enough for a person */
	}
	r->status = gw_error_set(&r->error, GW_EAPI, "HTTP %d without a Graph error in it%s%.*s",
				 r->http_status, shown.len > 0 ? ": " : "", STR_ARG(shown));
}

static void read_answer(enum client_kind kind, struct arena *a, gw_result *r)
{
	if (gw_graph_error_parse(r->body, r->http_status, &r->error)) {
		r->status = r->error.status;
		if (kind == CLIENT_READ && r->error.retry == GW_RETRY_UNKNOWN)
			r->error.retry = GW_RETRY_LATER;
		return;
	}
	if (r->http_status >= 200 && r->http_status <= 299)
		read_success(kind, a, r);
	else
		read_foreign(kind, r);
}

static void read_failure(enum client_kind kind, bool has_body, const struct http_outcome *o,
			 gw_result *r)
{
	/* Without a body there is no telling from its bytes whether the request went out. */
	bool sent = o->end == HTTP_END_LOST || (o->end == HTTP_END_NOT_SENT && !has_body);

	r->status = o->timed_out ? GW_ETIMEOUT : GW_ENET;
	r->error = o->error;
	r->error.status = r->status;
	r->error.http_status = o->status;
	r->error.retry = kind == CLIENT_READ || !sent ? GW_RETRY_NOW : GW_RETRY_UNKNOWN;
}

void client_read_outcome(enum client_kind kind, bool has_body, const struct http_outcome *o,
			 struct arena *a, gw_result *out)
{
	*out = (gw_result){ .http_status = o->status, .retry_after_s = o->retry_after_s };
	if (o->end != HTTP_END_ANSWERED) {
		read_failure(kind, has_body, o, out);
		return;
	}
	out->body = str_to_gw(o->answer);
	read_answer(kind, a, out);
}
