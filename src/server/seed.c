/* SPDX-License-Identifier: MIT */
/*
 * seed.c - the [account NAME] sections become rows, before anything runs
 *
 * numbers = "106540352242922 573542517421694=1000": ids, each with its
 * messages per second when it is not the 80 of cloud-api.md 6.4.
 *
 * THREADS  The loop's, before it runs.
 * TESTS    tests/system/test_start.py
 */
#include "server/seed.h"
#include "base/panic.h"
#include "net/loop.h"

#define LIMIT_MAX 1000 /* messages/s, cloud-api.md 6.4 */

struct seeding {
	struct server *server;
	size_t open;
	gw_status status;
};

struct seed_account {
	struct store_put_account put;
	struct seeding *all;
};

struct seed_number {
	struct store_put_number put;
	struct seeding *all;
};

static void finish(struct seeding *all, gw_status st)
{
	all->open--;
	if (st != GW_OK)
		all->status = st;
}

static void on_account(struct store_req *req)
{
	struct seed_account *a = CONTAINER_OF(req, struct seed_account, put.req);

	finish(a->all, req->status);
}

static void on_number(struct store_req *req)
{
	struct seed_number *n = CONTAINER_OF(req, struct seed_number, put.req);

	finish(n->all, req->status);
}

static void wait_for(struct seeding *all)
{
	while (all->open > 0)
		loop_turn(all->server->loop, -1);
}

static struct str text_of(const struct secret *s)
{
	return str_make((const char *)s->bytes, s->len);
}

static gw_status put_account(struct seeding *all, const struct config_account *c,
			     struct gw_error *err)
{
	struct seed_account a = { .all = all };

	a.put.req.op = STORE_PUT_ACCOUNT;
	a.put.req.done = on_account;
	a.put.a = (struct store_account){ .name = str_from(c->name),
					  .app_id = str_from(c->app_id),
					  .app_secret = text_of(&c->app_secret),
					  .app_secret_previous = text_of(&c->app_secret_previous),
					  .verify_token = text_of(&c->verify_token),
					  .token = text_of(&c->token),
					  .base_url = str_from(c->base_url),
					  .version = str_from(c->version) };
	all->open++;
	store_submit(all->server->store, &a.put.req);
	wait_for(all);
	if (all->status != GW_OK)
		return gw_error_set(err, GW_EIO, "account %s could not be stored", c->name);
	(void)accounts_put(all->server->accounts, &a.put.a);
	return GW_OK;
}

static gw_status put_number(struct seeding *all, const struct config_account *c, struct str word,
			    struct gw_error *err)
{
	struct seed_number n = { .all = all };
	uint32_t limit = NUMBER_LIMIT_DEFAULT;
	struct str id = word;
	size_t at;

	if (str_find_char(word, '=', &at)) {
		id = str_slice(word, 0, at);
		if (!str_to_u32(str_slice(word, at + 1, word.len), &limit) || limit == 0 ||
		    limit > LIMIT_MAX)
			return gw_error_set(err, GW_EPARSE,
					    "account %s: numbers: \"%.*s\": want ID or ID=1..%d",
					    c->name, STR_ARG(word), LIMIT_MAX);
	}
	n.put.req.op = STORE_PUT_NUMBER;
	n.put.req.done = on_number;
	n.put.n = (struct store_number){
		.account_row = accounts_get(all->server->accounts, str_from(c->name))->row,
		.number_id = id,
		.business_id = str_from(c->business_id),
		.limit_mps = limit,
	};
	all->open++;
	store_submit(all->server->store, &n.put.req);
	wait_for(all);
	if (all->status != GW_OK)
		return gw_error_set(err, GW_EIO, "number %.*s could not be stored", STR_ARG(id));
	(void)accounts_put_number(all->server->accounts, &n.put.n);
	return GW_OK;
}

gw_status seed_accounts(struct server *s, struct gw_error *err)
{
	struct seeding all = { .server = s };
	gw_status st = GW_OK;

	for (size_t i = 0; st == GW_OK && i < config_account_count(s->config); i++) {
		const struct config_account *c = config_account_at(s->config, i);
		struct str rest = str_from(c->numbers), word;

		st = put_account(&all, c, err);
		while (st == GW_OK && str_split(&rest, ' ', &word))
			if (word.len > 0)
				st = put_number(&all, c, word, err);
	}
	return st;
}
