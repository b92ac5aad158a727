/* SPDX-License-Identifier: MIT */
/*
 * cmd_send.c - godwit send: hand a message over and follow what becomes of it
 *
 * LIFE     number -> stream opened (so that no status is missed) -> POST to the
 *          Graph front -> "accepted" or "queued" -> statuses -> the goal, a
 *          failure, or the time is up.
 * INVARIANT Events that arrive before the answer to the POST are kept: only the
 *          answer says which of them are ours.
 * TESTS    tests/system/test_cli.py
 */
#include "base/mem.h"
#include "base/panic.h"
#include "cli/api.h"
#include "cli/input.h"
#include "cli/meta.h"
#include "cli/opt.h"
#include "cli/out.h"
#include <godwit/errors.h>

#define BODY_MAX (2U << 20)
#define WAMID_MAX 300
#define HELD_MAX 1000 /* events of others that come between the POST and its answer */
#define FOLLOW_MS 30000 /* with --wait */
#define FOLLOW_UNASKED_MS 10000 /* in the sandbox, which is quick unless its clock stands still */
#define STEPS_MAX 16
#define VAR_NAME_MAX 128
#define VARS_HEADER_MAX (12U << 10) /* a whole head has 16 KiB */

extern const struct cmd cmd_send;

struct step {
	char word[24];
	int64_t ms; /* since it was accepted */
	int code;
};

struct send {
	struct cli *cli;
	struct api *api;
	/* options */
	const char *from, *template, *lang, *json_body, *wait, *key, *category;
	const char *fallback;
	struct opt_list vars, fallback_vars;
	bool async, park;
	/* what is known */
	char number[64], message_id[64], wamid[WAMID_MAX];
	bool is_sandbox;
	int goal; /* rank of the status that ends it; 0: none, the answer ends it */
	struct api_stream *stream;
	bool stream_open, stream_ended, timed_out, is_known, is_parked;
	char *held[HELD_MAX];
	size_t held_count;
	struct step steps[STEPS_MAX];
	size_t step_count;
	int64_t accepted_ns;
	int rank; /* the furthest status */
	bool failed;
	int failed_code;
	char failed_details[1024];
};

static const char *const goals[] = { "accepted", "sent", "delivered", "read" };

/* ---- the body ---- */

static int compare_numbered(const void *a, const void *b)
{
	const char *const *left = a, *const *right = b;
	int64_t l = 0, r = 0;
	size_t at;

	(void)(str_find_char(str_from(*left), '=', &at) && str_to_i64(str_make(*left, at), &l));
	(void)(str_find_char(str_from(*right), '=', &at) && str_to_i64(str_make(*right, at), &r));
	return (l > r) - (l < r);
}

static bool check_vars(const struct send *s, struct opt_list *vars, const char *option)
{
	size_t at, numbered = 0;
	int64_t n;

	for (size_t i = 0; i < vars->count; i++) {
		if (!str_find_char(str_from(vars->items[i]), '=', &at) || at == 0) {
			s->cli->code = cli_failf(s->cli, EXIT_USAGE, "want 1=TEXT or NAME=TEXT",
						 "%s \"%s\" has no name", option, vars->items[i]);
			return false;
		}
		numbered += str_to_i64(str_make(vars->items[i], at), &n);
	}
	if (numbered != 0 && numbered != vars->count) {
		s->cli->code = cli_failf(s->cli, EXIT_USAGE, NULL,
					 "%s: all by number or all by name", option);
		return false;
	}
	if (numbered > 0)
		qsort(vars->items, vars->count, sizeof(vars->items[0]), compare_numbered);
	return true;
}

