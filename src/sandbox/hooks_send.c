/* SPDX-License-Identifier: MIT */
/*
 * hooks_send.c - attempts at the callback, and the handshake before them
 *
 * ROLE        One POST per attempt; only 200 is success (cloud-api.md 5.1,
 *             read 2026-11).  The handshake is tried every 50 ms to 2 s of
 *             real time until the callback echoes the challenge.
 * LIMITS      settings.webhook_in_flight attempts at once.
 * THREADS     Loop thread only.
 * TESTS       tests/unit/test_sandbox_run.c
 */
#include "sandbox/hooks_int.h"

#include "base/hexb64.h"
#include "base/mem.h"
#include "base/panic.h"

#define RETRY_MAX_MS INT64_C(3600000)
#define LIFETIME_NS (INT64_C(7) * 24 * 3600 * NS_PER_S)
#define ANSWER_MAX (64U * 1024) /* of a callback; more is a failed attempt */
#define SHAKE_FIRST_MS 50
#define SHAKE_LONGEST_MS 2000

void hook_note_attempt(struct hook *hook, const struct http_outcome *o, const char *error)
{
	struct hook_attempt *a;

	hook->tries++;
	hook->owner->counts.attempts++;
	if (hook->attempt_count == HOOK_ATTEMPTS_MAX) {
		memmove(hook->attempts, hook->attempts + 1,
			(HOOK_ATTEMPTS_MAX - 1) * sizeof(*hook->attempts));
		hook->attempt_count--;
	} else {
		hook->attempts = xreallocarray(hook->attempts, hook->attempt_count + 1,
					       sizeof(*hook->attempts));
	}
	a = &hook->attempts[hook->attempt_count++];
	memset(a, 0, sizeof(*a));
	a->at_ms = clock_wall_ms(hook->owner->world->clock);
	a->took_ms = o->total_ms;
	a->status = o->end == HTTP_END_ANSWERED ? o->status : 0;
	if (error != NULL)
		(void)str_copy(str_from(error), a->error, sizeof(a->error));
	else if (o->end != HTTP_END_ANSWERED)
		(void)str_copy(str_from(o->error.message), a->error, sizeof(a->error));
}

static void repeat_later(struct hook *first)
{
	struct hooks *h = first->owner;
	int64_t wait_ms = 1 + (int64_t)rnd_below(&h->rnd, 2000);
	struct hook *again = hook_new(h, first->kind, str_make(first->body, first->body_len));

	again->duplicate_of = first->id;
	hook_enter(again, HOOK_WAITING);
	timer_in_ms(&again->timer, wait_ms);
}

static void wait_for_retry(struct hook *hook)
{
	struct hooks *h = hook->owner;
	int64_t wait_ms = h->world->settings.webhook_retry_ms;

	h->counts.failed_attempts++;
	if (world_now_ns(h->world) - hook->first_try_ns >= LIFETIME_NS) {
		hook_enter(hook, HOOK_DEAD);
		return;
	}
	for (uint64_t i = 1; i < hook->tries && wait_ms < RETRY_MAX_MS; i++)
		wait_ms *= 2;
	hook_enter(hook, HOOK_WAITING);
	timer_in_ms(&hook->timer, wait_ms < RETRY_MAX_MS ? wait_ms : RETRY_MAX_MS);
}

static void on_answer(void *cookie, const struct http_outcome *o)
{
	struct hook *hook = cookie;
	struct hooks *h = hook->owner;

	hook->exchange = NULL;
	h->counts.in_flight--;
	hook_note_attempt(hook, o, NULL);
	if (o->end == HTTP_END_ANSWERED && o->status == 200) {
		if (hook->will_repeat)
			repeat_later(hook);
		hook->will_repeat = false;
		hook_enter(hook, HOOK_DELIVERED);
	} else {
		wait_for_retry(hook);
	}
	hooks_pump(h);
}

void hook_on_retry_time(void *cookie)
{
	struct hook *hook = cookie;

	hook_enter(hook, HOOK_QUEUED);
	hooks_pump(hook->owner);
}

/* The old X-Hub-Signature, only when a test asks for it. */
static void sign_sha1(const struct hooks *h, const struct hook *hook, char *out, size_t cap)
{
	unsigned char mac[SHA1_BYTES];
	char hex[2 * SHA1_BYTES + 1];

	hmac_sha1(str_make((const char *)h->app_secret.bytes, h->app_secret.len),
		  str_make(hook->body, hook->body_len), mac);
	hex_encode(mac, sizeof(mac), hex);
	(void)snprintf(out, cap, "X-Hub-Signature: sha1=%s", hex);
}

