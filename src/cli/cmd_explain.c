/* SPDX-License-Identifier: MIT */
/*
 * cmd_explain.c - godwit explain: what a code, a status or a word means, and what to do
 *
 * ROLE   Offline: the table of Meta's errors (godwit/errors.h) and that of topics
 *        (cli/topics.h).  A number may be both a code and an HTTP status: both are told.
 * TESTS  tests/system/test_explain.py
 */
#include "cli/opt.h"
#include "cli/out.h"
#include "cli/topics.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/panic.h"

extern const struct cmd cmd_explain;

#define TEXT_MAX (256U * 1024) /* the whole list as JSON */
#define NAMES_MAX 256
#define FOUND_MAX 2 /* a code and a topic */

/* One thing that is explained, from whichever table. */
struct entry {
	char name[32]; /* "131047", "100/33", "FLAGGED" */
	const struct topic *topic; /* NULL: a code */
	const char *kind, *title, *meaning, *fix, *source;
	bool is_answer; /* retry says something */
	gw_retry retry;
	int http_status, code, subcode; /* of a code; 0: none */
	unsigned via;
};

static struct entry of_code(const gw_error_info *info)
{
	struct entry e = { .kind = "code",
			   .title = info->title,
			   .meaning = info->meaning,
			   .fix = info->fix,
			   .source = info->source,
			   .is_answer = true,
			   .retry = info->retry,
			   .http_status = info->http_status,
			   .code = info->code,
			   .subcode = info->subcode,
			   .via = info->via };

	if (info->subcode != 0)
		(void)snprintf(e.name, sizeof(e.name), "%d/%d", info->code, info->subcode);
	else
		(void)snprintf(e.name, sizeof(e.name), "%d", info->code);
	return e;
}

static struct entry of_topic(const struct topic *t)
{
	struct entry e = { .topic = t,
			   .kind = topic_kind_name(t->kind),
			   .title = t->title,
			   .meaning = t->meaning,
			   .fix = t->fix,
			   .source = t->source,
			   .is_answer = t->is_answer,
			   .retry = t->retry };

	(void)str_copy(str_from(t->name), e.name, sizeof(e.name));
	return e;
}

/* ---- output */

static const char *const retry_texts[] = {
	[GW_RETRY_NEVER] = "no, the same request fails again",
	[GW_RETRY_NOW] = "yes, at once: nothing was sent",
	[GW_RETRY_LATER] = "yes, more slowly: it was not accepted",
	[GW_RETRY_AFTER] = "yes, when the cause is gone: it was not accepted",
	[GW_RETRY_ACCOUNT] = "not before a person has acted: the account is blocked",
	[GW_RETRY_UNKNOWN] = "not blindly: it may have been accepted",
};

static const char *via_text(unsigned via)
{
	if (via == (GW_VIA_SYNC | GW_VIA_WEBHOOK))
		return "in the answer or in a later status";
	return via == GW_VIA_SYNC ? "in the answer" : "in a later status";
}

static void print_entry(const struct entry *e)
{
	const struct wrong_advice *w;
	size_t at = 0;

	printf("%s  %s  (%s)\n", e->name, e->title, e->kind);
	printf("  %s\n  To do: %s\n", e->meaning, e->fix);
	if (e->is_answer)
		printf("  Try again: %s\n", retry_texts[e->retry]);
	if (e->via != 0 && e->http_status != 0)
		printf("  Comes %s, HTTP %d\n", via_text(e->via), e->http_status);
	else if (e->via != 0)
		printf("  Comes %s\n", via_text(e->via));
	while ((w = wrong_next(e->topic, e->code, &at)) != NULL)
		printf("  Often said: %s. In fact: %s.\n", w->said, w->fact);
	printf("  Source: %s\n", e->source);
}

static void write_wrong(struct json_writer *w, const struct entry *e)
{
	const struct wrong_advice *wrong;
	size_t at = 0;

	json_w_key(w, STR("wrong"));
	json_w_array(w);
	while ((wrong = wrong_next(e->topic, e->code, &at)) != NULL) {
		json_w_object(w);
		json_w_kv_text(w, "said", wrong->said);
		json_w_kv_text(w, "fact", wrong->fact);
		json_w_end(w);
	}
	json_w_end(w);
}

static void write_entry(struct json_writer *w, const struct entry *e)
{
	json_w_object(w);
	json_w_kv_text(w, "id", e->name);
	json_w_kv_text(w, "kind", e->kind);
	if (e->topic == NULL) {
		json_w_kv_i64(w, "code", e->code);
		json_w_kv_i64(w, "subcode", e->subcode);
		json_w_kv_i64(w, "http_status", e->http_status);
		json_w_kv_bool(w, "in_answer", (e->via & GW_VIA_SYNC) != 0);
		json_w_kv_bool(w, "in_status", (e->via & GW_VIA_WEBHOOK) != 0);
	}
	json_w_kv_text(w, "title", e->title);
	json_w_kv_text(w, "meaning", e->meaning);
	json_w_kv_text(w, "fix", e->fix);
	if (e->is_answer)
		json_w_kv_text(w, "retry", gw_retry_name(e->retry));
	json_w_kv_text(w, "source", e->source);
	write_wrong(w, e);
	json_w_end(w);
}

