/* SPDX-License-Identifier: MIT */
/*
 * simclock.c - move the clock, let due things happen, wait for followers
 *
 * INVARIANTS  1. version grows with every change of the clock and never else.
 *             2. A move counts as `awaited` the polls it answered, and those
 *                answered in the last GAP_NS that have not come back yet.
 * LIMITS      SANDBOX_WAITERS_MAX polls: beyond it the oldest is answered.
 * THREADS     Loop thread only.
 * TESTS       tests/unit/test_sandbox_clock.c, tests/unit/test_sandbox_run.c
 */
#include "sandbox/simclock.h"

#include "base/mem.h"
#include "sandbox/limits.h"

#include <sys/queue.h>

#define STEP_WAIT_MS 2000 /* a follower that is slower than this is not in step */
#define GAP_NS (2 * NS_PER_S)
#define WAIT_MAX_S 60
#define ADVANCE_MAX_MS (INT64_C(100) * 365 * 24 * 3600 * 1000)
#define SETTLE_TURNS 2 /* a timer due exactly now may have its turn after ours */

struct poll {
	TAILQ_ENTRY(poll) link;
	struct simclock *clock;
	struct http_call *call;
	struct timer timer;
};

struct move {
	TAILQ_ENTRY(move) link;
	struct simclock *clock;
	struct http_call *call;
	struct timer timer;
	size_t awaited;
	unsigned turns;
};

struct simclock {
	struct loop *loop;
	struct clock *clock;
	int64_t version;
	TAILQ_HEAD(, poll) polls;
	TAILQ_HEAD(, move) moves;
	size_t poll_count;
	size_t gap; /* polls answered whose follower has not come back */
	size_t awaited; /* by the next move to settle (inv. 2) */
	int64_t gap_ns; /* when the last was answered, real */
};

struct simclock *simclock_new(struct loop *loop)
{
	struct simclock *s = xcalloc(1, sizeof(*s));

	s->loop = loop;
	s->clock = loop_clock(loop);
	s->version = 1;
	TAILQ_INIT(&s->polls);
	TAILQ_INIT(&s->moves);
	return s;
}

void simclock_write(const struct simclock *s, struct json_writer *w)
{
	int64_t wall_ms = clock_wall_ms(s->clock);
	char text[CLOCK_RFC3339_MAX];

	clock_format_ms(wall_ms, text);
	json_w_object(w);
	json_w_kv_i64(w, "version", s->version);
	json_w_kv_text(w, "wall", text);
	json_w_kv_i64(w, "wall_ms", wall_ms);
	json_w_kv_i64(w, "offset_ms", wall_ms - clock_real_wall_ms());
	json_w_kv_bool(w, "frozen", clock_is_frozen(s->clock));
	json_w_end(w);
}

void simclock_show(struct simclock *s, struct http_call *call)
{
	struct json_writer w;
	struct buf b;

	buf_init(&b, 1024);
	json_w_init(&w, &b);
	simclock_write(s, &w);
	http_reply_json(call, 200, buf_str(&b));
	buf_release(&b);
}

static void poll_answer(struct poll *p)
{
	struct simclock *s = p->clock;

	timer_cancel(&p->timer);
	TAILQ_REMOVE(&s->polls, p, link);
	s->poll_count--;
	s->gap++;
	s->gap_ns = clock_real_ns();
	simclock_show(s, p->call);
	free(p);
}

static void on_poll_end(void *cookie)
{
	poll_answer(cookie);
}

static void move_answer(struct move *m)
{
	struct simclock *s = m->clock;

	timer_cancel(&m->timer);
	TAILQ_REMOVE(&s->moves, m, link);
	simclock_show(s, m->call);
	free(m);
}

/* First the turns in which due timers run, then the wait for followers. */
static void on_move_time(void *cookie)
{
	struct move *m = cookie;

	if (m->turns == 0 || (--m->turns == 0 && m->awaited == 0))
		move_answer(m);
	else
		timer_in_ms(&m->timer, m->turns > 0 ? 0 : STEP_WAIT_MS);
}

static void follower_is_back(struct simclock *s, int64_t after)
{
	struct move *m, *next;

	if (s->gap > 0)
		s->gap--;
	if (after != s->version)
		return;
	for (m = TAILQ_FIRST(&s->moves); m != NULL; m = next) {
		next = TAILQ_NEXT(m, link);
		if (m->awaited > 0 && --m->awaited == 0 && m->turns == 0)
			move_answer(m);
	}
}

void simclock_poll(struct simclock *s, struct http_call *call, int64_t after, int64_t wait_s)
{
	struct poll *p;

	follower_is_back(s, after);
	if (s->poll_count == SANDBOX_WAITERS_MAX)
		poll_answer(TAILQ_FIRST(&s->polls));
	p = xcalloc(1, sizeof(*p));
	p->clock = s;
	p->call = call;
	timer_init(&p->timer, s->loop, LOOP_REAL, on_poll_end, p);
	TAILQ_INSERT_TAIL(&s->polls, p, link);
	s->poll_count++;
	if (after != s->version || wait_s <= 0)
		poll_answer(p);
	else
		timer_in_ms(&p->timer, (wait_s < WAIT_MAX_S ? wait_s : WAIT_MAX_S) * 1000);
}

/* What a POST clock asks for, read whole before any of it is done. */
struct order {
	bool freeze, resume, set;
	int64_t set_ms, advance_ms;
};