static void start_attempt(struct hook *hook)
{
	struct hooks *h = hook->owner;
	char sha256_line[112], sha1_line[80];
	const char *headers[] = { "Content-Type: application/json",
				  "User-Agent: facebookexternalua", "Accept: */*", sha256_line,
				  sha1_line };
	struct http_request r = { .method = "POST",
				  .url = h->callback,
				  .headers = headers,
				  .header_count = 4,
				  .body = str_make(hook->body, hook->body_len),
				  .connect_timeout_ms = h->world->settings.webhook_timeout_ms,
				  .timeout_ms = h->world->settings.webhook_timeout_ms,
				  .answer_max = ANSWER_MAX };

	(void)snprintf(sha256_line, sizeof(sha256_line), "X-Hub-Signature-256: %s",
		       hook->signature);
	if (h->world->settings.sha1_signature) {
		sign_sha1(h, hook, sha1_line, sizeof(sha1_line));
		r.header_count = 5;
	}
	if (hook->first_try_ns == 0)
		hook->first_try_ns = world_now_ns(h->world);
	hook_enter(hook, HOOK_SENDING);
	h->counts.in_flight++;
	hook->exchange = http_client_start(h->client, &r, on_answer, hook);
}

static struct hook *pick(struct hooks *h)
{
	size_t among = (size_t)h->world->settings.shuffle;
	struct hook *hook = TAILQ_FIRST(&h->queue);
	uint64_t steps;

	if (among > h->queued_count)
		among = h->queued_count;
	if (hook == NULL || among < 2)
		return hook;
	for (steps = rnd_below(&h->rnd, among); steps > 0; steps--)
		hook = TAILQ_NEXT(hook, queue);
	return hook;
}

void hooks_pump(struct hooks *h)
{
	struct hook *hook;

	if (h->handshake.state != HANDSHAKE_PASSED || h->callback == NULL)
		return;
	while (h->counts.in_flight < (size_t)h->world->settings.webhook_in_flight &&
	       (hook = pick(h)) != NULL)
		start_attempt(hook);
}

static void put_escaped(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];

		if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    c == '-' || c == '.' || c == '_' || c == '~')
			buf_put_char(b, c);
		else
			buf_put_fmt(b, "%%%02X", (unsigned)(unsigned char)c);
	}
}

static void on_handshake(void *cookie, const struct http_outcome *o)
{
	struct hooks *h = cookie;
	struct handshake *s = &h->handshake;
	const char *problem = NULL;

	s->exchange = NULL;
	if (o->end == HTTP_END_ANSWERED && o->status != 200)
		problem = "the callback did not answer 200";
	else if (o->end == HTTP_END_ANSWERED && !str_eq(o->answer, str_from(s->challenge)))
		problem = "the answer is not the challenge";
	hook_note_attempt(s->record, o, problem);
	if (o->end != HTTP_END_ANSWERED || problem != NULL) {
		timer_in_ms(&s->timer, s->wait_ms);
		s->wait_ms = s->wait_ms * 2 < SHAKE_LONGEST_MS ? s->wait_ms * 2 : SHAKE_LONGEST_MS;
		return;
	}
	s->state = HANDSHAKE_PASSED;
	hook_enter(s->record, HOOK_DELIVERED);
	s->record = NULL;
	h->events.ready(h->events.cookie);
	hooks_pump(h);
}

static void try_handshake(void *cookie)
{
	struct hooks *h = cookie;
	struct http_request r = { .method = "GET",
				  .connect_timeout_ms = h->world->settings.webhook_timeout_ms,
				  .timeout_ms = h->world->settings.webhook_timeout_ms,
				  .answer_max = ANSWER_MAX };
	static const char *const headers[] = { "User-Agent: facebookplatform/1.0", "Accept: */*" };
	struct buf url;

	buf_init(&url, 16384);
	buf_put(&url, h->handshake.record->body, h->handshake.record->body_len);
	buf_put_text(&url, "&hub.verify_token=");
	put_escaped(&url, str_make((const char *)h->verify_token.bytes, h->verify_token.len));
	ASSERT(!buf_failed(&url));
	r.url = url.data;
	r.headers = headers;
	r.header_count = ARRAY_LEN(headers);
	h->handshake.exchange = http_client_start(h->client, &r, on_handshake, h);
	buf_wipe(&url);
}

void handshake_start(struct hooks *h)
{
	struct handshake *s = &h->handshake;
	struct buf url;
	size_t at;

	(void)snprintf(s->challenge, sizeof(s->challenge), "%llu",
		       (unsigned long long)(1000000000 + rnd_below(&h->rnd, 1000000000)));
	buf_init(&url, 8192);
	buf_put_text(&url, h->callback);
	buf_put_char(&url, str_find_char(str_from(h->callback), '?', &at) ? '&' : '?');
	buf_put_fmt(&url, "hub.mode=subscribe&hub.challenge=%s", s->challenge);
	s->record = hook_new(h, HOOK_HANDSHAKE, buf_str(&url));
	buf_release(&url);
	/* Pending, and never in the queue: it is not one of the events. */
	hook_enter(s->record, HOOK_SENDING);
	s->state = HANDSHAKE_TRYING;
	s->wait_ms = SHAKE_FIRST_MS;
	timer_init(&s->timer, h->world->loop, LOOP_REAL, try_handshake, h);
	try_handshake(h);
}

void handshake_stop(struct hooks *h)
{
	struct handshake *s = &h->handshake;

	if (s->state == HANDSHAKE_TRYING) {
		timer_cancel(&s->timer);
		if (s->exchange != NULL)
			http_exchange_cancel(s->exchange);
		hook_enter(s->record, HOOK_DEAD);
	}
	memset(s, 0, sizeof(*s));
}
