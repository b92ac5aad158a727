/* SPDX-License-Identifier: MIT */
/*
 * api_accounts.c - GET accounts and numbers, one of each: whose we are, what may leave
 *
 * Accounts come from the configuration, which alone adds and changes them; here they
 * are shown.  Of a secret is said only whether there is one.
 *
 * THREADS  The loop's.
 * TESTS    tests/system/test_numbers.py, test_api.py, test_key_limits.py
 */
#include "server/api.h"
#include "server/api_json.h"

#include <godwit/errors.h>

#define ANSWER_MAX ((size_t)8 << 20)

/* ---- numbers ---- */

static void put_word(struct json_writer *w, const char *name, const char *word)
{
	json_w_kv_text(w, name, word[0] != '\0' ? word : NULL);
}

/* Why the last look told nothing; null: it told, or none was made. */
static void put_failure(struct json_writer *w, const struct number_fact *f)
{
	char advice[GW_ERROR_ADVICE_MAX];

	if (f->failed_ms == 0) {
		json_w_kv_null(w, "read_error");
		return;
	}
	json_w_key(w, STR("read_error"));
	json_w_object(w);
	api_kv_time_ms(w, "at", f->failed_ms);
	json_w_kv_i64(w, "http", f->failed_http);
	json_w_kv_i64(w, "code", f->failed_code);
	json_w_kv_i64(w, "subcode", f->failed_subcode);
	json_w_kv_text(w, "advice",
		       gw_error_advice(f->failed_code, f->failed_subcode, advice) ? advice : NULL);
	json_w_end(w);
}

static const char *limit_source(const struct number *n)
{
	if (n->fixed_mps != 0)
		return "configuration";
	return number_fact_limit(&n->fact) != 0 ? "meta" : "default";
}

static void put_fact(struct json_writer *w, const struct number_fact *f)
{
	put_word(w, "name", f->name);
	put_word(w, "status", f->status);
	put_word(w, "quality", f->quality);
	put_word(w, "throughput", f->throughput);
	put_word(w, "messaging_limit", f->messaging_limit);
	if (f->read_ms == 0)
		json_w_kv_null(w, "read_at");
	else
		api_kv_time_ms(w, "read_at", f->read_ms);
	put_failure(w, f);
}

static void put_number(struct json_writer *w, const struct number *n)
{
	json_w_object(w);
	json_w_kv_text(w, "id", n->id);
	if (n->address != NULL)
		json_w_kv_text(w, "address", n->address);
	else
		put_word(w, "address", n->fact.address);
	json_w_kv_text(w, "business_id", n->business_id);
	json_w_kv_text(w, "account", n->account->name);
	json_w_kv_i64(w, "limit_mps", n->limit_mps);
	json_w_kv_text(w, "limit_from", limit_source(n));
	put_fact(w, &n->fact);
	json_w_kv_bool(w, "paused", n->account->paused);
	if (n->account->paused)
		json_w_kv_i64(w, "paused_code", n->account->paused_code);
	json_w_end(w);
}

/* ---- accounts ---- */

static void put_numbers_of(struct json_writer *w, const struct accounts *all,
			   const struct account *a)
{
	json_w_key(w, STR("numbers"));
	json_w_array(w);
	for (size_t i = 0; i < accounts_number_count(all); i++) {
		const struct number *n = accounts_number_at(all, i);

		if (n->account == a)
			json_w_str(w, str_from(n->id));
	}
	json_w_end(w);
}

static void put_account(struct json_writer *w, const struct accounts *all, const struct account *a)
{
	json_w_object(w);
	json_w_kv_text(w, "name", a->name);
	put_word(w, "app_id", a->app_id);
	json_w_kv_text(w, "base_url", a->base_url);
	json_w_kv_text(w, "version", a->version);
	put_numbers_of(w, all, a);
	json_w_kv_bool(w, "has_token", a->token.len > 0);
	json_w_kv_bool(w, "has_app_secret", a->app_secret.len > 0);
	json_w_kv_bool(w, "has_app_secret_previous", a->app_secret_previous.len > 0);
	json_w_kv_bool(w, "has_verify_token", a->verify_token.len > 0);
	json_w_kv_bool(w, "paused", a->paused);
	if (a->paused)
		json_w_kv_i64(w, "paused_code", a->paused_code);
	json_w_end(w);
}

/* ---- the calls ---- */

static void begin(struct buf *b, struct json_writer *w)
{
	buf_init(b, ANSWER_MAX);
	json_w_init(w, b);
}

static void begin_list(struct buf *b, struct json_writer *w)
{
	begin(b, w);
	json_w_object(w);
	json_w_key(w, STR("data"));
	json_w_array(w);
}

static void end_list(struct api_request *r, struct buf *b, struct json_writer *w)
{
	json_w_end(w);
	json_w_key(w, STR("page"));
	json_w_object(w);
	json_w_kv_null(w, "next");
	json_w_end(w);
	json_w_end(w);
	api_reply(r->call, 200, b);
}

void api_number_list(struct api_request *r)
{
	const struct accounts *all = r->server->accounts;
	struct json_writer w;
	struct buf b;

	begin_list(&b, &w);
	for (size_t i = 0; i < accounts_number_count(all); i++) {
		const struct number *n = accounts_number_at(all, i);

		if (numbers_have(api_numbers(r), str_from(n->id)))
			put_number(&w, n);
	}
	end_list(r, &b, &w);
}

void api_number_get(struct api_request *r)
{
	const struct number *n = accounts_number(r->server->accounts, r->arg[0]);
	struct json_writer w;
	struct buf b;

	if (n == NULL || !numbers_have(api_numbers(r), r->arg[0])) {
		api_error(r->call, 404, "not_found", "no_such_id",
			  "there is no such number; see GET /api/v1/numbers");
		return;
	}
	begin(&b, &w);
	put_number(&w, n);
	api_reply(r->call, 200, &b);
}

void api_account_list(struct api_request *r)
{
	const struct accounts *all = r->server->accounts;
	struct json_writer w;
	struct buf b;

	begin_list(&b, &w);
	for (size_t i = 0; i < accounts_count(all); i++)
		put_account(&w, all, accounts_at(all, i));
	end_list(r, &b, &w);
}

void api_account_get(struct api_request *r)
{
	const struct account *a = accounts_get(r->server->accounts, r->arg[0]);
	struct json_writer w;
	struct buf b;

	if (a == NULL) {
		api_error(r->call, 404, "not_found", "no_such_id",
			  "there is no such account; see GET /api/v1/accounts");
		return;
	}
	begin(&b, &w);
	put_account(&w, r->server->accounts, a);
	api_reply(r->call, 200, &b);
}