static void put_template(struct send *s, struct json_writer *w)
{
	int64_t n;
	size_t at;

	json_w_kv_text(w, "type", "template");
	json_w_key(w, STR("template"));
	json_w_object(w);
	json_w_kv_text(w, "name", s->template);
	json_w_key(w, STR("language"));
	json_w_object(w);
	json_w_kv_text(w, "code", s->lang != NULL ? s->lang : "en_US");
	json_w_end(w);
	if (s->vars.count > 0) {
		json_w_key(w, STR("components"));
		json_w_array(w);
		json_w_object(w);
		json_w_kv_text(w, "type", "body");
		json_w_key(w, STR("parameters"));
		json_w_array(w);
		for (size_t i = 0; i < s->vars.count; i++) {
			struct str pair = str_from(s->vars.items[i]);

			(void)str_find_char(pair, '=', &at);
			json_w_object(w);
			json_w_kv_text(w, "type", "text");
			if (!str_to_i64(str_slice(pair, 0, at), &n))
				json_w_kv_str(w, "parameter_name", str_slice(pair, 0, at));
			json_w_kv_str(w, "text", str_slice(pair, at + 1, pair.len));
			json_w_end(w);
		}
		json_w_end(w);
		json_w_end(w);
		json_w_end(w);
	}
	json_w_end(w);
}

static void put_body(struct send *s, struct buf *b, char **words, int count)
{
	struct json_writer w;

	json_w_init(&w, b);
	json_w_object(&w);
	json_w_kv_text(&w, "messaging_product", "whatsapp");
	json_w_kv_text(&w, "recipient_type", "individual");
	json_w_kv_text(&w, "to", words[0]);
	if (s->template != NULL) {
		put_template(s, &w);
	} else {
		json_w_kv_text(&w, "type", "text");
		json_w_key(&w, STR("text"));
		json_w_object(&w);
		json_w_kv_text(&w, "body", count > 1 ? words[1] : "");
		json_w_end(&w);
	}
	json_w_end(&w);
}

static int make_body(struct send *s, struct buf *b, char **words, int count)
{
	if (s->json_body != NULL) {
		if (count > 0 || s->template != NULL)
			return cli_failf(s->cli, EXIT_USAGE, NULL,
					 "--json-body is the whole message: no words beside it");
		return input_read(s->cli, s->json_body, b);
	}
	if (count == 0 || (s->template == NULL) != (count == 2))
		return cli_failf(
			s->cli, EXIT_USAGE, "usage: godwit send TO TEXT, or TO --template NAME",
			count == 0 ? "send: to whom?" : "send: want either a text or a template");
	put_body(s, b, words, count);
	if (buf_failed(b))
		return cli_failf(s->cli, EXIT_USAGE, NULL, "the message is over %u bytes",
				 BODY_MAX);
	return EXIT_OK;
}

/* ---- the number ---- */

static int list_numbers(const struct cli *cli, struct json_val ids)
{
	char fix[1024] = "say --from ID; there are:";
	size_t at = strlen(fix);
	struct json_iter it;
	struct json_val v;
	struct str id;

	for (it = json_iter(ids); json_next(&it, &v) && at < sizeof(fix);)
		if (json_str(v, 64, &id))
			at += (size_t)snprintf(fix + at, sizeof(fix) - at, " %.*s", STR_ARG(id));
	return cli_failf(cli, EXIT_USAGE, fix, "the gateway has several numbers");
}

/* Which number, and whether this is a sandbox. */
static int look_up(struct send *s)
{
	struct api_answer answer;
	struct json_val ids;
	struct str text;
	int code = api_get(s->api, "/api/v1/version", &answer);

	if (code != EXIT_OK)
		return code;
	if (json_get_str(answer.json, STR("profile"), 32, &text))
		s->is_sandbox = str_eq(text, STR("sandbox"));
	if (s->from != NULL && str_copy(str_from(s->from), s->number, sizeof(s->number)))
		return EXIT_OK;
	ids = json_member(answer.json, STR("number_ids"));
	if (json_count(ids) > 1)
		return list_numbers(s->cli, ids);
	if (!json_str(json_at(ids, 0), sizeof(s->number) - 1, &text))
		return cli_failf(s->cli, EXIT_USAGE,
				 "add one to [account NAME] in the configuration",
				 "the gateway has no number to send from");
	(void)str_copy(text, s->number, sizeof(s->number));
	return EXIT_OK;
}

