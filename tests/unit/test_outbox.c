/* SPDX-License-Identifier: MIT */
/* test_outbox.c - the door and its answers, on a real store against a scripted Graph */
#include "outbox_rig.h"

/* ---- answers ---- */

static void accepted_is_metas_answer(void **state)
{
	struct rig *r = *state;
	struct call *c = rig_send(r, RIG_TEXT("+491511", "hi"));
	struct graph_seen seen;
	struct rig_row row;
	uint32_t try_ = 0;
	struct id id;
	char token[TOKEN_MAX];

	RIG_UNTIL(r, c->done);
	CHECK_INT("status", 200, c->status);
	assert_string_equal(c->body, "{\"messaging_product\":\"whatsapp\",\"messages\":[{\"id\":"
				     "\"wamid.1\"}]}");
	seen = graph_seen(&r->graph, 0);
	assert_true(rig_has(seen.head, "POST /v25.0/" RIG_NUMBER "/messages HTTP/1.1\r\n"));
	assert_true(rig_has(seen.head, "Authorization: Bearer EAAtoken\r\n"));
	assert_true(rig_has(seen.head, "Content-Type: application/json\r\n"));
	/* the caller's bytes, with the token in front */
	assert_true(rig_member(seen.body, "biz_opaque_callback_data", token, sizeof(token)));
	assert_true(token_read(&r->reader, str_from(token), &id, &try_));
	assert_true(id_eq(&id, &c->message));
	CHECK_INT("try", 1, try_);
	assert_string_equal(strchr(seen.body, ',') + 1,
			    "\"messaging_product\":\"whatsapp\",\"to\":\"+491511\",\"type\":"
			    "\"text\",\"text\":{\"body\":\"hi\"}}");
	row = rig_row(r, &c->message);
	assert_string_equal(row.state, "accepted");
	assert_string_equal(row.wamid, "wamid.1");
	assert_string_equal(row.answer, c->body);
	CHECK_INT("no event for what was answered", 0, r->event_count);
}

static void a_path_without_version_gets_the_accounts(void **state)
{
	struct rig *r = *state;
	struct outbox_submit s = rig_call(RIG_TEXT("491511", "hi"));
	struct call *c;

	s.target = STR("/" RIG_NUMBER "/messages?x=1");
	c = rig_submit(r, s);
	RIG_UNTIL(r, c->done);
	assert_true(rig_has(graph_seen(&r->graph, 0).head,
			    "POST /v26.0/" RIG_NUMBER "/messages?x=1 HTTP/1.1\r\n"));
}

static void rejected_is_metas_answer(void **state)
{
	struct rig *r = *state;
	struct call *c;
	struct rig_row row;

	graph_next(&r->graph, (struct graph_step){ GRAPH_ERROR, 400, 131030, NULL });
	c = rig_send(r, RIG_TEXT("491511", "hi"));
	RIG_UNTIL(r, c->done);
	CHECK_INT("status", 400, c->status);
	assert_true(rig_has(c->body, "\"(#131030) scripted\""));
	assert_string_equal(c->refused, ""); /* Meta did, not we */
	row = rig_row(r, &c->message);
	assert_string_equal(row.state, "rejected");
	CHECK_INT("code", 131030, row.code);
}

static void an_unlisted_code_is_counted(void **state)
{
	struct rig *r = *state;
	struct call *c;

	graph_next(&r->graph, (struct graph_step){ GRAPH_ERROR, 400, 987654, NULL });
	c = rig_send(r, RIG_TEXT("491511", "hi"));
	RIG_UNTIL(r, c->done);
	CHECK_INT("status", 400, c->status);
	CHECK_INT("counted", 1, metrics_get(r->metrics, M_OUTBOX_UNLISTED, 0, 0));
}

