/* SPDX-License-Identifier: MIT */
/*
 * cmd_doctor.c - godwit doctor: does it work, and if not, why and what now
 *
 * ROLE   Asks the gateway (POST /api/v1/doctor), which has the token; where none
 *        runs, reads the configuration and asks Meta itself.  Adds cause, fix and
 *        command to what was found, from the catalogue of codes and topics.
 * TESTS  tests/system/test_doctor.py
 */
#include "cli/api.h"
#include "cli/config_open.h"
#include "cli/doctor_customer.h"
#include "cli/opt.h"
#include "cli/out.h"

#include "base/mem.h"
#include "base/panic.h"
#include "base/sys_file.h"

extern const struct cmd cmd_doctor;

#define DOCTOR_MS 180000
#define TEXT_MAX 4096

struct doctoring {
	struct cli *cli;
	struct api *api; /* NULL: no gateway */
	struct findings *all;
	const char *account, *number, *to, *template, *public_url;
	bool fix;
	char name[520], *language; /* of the template */
	bool is_over;
};

/* ---- through the gateway ---- */

static void put_body(const struct doctoring *d, struct buf *b)
{
	struct json_writer w;

	json_w_init(&w, b);
	json_w_object(&w);
	if (d->account != NULL)
		json_w_kv_text(&w, "account", d->account);
	if (d->number != NULL)
		json_w_kv_text(&w, "number", d->number);
	if (d->template != NULL)
		json_w_kv_text(&w, "template", d->name);
	if (d->language != NULL)
		json_w_kv_text(&w, "language", d->language);
	if (d->public_url != NULL)
		json_w_kv_text(&w, "public_url", d->public_url);
	json_w_kv_bool(&w, "fix", d->fix);
	json_w_end(&w);
}

static int ask_gateway(struct doctoring *d)
{
	struct api_answer answer;
	struct json_iter it;
	struct json_val v;
	struct buf body;
	int code;

	buf_init(&body, 65536);
	put_body(d, &body);
	code = api_expect(d->api,
			  &(struct api_request){ .method = "POST",
						 .path = "/api/v1/doctor",
						 .body = buf_str(&body) },
			  &answer);
	buf_release(&body);
	if (code != EXIT_OK)
		return code;
	for (it = json_iter(json_member(answer.json, STR("data"))); json_next(&it, &v);)
		findings_take(d->all, v);
	return EXIT_OK;
}

static bool is_there(struct doctoring *d)
{
	struct gw_error err = GW_ERROR_INIT;
	struct api_request r = { .method = "GET", .path = "/api/v1/version" };
	struct api_answer answer;
	struct str version = STR_EMPTY, profile = STR_EMPTY;

	if (!api_try(d->api, &r, &answer, &err)) {
		findings_put(d->all, "gateway", DOCTOR_FAIL, "no-gateway", 0,
			     "nobody answers at %s: %s", api_where(d->api),
			     api_why_not(d->api, &err));
		return false;
	}
	(void)json_get_str(answer.json, STR("version"), 64, &version);
	(void)json_get_str(answer.json, STR("profile"), 16, &profile);
	findings_put(d->all, "gateway", DOCTOR_OK, NULL, 0, "%.*s at %s, profile %.*s",
		     STR_ARG(version), api_where(d->api), STR_ARG(profile));
	return true;
}

/* ---- without one ---- */

static void on_found(void *cookie, const struct doctor_finding *f)
{
	findings_add(((struct doctoring *)cookie)->all, f);
}

static void on_over(void *cookie)
{
	((struct doctoring *)cookie)->is_over = true;
}

static size_t read_numbers(const struct config_account *a, struct doctor_number *out)
{
	struct str rest = str_from(a->numbers), word, id;
	size_t n = 0, at;

	while (n < DOCTOR_NUMBERS_MAX && str_split(&rest, ' ', &word)) {
		uint32_t limit = 0;

		if (word.len == 0)
			continue;
		id = word;
		if (str_find_char(word, '=', &at)) {
			id = str_slice(word, 0, at);
			(void)str_to_u32(str_slice(word, at + 1, word.len), &limit);
		}
		memset(&out[n], 0, sizeof(out[n]));
		(void)str_copy(str_slice(id, 0, sizeof(out[n].id) - 1), out[n].id,
			       sizeof(out[n].id));
		out[n++].limit_mps = limit;
	}
	return n;
}

static void ask_meta(struct doctoring *d, const struct config *c, const struct config_account *a)
{
	const struct config_values *v = config_values(c);
	struct doctor_number *numbers = xcalloc(DOCTOR_NUMBERS_MAX, sizeof(*numbers));
	struct gw_error err = GW_ERROR_INIT;
	struct egress *egress = NULL;
	struct doctor *run = NULL;
	struct doctor_options o = { .loop = api_loop(d->api),
				    .ca_file = v->graph_ca_file,
				    .only_number = d->number,
				    .template = d->template != NULL ? d->name : NULL,
				    .language = d->language,
				    .public_url = d->public_url != NULL ? d->public_url
									: v->public_url,
				    .fix = d->fix,
				    .found = on_found,
				    .done = on_over,
				    .cookie = d };

	o.account = (struct doctor_account){ .app_id = a->app_id,
					     .base_url = a->base_url,
					     .version = a->version,
					     .business_id = a->business_id,
					     .token = &a->token,
					     .app_secret = &a->app_secret,
					     .verify_token = &a->verify_token,
					     .numbers = numbers,
					     .number_count = read_numbers(a, numbers) };
	d->all->account = a->name;
	if (egress_new(str_from(v->egress_allow), &egress, &err) == GW_OK) {
		o.egress = egress;
		d->is_over = false;
		if (doctor_new(&o, &run, &err) == GW_OK)
			while (!d->is_over)
				loop_turn(o.loop, -1);
	}
	doctor_free(run);
	egress_free(egress);
	free(numbers);
	d->all->account = NULL;
}

