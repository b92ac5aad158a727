/* SPDX-License-Identifier: MIT */
/*
 * sqlite_sweep.c - what has served its time goes, a little at a time
 *
 * ROLE        Once an hour, in transactions of at most 500 rows between commits: dedupe keys that
 *             are in memory go to their table; then there go dedupe keys after nine days,
 *             idempotency keys after seven, open deliveries of removed destinations, and what
 *             retention removes (sqlite_retain.c).
 * INVARIANTS  1. A dedupe key goes when both its second and the arrival of its event are older than
 *                the window.  Second alone would drop the keys of undated and of late events while
 *                Meta still repeats them.
 *             2. Arrival is told by the row: rows grow, and the id of an event holds its time.
 *             3. No step while the wall clock is not to be believed: where it gained more than an
 *                hour on the monotonic clock since the step before, STEADY_NS must pass without
 *                that happening again.  A false time of day would let keys go while Meta still
 *                repeats them.  A clock that is moved on purpose takes the monotonic one along
 *                (base/clock.h); a host that slept looks like a step and costs a later sweep.
 * LIMITS      A time of day that was false before the store was opened is not noticed.
 * THREADS     the store thread
 * TESTS       tests/unit/test_store_sweep.c
 */
#include "store/sqlite_int.h"

#define HOUR_NS (3600 * NS_PER_S)
#define STEP_NS (20 * NS_PER_MS) /* between steps: commits go first */
#define STEP_ROWS 500 /* as in sql.def */
#define STEADY_NS (12 * HOUR_NS) /* NTP or a person has noticed; a laptop is awake that long */
#define ROUNDS 24 /* sweeps after which retention walks from the beginning */

enum phase {
	SWEEP_IDLE,
	SWEEP_KEYS,
	SWEEP_DEDUPE,
	SWEEP_IDEMPOTENCY,
	SWEEP_REMOVED,
	SWEEP_MESSAGES,
	SWEEP_EVENTS
};

void sweep_id(int64_t before_ms, struct id *out)
{
	*out = (struct id){ { 0 } };
	for (int i = 5; i >= 0; i--) { /* ids begin with milliseconds, big-endian */
		out->bytes[i] = (uint8_t)before_ms;
		before_ms >>= 8;
	}
}

/* The newest event that arrived before the window. */
static gw_status find_cutoff(struct store *s)
{
	int64_t now_ms = clock_wall_ms(s->o.clock), before_ms = now_ms - DEDUPE_S * 1000;
	sqlite3_stmt *st = sql_use(&s->w.sql, SQL_SWEEP_BOUND);
	struct id before;
	gw_status status;
	bool found;

	sweep_id(before_ms, &before);
	bind_id(&(struct bind){ st, 0 }, &before);
	status = sql_step(&s->w.sql, st, &found);
	s->sweep.cutoff_s = now_ms / 1000 - DEDUPE_S;
	s->sweep.cutoff_event = 0;
	s->sweep.settle_event = s->w.next_event - 1;
	if (status == GW_OK && found) {
		s->sweep.cutoff_event = sqlite3_column_int64(st, 0);
		sql_done(st);
	}
	if (s->sweep.rounds++ % ROUNDS == 0)
		s->sweep.event = s->sweep.message = 0; /* what was held up may go now */
	s->sweep.second = INT64_MIN;
	memset(s->sweep.hash, 0, sizeof(s->sweep.hash));
	return status;
}

/* What is to go must be in the table first.  (Retention leaves the events of all other keys.) */
static gw_status settle_keys(struct store *s, bool *out_more)
{
	gw_status status = dedupe_settle_all(&s->w, STEP_ROWS);

	*out_more = dedupe_settled(s->w.dedupe) < s->sweep.settle_event;
	return status;
}

struct dedupe_row {
	int64_t second, event;
	unsigned char hash[16];
};

static gw_status read_keys(struct store *s, struct dedupe_row *rows, size_t *out_count)
{
	sqlite3_stmt *st = sql_use(&s->w.sql, SQL_SWEEP_DEDUPE_NEXT);
	struct bind b = { st, 0 };
	gw_status status;
	size_t count = 0;
	bool found;

	bind_i64(&b, s->sweep.second);
	bind_blob(&b, s->sweep.hash, sizeof(s->sweep.hash));
	bind_i64(&b, s->sweep.cutoff_s);
	while ((status = sql_step(&s->w.sql, st, &found)) == GW_OK && found) {
		struct dedupe_row *row = &rows[count++];
		struct cols c = { st, 0 };

		ASSERT(count <= STEP_ROWS);
		row->second = col_i64(&c);
		memcpy(row->hash, col_str(&c).ptr, sizeof(row->hash)); /* 16: CHECK */
		row->event = col_i64(&c);
	}
	*out_count = count;
	return status;
}

