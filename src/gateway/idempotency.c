/* SPDX-License-Identifier: MIT */
/*
 * idempotency.c - keys in flight
 *
 * The path is taken as the caller wrote it, version and all: a call that
 * differs in it is another call.  Refusals at the door and 503 come before the
 * commit and are never bound; what Godwit refuses later is freed by the commit
 * that records the refusal (outq_move.unbinds), here when that is through.  A
 * message that was loaded at a start has its key in the store alone.
 * TESTS  tests/unit/test_idempotency.c, tests/unit/test_outbox.c
 */
#include "gateway/idempotency.h"

#include "base/buf.h"
#include "base/mac.h"
#include "base/map.h"
#include "base/mem.h"

struct idempotency {
	struct map *by_hash;
};

struct idempotency *idempotency_new(void)
{
	struct idempotency *i = xcalloc(1, sizeof(*i));

	i->by_hash = map_new();
	return i;
}

void idempotency_free(struct idempotency *i)
{
	if (i == NULL)
		return;
	map_free(i->by_hash);
	free(i);
}

void idempotency_hash(const struct id *key_id, struct str target, struct str header,
		      unsigned char out[32])
{
	struct str path = target;
	struct buf b;
	size_t at;

	if (str_find_char(target, '?', &at))
		path = str_slice(target, 0, at);
	buf_init(&b, ID_BYTES + path.len + 1 + header.len);
	buf_put(&b, key_id->bytes, ID_BYTES);
	buf_put_str(&b, path);
	buf_put_char(&b, '\0');
	buf_put_str(&b, header);
	ASSERT(!buf_failed(&b));
	sha256(buf_str(&b), out);
	buf_release(&b);
}

static struct str key_of(const unsigned char hash[32])
{
	return str_make((const char *)hash, 32);
}

struct outq_entry *idempotency_find(const struct idempotency *i, const unsigned char hash[32])
{
	return map_get(i->by_hash, key_of(hash));
}

void idempotency_bind(struct idempotency *i, struct outq_entry *e)
{
	ASSERT(e->has_idempotency);
	ASSERT(map_set(i->by_hash, key_of(e->idempotency), e) == NULL);
}

void idempotency_drop(struct idempotency *i, struct outq_entry *e)
{
	if (e->has_idempotency)
		ASSERT(map_remove(i->by_hash, key_of(e->idempotency)) == e);
	e->has_idempotency = false;
}

void idempotency_differs(struct refusal *r)
{
	(void)refuse(r, REFUSAL_IDEMPOTENCY, 100,
		     "this Idempotency-Key was used with another body in the last seven days; use "
		     "a new key for a new message");
	r->status = 422;
}