static void respond_async(void **state)
{
	struct rig *r = *state;
	struct call *c;
	char id[ID_TEXT_MAX];
	char want[256];

	c = rig_send_async(r, RIG_TEXT("+49 1511", "hi"));
	RIG_UNTIL(r, c->done);
	CHECK_INT("status", 202, c->status);
	assert_true(c->preference && c->has_message);
	id_text(ID_MESSAGE, &c->message, id);
	(void)snprintf(want, sizeof(want),
		       "{\"messaging_product\":\"whatsapp\",\"contacts\":[{\"input\":\"+49 1511\","
		       "\"wa_id\":\"491511\"}],\"messages\":[{\"id\":\"%s\",\"message_status\":"
		       "\"queued\"}]}",
		       id);
	assert_string_equal(c->body, want);
	RIG_UNTIL(r, rig_notices(r, "accepted") == 1);
	assert_true(rig_has(r->events[0].text, "\"wamid.1\""));
	assert_true(rig_is(r, c, "accepted"));
}

static void wait_max_is_202(void **state)
{
	struct rig *r = *state;
	struct outbox_submit s = rig_call(RIG_TEXT("491511", "hi"));
	struct call *c;

	graph_next(&r->graph, (struct graph_step){ .act = GRAPH_HOLD });
	s.received_ns -= 24900 * NS_PER_MS; /* a hundred milliseconds are left */
	c = rig_submit(r, s);
	RIG_UNTIL(r, c->done);
	CHECK_INT("status", 202, c->status);
	assert_false(c->preference);
	assert_true(rig_has(c->body, "\"message_status\":\"queued\""));
	graph_release(&r->graph);
	RIG_UNTIL(r, rig_notices(r, "accepted") == 1); /* a vanished client changes nothing */
	CHECK_INT("once", 1, graph_count(&r->graph));
}

static void a_refusal_after_202_is_an_event(void **state)
{
	struct rig *r = *state;
	struct call *c;
	char id[ID_TEXT_MAX];

	graph_next(&r->graph, (struct graph_step){ GRAPH_ERROR, 400, 131030, NULL });
	c = rig_send_async(r, "{\"messaging_product\":\"whatsapp\",\"to\":\"491511\","
			      "\"biz_opaque_callback_data\":\"order 7\"}");
	RIG_UNTIL(r, r->event_count == 2);
	CHECK_INT("our state", 1, rig_notices(r, "rejected"));
	CHECK_INT("Meta's word", 1, rig_notices(r, "failed"));
	id_text(ID_MESSAGE, &c->message, id);
	for (size_t i = 0; i < 2; i++) {
		assert_string_equal(r->events[i].type, "message.status");
		assert_true(rig_has(r->events[i].text, id));
		assert_string_equal(r->events[i].opaque, "order 7");
		assert_true(rig_has(r->events[i].text, "131030"));
	}
	RIG_UNTIL(r, rig_is(r, c, "rejected"));
}

static void the_callers_opaque_value_stays_here(void **state)
{
	struct rig *r = *state;
	struct call *c = rig_send(r, "{\"messaging_product\":\"whatsapp\",\"to\":\"491511\","
				     "\"biz_opaque_callback_data\":\"secret order\"}");

	RIG_UNTIL(r, c->done);
	assert_false(rig_has(graph_seen(&r->graph, 0).body, "secret order"));
	rig_status(r, 0, "wamid.1", "sent");
	CHECK_INT("events", 1, r->event_count);
}

/* ---- the door ---- */

static const struct {
	const char *name, *body, *number, *key, *policy;
	int status;
	const char *reason, *part;
} refusals[] = {
	{ "no JSON", "{", RIG_NUMBER, "", "", 400, "invalid", "not JSON" },
	{ "no product", "{\"to\":\"1\"}", RIG_NUMBER, "", "", 400, "invalid", "messaging_product" },
	{ "nobody", "{\"messaging_product\":\"whatsapp\"}", RIG_NUMBER, "", "", 400, "invalid",
	  "is required" },
	{ "unknown number", RIG_TEXT("1", "x"), "999", "", "", 400, "invalid",
	  "\"error_subcode\":33" },
	{ "policy", RIG_TEXT("1", "x"), RIG_NUMBER, "", "perhaps", 400, "invalid",
	  "Godwit-Unknown-Policy" },
	{ "opaque",
	  "{\"messaging_product\":\"whatsapp\",\"to\":\"1\",\"biz_opaque_callback_data\":1}",
	  RIG_NUMBER, "", "", 400, "opaque", "must be a string" },
};

