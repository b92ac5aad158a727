/* SPDX-License-Identifier: MIT */
/*
 * sent.c - the record of accepted messages, in two rings
 *
 * INVARIANTS  1. seq runs from 1 without gaps; full[seq % FULL] and
 *                brief[seq % TOKENS] hold the newest of that remainder.
 *             2. tokens counts exactly the opaque values of the short ring.
 * LIMITS      SANDBOX_SENT_FULL_MAX, SANDBOX_SENT_TOKENS_MAX
 * THREADS     Loop thread only.
 * TESTS       tests/unit/test_sandbox_world.c
 */
#include "sandbox/sent.h"

#include "base/mac.h"
#include "base/map.h"
#include "base/mem.h"

struct sent {
	uint64_t total, doubled;
	struct sent_message **full;
	struct sent_short **brief;
	struct map *by_wamid; /* of the full ring */
	struct map *tokens; /* 64-bit hash -> times, as a pointer value */
	struct sent_refusals refusals;
};

struct sent *sent_new(void)
{
	struct sent *s = xcalloc(1, sizeof(*s));

	/* Large but untouched until used: the kernel gives the pages then. */
	s->full = xcalloc(SANDBOX_SENT_FULL_MAX, sizeof(struct sent_message *));
	s->brief = xcalloc(SANDBOX_SENT_TOKENS_MAX, sizeof(struct sent_short *));
	s->by_wamid = map_new();
	s->tokens = map_new();
	return s;
}

static void message_free(struct sent_message *m)
{
	if (m == NULL)
		return;
	free(m->wamid);
	free(m->to);
	free(m->opaque);
	free(m->body);
	free(m);
}

void sent_free(struct sent *s)
{
	if (s == NULL)
		return;
	for (uint64_t seq = sent_first_full(s); seq <= s->total; seq++)
		message_free(s->full[seq % SANDBOX_SENT_FULL_MAX]);
	for (uint64_t seq = sent_first_short(s); seq <= s->total; seq++)
		free(s->brief[seq % SANDBOX_SENT_TOKENS_MAX]);
	free(s->full);
	free(s->brief);
	map_free(s->by_wamid);
	map_free(s->tokens);
	free(s);
}

/* 64 bits of SHA-256: among 10^6 values two meet by chance once in 10^7 runs. */
static uint64_t token_of(struct str opaque)
{
	unsigned char hash[SHA256_BYTES];
	uint64_t token;

	sha256(opaque, hash);
	memcpy(&token, hash, sizeof(token));
	return token == 0 ? 1 : token;
}

static uint64_t token_times(const struct sent *s, uint64_t token)
{
	return (uint64_t)(uintptr_t)map_get_u64(s->tokens, token);
}

static void set_token_times(struct sent *s, uint64_t token, uint64_t times)
{
	if (times == 0)
		(void)map_remove_u64(s->tokens, token);
	else
		(void)map_set_u64(s->tokens, token, (void *)(uintptr_t)times);
}

static void add_full(struct sent *s, struct sent_message *m)
{
	struct sent_message **slot = &s->full[m->seq % SANDBOX_SENT_FULL_MAX];

	if (*slot != NULL)
		(void)map_remove(s->by_wamid, str_from((*slot)->wamid));
	message_free(*slot);
	*slot = m;
	(void)map_set(s->by_wamid, str_from(m->wamid), m);
}

static void add_short(struct sent *s, const struct sent_message *m)
{
	struct sent_short **slot = &s->brief[m->seq % SANDBOX_SENT_TOKENS_MAX], *b;
	size_t wamid_len = strlen(m->wamid) + 1, to_len = strlen(m->to) + 1;
	size_t opaque_len = m->opaque == NULL ? 0 : strlen(m->opaque) + 1;

	if (*slot != NULL && (*slot)->token != 0)
		set_token_times(s, (*slot)->token, token_times(s, (*slot)->token) - 1);
	free(*slot);
	b = xcalloc(1, sizeof(*b) + wamid_len + to_len + opaque_len);
	b->at_ms = m->at_ms;
	b->to_at = (uint16_t)wamid_len;
	memcpy(b->text, m->wamid, wamid_len);
	memcpy(b->text + wamid_len, m->to, to_len);
	if (m->opaque != NULL) {
		b->opaque_at = (uint16_t)(wamid_len + to_len);
		memcpy(b->text + b->opaque_at, m->opaque, opaque_len);
		b->token = token_of(str_from(m->opaque));
		if (token_times(s, b->token) > 0)
			s->doubled++;
		set_token_times(s, b->token, token_times(s, b->token) + 1);
	}
	*slot = b;
}

const struct sent_message *sent_add(struct sent *s, const struct number *n, struct str wamid,
				    struct str to, const char *type, struct str body,
				    const struct str *opaque, int64_t at_ms)
{
	struct sent_message *m = xcalloc(1, sizeof(*m));

	m->seq = ++s->total;
	m->number = n;
	m->type = type;
	m->wamid = xstrndup(wamid);
	m->to = xstrndup(to);
	m->opaque = opaque == NULL ? NULL : xstrndup(*opaque);
	m->body = xstrndup(body);
	m->body_len = body.len;
	m->at_ms = at_ms;
	add_full(s, m);
	add_short(s, m);
	return m;
}

uint64_t sent_total(const struct sent *s)
{
	return s->total;
}

uint64_t sent_doubled(const struct sent *s)
{
	return s->doubled;
}

static uint64_t first_of(const struct sent *s, uint64_t max)
{
	return s->total > max ? s->total - max + 1 : 1;
}

uint64_t sent_first_full(const struct sent *s)
{
	return first_of(s, SANDBOX_SENT_FULL_MAX);
}

uint64_t sent_first_short(const struct sent *s)
{
	return first_of(s, SANDBOX_SENT_TOKENS_MAX);
}

static struct sent_message *get(const struct sent *s, uint64_t seq)
{
	if (seq < sent_first_full(s) || seq > s->total)
		return NULL;
	return s->full[seq % SANDBOX_SENT_FULL_MAX];
}

const struct sent_message *sent_get(const struct sent *s, uint64_t seq)
{
	return get(s, seq);
}

const struct sent_message *sent_find(const struct sent *s, struct str wamid)
{
	return map_get(s->by_wamid, wamid);
}

const struct sent_short *sent_get_short(const struct sent *s, uint64_t seq)
{
	if (seq < sent_first_short(s) || seq > s->total)
		return NULL;
	return s->brief[seq % SANDBOX_SENT_TOKENS_MAX];
}

uint64_t sent_token_count(const struct sent *s, struct str opaque)
{
	return token_times(s, token_of(opaque));
}

void sent_note_status(struct sent *s, uint64_t seq, const char *status, int64_t at_ms, int code)
{
	struct sent_message *m = get(s, seq);

	if (m == NULL || m->status_count == SENT_STATUSES_MAX)
		return;
	m->statuses[m->status_count++] = (struct sent_status){ status, at_ms, code };
}

void sent_note_refusal(struct sent *s, int code)
{
	struct sent_refusals *r = &s->refusals;

	for (size_t i = 0; i < r->count; i++) {
		if (r->codes[i].code == code) {
			r->codes[i].times++;
			return;
		}
	}
	if (r->count < SENT_CODES_MAX) {
		r->codes[r->count].code = code;
		r->codes[r->count++].times = 1;
	}
}

const struct sent_refusals *sent_refusals(const struct sent *s)
{
	return &s->refusals;
}
