/* SPDX-License-Identifier: MIT */
/*
 * init_find.c - Meta's side: account and numbers that the token is for
 *
 * ROLE   Runs the checks of `godwit doctor` (server/doctor.h): first those that find out
 *        what there is, then all of them for what was chosen.
 * TESTS  tests/system/test_init.py
 */
#include "cli/ask.h"
#include "cli/init.h"

#include "base/mem.h"
#include "base/panic.h"

#define IDS_MAX 1600

struct asking {
	struct init *in;
	struct doctor_facts facts;
	bool is_over;
};

static void on_found(void *cookie, const struct doctor_finding *f)
{
	findings_add(((struct asking *)cookie)->in->all, f);
}

static void on_over(void *cookie)
{
	((struct asking *)cookie)->is_over = true;
}

/* One run of the doctor; its facts are in a. */
static int run(struct asking *a, struct doctor_options *o)
{
	struct gw_error err = GW_ERROR_INIT;
	struct init *in = a->in;
	struct doctor *d = NULL;

	o->loop = in->loop;
	o->found = on_found;
	o->done = on_over;
	o->cookie = a;
	o->account.app_id = in->app_found[0] != '\0' ? in->app_found : in->app_id;
	o->account.base_url = in->base_url;
	o->account.version = in->version;
	o->account.business_id = in->waba_found;
	o->account.token = &in->token;
	o->account.app_secret = &in->app_secret;
	o->account.verify_token = &in->verify_token;
	a->is_over = false;
	if (doctor_new(o, &d, &err) != GW_OK)
		return cli_failf(in->cli, EXIT_FAILED, NULL, "%s", err.message);
	while (!a->is_over)
		loop_turn(in->loop, -1);
	a->facts = *doctor_facts(d);
	doctor_free(d);
	return EXIT_OK;
}

/* ---- what there is */

static int find(struct asking *a)
{
	struct doctor_options o = { .only_find = true };

	findings_clear(a->in->all);
	return run(a, &o);
}

static void put_wabas(const struct doctor_facts *f, char *out, size_t cap)
{
	size_t at = 0;

	out[0] = '\0';
	for (size_t i = 0; i < f->waba_count && at + 70 < cap; i++)
		at += (size_t)snprintf(out + at, cap - at, "%s%s", i > 0 ? ", " : "", f->wabas[i]);
}

/* The account of --waba, the one the token names, or what a person says. */
static int choose_waba(struct asking *a)
{
	struct init *in = a->in;
	char ids[IDS_MAX];

	if (in->waba != NULL)
		return EXIT_OK;
	if (a->facts.waba_count == 1) {
		(void)str_copy(str_from(a->facts.wabas[0]), in->waba_found, sizeof(in->waba_found));
		return EXIT_OK;
	}
	put_wabas(&a->facts, ids, sizeof(ids));
	if (!ask_may(in->cli) && a->facts.waba_count == 0)
		return cli_failf(in->cli, EXIT_USAGE,
				 "--waba ID: WhatsApp Manager shows it under Account tools",
				 "the token does not name its business account");
	if (!ask_may(in->cli))
		return cli_failf(in->cli, EXIT_USAGE, "--waba ID says which",
				 "the token is for %zu business accounts: %s", a->facts.waba_count,
				 ids);
	if (ids[0] != '\0')
		(void)fprintf(stderr, "The token is for several business accounts: %s\n", ids);
	return ask_line(in->cli, "WhatsApp Business Account ID", in->waba_found,
			sizeof(in->waba_found));
}

static const struct doctor_number *number_of(const struct doctor_facts *f, struct str id)
{
	for (size_t i = 0; i < f->number_count; i++)
		if (str_eq(id, str_from(f->numbers[i].id)))
			return &f->numbers[i];
	return NULL;
}

