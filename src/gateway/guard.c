/* SPDX-License-Identifier: MIT */
/*
 * guard.c - the list of guards, asked in order at the moment of release
 *
 * A guard is one row of guards[] and one function that returns true or fills
 * the refusal.  The portfolio limit is a further row, before or after the window as
 * its refusal should win.
 * TESTS  tests/unit/test_guard.c
 */
#include "gateway/guard.h"

#include "gateway/conversation.h"

/*
 * A number that Meta lets send nothing (cloud-api.md 4.2): we asked within the last
 * two hours, and who refuses has it asked again (dispatch.c).
 */
static bool is_there(const struct guard_facts *f, struct refusal *r)
{
	int code = 0;
	const char *why = f->number == NULL ? NULL : number_fact_stops(f->number, f->now_ms, &code);

	if (why == NULL)
		return true;
	return refuse(r, REFUSAL_NUMBER, code,
		      "Meta calls the number it leaves by %s: %s (godwit explain %s)",
		      f->number->status, why, f->number->status);
}

/*
 * Free-form messages only within 24 hours of the customer's last message
 * (cloud-api.md 6.1, 6.2).  Meta accepts them and then fails them
 * with 131047; a customer of whom there is no record may be written to, but not
 * with a list: what fails one by one costs a number its quality.
 */
static bool window_is_open(const struct guard_facts *f, struct refusal *r)
{
	char since[CLOCK_RFC3339_MAX];

	if (str_eq(f->entry->kind, STR("template")))
		return true;
	if (f->window_ms == 0 && f->entry->batch_line != 0)
		return refuse(r, REFUSAL_WINDOW, 131047,
			      "a text to a list goes to customers with an open window only, and of "
			      "this one no message is known; send a template");
	if (f->window_ms == 0 || f->now_ms - f->window_ms <= WINDOW_MS)
		return true;
	clock_format_ms(f->window_ms, since);
	return refuse(r, REFUSAL_WINDOW, 131047,
		      "the customer last wrote at %s, more than 24 hours ago; send a template, or "
		      "wait until the customer writes again",
		      since);
}

/*
 * Marketing only to those who did not opt out (cloud-api.md 6.6).  What is
 * marketing says the class of the message (send_read.c) or the category that
 * Meta gave the template; all else goes on, a reply in an open window among it.
 */
static bool is_wanted(const struct guard_facts *f, struct refusal *r)
{
	bool marketing = f->entry->class_ == OUTQ_MARKETING ||
			 (f->template_ != NULL && f->template_->category == TEMPLATE_MARKETING);

	if (!f->opted_out || !marketing)
		return true;
	return refuse(r, REFUSAL_CONSENT, 131050,
		      "the customer opted out of marketing messages; send none until the customer "
		      "writes START or opts in again (godwit contact get shows the record)");
}

#define PAUSE_MS (INT64_C(6) * 3600 * 1000) /* the longest pause, cloud-api.md 6.6 */

/*
 * A template that Meta would not send: it says so with these codes (cloud-api.md
 * 7).  A pause ends by itself, so one of which we have not heard for as long
 * as the longest takes is Meta's to judge.
 */
static bool is_sendable(const struct guard_facts *f, struct refusal *r)
{
	const struct template_fact *t = f->template_;

	if (t == NULL || t->state == TEMPLATE_SENDABLE)
		return true;
	if (t->state == TEMPLATE_PAUSED)
		return f->now_ms - t->updated_ms >= PAUSE_MS ||
		       refuse(r, REFUSAL_TEMPLATE, 132015,
			      "Meta has paused this template for its quality; send another one, "
			      "or wait until the pause is over (three hours, then six)");
	if (t->state == TEMPLATE_DISABLED)
		return refuse(r, REFUSAL_TEMPLATE, 132016,
			      "Meta has disabled this template for good; send another one");
	return refuse(r, REFUSAL_TEMPLATE, 132001,
		      "this template was rejected or deleted in this language; mend it and have "
		      "it reviewed again, or send another one");
}

static bool (*const guards[])(const struct guard_facts *f, struct refusal *r) = {
	is_there,
	is_wanted,
	is_sendable,
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
