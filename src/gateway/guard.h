/* SPDX-License-Identifier: MIT */
/*
 * guard.h - what must hold when a message is released (design.md 5.10)
 *
 * Only what we know is refused; what we do not know passes, and Meta decides.
 */
#ifndef GATEWAY_GUARD_H
#define GATEWAY_GUARD_H

#include "gateway/number_fact.h"
#include "gateway/outq.h"
#include "gateway/refusal.h"
#include "gateway/template_fact.h"

/* What the guards look at. */
struct guard_facts {
	const struct outq_entry *entry;
	int64_t window_ms; /* when the customer last opened the window; 0: no record */
	int64_t now_ms; /* wall */
	bool opted_out; /* the customer wants no marketing */
	const struct number_fact *number; /* of the number it leaves by; NULL: not known */
	const struct template_fact *template_; /* of the template it sends; NULL: not known */
};

/* True: it may go.  False: r says which guard refused it and why. */
bool guards_pass(const struct guard_facts *f, struct refusal *r);

#endif
