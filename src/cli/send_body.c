/* SPDX-License-Identifier: MIT */
/*
 * send_body.c - the message that the words of `godwit send` describe
 *
 * TESTS  tests/system/test_cli.py
 */
#include "cli/input.h"
#include "cli/send.h"
#include "json/json.h"

static int compare_numbered(const void *a, const void *b)
{
	const char *const *left = a, *const *right = b;
	int64_t l = 0, r = 0;
	size_t at;

	(void)(str_find_char(str_from(*left), '=', &at) && str_to_i64(str_make(*left, at), &l));
	(void)(str_find_char(str_from(*right), '=', &at) && str_to_i64(str_make(*right, at), &r));
	return (l > r) - (l < r);
}

bool send_vars_check(struct cli *cli, struct opt_list *vars, const char *option, const char *want)
{
	size_t at, numbered = 0;
	int64_t n;

	for (size_t i = 0; i < vars->count; i++) {
		if (!str_find_char(str_from(vars->items[i]), '=', &at) || at == 0) {
			cli->code = cli_failf(cli, EXIT_USAGE, want, "%s \"%s\" has no name",
					      option, vars->items[i]);
			return false;
		}
		numbered += str_to_i64(str_make(vars->items[i], at), &n);
	}
	if (numbered != 0 && numbered != vars->count) {
		cli->code = cli_failf(cli, EXIT_USAGE, NULL, "%s: all by number or all by name",
				      option);
		return false;
	}
	if (numbered > 0)
		qsort(vars->items, vars->count, sizeof(vars->items[0]), compare_numbered);
	return true;
}

static void put_template(const struct send_wish *s, struct json_writer *w)
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

static void put_body(const struct send_wish *s, struct buf *b, char **words, int count)
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

int send_body_make(const struct cli *cli, const struct send_wish *s, char **words, int count,
		   struct buf *b)
{
	if (s->json_body != NULL) {
		if (count > 0 || s->template != NULL)
			return cli_failf(cli, EXIT_USAGE, NULL,
					 "--json-body is the whole message: no words beside it");
		return input_read(cli, s->json_body, b);
	}
	if (count == 0 || (s->template == NULL) != (count == 2))
		return cli_failf(
			cli, EXIT_USAGE, "usage: godwit send TO TEXT, or TO --template NAME",
			count == 0 ? "send: to whom?" : "send: want either a text or a template");
	put_body(s, b, words, count);
	if (buf_failed(b))
		return cli_failf(cli, EXIT_USAGE, NULL, "the message is over %zu bytes", b->max);
	return EXIT_OK;
}
