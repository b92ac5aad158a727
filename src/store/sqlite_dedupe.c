/* SPDX-License-Identifier: MIT */
/*
 * sqlite_dedupe.c - the newest dedupe keys in memory, all others in a table
 *
 * ROLE        The keys of one second are random among each other.  Put into their table with each
 *             commit they were half of the pages that it wrote; put there in sorted runs they are
 *             next to nothing (docs/decisions/013).  What makes a key durable is the row of its
 *             event, which is written at the right edge and carries the key.
 *
 *   dedupe_add() -> fresh (order of arrival, hashed) -> sealed (sorted) -> the table
 *                                                        a few with each commit
 *
 * RUN         Keys go to the table in the order of their seconds, so those of the newest second go
 *             last, when the run is nearly through.  Where that takes over a second, a key of now
 *             is newer than everything in the table, and is looked for in memory alone; at higher
 *             rates, and for ever after an event that was dated in the future, it costs a look-up.
 *
 * INVARIANTS  1. A key is in fresh, in sealed or in the table from the moment it is claimed: it is
 *                looked for in all three.
 *             2. dedupe_mark never passes an event whose key is not in the table; a start reads the
 *                keys behind it from the events.  Runs cover rows without a gap, and the mark moves
 *                when a run is in the table whole, in the same transaction as its last key.
 *             3. Fresh is undone from its end only (rows grow), and sealed holds nothing that
 *                could be rolled back: runs are sealed when nothing but COMMIT follows.
 *             4. Each commit brings twice as many keys to the table as it claimed, so a run is gone
 *                before the next is full.  Should fresh be full even so (one commit of thousands),
 *                keys go to the table at once.
 * COST        32 bytes for each of 4 x run keys, as many slots of 4 bytes, and 32 bytes x 2 run
 *             while a run is sorted: for a run of 32,768 6.5 MiB at most, and a pause of 5 ms.
 * THREADS     the store thread
 * TESTS       tests/unit/test_store_dedupe.c
 */
#include "store/sqlite_dedupe.h"

#include "store/sqlite_int.h"

#include "base/mem.h"

struct key {
	int64_t second, event;
	unsigned char hash[KEY_BYTES];
};

struct dedupe {
	size_t run;
	struct key *fresh; /* 2 * run, by event */
	size_t fresh_count, claimed; /* claimed: since dedupe_settle() */
	uint32_t *slots; /* of fresh: its index + 1, found by the hash; 0: free */
	size_t slot_count;
	struct key *sealed; /* by second and hash */
	size_t sealed_count, sealed_done;
	int64_t sealed_last; /* the greatest event of it */
	int64_t settled; /* the mark */
	int64_t newest_s; /* in the table nothing is newer */
};

struct dedupe *dedupe_new(size_t run)
{
	struct dedupe *d = xcalloc(1, sizeof(*d));

	ASSERT(run > 0 && (run & (run - 1)) == 0);
	d->run = run;
	d->fresh = xtable(2 * run, sizeof(*d->fresh));
	d->sealed = xtable(2 * run, sizeof(*d->sealed));
	d->slot_count = 4 * run;
	d->slots = xtable(d->slot_count, sizeof(*d->slots));
	d->newest_s = INT64_MIN;
	return d;
}

void dedupe_free(struct dedupe *d)
{
	if (d == NULL)
		return;
	xtable_free(d->fresh, 2 * d->run, sizeof(*d->fresh));
	xtable_free(d->sealed, 2 * d->run, sizeof(*d->sealed));
	xtable_free(d->slots, d->slot_count, sizeof(*d->slots));
	free(d);
}

int64_t dedupe_settled(const struct dedupe *d)
{
	return d->settled;
}

/* ---- in memory */

static int by_key(const void *a, const void *b)
{
	const struct key *x = a, *y = b;

	if (x->second != y->second)
		return x->second < y->second ? -1 : 1;
	return memcmp(x->hash, y->hash, KEY_BYTES);
}

/* Where the key is among the slots of fresh, or the free one where it belongs. */
static size_t slot_of(const struct dedupe *d, const struct key *key)
{
	size_t at;
	uint64_t spread;

	memcpy(&spread, key->hash, sizeof(spread)); /* as good as random already */
	for (at = spread & (d->slot_count - 1); d->slots[at] != 0;
	     at = (at + 1) & (d->slot_count - 1))
		if (by_key(&d->fresh[d->slots[at] - 1], key) == 0)
			break;
	return at;
}

static void remember(struct dedupe *d, const struct key *key)
{
	size_t at = slot_of(d, key);

	ASSERT(d->slots[at] == 0 && d->fresh_count < 2 * d->run);
	ASSERT(d->fresh_count == 0 || key->event > d->fresh[d->fresh_count - 1].event);
	d->fresh[d->fresh_count++] = *key;
	d->slots[at] = (uint32_t)d->fresh_count;
}

static bool is_full(const struct dedupe *d)
{
	return d->fresh_count == 2 * d->run;
}

static bool in_memory(const struct dedupe *d, const struct key *key)
{
	return d->slots[slot_of(d, key)] != 0 ||
	       (d->sealed_count > 0 &&
		bsearch(key, d->sealed, d->sealed_count, sizeof(*key), by_key) != NULL);
}

void dedupe_forget(struct dedupe *d, int64_t from)
{
	while (d->fresh_count > 0 && d->fresh[d->fresh_count - 1].event >= from) {
		/* The last one in is at the end of its chain: nothing was placed past it. */
		d->slots[slot_of(d, &d->fresh[d->fresh_count - 1])] = 0;
		d->fresh_count--;
	}
}

