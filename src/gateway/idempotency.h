/* SPDX-License-Identifier: MIT */
/*
 * idempotency.h - one message per Idempotency-Key, also while the first is under way
 *
 * The store binds a key to a message in the commit that accepts it (7 days).
 * Here are the keys of messages in memory, from the moment the first call
 * came, so that concurrent calls attach to it (design.md 5.4).
 *
 * THREADS  the loop's
 */
#ifndef GATEWAY_IDEMPOTENCY_H
#define GATEWAY_IDEMPOTENCY_H

#include "gateway/outq.h"
#include "gateway/refusal.h"

struct idempotency;

struct idempotency *idempotency_new(void);
void idempotency_free(struct idempotency *i);

/* The scope of a key: API key, path without query, header. */
void idempotency_hash(const struct id *key_id, struct str target, struct str header,
		      unsigned char out[32]);
/* The message in memory that has this key; NULL: none. */
struct outq_entry *idempotency_find(const struct idempotency *i, const unsigned char hash[32]);
/* Bind e->idempotency to e, until idempotency_drop(). */
void idempotency_bind(struct idempotency *i, struct outq_entry *e);
void idempotency_drop(struct idempotency *i, struct outq_entry *e); /* has none: nothing */
/* The key was used with another body: 422. */
void idempotency_differs(struct refusal *r);

#endif