static bool read_goal(struct send *s)
{
	s->goal = 0;
	if (s->wait == NULL)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(goals); i++) {
		if (strcmp(goals[i], s->wait) == 0) {
			s->goal = (int)i;
			return true;
		}
	}
	s->cli->code = cli_failf(s->cli, EXIT_USAGE, "there are accepted, sent, delivered and read",
				 "--wait: \"%s\" is no status", s->wait);
	return false;
}

/* ---- what happens to it ---- */

static int rank_of(struct str word)
{
	for (size_t i = 0; i < ARRAY_LEN(goals); i++)
		if (str_eq(word, str_from(goals[i])))
			return (int)i;
	return str_eq(word, STR("played")) ? (int)ARRAY_LEN(goals) - 1 : -1;
}

static int64_t since_accepted_ms(const struct send *s)
{
	return (clock_real_ns() - s->accepted_ns) / NS_PER_MS;
}

static void say_step(const struct send *s, const char *word, int64_t ms, int code)
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

static void add_step(struct send *s, struct str word, int code)
{
	struct step *step;

	for (size_t i = 0; i < s->step_count; i++)
		if (str_eq(word, str_from(s->steps[i].word)))
			return; /* told twice */
	if (s->step_count == STEPS_MAX)
		return;
	step = &s->steps[s->step_count++];
	(void)str_copy(word, step->word, sizeof(step->word));
	step->ms = since_accepted_ms(s);
	step->code = code;
	say_step(s, step->word, step->ms, code);
}

static bool is_ours(const struct send *s, struct json_val event)
{
	struct str id;

	if (json_get_str(event, STR("sent_message"), 64, &id) &&
	    str_eq(id, str_from(s->message_id)))
		return true;
	return json_get_str(json_member(event, STR("message")), STR("id"), WAMID_MAX, &id) &&
	       id.len > 0 &&
	       (str_eq(id, str_from(s->message_id)) || str_eq(id, str_from(s->wamid)));
}

static void note_failure(struct send *s, struct json_val error, struct str word)
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

static void take_event(struct send *s, struct json_val event)
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
	    json_get_str(json_member(event, STR("message")), STR("id"), WAMID_MAX, &id))
		(void)str_copy(id, s->wamid, sizeof(s->wamid));
	add_step(s, word, 0);
	rank = rank_of(word);
	if (rank > s->rank)
		s->rank = rank;
}

static void take_text(struct send *s, struct str text)
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
	struct send *s = cookie;

	if (s->is_known)
		take_text(s, e->data);
	else if (s->held_count < HELD_MAX)
		s->held[s->held_count++] = xstrndup(e->data);
}

static void on_open(void *cookie)
{
	((struct send *)cookie)->stream_open = true;
}

static void on_end(void *cookie, int status, const struct gw_error *err)
{
	(void)status;
	(void)err;
	((struct send *)cookie)->stream_ended = true;
}

/* The answer has told the ids: now what was held can be judged. */
static void release_held(struct send *s)
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
	((struct send *)cookie)->timed_out = true;
}

static bool is_over(const struct send *s)
{
	return s->failed || s->timed_out || s->stream_ended || s->rank >= s->goal;
}

static void follow(struct send *s)
{
	int64_t limit = s->cli->timeout_ms > 0 ? s->cli->timeout_ms
			: s->wait != NULL      ? FOLLOW_MS
					       : FOLLOW_UNASKED_MS;
	struct timer t;

	timer_init(&t, api_loop(s->api), LOOP_REAL, on_time, s);
	timer_in_ms(&t, limit);
	while (!is_over(s))
		loop_turn(api_loop(s->api), -1);
	timer_cancel(&t);
}

