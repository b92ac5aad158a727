/* SPDX-License-Identifier: MIT */
/*
 * finding.c - causes, fixes and commands for what was found
 *
 * Causes and fixes are those of the catalogue (godwit/errors.h, cli/topics.h);
 * only the commands stand here.
 *
 * TESTS  tests/system/test_doctor.py
 */
#include "cli/finding.h"
#include "cli/out.h"
#include "cli/topics.h"

#include "base/mem.h"
#include "base/panic.h"

#include <stdarg.h>

#define COMMAND_MAX 1024
#define TEXT_BYTES 4096

/* The order in which things must work: the guides' eight, what fails silently, what is here. */
static const char *const order[] = { "gateway",      "configuration", "token",        "account",
				     "number",       "registration",  "window",       "consent",
				     "message",      "template",      "subscription", "callback",
				     "webhooks",     "limits",        "app-secret",   "health",
				     "sending",      "clock",         "disk",         "store",
				     "destinations", "events" };

struct findings *findings_new(struct cli *cli)
{
	struct findings *all = xcalloc(1, sizeof(*all));

	all->cli = cli;
	return all;
}

void findings_clear(struct findings *all)
{
	for (size_t i = 0; i < all->items; i++) {
		free(all->item[i].check);
		free(all->item[i].account);
		free(all->item[i].number);
		free(all->item[i].evidence);
		free(all->item[i].topic);
	}
	all->items = 0;
}

void findings_free(struct findings *all)
{
	if (all == NULL)
		return;
	findings_clear(all);
	free(all);
}

static char *copy(const char *text)
{
	return text == NULL || text[0] == '\0' ? NULL : xstrdup(text);
}

void findings_add(struct findings *all, const struct doctor_finding *f)
{
	if (all->items == FINDINGS_MAX)
		return;
	all->item[all->items++] = (struct finding){ .check = xstrdup(f->check),
						    .account = copy(all->account),
						    .number = copy(f->number),
						    .evidence = copy(f->evidence),
						    .topic = copy(f->topic),
						    .result = f->result,
						    .code = f->code,
						    .subcode = f->subcode };
}

void findings_put(struct findings *all, const char *check, enum doctor_result r, const char *topic,
		  int code, const char *fmt, ...)
{
	struct doctor_finding f = { .check = check, .result = r, .topic = topic, .code = code };
	char text[DOCTOR_EVIDENCE_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	f.evidence = text;
	findings_add(all, &f);
}

static char *take_text(struct json_val v, const char *key)
{
	struct str s;

	return json_get_str(v, str_from(key), TEXT_BYTES, &s) ? xstrndup(s) : NULL;
}

void findings_take(struct findings *all, struct json_val v)
{
	struct finding f = { .check = take_text(v, "check"),
			     .account = take_text(v, "account"),
			     .number = take_text(v, "number"),
			     .evidence = take_text(v, "evidence"),
			     .topic = take_text(v, "topic"),
			     .result = DOCTOR_FAIL };
	char *word = take_text(v, "result");
	int64_t n;

	for (int r = DOCTOR_OK; word != NULL && r <= DOCTOR_SKIP; r++)
		if (strcmp(word, doctor_result_word((enum doctor_result)r)) == 0)
			f.result = (enum doctor_result)r;
	free(word);
	if (json_get_i64(v, STR("code"), &n))
		f.code = (int)n;
	if (json_get_i64(v, STR("subcode"), &n))
		f.subcode = (int)n;
	if (f.check == NULL)
		f.check = xstrdup("?");
	if (all->items == FINDINGS_MAX) {
		free(f.check);
		free(f.account);
		free(f.number);
		free(f.evidence);
		free(f.topic);
		return;
	}
	all->item[all->items++] = f;
}

/* ---- commands ---- */

/* "{n}" number, "{a}" account, "{d}" destination or message, "{g}" a curl of the gateway, "{w}" the
 * program. */
static const struct command {
	const char *check; /* NULL: any */
	const char *topic; /* NULL: any */
	int code; /* 0: any */
	const char *text;
} commands[] = {
	{ NULL, "no-gateway", 0, "{w} serve" },
	{ NULL, "bad-configuration", 0, "{w} config check" },
	{ NULL, "no-configuration", 0, "{w} init" },
	{ NULL, "graph-unreachable", 0, "curl -sI https://graph.facebook.com" },
	{ NULL, "not-subscribed", 0, "{w} doctor --fix{a}" },
	{ NULL, "clock-skew", 0, "timedatectl set-ntp true" },
	{ NULL, "disk-full", 0, "df -h" },
	{ NULL, "store-stuck", 0, "{w} readyz --wait" },
	{ NULL, "destination-down", 0, "{w} destination test {d}" },
	{ NULL, "destination-slow", 0, "{w} destination test {d}" },
	{ NULL, "destination-disabled", 0, "{w} destination remove {d}" },
	{ NULL, "no-events", 0, "{w} listen" },
	{ NULL, "no-statuses", 0, "{w} doctor --fix" },
	{ NULL, "store-slow", 0, "df -h" },
	{ NULL, "store-unwritable", 0, "df -h" },
	{ NULL, "unknown-messages", 0, "{w} message list --state unknown" },
	{ NULL, "number-waits", 0, "{w} message list --state waiting" },
	{ NULL, "sending-slow", 0, "{w} message list --state queued" },
	{ "message", NULL, 0, "{w} why {d}" },
	{ "webhooks", NULL, 0, "{w} config reload" },
	{ "registration", NULL, 133006,
	  "{g}/{n}/request_code -H 'Content-Type: application/json' -d "
	  "'{\"code_method\":\"SMS\",\"language\":\"en_US\"}'" },
	{ "registration", NULL, 133010,
	  "{g}/{n}/register -H 'Content-Type: application/json' -d "
	  "'{\"messaging_product\":\"whatsapp\",\"pin\":\"SIX DIGITS\"}'" },
	{ "window", NULL, 0, "{w} send PHONE --template NAME --lang LANGUAGE" },
	{ "template", NULL, 132001, "{w} doctor --template NAME:LANGUAGE" },
	{ "callback", NULL, 0, "{w} doctor --public-url https://YOUR.HOST" },
	{ "token", NULL, 0, "{w} config reload" },
	{ "app-secret", NULL, 0, "{w} config reload" },
	{ "account", NULL, 0, "{w} config reload" },
	{ "number", NULL, 0, "{w} config reload" },
	{ "sending", NULL, 0, "{w} config reload" },
};

static const struct command *find_command(const struct finding *f)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		const struct command *c = &commands[i];

		if ((c->check == NULL || strcmp(c->check, f->check) == 0) &&
		    (c->topic == NULL || (f->topic != NULL && strcmp(c->topic, f->topic) == 0)) &&
		    (c->code == 0 || c->code == f->code))
			return c;
	}
	return NULL;
}

