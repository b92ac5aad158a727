/* SPDX-License-Identifier: MIT */
/*
 * send_follow.c - the statuses of one message, from the stream of events
 *
 * INVARIANT Events that arrive before the answer to the POST are kept: only the
 *          answer says which of them are ours.
 * TESTS    tests/system/test_cli.py
 */
#include "cli/send_follow.h"
#include "base/mem.h"
#include "base/panic.h"
#include <godwit/errors.h>

#define FOLLOW_MS 30000 /* with --wait */
#define FOLLOW_UNASKED_MS 10000 /* in the sandbox, which is quick unless its clock stands still */

const char *const send_goals[SEND_GOALS] = { "accepted", "sent", "delivered", "read" };

bool send_follow_goal(struct send_follow *s, const char *word)
{
	s->goal = 0;
	s->is_asked = word != NULL;
	if (word == NULL)
		return true;
	for (size_t i = 0; i < SEND_GOALS; i++) {
		if (strcmp(send_goals[i], word) == 0) {
			s->goal = (int)i;
			return true;
		}
	}
	s->cli->code = cli_failf(s->cli, EXIT_USAGE, "there are accepted, sent, delivered and read",
				 "--wait: \"%s\" is no status", word);
	return false;
}

static int rank_of(struct str word)
{
	for (size_t i = 0; i < SEND_GOALS; i++)
		if (str_eq(word, str_from(send_goals[i])))
			return (int)i;
	return str_eq(word, STR("played")) ? (int)SEND_GOALS - 1 : -1;
}

static int64_t since_accepted_ms(const struct send_follow *s)
{
	return (clock_real_ns() - s->accepted_ns) / NS_PER_MS;
}

static void say_step(const struct send_follow *s, const char *word, int64_t ms, int code)
{
	const gw_error_info *info = gw_error_info_find(code, 0);

	if (s->cli->format == OUT_JSONL)
		printf("{\"status\":\"%s\",\"ms\":%lld,\"code\":%d}\n", word, (long long)ms, code);
	else if (s->cli->format == OUT_TABLE && !s->cli->quiet && code == 0)
		printf("%-9s  +%.1f s\n", word, (double)ms / 1000.0);
	else if (s->cli->format == OUT_TABLE && !s->cli->quiet)
		printf("%-9s  +%.1f s  %d %s\n", word, (double)ms / 1000.0, code,
		       info != NULL ? info->title : "");
	(void)fflush(stdout);
}

static void add_step(struct send_follow *s, struct str word, int code)
{
	struct send_step *step;

	for (size_t i = 0; i < s->step_count; i++)
		if (str_eq(word, str_from(s->steps[i].word)))
			return; /* told twice */
	if (s->step_count == SEND_STEPS_MAX)
		return;
	step = &s->steps[s->step_count++];
	(void)str_copy(word, step->word, sizeof(step->word));
	step->ms = since_accepted_ms(s);
	step->code = code;
	say_step(s, step->word, step->ms, code);
}

static bool is_ours(const struct send_follow *s, struct json_val event)
{
	struct str id;

	if (json_get_str(event, STR("sent_message"), 64, &id) &&
	    str_eq(id, str_from(s->message_id)))
		return true;
	return json_get_str(json_member(event, STR("message")), STR("id"), SEND_WAMID_MAX, &id) &&
	       id.len > 0 &&
	       (str_eq(id, str_from(s->message_id)) || str_eq(id, str_from(s->wamid)));
}

static void note_failure(struct send_follow *s, struct json_val error, struct str word)
{
	struct str details;
	int64_t code = 0;

	(void)json_get_i64(error, STR("code"), &code);
	s->failed = true;
	s->failed_code = (int)code;
	if (json_get_str(error, STR("details"), sizeof(s->failed_details) - 1, &details) ||
	    json_get_str(error, STR("title"), sizeof(s->failed_details) - 1, &details))
		(void)str_copy(details, s->failed_details, sizeof(s->failed_details));
	add_step(s, word, (int)code);
}

static void take_event(struct send_follow *s, struct json_val event)
{
	struct json_val status = json_member(event, STR("status"));
	struct str word, id;
	int rank;

	if (!is_ours(s, event))
		return;
	if (!json_get_str(status, STR("word"), 24, &word) &&
	    !json_get_str(status, STR("state"), 24, &word))
		return;
	if (str_eq(word, STR("failed")) || str_eq(word, STR("rejected")) ||
	    str_eq(word, STR("expired"))) {
		note_failure(s, json_member(status, STR("error")), word);
		return;
	}
	if (str_eq(word, STR("accepted")) &&
	    json_get_str(json_member(event, STR("message")), STR("id"), SEND_WAMID_MAX, &id))
		(void)str_copy(id, s->wamid, sizeof(s->wamid));
	add_step(s, word, 0);
	rank = rank_of(word);
	if (rank > s->rank)
		s->rank = rank;
}

static void take_text(struct send_follow *s, struct str text)
{
	struct arena *a = arena_new(text.len * 10 + 65536);
	const struct json_doc *doc;

	ASSERT(a != NULL);
	if (json_scan(text, a, &doc, NULL) == GW_OK)
		take_event(s, json_root(doc));
	arena_free(a);
}

static void on_event(void *cookie, const struct sse_event *e)
{
	struct send_follow *s = cookie;

	if (s->is_known)
		take_text(s, e->data);
	else if (s->held_count < SEND_HELD_MAX)
		s->held[s->held_count++] = xstrndup(e->data);
}

static void on_open(void *cookie)
{
	((struct send_follow *)cookie)->stream_open = true;
}

static void on_end(void *cookie, int status, const struct gw_error *err)
{
	(void)status;
	(void)err;
	((struct send_follow *)cookie)->stream_ended = true;
}

void send_follow_known(struct send_follow *s)
{
	s->is_known = true;
	for (size_t i = 0; i < s->held_count; i++) {
		take_text(s, str_from(s->held[i]));
		free(s->held[i]);
	}
	s->held_count = 0;
}

static void on_time(void *cookie)
{
	((struct send_follow *)cookie)->timed_out = true;
}

static bool is_over(const struct send_follow *s)
{
	return s->failed || s->timed_out || s->stream_ended || s->rank >= s->goal;
}

void send_follow_wait(struct send_follow *s)
{
	int64_t limit = s->cli->timeout_ms > 0 ? s->cli->timeout_ms
			: s->is_asked          ? FOLLOW_MS
					       : FOLLOW_UNASKED_MS;
	struct timer t;

	timer_init(&t, api_loop(s->api), LOOP_REAL, on_time, s);
	timer_in_ms(&t, limit);
	while (!is_over(s))
		loop_turn(api_loop(s->api), -1);
	timer_cancel(&t);
}

int send_follow_open(struct send_follow *s)
{
	const struct api_stream_handlers h = { on_event, on_open, on_end, s };

	s->stream = api_stream_open(s->api, "/api/v1/stream?types=message.status", NULL, &h);
	while (!s->stream_open && !s->stream_ended)
		loop_turn(api_loop(s->api), -1);
	if (s->stream_open)
		return EXIT_OK;
	if (s->is_asked)
		return cli_failf(s->cli, EXIT_TEMPORARY, "send without --wait, or try again",
				 "the statuses of the message cannot be followed");
	s->goal = 0; /* nobody asked: the answer will do */
	return EXIT_OK;
}

void send_follow_release(struct send_follow *s)
{
	api_stream_close(s->stream);
	for (size_t i = 0; i < s->held_count; i++)
		free(s->held[i]);
	s->held_count = 0;
}
