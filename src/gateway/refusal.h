/* SPDX-License-Identifier: MIT */
/*
 * refusal.h - a refusal of ours in the shape of Meta's error, so that SDKs understand it
 *
 *   {"error":{"message":"(#131047) Re-engagement message","type":"OAuthException",
 *     "code":131047,"error_data":{"messaging_product":"whatsapp",
 *     "details":"Godwit refused this message: ..."},"fbtrace_id":"godwit"}}
 */
#ifndef GATEWAY_REFUSAL_H
#define GATEWAY_REFUSAL_H

#include "base/buf.h"
#include "base/id.h"
#include "base/log.h"
#include "gateway/metrics.h"

#define REFUSAL_BODY_MAX 8192 /* bytes of the composed answer */

struct refusal {
	int status; /* HTTP */
	int code, subcode; /* Meta's; subcode 0: none */
	const char *title; /* Meta's words for the code; static */
	const char *reason; /* header Godwit-Refused, and the trail: "window", "invalid", ... */
	enum metric_refusal metric;
	unsigned retry_after_s; /* 0: none */
	char details[640]; /* why, and the way out; says that Godwit refused */
};

/* Fill it.  fmt says why in one sentence; "Godwit refused this message: " goes before it.
 * Returns false, so that a check can end with `return refuse(...)`. */
bool refuse(struct refusal *r, enum metric_refusal metric, int code, const char *fmt, ...)
	GW_PRINTF(4, 5);
/* The answer's body; its details end with what the catalogue says of the code. */
void refusal_put(struct buf *out, const struct refusal *r);
/* One line, without what came from the caller; message NULL: it has no id yet. */
void refusal_log(const struct log *log, const struct id *message, const struct refusal *r);
/* Is this stored answer one of ours? */
bool refusal_is_ours(struct str answer);

#endif
