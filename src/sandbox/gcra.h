/* SPDX-License-Identifier: MIT */
/* gcra.h - a token bucket as one time stamp (generic cell rate algorithm) */
#ifndef SANDBOX_GCRA_H
#define SANDBOX_GCRA_H

#include <godwit/types.h>

struct gcra {
	int64_t tat_ns; /* when the bucket would be full again; 0 or past: full */
};

/* Take one token at now_ns from a bucket of `burst` (> 0) that gains one every step_ns; false,
 * and nothing taken, when it is empty. */
static inline bool gcra_take(struct gcra *g, int64_t now_ns, int64_t step_ns, int64_t burst)
{
	int64_t tat = g->tat_ns > now_ns ? g->tat_ns : now_ns;

	if (tat - now_ns > (burst - 1) * step_ns)
		return false;
	g->tat_ns = tat + step_ns;
	return true;
}

/* Take one token even when there is none: what cannot be refused still counts. */
static inline void gcra_charge(struct gcra *g, int64_t now_ns, int64_t step_ns)
{
	g->tat_ns = (g->tat_ns > now_ns ? g->tat_ns : now_ns) + step_ns;
}

#endif