static int no_such_number(const struct asking *a, const char *id)
{
	const struct doctor_facts *f = &a->facts;
	char ids[IDS_MAX] = "";
	size_t at = 0;

	for (size_t i = 0; i < f->number_count && at + 80 < sizeof(ids); i++)
		at += (size_t)snprintf(ids + at, sizeof(ids) - at, "%s%s (%s)", i > 0 ? ", " : "",
				       f->numbers[i].id, f->numbers[i].display);
	return cli_failf(a->in->cli, EXIT_USAGE, "--from takes the id, not the telephone number",
			 "account %s has no number %s; it has %s", f->business_id, id, ids);
}

/* All of the account, or those of --from. */
static int choose_numbers(struct asking *a)
{
	const struct doctor_facts *f = &a->facts;
	struct init *in = a->in;

	in->number_count = 0;
	for (size_t i = 0; in->from.count == 0 && i < f->number_count; i++)
		in->numbers[in->number_count++] = f->numbers[i];
	for (size_t i = 0; i < in->from.count; i++) {
		const struct doctor_number *n = number_of(f, str_from(in->from.items[i]));

		if (n == NULL)
			return no_such_number(a, in->from.items[i]);
		in->numbers[in->number_count++] = *n;
	}
	return EXIT_OK;
}

static int find_all(struct asking *a)
{
	struct init *in = a->in;
	int code = find(a);

	if (code != EXIT_OK)
		return code;
	if (!a->facts.is_token_good)
		return findings_print(in->all, NULL);
	if (a->facts.app_id[0] == '\0') {
		if (!ask_may(in->cli))
			return cli_failf(in->cli, EXIT_USAGE,
					 "--app-id ID: the App Dashboard's title",
					 "Meta tells of this token only the app itself");
		code = ask_line(in->cli, "App ID", in->app_found, sizeof(in->app_found));
		if (code == EXIT_OK)
			code = find(a);
	}
	if (code == EXIT_OK)
		code = choose_waba(a);
	if (code == EXIT_OK && strcmp(in->waba_found, a->facts.business_id) != 0)
		code = find(a);
	if (code != EXIT_OK)
		return code;
	if (!a->facts.is_waba_good || a->facts.number_count == 0)
		return (void)findings_print(in->all, NULL), EXIT_CHECK;
	(void)str_copy(str_from(a->facts.app_id), in->app_found, sizeof(in->app_found));
	return choose_numbers(a);
}

int init_find(struct init *in)
{
	struct asking *a = xcalloc(1, sizeof(*a));
	int code;

	a->in = in;
	if (in->waba != NULL &&
	    !str_copy(str_from(in->waba), in->waba_found, sizeof(in->waba_found)))
		code = cli_failf(in->cli, EXIT_USAGE, NULL, "--waba %s is longer than %zu bytes",
				 in->waba, sizeof(in->waba_found) - 1);
	else
		code = find_all(a);
	free(a);
	return code;
}

/* ---- all of it, for what was chosen */

int init_check(struct init *in)
{
	const struct config_values *v = config_values(in->config);
	struct doctor_options o = { .fix = true,
				    .ca_file = v->graph_ca_file,
				    .public_url = v->public_url };
	struct asking *a = xcalloc(1, sizeof(*a));
	struct init_listener *listener = NULL;
	struct gw_error err = GW_ERROR_INIT;
	struct egress *egress = NULL;
	int code = EXIT_OK;

	a->in = in;
	findings_clear(in->all);
	o.account.numbers = in->numbers;
	o.account.number_count = in->number_count;
	if (init_listen(in, v->listen_public, &listener, &err) != GW_OK)
		cli_note(in->cli, "the callback has nobody to answer it: %s", err.message);
	if (egress_new(str_from(v->egress_allow), &egress, &err) != GW_OK)
		code = cli_failf(in->cli, EXIT_USAGE, NULL, "%s", err.message);
	o.egress = egress;
	if (code == EXIT_OK)
		code = run(a, &o);
	init_listener_free(listener);
	egress_free(egress);
	free(a);
	return code;
}
