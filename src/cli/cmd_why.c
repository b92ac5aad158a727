/* SPDX-License-Identifier: MIT */
/*
 * cmd_why.c - godwit why: what happened to a message or event, from the record, and what to do
 *
 * ROLE   Reads the trail of a message (every move and every piece of evidence),
 *        says it in order with the time from step to step, and ends with the
 *        code that decided, its meaning and the way out.
 * TESTS  tests/system/test_cli.py
 */
#include "base/panic.h"
#include "cli/api.h"
#include "cli/event_line.h"
#include "cli/meta.h"
#include "cli/opt.h"
#include "cli/out.h"
#include <godwit/errors.h>

#define PATH_MAX_BYTES 8192
#define FIELD_MAX 4096

extern const struct cmd cmd_why;

struct why {
	struct cli *cli;
	struct api *api;
	int64_t last_ms; /* of the step before; 0: none */
};

static struct str text_of(struct json_val v, const char *key)
{
	struct str s = STR_EMPTY;

	(void)json_get_str(v, str_from(key), FIELD_MAX, &s);
	return s;
}

static int64_t number_of(struct json_val v, const char *key)
{
	int64_t n = 0;

	(void)json_get_i64(v, str_from(key), &n);
	return n;
}

/* "  10:02:11.204  +1.7 s    " */
static void begin_step(struct why *y, struct json_val step)
{
	int64_t at_ms = number_of(step, "at_ms");
	char delta[32] = "";

	if (y->last_ms > 0)
		(void)snprintf(delta, sizeof(delta), "%+.3f s",
			       (double)(at_ms - y->last_ms) / 1000.0);
	y->last_ms = at_ms;
	printf("  %.*s  %11s  ", STR_ARG(event_time_of_day(text_of(step, "at"))), delta);
}

static void print_evidence(struct json_val step)
{
	struct json_val error = json_at(json_member(step, STR("errors")), 0);
	int64_t code = number_of(error, "code");

	printf("%-10.*s webhook", STR_ARG(text_of(step, "status")));
	if (code != 0)
		printf("  %lld %.*s", (long long)code, STR_ARG(text_of(error, "title")));
	printf("  %.*s\n", STR_ARG(text_of(step, "event")));
}

static void print_move(struct json_val step)
{
	struct str reason = text_of(step, "reason"), why = text_of(step, "why");
	int64_t http = number_of(step, "http_status"), code = number_of(step, "code");

	printf("%-10.*s", STR_ARG(text_of(step, "to")));
	if (number_of(step, "try") > 0)
		printf(" try %lld", (long long)number_of(step, "try"));
	if (http != 0)
		printf("  HTTP %lld", (long long)http);
	if (json_exists(json_member(step, STR("api_ms"))))
		printf(" in %lld ms, waited %lld ms, paced %lld ms",
		       (long long)number_of(step, "api_ms"),
		       (long long)number_of(step, "waited_ms"),
		       (long long)number_of(step, "paced_ms"));
	if (code != 0)
		printf("  %lld", (long long)code);
	if (reason.len > 0)
		printf("  %.*s", STR_ARG(reason));
	if (why.len > 0 && !str_eq(why, reason))
		printf("  %.*s", STR_ARG(why));
	printf("\n");
}

static void print_trail(struct why *y, struct json_val trail)
{
	struct json_iter it;
	struct json_val step;

	for (it = json_iter(trail); json_next(&it, &step);) {
		begin_step(y, step);
		if (json_exists(json_member(step, STR("status"))))
			print_evidence(step);
		else
			print_move(step);
	}
}

