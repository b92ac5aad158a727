/* SPDX-License-Identifier: MIT */
/* customer_int.h - shared by customer.c and customer_say.c */
#ifndef SANDBOX_CUSTOMER_INT_H
#define SANDBOX_CUSTOMER_INT_H

#include "base/map.h"
#include "sandbox/customer.h"

#define SEEDED_PHONE "5571990000001"
#define WINDOW_NS (INT64_C(24) * 3600 * NS_PER_S) /* cloud-api.md 6.1 */

TAILQ_HEAD(customer_list, customer);

struct customers {
	struct customer_list list; /* owner */
	struct map *by_phone; /* digits -> struct customer */
	struct map *by_user_id; /* the same */
	struct map *inbound; /* wamid -> its copy in ring[] */
	char **ring; /* the last SANDBOX_INBOUND_MAX wamids */
	size_t ring_at;
	uint64_t inbound_count;
};

#endif
