/* SPDX-License-Identifier: MIT */
/*
 * send_one.c - godwit send TO: hand a message over and follow what becomes of it
 *
 * LIFE     number -> stream opened (so that no status is missed) -> POST to the
 *          Graph front -> "accepted" or "queued" -> statuses -> the goal, a
 *          failure, or the time is up.
 * TESTS    tests/system/test_cli.py
 */
#include "base/mem.h"
#include "cli/meta.h"
#include "cli/send.h"
#include "cli/send_follow.h"

#define BODY_MAX (2U << 20)
#define VAR_NAME_MAX 128
#define VARS_HEADER_MAX (12U << 10) /* a whole head has 16 KiB */

struct send {
	struct cli *cli;
	struct api *api;
	const struct send_wish *wish;
	struct send_sender sender;
	struct send_follow f;
	bool is_parked;
};

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

		(void)str_find_char(pair, '=', &at); /* send_vars_check() */
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
	if (s->wish->park)
		r.headers[n++] = "Godwit-Park: yes";
	if (s->wish->fallback != NULL) {
		(void)snprintf(fallback, sizeof(fallback), "Godwit-Fallback-Template: %s",
			       s->wish->fallback);
		r.headers[n++] = fallback;
	}
	if (s->wish->fallback_vars.count > 0) {
		put_vars_header(&vars, &s->wish->fallback_vars);
		if (buf_failed(&vars))
			return cli_failf(s->cli, EXIT_USAGE, NULL,
					 "--fallback-var: all together over %u bytes",
					 VARS_HEADER_MAX);
		r.headers[n++] = vars.data;
	}
	if (s->wish->key != NULL) {
		(void)snprintf(key, sizeof(key), "Idempotency-Key: %s", s->wish->key);
		r.headers[n++] = key;
	}
	if (s->wish->category != NULL) {
		(void)snprintf(category, sizeof(category), "Godwit-Category: %s",
			       s->wish->category);
		r.headers[n++] = category;
	}
	if (s->wish->async)
		r.headers[n++] = "Prefer: respond-async";
	buf_init(&path, 4096);
	api_put_segment(&path, s->sender.number);
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

	(void)json_get_str(first, STR("id"), SEND_WAMID_MAX - 1, &id);
	(void)str_copy(str_from(answer->message_id), s->f.message_id, sizeof(s->f.message_id));
	if (answer->status == 202)
		s->f.rank = -1;
	else
		(void)str_copy(id, s->f.wamid, sizeof(s->f.wamid));
	s->f.accepted_ns = clock_real_ns();
	s->is_parked = answer->parked;
	if (s->cli->format == OUT_JSONL)
		printf("{\"status\":\"%s\",\"id\":\"%s\",\"wamid\":\"%s\",\"ms\":%lld}\n", word,
		       s->f.message_id, s->f.wamid, (long long)answer->ms);
	else if (s->cli->format == OUT_ID)
		printf("%.*s\n", STR_ARG(id));
	else if (s->cli->format == OUT_TABLE && !s->cli->quiet)
		printf("%-9s  %.*s  %.2f s%s%s\n", word, STR_ARG(id), (double)answer->ms / 1000.0,
		       s->f.rank < 0 ? "" : "  ", s->f.rank < 0 ? "" : s->f.message_id);
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
	json_w_kv_text(&w, "id", s->f.message_id);
	json_w_kv_text(&w, "wamid", s->f.wamid[0] != '\0' ? s->f.wamid : NULL);
	json_w_kv_text(&w, "number_id", s->sender.number);
	json_w_kv_text(&w, "status",
		       s->f.failed     ? "failed"
		       : s->is_parked  ? "parked"
		       : s->f.rank < 0 ? "queued"
				       : send_goals[s->f.rank]);
	json_w_key(&w, STR("steps"));
	json_w_array(&w);
	for (size_t i = 0; i < s->f.step_count; i++) {
		json_w_object(&w);
		json_w_kv_text(&w, "status", s->f.steps[i].word);
		json_w_kv_i64(&w, "ms", s->f.steps[i].ms);
		if (s->f.steps[i].code != 0)
			json_w_kv_i64(&w, "code", s->f.steps[i].code);
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
	(void)snprintf(fix, sizeof(fix), "godwit why %s", s->f.message_id);
	if (s->f.failed)
		return meta_fail(s->cli, meta_exit(s->f.failed_code, 0), "it failed",
				 s->f.failed_code, 0, str_from(s->f.failed_details),
				 s->f.message_id);
	if (s->f.rank >= s->f.goal)
		return EXIT_OK;
	if (s->wish->wait != NULL)
		return cli_failf(s->cli, EXIT_TEMPORARY, fix,
				 "not %s yet; the message goes its way", send_goals[s->f.goal]);
	cli_note(s->cli, "not %s yet; the message goes its way: %s", send_goals[s->f.goal], fix);
	return EXIT_OK;
}

static int send_it(struct send *s, const struct buf *body)
{
	struct api_answer answer;
	int code = send_from(s->api, s->cli, s->wish->from, &s->sender);

	if (code != EXIT_OK)
		return code;
	if (s->wish->wait == NULL && s->sender.is_sandbox && !s->wish->async)
		s->f.goal = (int)SEND_GOALS - 1;
	if (s->f.goal > 0 || (s->wish->wait != NULL && s->wish->async))
		code = send_follow_open(&s->f);
	if (code == EXIT_OK)
		code = post(s, body, &answer);
	if (code != EXIT_OK)
		return code;
	if (answer.status != 200 && answer.status != 202)
		return refused(s, &answer);
	note_accepted(s, &answer);
	if (s->f.stream != NULL && s->f.stream_open && !s->is_parked) {
		send_follow_known(&s->f);
		send_follow_wait(&s->f);
	} else {
		s->f.goal = s->f.rank; /* nothing more was asked for */
	}
	return conclude(s);
}

int send_one(struct cli *cli, const struct send_wish *wish, char **words, int count)
{
	struct send *s = xcalloc(1, sizeof(*s));
	struct buf body;
	int code;

	s->cli = s->f.cli = cli;
	s->wish = wish;
	buf_init(&body, BODY_MAX);
	code = send_follow_goal(&s->f, wish->wait) ? send_body_make(cli, wish, words, count, &body)
						   : cli->code;
	if (code == EXIT_OK)
		s->api = s->f.api = api_open(cli, &code);
	if (s->api != NULL)
		code = cli_done(cli, send_it(s, &body));
	buf_release(&body);
	send_follow_release(&s->f);
	api_close(s->api);
	free(s);
	return code;
}