static void refused_at_the_door(void **state)
{
	struct rig *r = *state;

	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		struct outbox_submit s = rig_call(refusals[i].body);
		struct call *c;

		s.number_id = str_from(refusals[i].number);
		s.policy = str_from(refusals[i].policy);
		c = rig_submit(r, s);
		assert_true(c->done); /* at once: nothing goes to the store */
		CHECK_INT(refusals[i].name, refusals[i].status, c->status);
		assert_string_equal(c->refused, refusals[i].reason);
		assert_true(rig_has(c->body, "Godwit refused"));
		if (!rig_has(c->body, refusals[i].part))
			fail_msg("%s: %s", refusals[i].name, c->body);
	}
	CHECK_INT("none left", 0, graph_count(&r->graph));
}

static void long_things_are_refused(void **state)
{
	static char body[OUTBOX_BODY_MAX + 2], key[OUTBOX_IDEMPOTENCY_MAX + 2];
	struct rig *r = *state;
	struct outbox_submit s = rig_call(RIG_TEXT("1", "x"));
	struct call *c;

	memset(key, 'k', sizeof(key));
	s.idempotency_key = str_make(key, OUTBOX_IDEMPOTENCY_MAX + 1);
	c = rig_submit(r, s);
	CHECK_INT("key", 400, c->status);
	s.idempotency_key.len--;
	c = rig_submit(r, s);
	RIG_UNTIL(r, c->done);
	CHECK_INT("one less", 200, c->status);

	memset(body, ' ', sizeof(body));
	memcpy(body, RIG_TEXT("1", "x"), sizeof(RIG_TEXT("1", "x")) - 1);
	s = rig_call("");
	s.body = str_make(body, OUTBOX_BODY_MAX + 1);
	c = rig_submit(r, s);
	CHECK_INT("body", 400, c->status);
	s.body.len--;
	s.respond_async = true; /* the peer takes no body of this size */
	c = rig_submit(r, s);
	RIG_UNTIL(r, c->done);
	CHECK_INT("one less", 202, c->status);
	RIG_UNTIL(r, rig_is(r, c, "unknown"));
}

static void a_full_queue_is_503(void **state)
{
	struct rig *r = *state;
	struct call *first, *c;

	r->settings.queue_max = 1;
	rig_restart(r);
	graph_next(&r->graph, (struct graph_step){ .act = GRAPH_HOLD });
	first = rig_send(r, RIG_TEXT("1", "x"));
	c = rig_send(r, RIG_TEXT("2", "x"));
	CHECK_INT("status", 503, c->status);
	CHECK_INT("retry", 1, c->retry_after);
	assert_string_equal(c->refused, "busy");
	RIG_UNTIL(r, graph_count(&r->graph) == 1);
	graph_release(&r->graph);
	RIG_UNTIL(r, first->done);
	c = rig_send(r, RIG_TEXT("2", "x"));
	RIG_UNTIL(r, c->done);
	CHECK_INT("room again", 200, c->status);
}

