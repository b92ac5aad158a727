/* SPDX-License-Identifier: MIT */
/*
 * fake_store.h - a store of a few rows in memory, which commits when the test says so
 *
 * Defines struct store and store_submit() for programs that link no back end.
 * Moves are compare-and-set against rows[], as in a real one.
 */
#ifndef TESTS_FAKE_STORE_H
#define TESTS_FAKE_STORE_H

#include "store/store.h"
#include "unit.h"

#define FAKE_ROWS 64
#define FAKE_TRAIL 256

struct store {
	struct store_req *first, **last; /* submitted */
	size_t waiting;
	char state[FAKE_ROWS][16]; /* by row; "" : no such row */
	char wamid[FAKE_ROWS][64], answer[FAKE_ROWS][512];
	int64_t rows;
	unsigned refuse; /* this many requests fail first */
	size_t trail_count;
	struct {
		int64_t row;
		char text[160]; /* "queued>sending 1/0 why" */
	} trail[FAKE_TRAIL];
};

static inline void fake_init(struct store *s)
{
	memset(s, 0, sizeof(*s));
	s->last = &s->first;
}

void store_submit(struct store *s, struct store_req *req)
{
	req->next = NULL;
	*s->last = req;
	s->last = &req->next;
	s->waiting++;
}

static inline void fake_move(struct store *s, struct store_move *m)
{
	assert_in_range(m->row, 1, FAKE_ROWS - 1);
	m->lost = strcmp(s->state[m->row], m->from) != 0;
	if (m->lost)
		return;
	(void)str_copy(str_from(m->to), s->state[m->row], sizeof(s->state[0]));
	if (m->wamid.len > 0)
		(void)str_copy(m->wamid, s->wamid[m->row], sizeof(s->wamid[0]));
	if (m->answer.len > 0)
		(void)str_copy(m->answer, s->answer[m->row], sizeof(s->answer[0]));
	assert_true(s->trail_count < FAKE_TRAIL);
	s->trail[s->trail_count].row = m->row;
	(void)snprintf(s->trail[s->trail_count++].text, sizeof(s->trail[0].text),
		       "%s>%s %u/%u %s%s%s", m->from, m->to, m->tries, m->attempts,
		       m->reason == NULL ? "" : m->reason, m->reason == NULL ? "" : " ",
		       m->why == NULL ? "" : m->why);
}

/* Commit what was submitted before this call; returns how many. */
static inline size_t fake_commit(struct store *s)
{
	size_t n = s->waiting;

	for (size_t i = 0; i < n; i++) {
		struct store_req *req = s->first;

		s->first = req->next;
		if (s->first == NULL)
			s->last = &s->first;
		s->waiting--;
		req->status = GW_OK;
		if (s->refuse > 0) {
			s->refuse--;
			req->status = GW_EIO;
		} else if (req->op == STORE_MOVE) {
			fake_move(s, CONTAINER_OF(req, struct store_move, req));
		}
		req->done(req);
	}
	return n;
}

static inline int64_t fake_row(struct store *s, const char *state)
{
	int64_t row = ++s->rows;

	assert_true(row < FAKE_ROWS);
	(void)str_copy(str_from(state), s->state[row], sizeof(s->state[0]));
	return row;
}

static inline const char *fake_last(const struct store *s)
{
	return s->trail_count == 0 ? "" : s->trail[s->trail_count - 1].text;
}

#endif