/* What to do next, when no code says it. */
static const char *advice_for(struct str state, struct str status, struct str reason)
{
	static const struct {
		const char *state, *advice;
	} rows[] = {
		{ "queued", "It waits for its turn; nothing is to be done." },
		{ "sending", "Its request is on the way." },
		{ "unknown",
		  "The answer was lost and Meta may have it. A status settles it; else decide: "
		  "godwit message resolve ID --as sent|resend|expire" },
		{ "expired",
		  "Its lifetime passed before Meta took it. Send it anew if it still matters." },
	};

	if (str_eq(state, STR("waiting")))
		return str_eq(reason, STR("paused"))
			       ? "The account is paused: see the code of the last attempt."
		       : str_eq(reason, STR("parked"))
			       ? "The window is shut: it leaves when the customer writes, or "
				 "expires."
			       : "It is tried again at the time above; nothing is to be done.";
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (str_eq(state, str_from(rows[i].state)))
			return rows[i].advice;
	if (status.len == 0)
		return "Meta has it and has not told more. If statuses never come, is the app "
		       "subscribed to the account's webhooks?";
	if (str_eq(status, STR("sent")))
		return "It is on its way to the phone, which may be switched off.";
	return NULL;
}

static void print_code(struct json_val error)
{
	int64_t code = number_of(error, "code");
	struct str meaning = text_of(error, "meaning"), fix = text_of(error, "fix");
	const gw_error_info *info = gw_error_info_find((int)code, (int)number_of(error, "subcode"));
	char command[GW_ERROR_COMMAND_MAX];

	printf("\n%lld", (long long)code);
	if (info != NULL)
		printf("  %s", info->title);
	printf("\n");
	if (meaning.len > 0)
		printf("  %.*s\n", STR_ARG(meaning));
	else if (info != NULL)
		printf("  %s\n", info->meaning);
	if (fix.len > 0)
		printf("  To do: %.*s\n", STR_ARG(fix));
	else if (info != NULL)
		printf("  To do: %s\n", info->fix);
	if (info == NULL)
		return;
	if (info->retry != GW_RETRY_NEVER)
		printf("  Sending again: %s\n", gw_retry_name(info->retry));
	gw_error_command(info, command);
	printf("  More: %s\n", command);
}

/* Messages that were made because a window was shut. */
static void print_follows(struct json_val m)
{
	struct json_val origin = json_member(m, STR("follows")), one;
	struct json_iter it = json_iter(json_member(m, STR("followed_by")));

	if (json_type(origin) == JSON_OBJECT)
		printf("  made because the window was shut for %.*s\n",
		       STR_ARG(text_of(origin, "id")));
	while (json_next(&it, &one))
		printf("  %s %.*s\n",
		       str_eq(text_of(one, "as"), STR("template"))
			       ? "the window was shut: its template is"
			       : "Meta failed it for the window: the text waits as",
		       STR_ARG(text_of(one, "id")));
}

static void print_message(struct why *y, struct json_val m)
{
	struct str state = text_of(m, "state"), status = text_of(m, "status");
	struct json_val error = json_member(m, STR("error"));
	bool failed = false;
	char phone[OUT_PHONE_MAX];
	const char *advice;
	enum out_mark_kind mark = MARK_OK;

	(void)json_get_bool(m, STR("failed"), &failed);
	if (failed || str_eq(state, STR("rejected")) || str_eq(state, STR("expired")))
		mark = MARK_FAIL;
	else if (!str_eq(state, STR("accepted")))
		mark = MARK_WARN;
	out_phone(y->cli, text_of(m, "to"), phone);
	printf("%s %.*s", out_mark(y->cli, mark), STR_ARG(state));
	if (failed)
		printf(", then failed");
	else if (status.len > 0)
		printf(", %.*s", STR_ARG(status));
	printf("  %.*s to %s  %.*s\n", STR_ARG(text_of(m, "kind")), phone,
	       STR_ARG(text_of(m, "id")));
	if (text_of(m, "wamid").len > 0)
		printf("  %.*s\n", STR_ARG(text_of(m, "wamid")));
	print_trail(y, json_member(m, STR("trail")));
	print_follows(m);
	if (text_of(m, "next_at").len > 0)
		printf("  next try at %.*s\n", STR_ARG(text_of(m, "next_at")));
	if (json_type(error) == JSON_OBJECT) {
		print_code(error);
		return;
	}
	advice = advice_for(state, failed ? STR("failed") : status, text_of(m, "reason"));
	if (advice != NULL)
		printf("\n%s\n", advice);
}