static void what_bypasses_the_outbox(void **state)
{
	static const struct {
		const char *body;
		bool want;
	} bodies[] = {
		{ "{\"messaging_product\":\"whatsapp\",\"status\":\"read\",\"message_id\":\"w\"}",
		  true },
		{ "{\"status\":\"read\",\"typing_indicator\":{\"type\":\"text\"}}", true },
		{ RIG_TEXT("1", "read"), false },
		{ "{\"status\":\"sent\"}", false },
		{ "{", false },
		{ "", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++)
		CHECK_INT(bodies[i].body, bodies[i].want,
			  outbox_bypasses(str_from(bodies[i].body)));
}

/* ---- idempotency ---- */

static struct call *keyed(struct rig *r, const char *key, const char *body)
{
	struct outbox_submit s = rig_call(body);

	s.idempotency_key = str_from(key);
	return rig_submit(r, s);
}

static void one_message_for_one_key(void **state)
{
	struct rig *r = *state;
	struct call *calls[20], *other, *again;

	graph_next(&r->graph, (struct graph_step){ .act = GRAPH_HOLD });
	for (size_t i = 0; i < 10; i++) /* before the first commit */
		calls[i] = keyed(r, "k1", RIG_TEXT("491511", "hi"));
	RIG_UNTIL(r, graph_count(&r->graph) == 1);
	for (size_t i = 10; i < 20; i++) /* while it is on the wire */
		calls[i] = keyed(r, "k1", RIG_TEXT("491511", "hi"));
	other = keyed(r, "k1", RIG_TEXT("491511", "ho"));
	CHECK_INT("another body", 422, other->status);
	assert_string_equal(other->refused, "idempotency");
	graph_release(&r->graph);
	for (size_t i = 0; i < 20; i++) {
		RIG_UNTIL(r, calls[i]->done);
		CHECK_INT("status", 200, calls[i]->status);
		assert_string_equal(calls[i]->body, calls[0]->body);
		assert_true(id_eq(&calls[i]->message, &calls[0]->message));
	}
	again = keyed(r, "k1", RIG_TEXT("491511", "hi")); /* from the store now */
	RIG_UNTIL(r, again->done);
	CHECK_INT("replayed", 200, again->status);
	assert_string_equal(again->body, calls[0]->body);
	other = keyed(r, "k1", RIG_TEXT("491511", "ho"));
	RIG_UNTIL(r, other->done);
	CHECK_INT("another body", 422, other->status);
	rig_restart(r);
	again = keyed(r, "k1", RIG_TEXT("491511", "hi"));
	RIG_UNTIL(r, again->done);
	assert_string_equal(again->body, calls[0]->body);
	CHECK_INT("one message", 1, graph_count(&r->graph));
}

/* Three calls before the store has spoken of any: the key is the earlier message's. */
static void another_body_does_not_take_the_key_on_its_way(void **state)
{
	struct rig *r = *state;
	struct call *first = keyed(r, "k", RIG_TEXT("491511", "hi")), *other, *again;

	RIG_UNTIL(r, first->done);
	other = keyed(r, "k", RIG_TEXT("491511", "ho"));
	again = keyed(r, "k", RIG_TEXT("491511", "hi"));
	RIG_UNTIL(r, other->done && again->done);
	CHECK_INT("another body", 422, other->status);
	CHECK_INT("the body it belongs to", 200, again->status);
	assert_string_equal(again->body, first->body);
	first = keyed(r, "new", RIG_TEXT("491511", "hi"));
	other = keyed(r, "new", RIG_TEXT("491511", "ho"));
	again = keyed(r, "new", RIG_TEXT("491511", "hi"));
	RIG_UNTIL(r, first->done && other->done && again->done);
	CHECK_INT("the first", 200, first->status);
	CHECK_INT("not the second", 422, other->status);
	assert_string_equal(again->body, first->body);
	CHECK_INT("two messages", 2, graph_count(&r->graph));
}

static void scope_of_a_key(void **state)
{
	struct rig *r = *state;
	struct outbox_submit s = rig_call(RIG_TEXT("491511", "hi"));
	struct call *calls[3];

	s.idempotency_key = STR("k");
	calls[0] = rig_submit(r, s);
	s.key_id.bytes[0] = 1; /* another API key */
	calls[1] = rig_submit(r, s);
	s.target = STR("/v26.0/" RIG_NUMBER "/messages"); /* another path */
	calls[2] = rig_submit(r, s);
	for (size_t i = 0; i < 3; i++)
		RIG_UNTIL(r, calls[i]->done);
	CHECK_INT("three messages", 3, graph_count(&r->graph));
}

static void replay_of_a_rejection(void **state)
{
	struct rig *r = *state;
	struct call *first, *again;

	graph_next(&r->graph, (struct graph_step){ GRAPH_ERROR, 400, 131030, NULL });
	first = keyed(r, "k", RIG_TEXT("491511", "hi"));
	RIG_UNTIL(r, first->done);
	again = keyed(r, "k", RIG_TEXT("491511", "hi"));
	RIG_UNTIL(r, again->done);
	CHECK_INT("status", 400, again->status);
	assert_string_equal(again->body, first->body);
	CHECK_INT("one", 1, graph_count(&r->graph));
}

static void a_replay_waits_for_the_earlier_one(void **state)
{
	struct rig *r = *state;
	struct call *again;
	struct outbox_submit s = rig_call(RIG_TEXT("491511", "hi"));

	graph_next(&r->graph, (struct graph_step){ .act = GRAPH_HOLD });
	s.idempotency_key = STR("k");
	(void)rig_submit(r, s);
	RIG_UNTIL(r, graph_count(&r->graph) == 1);
	rig_restart(r); /* the key is in the store only; its message is unknown */
	s.received_ns = clock_real_ns() - 24900 * NS_PER_MS;
	again = rig_submit(r, s);
	RIG_UNTIL(r, again->done);
	CHECK_INT("still unknown", 202, again->status);
	again = rig_submit(r, rig_call(RIG_TEXT("491511", "hi")));
	again = keyed(r, "k", RIG_TEXT("491511", "hi"));
	rig_status(r, 0, "wamid.late", "sent");
	RIG_UNTIL(r, again->done);
	CHECK_INT("settled", 200, again->status);
	assert_true(rig_has(again->body, "wamid.late"));
}

static void refusals_do_not_bind_the_key(void **state)
{
	struct rig *r = *state;
	struct call *c = keyed(r, "k", "{\"to\":\"491511\"}");

	CHECK_INT("refused", 400, c->status);
	c = keyed(r, "k", RIG_TEXT("491511", "hi"));
	RIG_UNTIL(r, c->done);
	CHECK_INT("accepted", 200, c->status);
	/* and those at release, which come after the commit */
	rig_customer(r, "491512", 25 * 3600 * 1000);
	c = keyed(r, "w", RIG_TEXT("491512", "hi"));
	RIG_UNTIL(r, c->done);
	assert_string_equal(c->refused, "window");
	rig_customer(r, "491512", 0);
	c = keyed(r, "w", RIG_TEXT("491512", "hi"));
	RIG_UNTIL(r, c->done);
	CHECK_INT("accepted", 200, c->status);
}

/* The message came from the store, so its key was never in memory. */
static void a_refusal_after_a_restart_frees_the_key(void **state)
{
	struct rig *r = *state;
	struct outbox_submit s = rig_call(RIG_TEXT("491512", "hi"));
	struct call *c;

	r->settings.lifetime_ms = 72LL * 3600 * 1000;
	rig_restart(r);
	rig_customer(r, "491512", 23 * 3600 * 1000);
	graph_next(&r->graph, (struct graph_step){ GRAPH_ERROR, 500, 131057, NULL });
	(void)rig_send(r, RIG_TEXT("491511", "the number pauses"));
	RIG_UNTIL(r, graph_count(&r->graph) == 1);
	s.idempotency_key = STR("w");
	s.respond_async = true;
	c = rig_submit(r, s);
	RIG_UNTIL(r, c->done && !rig_is(r, c, "sending"));
	CHECK_INT("accepted", 202, c->status);
	clock_advance(&r->k.clock, 2 * 3600 * 1000 * NS_PER_MS);
	rig_restart(r);
	RIG_UNTIL(r, rig_is(r, c, "rejected"));
	rig_restart(r);
	rig_customer(r, "491512", 0);
	c = keyed(r, "w", RIG_TEXT("491512", "another"));
	RIG_UNTIL(r, c->done);
	CHECK_INT("a new message", 200, c->status);
	c = keyed(r, "w", RIG_TEXT("491512", "hi"));
	RIG_UNTIL(r, c->done);
	CHECK_INT("which holds the key", 422, c->status);
}

static void a_blocked_account_frees_the_keys_of_what_never_left(void **state)
{
	struct rig *r = *state;
	struct call *first, *behind, *c;

	graph_next(&r->graph, (struct graph_step){ .act = GRAPH_HOLD });
	first = rig_send(r, RIG_TEXT("491519", "holds its lane"));
	RIG_UNTIL(r, graph_count(&r->graph) == 1);
	behind = keyed(r, "behind", RIG_TEXT("491519", "waits in the lane"));
	rig_quiet(r, 30);
	graph_next(&r->graph, (struct graph_step){ GRAPH_ERROR, 401, 190, NULL });
	c = keyed(r, "sent", RIG_TEXT("491511", "Meta refused it"));
	RIG_UNTIL(r, c->done && behind->done);
	CHECK_INT("never left", 401, behind->status);
	graph_release(&r->graph);
	RIG_UNTIL(r, first->done);
	rig_restart(r); /* as after a new token: the pause is over */
	behind = keyed(r, "behind", RIG_TEXT("491519", "another body"));
	RIG_UNTIL(r, behind->done);
	CHECK_INT("a new message", 200, behind->status);
	c = keyed(r, "sent", RIG_TEXT("491511", "Meta refused it"));
	RIG_UNTIL(r, c->done);
	CHECK_INT("Meta's word stays", 401, c->status);
	CHECK_INT("three in all", 3, graph_count(&r->graph));
}

/* ---- guards ---- */

static void the_window_guard(void **state)
{
	struct rig *r = *state;
	struct call *c;
	struct rig_row row;

	c = rig_send(r, RIG_TEXT("491513", "no record"));
	RIG_UNTIL(r, c->done);
	CHECK_INT("unknown customers pass", 200, c->status);
	rig_customer(r, "491511", 25 * 3600 * 1000);
	c = rig_send(r, RIG_TEXT("+491511", "hi"));
	RIG_UNTIL(r, c->done);
	CHECK_INT("status", 400, c->status);
	assert_string_equal(c->refused, "window");
	assert_true(rig_has(c->body, "\"code\":131047"));
	CHECK_INT("nothing was sent", 1, graph_count(&r->graph));
	row = rig_row(r, &c->message);
	assert_string_equal(row.state, "rejected");
	CHECK_INT("no try", 0, row.tries);
	c = rig_send(r, RIG_TEMPLATE("491511"));
	RIG_UNTIL(r, c->done);
	CHECK_INT("a template passes", 200, c->status);
	rig_customer(r, "491511", 0);
	c = rig_send(r, RIG_TEXT("491511", "hi"));
	RIG_UNTIL(r, c->done);
	CHECK_INT("open again", 200, c->status);
}

static void a_window_that_opens_while_we_wait(void **state)
{
	struct rig *r = *state;
	struct call *first, *second;

	rig_customer(r, "491511", 23 * 3600 * 1000);
	graph_next(&r->graph, (struct graph_step){ .act = GRAPH_HOLD });
	first = rig_send(r, RIG_TEXT("491511", "one"));
	RIG_UNTIL(r, graph_count(&r->graph) == 1);
	second = rig_send(r, RIG_TEXT("491511", "two")); /* behind the first */
	rig_quiet(r, 20);
	rig_advance(r, 2 * 3600 * 1000); /* the window closes ... */
	rig_customer(r, "491511", 0); /* ... and opens */
	graph_release(&r->graph);
	RIG_UNTIL(r, first->done && second->done);
	CHECK_INT("second", 200, second->status);
}

/* ---- quoted messages of ours ---- */

static const char *quoting(struct rig *r, const char *to, const struct id *id)
{
	char text[ID_TEXT_MAX];

	id_text(ID_MESSAGE, id, text);
	return kit_str(&r->k,
		       "{\"messaging_product\":\"whatsapp\",\"to\":\"%s\",\"context\":{"
		       "\"message_id\":\"%s\"}}",
		       to, text)
		.ptr;
}

static void quoted_before_it_has_its_answer(void **state)
{
	struct rig *r = *state;
	struct call *first, *second;
	struct graph_seen seen;

	graph_next(&r->graph, (struct graph_step){ .act = GRAPH_HOLD });
	first = rig_send_async(r, RIG_TEXT("491511", "one"));
	RIG_UNTIL(r, first->done && graph_count(&r->graph) == 1);
	second = rig_send(r, quoting(r, "491511", &first->message));
	rig_quiet(r, 30);
	CHECK_INT("the lane holds it", 1, graph_count(&r->graph));
	graph_release(&r->graph);
	RIG_UNTIL(r, second->done);
	CHECK_INT("status", 200, second->status);
	seen = graph_seen(&r->graph, 1);
	assert_true(rig_has(seen.body, "\"context\":{\"message_id\":\"wamid.1\"}"));
}

static void what_cannot_be_quoted(void **state)
{
	struct rig *r = *state;
	struct id nobody = { { 1, 2, 3 } };
	struct call *rejected, *sent, *c;

	graph_next(&r->graph, (struct graph_step){ GRAPH_ERROR, 400, 131030, NULL });
	rejected = rig_send(r, RIG_TEXT("491511", "one"));
	RIG_UNTIL(r, rejected->done);
	sent = rig_send(r, RIG_TEXT("491511", "two"));
	RIG_UNTIL(r, sent->done);
	c = rig_send(r, quoting(r, "491511", &nobody));
	RIG_UNTIL(r, c->done);
	CHECK_INT("no such", 400, c->status);
	assert_true(rig_has(c->body, "there is no message"));
	c = rig_send(r, quoting(r, "491511", &rejected->message));
	RIG_UNTIL(r, c->done);
	assert_true(rig_has(c->body, "is rejected"));
	c = rig_send(r, quoting(r, "491512", &sent->message));
	RIG_UNTIL(r, c->done);
	assert_true(rig_has(c->body, "another recipient"));
	CHECK_INT("two left", 2, graph_count(&r->graph));
	c = rig_send(r, quoting(r, "491511", &sent->message));
	RIG_UNTIL(r, c->done);
	CHECK_INT("the accepted one can", 200, c->status);
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, rig_set_up, rig_tear_down)
	const struct CMUnitTest tests[] = {
		WITH(accepted_is_metas_answer),
		WITH(a_path_without_version_gets_the_accounts),
		WITH(rejected_is_metas_answer),
		WITH(an_unlisted_code_is_counted),
		WITH(respond_async),
		WITH(wait_max_is_202),
		WITH(a_refusal_after_202_is_an_event),
		WITH(the_callers_opaque_value_stays_here),
		WITH(refused_at_the_door),
		WITH(long_things_are_refused),
		WITH(a_full_queue_is_503),
		cmocka_unit_test(what_bypasses_the_outbox),
		WITH(one_message_for_one_key),
		WITH(another_body_does_not_take_the_key_on_its_way),
		WITH(scope_of_a_key),
		WITH(replay_of_a_rejection),
		WITH(a_replay_waits_for_the_earlier_one),
		WITH(refusals_do_not_bind_the_key),
		WITH(a_refusal_after_a_restart_frees_the_key),
		WITH(a_blocked_account_frees_the_keys_of_what_never_left),
		WITH(the_window_guard),
		WITH(a_window_that_opens_while_we_wait),
		WITH(quoted_before_it_has_its_answer),
		WITH(what_cannot_be_quoted),
	};

	return cmocka_run_group_tests_name("outbox", tests, NULL, NULL);
}