/* A curl that needs no key, or says that it needs one. */
static void put_curl(struct buf *b, const char *where)
{
	if (where != NULL && str_starts(str_from(where), STR("unix:")))
		buf_put_fmt(b, "curl -s --unix-socket %s http://localhost/v26.0", where + 5);
	else
		buf_put_fmt(b, "curl -s -H 'Authorization: Bearer KEY' %s/v26.0",
			    where != NULL ? where : "http://127.0.0.1:8082");
}

static void put_word(struct buf *b, const struct findings *all, const struct finding *f,
		     char letter, const char *where)
{
	struct str rest = str_from(f->evidence != NULL ? f->evidence : ""), first = STR_EMPTY;

	switch (letter) {
	case 'w': buf_put_text(b, all->cli->program); break;
	case 'n': buf_put_text(b, f->number != NULL ? f->number : "NUMBER"); break;
	case 'a':
		if (f->account != NULL)
			buf_put_fmt(b, " --account %s", f->account);
		break;
	case 'd': /* an id begins the evidence */
		(void)str_split(&rest, ' ', &first);
		buf_put_str(b, first);
		break;
	case 'g': put_curl(b, where); break;
	}
}

static void put_command(struct buf *b, const struct findings *all, const struct finding *f,
			const char *where)
{
	const struct command *c = find_command(f);

	if (c == NULL && (f->code != 0 || f->topic != NULL)) {
		buf_put_fmt(b, "%s explain ", all->cli->program);
		if (f->code != 0 && f->subcode != 0)
			buf_put_fmt(b, "%d/%d", f->code, f->subcode);
		else if (f->code != 0)
			buf_put_fmt(b, "%d", f->code);
		else
			buf_put_text(b, f->topic);
	}
	for (const char *p = c != NULL ? c->text : ""; *p != '\0'; p++) {
		if (p[0] == '{' && p[1] != '\0' && p[2] == '}') {
			put_word(b, all, f, p[1], where);
			p += 2;
		} else {
			buf_put_char(b, *p);
		}
	}
}

/* ---- output ---- */

struct words {
	const char *cause, *fix;
};

static struct words words_of(const struct finding *f)
{
	const gw_error_info *info = NULL;
	const struct topic *t = NULL;

	if (f->result == DOCTOR_OK || f->result == DOCTOR_SKIP)
		return (struct words){ NULL, NULL };
	if (f->topic != NULL)
		t = topic_find(str_from(f->topic));
	if (t != NULL)
		return (struct words){ t->meaning, t->fix };
	if (f->code != 0)
		info = gw_error_info_find(f->code, f->subcode);
	if (info != NULL)
		return (struct words){ info->meaning, info->fix };
	return (struct words){ NULL, NULL };
}