static int why_message(struct why *y, const char *id)
{
	struct api_answer answer;
	struct buf path;
	int code;

	buf_init(&path, PATH_MAX_BYTES);
	buf_put_text(&path, "/api/v1/messages");
	api_put_segment(&path, id);
	buf_put_text(&path, "/trail");
	code = api_get(y->api, path.data, &answer);
	if (code == EXIT_OK && cli_is_json(y->cli))
		printf("%.*s\n", STR_ARG(answer.body));
	else if (code == EXIT_OK)
		print_message(y, answer.json);
	buf_release(&path);
	return code;
}

static void print_deliveries(const struct why *y, struct json_val list)
{
	struct json_iter it;
	struct json_val d;

	if (json_count(list) == 0)
		printf("  no destination wanted it\n");
	for (it = json_iter(list); json_next(&it, &d);) {
		struct str state = text_of(d, "state"), text = text_of(d, "why");
		enum out_mark_kind mark = str_eq(state, STR("delivered")) ? MARK_OK
					  : str_eq(state, STR("dead"))    ? MARK_FAIL
									  : MARK_WARN;

		printf("  %s %.*s  %.*s after %lld attempt%s", out_mark(y->cli, mark),
		       STR_ARG(text_of(d, "url")), STR_ARG(state),
		       (long long)number_of(d, "attempts"),
		       number_of(d, "attempts") == 1 ? "" : "s");
		if (number_of(d, "http_status") != 0)
			printf(", HTTP %lld", (long long)number_of(d, "http_status"));
		if (text.len > 0)
			printf(", %.*s", STR_ARG(text));
		if (text_of(d, "next_at").len > 0)
			printf(", next try at %.*s", STR_ARG(text_of(d, "next_at")));
		printf("\n");
	}
}

static int why_event(struct why *y, const char *id)
{
	struct api_answer answer;
	char message[64] = "";
	struct buf path, line;
	int code;

	buf_init(&path, PATH_MAX_BYTES);
	buf_put_text(&path, "/api/v1/events");
	api_put_segment(&path, id);
	code = api_get(y->api, path.data, &answer);
	buf_release(&path);
	if (code != EXIT_OK)
		return code;
	if (cli_is_json(y->cli)) {
		printf("%.*s\n", STR_ARG(answer.body));
		return EXIT_OK;
	}
	buf_init(&line, 1U << 20);
	event_put_line(&line, y->cli, answer.json);
	printf("%.*s\n", STR_ARG(buf_str(&line)));
	buf_release(&line);
	print_deliveries(y, json_member(answer.json, STR("deliveries")));
	(void)str_copy(text_of(answer.json, "sent_message"), message, sizeof(message));
	if (message[0] == '\0')
		return EXIT_OK;
	printf("\n");
	return why_message(y, message);
}

static int run(struct cli *cli, int argc, char **argv)
{
	struct why y = { .cli = cli };
	int code;

	if (!opt_parse(cli, &cmd_why, NULL, &argc, &argv))
		return cli->code;
	y.api = api_open(cli, &code);
	if (y.api == NULL)
		return code;
	if (str_starts(str_from(argv[0]), STR("evt_")))
		code = why_event(&y, argv[0]);
	else
		code = why_message(&y, argv[0]);
	api_close(y.api);
	return cli_done(cli, code);
}

const struct cmd cmd_why = {
	.name = "why",
	.args = "ID",
	.args_min = 1,
	.args_max = 1,
	.help = "tell what happened to a message (msg_..., wamid) or event (evt_...)",
	.run = run,
};
