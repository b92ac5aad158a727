/* SPDX-License-Identifier: MIT */
/*
 * classify.h - what one attempt proves (design.md 5.7, reliability.md 3.4 item 3)
 */
#ifndef GATEWAY_CLASSIFY_H
#define GATEWAY_CLASSIFY_H

#include "base/arena.h"
#include "gateway/metrics.h"
#include "gateway/outq.h"
#include "net/http_client.h"

#define WAMID_MAX 256 /* bytes; the same as GW_WAMID_MAX of webhook.h */

/* What else must slow down or stop. */
enum verdict_effect {
	EFFECT_NONE,
	EFFECT_RATE, /* the number: slower (130429) */
	EFFECT_PAIR, /* the pair: blocked (131056) */
	EFFECT_PAUSE, /* the number: nothing for pause_ms */
	EFFECT_ACCOUNT, /* the account: a person must act */
	EFFECT_UNREACHABLE, /* Meta cannot be reached: the number pauses, longer each time */
};

struct verdict {
	enum metric_outcome outcome;
	enum outq_state to; /* ACCEPTED, REJECTED, WAITING or UNKNOWN */
	enum verdict_effect effect;
	int64_t pause_ms; /* EFFECT_PAUSE */
	int64_t base_ms, max_ms; /* WAITING: first delay; longest, 0: retry_max */
	bool burns; /* the attempt is used up */
	bool unlisted; /* a code that is in nobody's table */
	int http_status, code, subcode;
	char wamid[WAMID_MAX + 1]; /* ACCEPTED */
	char why[GW_ERROR_MESSAGE_MAX]; /* one sentence for the trail */
};

/*
 * server_errors_prove_nothing is the switch of the assumption about 1, 2,
 * 131016 and 133004 (docs/assumptions.md).  The arena is scratch.
 */
void classify(const struct http_outcome *o, bool server_errors_prove_nothing, struct arena *a,
	      struct verdict *out);

#endif