/* ---- what is asked for */

static size_t all_names(const char *names[NAMES_MAX])
{
	const struct topic *t;
	size_t count = 0;

	for (size_t i = 0; (t = topic_at(i)) != NULL && count < NAMES_MAX; i++)
		names[count++] = t->name;
	return count;
}

/* "131047", "100/33" */
static bool read_code(struct str word, int64_t *code, int64_t *subcode)
{
	size_t at;

	*subcode = 0;
	if (str_find_char(word, '/', &at))
		return str_to_i64(str_slice(word, 0, at), code) &&
		       str_to_i64(str_slice(word, at + 1, word.len), subcode);
	return str_to_i64(word, code);
}

static size_t find(struct str word, struct entry found[FOUND_MAX])
{
	const gw_error_info *info = NULL;
	const struct topic *t = topic_find(word);
	int64_t code, subcode;
	size_t count = 0;

	if (read_code(word, &code, &subcode) && code >= 0 && code <= INT32_MAX && subcode >= 0 &&
	    subcode <= INT32_MAX)
		info = gw_error_info_find((int)code, (int)subcode);
	if (info != NULL)
		found[count++] = of_code(info);
	if (t != NULL)
		found[count++] = of_topic(t);
	return count;
}

/* Names are in lower case or in upper case, and people type either. */
static const char *nearest(const char *word)
{
	const char *names[NAMES_MAX], *near;
	size_t count = all_names(names), len = strlen(word);
	char upper[64];

	near = opt_nearest(word, names, count);
	if (near != NULL || len >= sizeof(upper))
		return near;
	for (size_t i = 0; i <= len; i++)
		upper[i] = word[i] >= 'a' && word[i] <= 'z' ? (char)(word[i] - 'a' + 'A') : word[i];
	return opt_nearest(upper, names, count);
}

static int not_known(const struct cli *cli, const char *word)
{
	const char *near = nearest(word);
	char fix[160];

	if (near != NULL)
		(void)snprintf(fix, sizeof(fix), "did you mean `%s explain %s`?", cli->program,
			       near);
	else
		(void)snprintf(fix, sizeof(fix), "`%s explain` lists what it knows", cli->program);
	return cli_failf(cli, EXIT_NOT_FOUND, fix, "nothing is known about \"%s\"", word);
}

static void write_all(struct json_writer *w)
{
	const struct topic *t;
	struct entry e;

	for (size_t i = 0; i < gw_error_info_count(); i++) {
		e = of_code(gw_error_info_at(i));
		write_entry(w, &e);
	}
	for (size_t i = 0; (t = topic_at(i)) != NULL; i++) {
		e = of_topic(t);
		write_entry(w, &e);
	}
}

/* As a list: all there is (found NULL), or what was found. */
static void put_list(const struct cli *cli, const struct entry *found, size_t count)
{
	static const struct out_column columns[] = { { "ID", "id", OUT_TEXT },
						     { "KIND", "kind", OUT_TEXT },
						     { "TITLE", "title", OUT_TEXT } };
	struct arena *a = arena_new(8 * TEXT_MAX);
	struct json_writer w;
	const struct json_doc *doc;
	struct buf text;

	buf_init(&text, TEXT_MAX);
	json_w_init(&w, &text);
	json_w_object(&w);
	json_w_key(&w, STR("data"));
	json_w_array(&w);
	if (found == NULL)
		write_all(&w);
	for (size_t i = 0; i < count; i++)
		write_entry(&w, &found[i]);
	json_w_end(&w);
	json_w_end(&w);
	ASSERT(!buf_failed(&text) && a != NULL &&
	       json_scan(buf_str(&text), a, &doc, NULL) == GW_OK);
	out_list(cli, json_root(doc), columns, ARRAY_LEN(columns), "id", "nothing");
	arena_free(a);
	buf_release(&text);
}

static int run(struct cli *cli, int argc, char **argv)
{
	struct entry found[FOUND_MAX];
	size_t count = 0;

	if (!opt_parse(cli, &cmd_explain, NULL, &argc, &argv))
		return cli->code;
	if (argc > 0)
		count = find(str_trim(str_from(argv[0])), found);
	if (argc > 0 && count == 0)
		return not_known(cli, argv[0]);
	if (argc == 0 || cli->format != OUT_TABLE)
		put_list(cli, argc == 0 ? NULL : found, count);
	for (size_t i = 0; i < count && cli->format == OUT_TABLE; i++) {
		printf("%s", i > 0 ? "\n" : "");
		print_entry(&found[i]);
	}
	return cli_done(cli, EXIT_OK);
}

const struct cmd cmd_explain = {
	.name = "explain",
	.args = "[CODE|WORD]",
	.args_max = 1,
	.help = "tell what an error code, status or word of Meta's means, and what to do",
	.more = "godwit explain 131047        a code of an answer or a status\n"
		"godwit explain 100/33        a code with its subcode\n"
		"godwit explain 429           an HTTP status (and the code, if there is one)\n"
		"godwit explain FLAGGED       a number's status, a quality, a reason of rejection\n"
		"godwit explain window        a subject: window, pricing, groups, versions, ...\n"
		"godwit explain               all of them\n"
		"It asks nobody. It says where each answer is from, and where common advice is "
		"wrong.",
	.run = run,
};