static void seal(struct dedupe *d)
{
	struct key *empty = d->sealed;

	ASSERT(d->sealed_count == 0 && d->fresh_count > 0);
	d->sealed = d->fresh;
	d->sealed_count = d->fresh_count;
	d->sealed_done = 0;
	d->sealed_last = d->fresh[d->fresh_count - 1].event;
	d->fresh = empty;
	d->fresh_count = 0;
	memset(d->slots, 0, d->slot_count * sizeof(*d->slots));
	qsort(d->sealed, d->sealed_count, sizeof(*d->sealed), by_key);
}

/* ---- the table */

static gw_status in_table(struct writer *w, const struct key *key, bool *out)
{
	sqlite3_stmt *st = sql_use(&w->sql, SQL_DEDUPE_HAS);
	struct bind b = { st, 0 };
	gw_status status;

	*out = false;
	if (key->second > w->dedupe->newest_s)
		return GW_OK;
	bind_i64(&b, key->second);
	bind_blob(&b, key->hash, KEY_BYTES);
	status = sql_step(&w->sql, st, out);
	sql_done(st);
	return status;
}

static gw_status to_table(struct writer *w, const struct key *key)
{
	sqlite3_stmt *st = sql_use(&w->sql, SQL_DEDUPE_ADD);
	struct bind b = { st, 0 };

	bind_i64(&b, key->second);
	bind_blob(&b, key->hash, KEY_BYTES);
	bind_i64(&b, key->event);
	if (key->second > w->dedupe->newest_s)
		w->dedupe->newest_s = key->second;
	return sql_run(&w->sql, st);
}

static gw_status move_mark(struct writer *w, int64_t event)
{
	sqlite3_stmt *st = sql_use(&w->sql, SQL_DEDUPE_MARK);

	bind_i64(&(struct bind){ st, 0 }, event);
	w->dedupe->settled = event;
	return sql_run(&w->sql, st);
}

static gw_status settle(struct writer *w, size_t at_most)
{
	struct dedupe *d = w->dedupe;
	gw_status status = GW_OK;

	for (; status == GW_OK && at_most > 0 && d->sealed_done < d->sealed_count; at_most--)
		status = to_table(w, &d->sealed[d->sealed_done++]);
	if (status != GW_OK || d->sealed_done < d->sealed_count)
		return status;
	/* With nothing in memory the table has all, those too that went there at once (inv. 4). */
	if (d->fresh_count == 0)
		d->sealed_last = w->next_event - 1;
	d->sealed_count = d->sealed_done = 0;
	return d->sealed_last > d->settled ? move_mark(w, d->sealed_last) : GW_OK;
}

gw_status dedupe_settle(struct writer *w)
{
	struct dedupe *d = w->dedupe;
	size_t share = 2 * d->claimed; /* inv. 4 */

	d->claimed = 0;
	if (d->sealed_count == 0 && d->fresh_count >= d->run)
		seal(d);
	return settle(w, share);
}

gw_status dedupe_settle_all(struct writer *w, size_t at_most)
{
	struct dedupe *d = w->dedupe;

	if (d->sealed_count == 0 && d->fresh_count > 0)
		seal(d);
	return settle(w, at_most);
}

gw_status dedupe_add(struct writer *w, int64_t second, const unsigned char hash[KEY_BYTES],
		     int64_t event, bool *out_new)
{
	struct dedupe *d = w->dedupe;
	struct key key = { .second = second, .event = event };
	gw_status status = GW_OK;
	bool has;

	memcpy(key.hash, hash, KEY_BYTES);
	has = in_memory(d, &key);
	if (!has)
		status = in_table(w, &key, &has); /* inv. 1 */
	*out_new = status == GW_OK && !has;
	if (!*out_new)
		return status;
	d->claimed++;
	if (is_full(d))
		return to_table(w, &key);
	remember(d, &key);
	return GW_OK;
}

/* ---- a start */

static gw_status load_one(struct writer *w, struct cols *c)
{
	struct dedupe *d = w->dedupe;
	struct key key = { .event = col_i64(c) };
	struct str hash;

	key.second = col_i64(c);
	hash = col_str(c);
	if (hash.len != KEY_BYTES)
		return GW_OK; /* a hand did that; sqlite_check.c finds it */
	memcpy(key.hash, hash.ptr, KEY_BYTES);
	if (in_memory(d, &key))
		return GW_OK;
	if (is_full(d) && d->sealed_count == 0)
		seal(d);
	if (is_full(d))
		return to_table(w, &key); /* where it is already, or another is (inv. 4) */
	remember(d, &key);
	return GW_OK;
}

static gw_status load_all(struct writer *w)
{
	sqlite3_stmt *st = sql_use(&w->sql, SQL_DEDUPE_UNSETTLED);
	gw_status status;
	bool found;

	bind_i64(&(struct bind){ st, 0 }, w->dedupe->settled);
	while ((status = sql_step(&w->sql, st, &found)) == GW_OK && found) {
		struct cols c = { st, 0 };

		status = load_one(w, &c);
		if (status != GW_OK)
			break;
	}
	sql_done(st);
	return status;
}

gw_status dedupe_load(struct writer *w)
{
	gw_status status = sql_run(&w->sql, sql_use(&w->sql, SQL_BEGIN));

	if (status == GW_OK)
		status = sql_ask(&w->sql, sql_use(&w->sql, SQL_DEDUPE_MARKED), &w->dedupe->settled,
				 NULL);
	if (status == GW_OK)
		status = sql_ask(&w->sql, sql_use(&w->sql, SQL_DEDUPE_NEWEST), &w->dedupe->newest_s,
				 NULL);
	if (status == GW_OK)
		status = load_all(w);
	if (status == GW_OK)
		status = sql_run(&w->sql, sql_use(&w->sql, SQL_COMMIT));
	return status;
}
