/* SPDX-License-Identifier: MIT */
/*
 * delivery.h - an accepted message on its way, and the statuses it gives
 *
 * acceptance -> sent -> delivered -> read (-> played), or -> failed; each is
 * due at a time of the moved clock and carries that time even when the clock
 * jumped past it.
 */
#ifndef SANDBOX_DELIVERY_H
#define SANDBOX_DELIVERY_H

#include "sandbox/customer.h"
#include "sandbox/template.h"

enum status_kind {
	STATUS_SENT,
	STATUS_DELIVERED,
	STATUS_READ,
	STATUS_PLAYED,
	STATUS_FAILED,
	STATUS_NKINDS
};

const char *delivery_status_word(enum status_kind kind);
bool delivery_status_of(struct str word, enum status_kind *out);

/* What decides how a message fares. */
struct delivery_order {
	struct number *number;
	struct customer *customer;
	const struct sent_message *message;
	const struct template *template; /* NULL: free-form */
	bool by_user_id; /* addressed by BSUID */
	bool is_reaction; /* gives only sent */
	bool is_voice; /* gives played too */
	int fail_code; /* 0: it arrives */
	const char *fail_details; /* static */
};

void delivery_start(struct world *w, const struct delivery_order *o);
/* Stop everything under way (reset, end). */
void delivery_drop_all(struct world *w);

/* A status by hand, for a message still kept; now, once. */
void delivery_tell(struct world *w, const struct sent_message *m, enum status_kind kind, int code,
		   const char *details);

#endif
