/* SPDX-License-Identifier: MIT */
/*
 * guard.c - the list of guards, asked in order at the moment of release
 *
 * A guard is one row of guards[] and one function that returns true or fills
 * the refusal.  Template state, portfolio limit and number status are
 * further rows, before or after the window as their refusals should win.
 * TESTS  tests/unit/test_guard.c
 */
#include "gateway/guard.h"

#include "gateway/conversation.h"

/*
 * Free-form messages only within 24 hours of the customer's last message
 * (cloud-api.md 6.1, 6.2).  Meta accepts them and then fails them
 * with 131047; a customer of whom there is no record may be written to.
 */
static bool window_is_open(const struct guard_facts *f, struct refusal *r)
{
	char since[CLOCK_RFC3339_MAX];

	if (str_eq(f->entry->kind, STR("template")) || f->window_ms == 0 ||
	    f->now_ms - f->window_ms <= WINDOW_MS)
		return true;
	clock_format_ms(f->window_ms, since);
	return refuse(r, REFUSAL_WINDOW, 131047,
		      "the customer last wrote at %s, more than 24 hours ago; send a template, or "
		      "wait until the customer writes again",
		      since);
}

/*
 * Marketing only to those who did not opt out (cloud-api.md 6.6).  What is
 * marketing says the class of the message (send_read.c); all else goes on, a
 * reply in an open window among it.
 */
static bool is_wanted(const struct guard_facts *f, struct refusal *r)
{
	if (!f->opted_out || f->entry->class_ != OUTQ_MARKETING)
		return true;
	return refuse(r, REFUSAL_CONSENT, 131050,
		      "the customer opted out of marketing messages; send none until the customer "
		      "writes START or opts in again (godwit contact get shows the record)");
}

static bool (*const guards[])(const struct guard_facts *f, struct refusal *r) = {
	is_wanted,
	window_is_open,
};

bool guards_pass(const struct guard_facts *f, struct refusal *r)
{
	for (size_t i = 0; i < ARRAY_LEN(guards); i++) {
		if (!guards[i](f, r))
			return false;
	}
	return true;
}