static gw_status read_order(struct json_val v, struct order *out, struct gw_error *err)
{
	struct json_val text = json_member(v, STR("advance"));
	struct json_val number = json_member(v, STR("advance_ms"));
	struct json_val set = json_member(v, STR("set"));
	struct str word;

	memset(out, 0, sizeof(*out));
	(void)json_get_bool(v, STR("freeze"), &out->freeze);
	(void)json_get_bool(v, STR("resume"), &out->resume);
	if (json_exists(number) && !json_i64(number, &out->advance_ms))
		return gw_error_set(err, GW_EARG, "advance_ms: want an integer from 0");
	if (json_exists(text) &&
	    (!json_str(text, 64, &word) || !str_to_duration_ms(word, &out->advance_ms)))
		return gw_error_set(err, GW_EARG, "advance: want a duration such as \"24h\"");
	if (out->advance_ms < 0 || out->advance_ms > ADVANCE_MAX_MS)
		return gw_error_set(err, GW_EARG, "advance: want 0 to 100 years");
	out->set = json_exists(set);
	if (out->set && (!json_str(set, 64, &word) || !simclock_parse_time(word, &out->set_ms)))
		return gw_error_set(err, GW_EARG,
				    "set: want a time such as \"2026-11-20T18:00:00Z\"");
	if (!out->freeze && !out->resume && !out->set && !json_exists(text) && !json_exists(number))
		return gw_error_set(err, GW_EARG,
				    "want one of advance, advance_ms, freeze, resume, set");
	return GW_OK;
}

gw_status simclock_change(struct simclock *s, struct json_val v, struct gw_error *err)
{
	struct order order;
	gw_status st = read_order(v, &order, err);

	if (st != GW_OK)
		return st;
	if (order.freeze)
		clock_freeze(s->clock);
	if (order.set)
		clock_set_wall(s->clock, order.set_ms);
	if (order.advance_ms > 0)
		clock_advance(s->clock, order.advance_ms * NS_PER_MS);
	if (order.resume)
		clock_resume(s->clock);
	s->version++;
	loop_clock_moved(s->loop);
	s->awaited = s->poll_count;
	if (clock_real_ns() - s->gap_ns < GAP_NS)
		s->awaited += s->gap;
	else
		s->gap = 0;
	while (!TAILQ_EMPTY(&s->polls))
		poll_answer(TAILQ_FIRST(&s->polls));
	return GW_OK;
}

void simclock_settle(struct simclock *s, struct http_call *call)
{
	struct move *m = xcalloc(1, sizeof(*m));

	m->clock = s;
	m->call = call;
	m->awaited = s->awaited;
	m->turns = SETTLE_TURNS;
	timer_init(&m->timer, s->loop, LOOP_REAL, on_move_time, m);
	TAILQ_INSERT_TAIL(&s->moves, m, link);
	timer_in_ms(&m->timer, 0);
}

void simclock_release(struct simclock *s)
{
	while (!TAILQ_EMPTY(&s->polls))
		poll_answer(TAILQ_FIRST(&s->polls));
	while (!TAILQ_EMPTY(&s->moves))
		move_answer(TAILQ_FIRST(&s->moves));
}

void simclock_free(struct simclock *s)
{
	if (s == NULL)
		return;
	simclock_release(s);
	free(s);
}

static bool read_digits(struct str s, size_t at, size_t len, int64_t *out)
{
	return at + len <= s.len && s.ptr[at] >= '0' && s.ptr[at] <= '9' &&
	       str_to_i64(str_slice(s, at, at + len), out);
}

/* Days since 1970-01-01 of the proleptic Gregorian calendar (H. Hinnant's days_from_civil). */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
	int64_t y = month <= 2 ? year - 1 : year, era = y / 400, of_era = y - era * 400;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* "Z", "+02:00": minutes east of UTC. */
static bool read_zone(struct str s, int64_t *out_minutes)
{
	int64_t hours, minutes;

	if (str_eq_nocase(s, STR("Z"))) {
		*out_minutes = 0;
		return true;
	}
	if (s.len != 6 || (s.ptr[0] != '+' && s.ptr[0] != '-') || s.ptr[3] != ':' ||
	    !read_digits(s, 1, 2, &hours) || !read_digits(s, 4, 2, &minutes) || hours > 23 ||
	    minutes > 59)
		return false;
	*out_minutes = (hours * 60 + minutes) * (s.ptr[0] == '-' ? -1 : 1);
	return true;
}

bool simclock_parse_time(struct str s, int64_t *out_ms)
{
	int64_t year, month, day, hour, minute, second, zone, ms = 0;
	size_t at = 19;

	if (s.len < 20 || s.ptr[4] != '-' || s.ptr[7] != '-' ||
	    (s.ptr[10] != 'T' && s.ptr[10] != 't' && s.ptr[10] != ' ') || s.ptr[13] != ':' ||
	    s.ptr[16] != ':')
		return false;
	if (!read_digits(s, 0, 4, &year) || !read_digits(s, 5, 2, &month) ||
	    !read_digits(s, 8, 2, &day) || !read_digits(s, 11, 2, &hour) ||
	    !read_digits(s, 14, 2, &minute) || !read_digits(s, 17, 2, &second))
		return false;
	if (year < 1970 || month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 ||
	    minute > 59 || second > 60)
		return false;
	if (s.ptr[at] == '.') {
		int64_t scale = 100;

		for (at++; at < s.len && s.ptr[at] >= '0' && s.ptr[at] <= '9'; at++) {
			ms += (s.ptr[at] - '0') * scale;
			scale /= 10;
		}
	}
	if (!read_zone(str_slice(s, at, s.len), &zone))
		return false;
	*out_ms = ((days_of(year, month, day) * 24 + hour) * 60 + minute - zone) * 60000 +
		  second * 1000 + ms;
	return true;
}
