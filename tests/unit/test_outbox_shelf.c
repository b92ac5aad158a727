/* SPDX-License-Identifier: MIT */
/* test_outbox_shelf.c - unknown messages in the store alone: found, resolved, counted, no burden */
#include "outbox_rig.h"

#include "gateway/outq.h"

#define LATER_MS (15 * 60 * 1000) /* more than it takes to be put away */

static struct call *an_unknown(struct rig *r, const char *policy)
{
	size_t before = rig_notices(r, "unknown");
	struct outbox_submit s = rig_call(kit_str(&r->k, RIG_TEXT("49159%zu", "x"), before).ptr);
	struct call *c;

	graph_next(&r->graph, (struct graph_step){ .act = GRAPH_CLOSE });
	s.respond_async = true;
	s.policy = str_from(policy);
	c = rig_submit(r, s);
	RIG_UNTIL(r, rig_notices(r, "unknown") == before + 1 && rig_is(r, c, "unknown"));
	return c;
}

static void told(void *cookie)
{
	*(bool *)cookie = true;
}

/* As api_messages.c does. */
static gw_status resolve(struct rig *r, const struct call *c, enum outbox_resolve how)
{
	bool fetched = false, done = false;
	gw_status st = outbox_resolve(r->outbox, &c->message, how, told, &done, NULL);

	if (st == GW_ENOTFOUND) {
		outbox_fetch(r->outbox, &c->message, told, &fetched);
		RIG_UNTIL(r, fetched);
		st = outbox_resolve(r->outbox, &c->message, how, told, &done, NULL);
	}
	if (st == GW_OK)
		RIG_UNTIL(r, done);
	return st;
}

static bool in_memory(struct rig *r, const struct call *c)
{
	struct gw_error err = GW_ERROR_INIT;

	/* a resolution that is refused for the state of an entry shows that there is one */
	return outbox_resolve(r->outbox, &c->message, OUTBOX_RESEND, NULL, NULL, &err) !=
	       GW_ENOTFOUND;
}

static void they_do_not_fill_the_queue(void **state)
{
	struct rig *r = *state;
	struct call *c;

	for (int i = 0; i < 3; i++)
		(void)an_unknown(r, "hold");
	r->settings.queue_max = 3;
	rig_restart(r);
	c = rig_send(r, RIG_TEXT("491511", "one too many"));
	RIG_UNTIL(r, c->done);
	CHECK_INT("full", 503, c->status);
	rig_advance(r, LATER_MS);
	c = rig_send(r, RIG_TEXT("491511", "room again"));
	RIG_UNTIL(r, c->done);
	CHECK_INT("taken", 200, c->status);
	CHECK_INT("counted", 3, rig_gauge(r, OUTQ_UNKNOWN));
	rig_restart(r);
	CHECK_INT("counted after a restart", 3, rig_gauge(r, OUTQ_UNKNOWN));
	c = rig_send(r, RIG_TEXT("491511", "nor are they loaded"));
	RIG_UNTIL(r, c->done);
	CHECK_INT("taken", 200, c->status);
}

static void a_status_finds_it(void **state)
{
	static const bool restart[] = { false, true };
	struct rig *r = *state;

	for (size_t i = 0; i < ARRAY_LEN(restart); i++) {
		struct call *c = an_unknown(r, "hold");

		rig_advance(r, LATER_MS);
		if (restart[i])
			rig_restart(r);
		assert_false(in_memory(r, c));
		rig_status(r, i, kit_str(&r->k, "wamid.%zu", i).ptr, "sent");
		rig_status(r, i, kit_str(&r->k, "wamid.%zu", i).ptr, "delivered");
		RIG_UNTIL(r, rig_is(r, c, "accepted"));
		assert_string_equal(rig_row(r, &c->message).wamid,
				    kit_str(&r->k, "wamid.%zu", i).ptr);
		CHECK_INT("told", i + 1, rig_notices(r, "accepted"));
		rig_status(r, i, kit_str(&r->k, "wamid.%zu", i).ptr, "read");
		rig_quiet(r, 30);
		CHECK_INT("counted", 0, rig_gauge(r, OUTQ_UNKNOWN));
	}
}

static void a_person_finds_it(void **state)
{
	static const struct {
		enum outbox_resolve how;
		const char *state;
		size_t sent;
	} ways[] = {
		{ OUTBOX_AS_SENT, "accepted", 1 },
		{ OUTBOX_EXPIRE, "expired", 2 },
		{ OUTBOX_RESEND, "accepted", 4 },
	};
	struct rig *r = *state;

	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		struct call *c = an_unknown(r, "hold");

		rig_advance(r, LATER_MS);
		CHECK_INT("shelved", 1, rig_gauge(r, OUTQ_UNKNOWN));
		CHECK_INT("resolved", GW_OK, resolve(r, c, ways[i].how));
		RIG_UNTIL(r, rig_is(r, c, ways[i].state));
		CHECK_INT("sent", ways[i].sent, graph_count(&r->graph));
		CHECK_INT("counted", 0, rig_gauge(r, OUTQ_UNKNOWN));
		CHECK_INT("once", GW_ENOTFOUND, resolve(r, c, ways[i].how));
	}
}

static void nobody_is_not_found(void **state)
{
	struct rig *r = *state;
	struct call nobody = { .message = { { 1 } } };

	CHECK_INT("none", GW_ENOTFOUND, resolve(r, &nobody, OUTBOX_AS_SENT));
	CHECK_INT("counted", 0, rig_gauge(r, OUTQ_UNKNOWN));
}

static void the_policies_end_it_with_its_life(void **state)
{
	static const char *const policies[] = { "resend", "expire" };
	struct rig *r = *state;

	for (size_t i = 0; i < ARRAY_LEN(policies); i++) {
		struct call *c = an_unknown(r, policies[i]);

		rig_advance(r, LATER_MS);
		assert_true(rig_is(r, c, "unknown"));
		rig_advance(r, INT64_C(25) * 3600 * 1000);
		RIG_UNTIL(r, rig_is(r, c, "expired"));
		CHECK_INT("counted", 0, rig_gauge(r, OUTQ_UNKNOWN));
		rig_status(r, i, "wamid.late", "sent");
		rig_quiet(r, 30);
		assert_true(rig_is(r, c, "expired"));
	}
	CHECK_INT("not sent again", ARRAY_LEN(policies), graph_count(&r->graph));
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, rig_set_up, rig_tear_down)
	const struct CMUnitTest tests[] = {
		WITH(they_do_not_fill_the_queue),
		WITH(a_status_finds_it),
		WITH(a_person_finds_it),
		WITH(nobody_is_not_found),
		WITH(the_policies_end_it_with_its_life),
	};

	return cmocka_run_group_tests_name("outbox_shelf", tests, NULL, NULL);
}