static int open_stream(struct send *s)
{
	const struct api_stream_handlers h = { on_event, on_open, on_end, s };

	s->stream = api_stream_open(s->api, "/api/v1/stream?types=message.status", NULL, &h);
	while (!s->stream_open && !s->stream_ended)
		loop_turn(api_loop(s->api), -1);
	if (s->stream_open)
		return EXIT_OK;
	if (s->wait != NULL)
		return cli_failf(s->cli, EXIT_TEMPORARY, "send without --wait, or try again",
				 "the statuses of the message cannot be followed");
	s->goal = 0; /* nobody asked: the answer will do */
	return EXIT_OK;
}

/* ---- the call and its answer ---- */

static int refused(struct send *s, const struct api_answer *answer)
{
	struct json_val error = json_member(answer->json, STR("error"));
	struct json_val data = json_member(error, STR("error_data"));
	struct str details = STR_EMPTY;
	int64_t code = 0, subcode = 0;
	int exit;

	if (!json_get_i64(error, STR("code"), &code))
		return api_fail(s->api, answer);
	(void)json_get_i64(error, STR("error_subcode"), &subcode);
	if (!json_get_str(data, STR("details"), 1024, &details))
		(void)json_get_str(error, STR("message"), 1024, &details);
	if (answer->status == 401 || answer->status == 403)
		exit = EXIT_AUTH;
	else if (answer->status == 503 || answer->status == 429)
		exit = EXIT_TEMPORARY;
	else if (answer->refused[0] != '\0')
		exit = EXIT_REFUSED;
	else
		exit = meta_exit((int)code, (int)subcode);
	return meta_fail(s->cli, exit, "not sent", (int)code, (int)subcode, details,
			 answer->message_id);
}

/* "Name: 1=Ann&2=A1" */
static void put_vars_header(struct buf *b, const struct opt_list *vars)
{
	char name[VAR_NAME_MAX];
	size_t at;

	buf_put_text(b, "Godwit-Fallback-Vars: ");
	for (size_t i = 0; i < vars->count; i++) {
		struct str pair = str_from(vars->items[i]);
		size_t start = b->len;

		(void)str_find_char(pair, '=', &at); /* check_vars() */
		(void)str_copy(str_slice(pair, 0, at), name, sizeof(name));
		api_put_query(b, name, vars->items[i] + at + 1);
		if (!buf_failed(b)) /* the header is no query */
			b->data[start] = i == 0 ? ' ' : '&';
	}
}

static int post(struct send *s, const struct buf *body, struct api_answer *answer)
{
	char key[300], category[64], fallback[600];
	struct api_request r = {
		.method = "POST",
		.body = buf_str(body),
		.if_lost = "the message may have been taken: see `godwit message list` before you "
			   "send it again; --idempotency-key makes that harmless",
	};
	struct buf path, vars;
	size_t n = 0;
	int code;

	buf_init(&vars, VARS_HEADER_MAX);
	if (s->park)
		r.headers[n++] = "Godwit-Park: yes";
	if (s->fallback != NULL) {
		(void)snprintf(fallback, sizeof(fallback), "Godwit-Fallback-Template: %s",
			       s->fallback);
		r.headers[n++] = fallback;
	}
	if (s->fallback_vars.count > 0) {
		put_vars_header(&vars, &s->fallback_vars);
		if (buf_failed(&vars))
			return cli_failf(s->cli, EXIT_USAGE, NULL,
					 "--fallback-var: all together over %u bytes",
					 VARS_HEADER_MAX);
		r.headers[n++] = vars.data;
	}
	if (s->key != NULL) {
		(void)snprintf(key, sizeof(key), "Idempotency-Key: %s", s->key);
		r.headers[n++] = key;
	}
	if (s->category != NULL) {
		(void)snprintf(category, sizeof(category), "Godwit-Category: %s", s->category);
		r.headers[n++] = category;
	}
	if (s->async)
		r.headers[n++] = "Prefer: respond-async";
	buf_init(&path, 4096);
	api_put_segment(&path, s->number);
	buf_put_text(&path, "/messages");
	r.path = path.data;
	code = api_call(s->api, &r, answer);
	buf_release(&vars);
	buf_release(&path);
	return code;
}