/* What the store will meet; a folder that is not there yet is made at the first start. */
static void look_at_folder(struct doctoring *d, const struct config_values *v)
{
	int64_t free_bytes = sys_disk_free(v->data_dir);
	struct gw_error err = GW_ERROR_INIT;
	char path[4096];

	if (free_bytes < 0)
		return;
	findings_put(d->all, "disk", free_bytes < v->disk_min ? DOCTOR_FAIL : DOCTOR_OK,
		     free_bytes < v->disk_min ? "disk-full" : NULL, 0, "%lld MiB free at %s",
		     (long long)(free_bytes >> 20), v->data_dir);
	if (snprintf(path, sizeof(path), "%s/doctor.probe", v->data_dir) >= (int)sizeof(path))
		return;
	if (sys_write_file(path, STR("can this be written?\n"), 0600, &err) == GW_OK)
		findings_put(d->all, "store", DOCTOR_OK, NULL, 0, "%s can be written", v->data_dir);
	else
		findings_put(d->all, "store", DOCTOR_FAIL, "store-unwritable", 0, "%s",
			     err.message);
	(void)unlink(path);
}

static void ask_configuration(struct doctoring *d)
{
	struct gw_error err = GW_ERROR_INIT;
	struct config *c = NULL;
	size_t accounts;

	if (config_load(d->cli->config, NULL, 0, &c, &err) != GW_OK) {
		findings_put(d->all, "configuration", DOCTOR_FAIL, "bad-configuration", 0, "%s",
			     c != NULL && config_problem_count(c) > 0 ? config_problem(c, 0)
								      : err.message);
		config_free(c);
		return;
	}
	accounts = config_account_count(c);
	findings_put(d->all, "configuration", accounts > 0 ? DOCTOR_OK : DOCTOR_FAIL,
		     accounts > 0 ? NULL : "no-configuration", 0, "%s, %zu account%s",
		     config_path(c) != NULL ? config_path(c) : "no file", accounts,
		     accounts == 1 ? "" : "s");
	look_at_folder(d, config_values(c));
	for (size_t i = 0; i < config_account_count(c); i++)
		if (d->account == NULL || strcmp(d->account, config_account_at(c, i)->name) == 0)
			ask_meta(d, c, config_account_at(c, i));
	config_free(c);
}

/* ---- */

/* NAME[:LANGUAGE] */
static void split_template(struct doctoring *d)
{
	char *colon;

	if (d->template == NULL)
		return;
	(void)str_copy(str_slice(str_from(d->template), 0, sizeof(d->name) - 1), d->name,
		       sizeof(d->name));
	colon = strchr(d->name, ':');
	if (colon != NULL) {
		*colon = '\0';
		d->language = colon + 1;
	}
}

static int examine(struct doctoring *d)
{
	struct api *api;
	int code = EXIT_OK;

	d->api = api = api_open(d->cli, &code);
	if (api == NULL)
		return code;
	if (is_there(d))
		code = ask_gateway(d);
	else
		ask_configuration(d);
	if (d->all->items > 0 && strcmp(d->all->item[0].check, "gateway") == 0 &&
	    d->all->item[0].result != DOCTOR_OK)
		d->api = NULL;
	if (code == EXIT_OK)
		doctor_customer(d->all, d->api, d->to, d->number);
	if (code == EXIT_OK)
		code = findings_print(d->all, api_where(api));
	api_close(api);
	return code;
}

static int run(struct cli *cli, int argc, char **argv)
{
	struct doctoring d = { .cli = cli };
	const struct opt opts[] = {
		{ OPT_TEXT, 0, "account", &d.account, "NAME", "only this account" },
		{ OPT_TEXT, 0, "number", &d.number, "ID", "only this number, configured or not" },
		{ OPT_TEXT, 0, "to", &d.to, "PHONE",
		  "this customer: window, consent, last message" },
		{ OPT_TEXT, 0, "template", &d.template, "NAME[:LANGUAGE]",
		  "may this template be sent?" },
		{ OPT_TEXT, 0, "public-url", &d.public_url, "URL",
		  "test /webhook there (public.url; else what Meta calls)" },
		{ OPT_FLAG, 0, "fix", &d.fix, NULL, "subscribe the app where it is not" },
		OPT_END
	};
	int code;

	if (!opt_parse(cli, &cmd_doctor, opts, &argc, &argv))
		return cli->code;
	if (cli->timeout_ms == 0)
		cli->timeout_ms = DOCTOR_MS;
	split_template(&d);
	d.all = findings_new(cli);
	code = examine(&d);
	findings_free(d.all);
	return cli_done(cli, code);
}

const struct cmd cmd_doctor = {
	.name = "doctor",
	.help = "check token, numbers, subscription, callback and gateway, and say how to mend",
	.more = "The gateway asks Meta with its own token; when none runs, the configuration is\n"
		"read and Meta is asked from here. Each line says what was seen; a failure adds\n"
		"its cause, what to do, and a command. Exit code 9 when a check fails.\n"
		"The callback gets a handshake, a wrong signature and a right one; none of them\n"
		"leaves an event behind. Nothing else is changed without --fix.",
	.run = run,
};