/* inv. 1; *out_more: the walk is not at its end. */
static gw_status sweep_dedupe(struct store *s, bool *out_more)
{
	struct dedupe_row rows[STEP_ROWS];
	sqlite3_stmt *st = sql_use(&s->w.sql, SQL_SWEEP_DEDUPE);
	size_t count = 0;
	gw_status status = read_keys(s, rows, &count);

	for (size_t i = 0; i < count && status == GW_OK; i++) {
		struct bind b = { st, 0 };

		if (rows[i].event > s->sweep.cutoff_event)
			continue;
		bind_i64(&b, rows[i].second);
		bind_blob(&b, rows[i].hash, sizeof(rows[i].hash));
		status = sql_run(&s->w.sql, st);
	}
	if (count > 0) {
		s->sweep.second = rows[count - 1].second;
		memcpy(s->sweep.hash, rows[count - 1].hash, sizeof(s->sweep.hash));
	}
	*out_more = count == STEP_ROWS;
	return status;
}

/* Statements with one parameter that change at most STEP_ROWS rows. */
static gw_status sweep_simple(struct store *s, enum sql_id what, int64_t value, bool *out_more)
{
	sqlite3_stmt *st = sql_use(&s->w.sql, what);
	gw_status status;

	bind_i64(&(struct bind){ st, 0 }, value);
	status = sql_run(&s->w.sql, st);
	*out_more = sqlite3_changes(s->w.sql.db) >= STEP_ROWS;
	return status;
}

static gw_status run_phase(struct store *s, bool *out_more)
{
	int64_t now_ms = clock_wall_ms(s->o.clock);

	switch ((enum phase)s->sweep.phase) {
	case SWEEP_IDLE: return find_cutoff(s);
	case SWEEP_KEYS: return settle_keys(s, out_more);
	case SWEEP_DEDUPE: return sweep_dedupe(s, out_more);
	case SWEEP_IDEMPOTENCY:
		return sweep_simple(s, SQL_SWEEP_IDEMPOTENCY, now_ms - IDEMPOTENCY_MS, out_more);
	case SWEEP_REMOVED: return sweep_simple(s, SQL_SWEEP_REMOVED, now_ms, out_more);
	case SWEEP_MESSAGES: return retain_messages(s, now_ms, out_more);
	case SWEEP_EVENTS: return retain_events(s, now_ms, out_more);
	}
	return GW_OK;
}

/* inv. 3 */
static bool clock_is_steady(struct store *s)
{
	struct sweep *sw = &s->sweep;
	int64_t before_ns, mono_ns, lead_ms;

	do { /* both of one moment: another thread may move them */
		before_ns = clock_mono_ns(s->o.clock);
		lead_ms = clock_wall_ms(s->o.clock);
		mono_ns = clock_mono_ns(s->o.clock);
	} while (mono_ns - before_ns > NS_PER_S);
	lead_ms -= mono_ns / NS_PER_MS;
	if (sw->clock_seen && lead_ms - sw->lead_ms > HOUR_NS / NS_PER_MS) {
		sw->steady_ns = mono_ns + STEADY_NS;
		log_warn(s->o.log,
			 "store: the time of day went forward by %lld s; nothing old is "
			 "removed for 12 hours",
			 (long long)((lead_ms - sw->lead_ms) / 1000));
	}
	sw->clock_seen = true;
	sw->lead_ms = lead_ms;
	return mono_ns >= sw->steady_ns;
}

int64_t sweep_step(struct store *s, int64_t now_ns)
{
	struct writer *w = &s->w;
	bool more = false;
	gw_status status;

	if (now_ns < s->sweep.next_ns)
		return s->sweep.next_ns;
	if (!clock_is_steady(s)) {
		s->sweep.phase = SWEEP_IDLE;
		return s->sweep.next_ns = now_ns + HOUR_NS;
	}
	status = sql_run(&w->sql, sql_use(&w->sql, SQL_BEGIN));
	if (status == GW_OK)
		status = run_phase(s, &more);
	if (status == GW_OK)
		status = sql_run(&w->sql, sql_use(&w->sql, SQL_COMMIT));
	ASSERT(status == GW_OK); /* what else could happen has ended the process */
	if (!more)
		s->sweep.phase = s->sweep.phase == SWEEP_EVENTS ? SWEEP_IDLE : s->sweep.phase + 1;
	s->sweep.next_ns = now_ns + (s->sweep.phase == SWEEP_IDLE ? HOUR_NS : STEP_NS);
	return s->sweep.next_ns;
}