static void note_accepted(struct send *s, const struct api_answer *answer)
{
	struct json_val first = json_at(json_member(answer->json, STR("messages")), 0);
	struct str id = STR_EMPTY;
	const char *word = answer->parked          ? "parked"
			   : answer->status == 202 ? "queued"
						   : "accepted";

	(void)json_get_str(first, STR("id"), WAMID_MAX - 1, &id);
	(void)str_copy(str_from(answer->message_id), s->message_id, sizeof(s->message_id));
	if (answer->status == 202)
		s->rank = -1;
	else
		(void)str_copy(id, s->wamid, sizeof(s->wamid));
	s->accepted_ns = clock_real_ns();
	s->is_parked = answer->parked;
	if (s->cli->format == OUT_JSONL)
		printf("{\"status\":\"%s\",\"id\":\"%s\",\"wamid\":\"%s\",\"ms\":%lld}\n", word,
		       s->message_id, s->wamid, (long long)answer->ms);
	else if (s->cli->format == OUT_ID)
		printf("%.*s\n", STR_ARG(id));
	else if (s->cli->format == OUT_TABLE && !s->cli->quiet)
		printf("%-9s  %.*s  %.2f s%s%s\n", word, STR_ARG(id), (double)answer->ms / 1000.0,
		       s->rank < 0 ? "" : "  ", s->rank < 0 ? "" : s->message_id);
	(void)fflush(stdout);
	if (answer->fallback_for[0] != '\0')
		cli_note(s->cli, "the window is shut: the template went in place of %s",
			 answer->fallback_for);
	if (answer->parked)
		cli_note(s->cli, "the window is shut: it leaves when the customer writes");
}

static void print_json(const struct send *s)
{
	struct json_writer w;
	struct buf b;

	buf_init(&b, 65536);
	json_w_init(&w, &b);
	json_w_object(&w);
	json_w_kv_text(&w, "id", s->message_id);
	json_w_kv_text(&w, "wamid", s->wamid[0] != '\0' ? s->wamid : NULL);
	json_w_kv_text(&w, "number_id", s->number);
	json_w_kv_text(&w, "status",
		       s->failed      ? "failed"
		       : s->is_parked ? "parked"
		       : s->rank < 0  ? "queued"
				      : goals[s->rank]);
	json_w_key(&w, STR("steps"));
	json_w_array(&w);
	for (size_t i = 0; i < s->step_count; i++) {
		json_w_object(&w);
		json_w_kv_text(&w, "status", s->steps[i].word);
		json_w_kv_i64(&w, "ms", s->steps[i].ms);
		if (s->steps[i].code != 0)
			json_w_kv_i64(&w, "code", s->steps[i].code);
		json_w_end(&w);
	}
	json_w_end(&w);
	json_w_end(&w);
	printf("%.*s\n", STR_ARG(buf_str(&b)));
	buf_release(&b);
}

static int conclude(const struct send *s)
{
	char fix[128];

	if (s->cli->format == OUT_JSON)
		print_json(s);
	(void)snprintf(fix, sizeof(fix), "godwit why %s", s->message_id);
	if (s->failed)
		return meta_fail(s->cli, meta_exit(s->failed_code, 0), "it failed", s->failed_code,
				 0, str_from(s->failed_details), s->message_id);
	if (s->rank >= s->goal)
		return EXIT_OK;
	if (s->wait != NULL)
		return cli_failf(s->cli, EXIT_TEMPORARY, fix,
				 "not %s yet; the message goes its way", goals[s->goal]);
	cli_note(s->cli, "not %s yet; the message goes its way: %s", goals[s->goal], fix);
	return EXIT_OK;
}

