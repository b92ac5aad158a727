/* SPDX-License-Identifier: MIT */
/*
 * seed.c - the [account NAME] sections become rows and are in force
 *
 * numbers = "106540352242922 573542517421694=1000": ids, each with its
 * messages per second when it is not the 80 of cloud-api.md 6.4.
 *
 * LIFE     an account is stored, then put into memory, then its numbers
 *          likewise; done() when none is open any more.
 * THREADS  The loop's.
 * TESTS    tests/system/test_start.py, tests/system/test_reload.py
 */
#include "server/seed.h"
#include "base/mem.h"
#include "base/panic.h"
#include "net/loop.h"
#include "server/config_check.h"

struct seeding {
	struct server *server;
	size_t open;
	gw_status status;
	char what[160]; /* the first that was refused */
	void (*done)(void *cookie, gw_status st, const char *what);
	void *cookie;
};

struct seed_account {
	struct store_put_account put;
	struct seeding *all;
	const struct config_account *from;
};

struct seed_number {
	struct store_put_number put;
	struct seeding *all;
};

static void finish(struct seeding *all, gw_status st, const char *kind, struct str name)
{
	if (st != GW_OK && all->status == GW_OK) {
		all->status = st;
		(void)snprintf(all->what, sizeof(all->what), "%s %.*s could not be stored", kind,
			       STR_ARG(name));
	}
	if (--all->open > 0)
		return;
	all->done(all->cookie, all->status, all->what);
	free(all);
}

static void on_number(struct store_req *req)
{
	struct seed_number *n = CONTAINER_OF(req, struct seed_number, put.req);

	if (req->status == GW_OK)
		(void)accounts_put_number(n->all->server->accounts, &n->put.n);
	finish(n->all, req->status, "number", n->put.n.number_id);
	free(n);
}

static void put_number(struct seeding *all, const struct config_account *c, int64_t account_row,
		       struct str word)
{
	struct seed_number *n = xcalloc(1, sizeof(*n));
	struct gw_error err = GW_ERROR_INIT;

	n->all = all;
	n->put.req.op = STORE_PUT_NUMBER;
	n->put.req.done = on_number;
	n->put.n.account_row = account_row;
	n->put.n.business_id = str_from(c->business_id);
	if (config_number(word, &n->put.n.number_id, &n->put.n.limit_mps, &err) != GW_OK)
		PANIC("config_load() let numbers = %.*s pass", STR_ARG(word));
	all->open++;
	store_submit(all->server->store, &n->put.req);
}

static void on_account(struct store_req *req)
{
	struct seed_account *a = CONTAINER_OF(req, struct seed_account, put.req);
	struct str rest = str_from(a->from->numbers), word;

	if (req->status == GW_OK) {
		const struct account *now = accounts_put(a->all->server->accounts, &a->put.a);

		/* at the end of a drain the store is closed */
		while (a->all->server->phase != SERVER_DRAINING && str_split(&rest, ' ', &word))
			if (word.len > 0)
				put_number(a->all, a->from, now->row, word);
	}
	finish(a->all, req->status, "account", str_from(a->from->name));
	free(a);
}

static struct str text_of(const struct secret *s)
{
	return str_make((const char *)s->bytes, s->len);
}

static void put_account(struct seeding *all, const struct config_account *c)
{
	struct seed_account *a = xcalloc(1, sizeof(*a));

	a->all = all;
	a->from = c;
	a->put.req.op = STORE_PUT_ACCOUNT;
	a->put.req.done = on_account;
	a->put.a = (struct store_account){ .name = str_from(c->name),
					   .app_id = str_from(c->app_id),
					   .app_secret = text_of(&c->app_secret),
					   .app_secret_previous = text_of(&c->app_secret_previous),
					   .verify_token = text_of(&c->verify_token),
					   .token = text_of(&c->token),
					   .base_url = str_from(c->base_url),
					   .version = str_from(c->version) };
	all->open++;
	store_submit(all->server->store, &a->put.req);
}

void seed_begin(struct server *s, const struct config *c,
		void (*done)(void *cookie, gw_status st, const char *what), void *cookie)
{
	struct seeding *all = xcalloc(1, sizeof(*all));

	all->server = s;
	all->done = done;
	all->cookie = cookie;
	all->open = 1; /* ours, so that nothing ends before all were begun */
	for (size_t i = 0; i < config_account_count(c); i++)
		put_account(all, config_account_at(c, i));
	finish(all, GW_OK, "", STR_EMPTY);
}

struct waiting {
	bool over;
	gw_status status;
	char what[160];
};

static void on_over(void *cookie, gw_status st, const char *what)
{
	struct waiting *w = cookie;

	w->over = true;
	w->status = st;
	(void)str_copy(str_from(what), w->what, sizeof(w->what));
}

gw_status seed_accounts(struct server *s, struct gw_error *err)
{
	struct waiting w = { .over = false };

	seed_begin(s, s->config, on_over, &w);
	while (!w.over)
		loop_turn(s->loop, -1);
	if (w.status != GW_OK)
		return gw_error_set(err, GW_EIO, "%s", w.what);
	return GW_OK;
}