static void write_finding(struct json_writer *w, const struct findings *all,
			  const struct finding *f, const char *where)
{
	struct words words = words_of(f);
	struct buf command;

	buf_init(&command, COMMAND_MAX * 4);
	if (f->result == DOCTOR_FAIL || f->result == DOCTOR_WARN)
		put_command(&command, all, f, where);
	json_w_object(w);
	json_w_kv_text(w, "check", f->check);
	json_w_kv_text(w, "account", f->account);
	json_w_kv_text(w, "number", f->number);
	json_w_kv_text(w, "result", doctor_result_word(f->result));
	json_w_kv_text(w, "evidence", f->evidence);
	json_w_kv_text(w, "cause", words.cause);
	json_w_kv_text(w, "fix", words.fix);
	json_w_kv_text(w, "command", command.len > 0 ? command.data : NULL);
	if (f->code != 0) {
		json_w_kv_i64(w, "code", f->code);
		json_w_kv_i64(w, "subcode", f->subcode);
	}
	json_w_end(w);
	buf_release(&command);
}

void finding_print(const struct findings *all, const struct finding *f, const char *where)
{
	static const enum out_mark_kind marks[] = { MARK_OK, MARK_WARN, MARK_FAIL, MARK_SKIP };
	struct words words = words_of(f);
	struct buf line;

	buf_init(&line, COMMAND_MAX * 8);
	out_line(&line, str_from(f->evidence != NULL ? f->evidence : ""), DOCTOR_EVIDENCE_MAX);
	printf("%s %-13s %s%s\n", out_mark(all->cli, marks[f->result]), f->check,
	       f->result == DOCTOR_SKIP ? "skip: " : "", line.len > 0 ? line.data : "");
	buf_reset(&line);
	if (words.cause != NULL)
		printf("  %-13s Cause: %s\n  %-13s To do: %s\n", "", words.cause, "", words.fix);
	if (f->result == DOCTOR_FAIL || f->result == DOCTOR_WARN)
		put_command(&line, all, f, where);
	if (line.len > 0)
		printf("  %-13s Command: %s\n", "", line.data);
	buf_release(&line);
}

static size_t rank_of(const struct finding *f)
{
	for (size_t i = 0; i < ARRAY_LEN(order); i++)
		if (strcmp(order[i], f->check) == 0)
			return i;
	return ARRAY_LEN(order);
}

size_t findings_failed(const struct findings *all)
{
	size_t failed = 0;

	for (size_t i = 0; i < all->items; i++)
		failed += all->item[i].result == DOCTOR_FAIL;
	return failed;
}

/* Calls each() in the order of the checks. */
static void walk(const struct findings *all,
		 void (*each)(void *cookie, const struct findings *all, const struct finding *f),
		 void *cookie)
{
	for (size_t rank = 0; rank <= ARRAY_LEN(order); rank++)
		for (size_t i = 0; i < all->items; i++)
			if (rank_of(&all->item[i]) == rank)
				each(cookie, all, &all->item[i]);
}

struct writing {
	struct json_writer *w;
	const char *where;
};

static void write_one(void *cookie, const struct findings *all, const struct finding *f)
{
	struct writing *to = cookie;

	write_finding(to->w, all, f, to->where);
}

size_t findings_write(struct findings *all, struct json_writer *w, const char *where)
{
	size_t failed = findings_failed(all);

	json_w_key(w, STR("data"));
	json_w_array(w);
	walk(all, write_one, &(struct writing){ w, where });
	json_w_end(w);
	json_w_kv_bool(w, "ok", failed == 0);
	json_w_kv_i64(w, "failed", (int64_t)failed);
	return failed;
}

static void print_object(struct findings *all, const char *where)
{
	struct json_writer w;
	struct buf b;

	buf_init(&b, 16U << 20);
	json_w_init(&w, &b);
	json_w_object(&w);
	(void)findings_write(all, &w, where);
	json_w_end(&w);
	printf("%.*s\n", STR_ARG(buf_str(&b)));
	buf_release(&b);
}

static void print_json_line(void *where, const struct findings *all, const struct finding *f)
{
	struct json_writer w;
	struct buf b;

	buf_init(&b, 1U << 20);
	json_w_init(&w, &b);
	write_finding(&w, all, f, where);
	printf("%.*s\n", STR_ARG(buf_str(&b)));
	buf_release(&b);
}

static void print_text(void *where, const struct findings *all, const struct finding *f)
{
	finding_print(all, f, where);
}

int findings_print(struct findings *all, const char *where)
{
	void *cookie = (void *)(uintptr_t)where;
	size_t failed = findings_failed(all);

	if (all->cli->format == OUT_JSONL)
		walk(all, print_json_line, cookie);
	else if (cli_is_json(all->cli))
		print_object(all, where);
	else
		walk(all, print_text, cookie);
	if (failed > 0 && !cli_is_json(all->cli))
		printf("\n%zu check%s failed\n", failed, failed == 1 ? "" : "s");
	return failed > 0 ? EXIT_CHECK : EXIT_OK;
}