static int send_it(struct send *s, const struct buf *body)
{
	struct api_answer answer;
	int code = look_up(s);

	if (code != EXIT_OK)
		return code;
	if (s->wait == NULL && s->is_sandbox && !s->async)
		s->goal = (int)ARRAY_LEN(goals) - 1;
	if (s->goal > 0 || (s->wait != NULL && s->async))
		code = open_stream(s);
	if (code == EXIT_OK)
		code = post(s, body, &answer);
	if (code != EXIT_OK)
		return code;
	if (answer.status != 200 && answer.status != 202)
		return refused(s, &answer);
	note_accepted(s, &answer);
	if (s->stream != NULL && s->stream_open && !s->is_parked) {
		release_held(s);
		follow(s);
	} else {
		s->goal = s->rank; /* nothing more was asked for */
	}
	return conclude(s);
}

static int with_body(struct send *s, char **words, int count)
{
	struct buf body;
	int code;

	buf_init(&body, BODY_MAX);
	code = make_body(s, &body, words, count);
	if (code == EXIT_OK)
		s->api = api_open(s->cli, &code);
	if (s->api != NULL)
		code = cli_done(s->cli, send_it(s, &body));
	buf_release(&body);
	return code;
}

static int run(struct cli *cli, int argc, char **argv)
{
	struct send *s = xcalloc(1, sizeof(*s));
	const struct opt opts[] = {
		{ OPT_TEXT, 0, "from", &s->from, "ID",
		  "the sending number's id, if there are several" },
		{ OPT_TEXT, 0, "template", &s->template, "NAME", "an approved template" },
		{ OPT_TEXT, 0, "lang", &s->lang, "CODE", "its language (en_US)" },
		{ OPT_LIST, 0, "var", &s->vars, "N=TEXT",
		  "a variable of its body, by number or name" },
		{ OPT_TEXT, 0, "fallback-template", &s->fallback, "NAME[:LANG]",
		  "send this template instead when the 24-hour window is shut" },
		{ OPT_LIST, 0, "fallback-var", &s->fallback_vars, "N=TEXT",
		  "a variable of its body, by number or name" },
		{ OPT_FLAG, 0, "park", &s->park, NULL,
		  "wait until the customer writes when the window is shut" },
		{ OPT_TEXT, 0, "category", &s->category, "WORD",
		  "marketing, utility or authentication: marketing is refused to who opted out" },
		{ OPT_TEXT, 0, "json-body", &s->json_body, "FILE",
		  "the whole message as the Graph API takes it; - is standard input" },
		{ OPT_TEXT, 0, "wait", &s->wait, "STATUS",
		  "until accepted, sent, delivered or read" },
		{ OPT_TEXT, 0, "idempotency-key", &s->key, "KEY",
		  "the same key is never sent twice" },
		{ OPT_FLAG, 0, "async", &s->async, NULL, "return when it is on disk" },
		OPT_END
	};
	int code;

	s->cli = cli;
	if (opt_parse(cli, &cmd_send, opts, &argc, &argv) && check_vars(s, &s->vars, "--var") &&
	    check_vars(s, &s->fallback_vars, "--fallback-var") && read_goal(s))
		code = with_body(s, argv, argc);
	else
		code = cli->code;
	api_stream_close(s->stream);
	api_close(s->api);
	for (size_t i = 0; i < s->held_count; i++)
		free(s->held[i]);
	free(s);
	return code;
}

const struct cmd cmd_send = {
	.name = "send",
	.args = "TO [TEXT]",
	.args_max = 2,
	.help = "send a message and follow what becomes of it",
	.more = "godwit send +5571990000001 \"Yes\"\n"
		"godwit send +4915112345678 --template order_shipped --lang en \\\n"
		"            --var 1=Ada --var 2=A-123\n"
		"godwit send +4915112345678 \"Your parcel is here\" --park \\\n"
		"            --fallback-template may_we_talk:en\n"
		"With --park and a template: the template invites, the text waits for the answer.\n"
		"In the sandbox it follows to read; live it stops at accepted unless --wait.",
	.run = run,
};
