/* SPDX-License-Identifier: MIT */
/*
 * cmd_init.c - godwit init: from a token and an app secret to a gateway that can start
 *
 * LIFE    place of the configuration -> secrets -> what the token is for -> files -> app
 *         subscribed, everything checked -> what comes next.  Up to the files nothing is
 *         changed, here or at Meta.
 * TESTS   tests/system/test_init.py
 */
#include "cli/ask.h"
#include "cli/init.h"
#include "cli/out.h"

#include "base/id.h"
#include "base/mem.h"
#include "base/rnd.h"

#include <unistd.h>

extern const struct cmd cmd_init;

#define DEFAULT_URL "https://graph.facebook.com"
#define DEFAULT_VERSION "v26.0"
#define VERIFY_BYTES 20
#define SECRETS 3

/* Where a secret may come from; the first that is there is taken. */
struct source {
	const char *option, *path; /* --token-file; NULL: not given */
	const char *variable; /* GODWIT_TOKEN; with _FILE behind it: a path */
	const char *prompt; /* NULL: not asked for */
	struct secret *to;
};

/* ---- secrets */

static int load(const struct init *in, const char *from, const char *path, struct secret *to)
{
	struct gw_error err = GW_ERROR_INIT;

	if (secret_load(path, to, &err) == GW_OK)
		return EXIT_OK;
	return cli_failf(in->cli, EXIT_USAGE, NULL, "%s: %s", from, err.message);
}

/* EXIT_OK with to->len 0: it is in none of these places. */
static int take(const struct init *in, const struct source *s)
{
	const char *value = getenv(s->variable), *path;
	char name[64];

	(void)snprintf(name, sizeof(name), "%s_FILE", s->variable);
	path = getenv(name);
	if (s->path != NULL)
		return load(in, s->option, s->path, s->to);
	if (path != NULL)
		return load(in, name, path, s->to);
	if (value == NULL)
		return EXIT_OK;
	if (str_trim(str_from(value)).len == 0 || str_trim(str_from(value)).len > SECRET_MAX)
		return cli_failf(in->cli, EXIT_USAGE, NULL, "%s: want 1 to %d bytes", s->variable,
				 SECRET_MAX);
	secret_set(s->to, str_trim(str_from(value)));
	return EXIT_OK;
}

/* The one of an earlier configuration, which Meta knows; else a new one. */
static void make_verify_token(struct init *in)
{
	unsigned char raw[VERIFY_BYTES];
	char path[INIT_PATH_MAX], text[2 * VERIFY_BYTES];
	struct rnd r;

	init_secret_path(in, "verify_token", path);
	if (secret_load(path, &in->verify_token, NULL) == GW_OK)
		return;
	rnd_init_system(&r);
	rnd_bytes(&r, raw, sizeof(raw));
	secret_set(&in->verify_token, str_make(text, base32_encode(raw, sizeof(raw), text)));
}

static int get_secrets(struct init *in)
{
	const struct source sources[SECRETS] = {
		{ "--token-file", in->token_file, "GODWIT_TOKEN",
		  "Access token of a system user (not shown)", &in->token },
		{ "--app-secret-file", in->app_secret_file, "GODWIT_APP_SECRET",
		  "App secret (App settings, Basic; not shown)", &in->app_secret },
		{ "--verify-token-file", in->verify_token_file, "GODWIT_VERIFY_TOKEN", NULL,
		  &in->verify_token },
	};
	bool missing[SECRETS] = { false };
	int code = EXIT_OK;

	for (size_t i = 0; i < SECRETS && code == EXIT_OK; i++) {
		code = take(in, &sources[i]);
		missing[i] = sources[i].to->len == 0 && sources[i].prompt != NULL;
	}
	if (code == EXIT_OK && (missing[0] || missing[1]) && !ask_may(in->cli))
		return cli_failf(in->cli, EXIT_USAGE,
				 "a file (--token-file, --app-secret-file) or the environment "
				 "(GODWIT_TOKEN, GODWIT_APP_SECRET, or with _FILE a path) has it",
				 "nobody can be asked, and there is no %s%s%s",
				 missing[0] ? "access token" : "",
				 missing[0] && missing[1] ? " and no " : "",
				 missing[1] ? "app secret" : "");
	for (size_t i = 0; i < SECRETS && code == EXIT_OK; i++)
		if (missing[i])
			code = ask_secret(in->cli, sources[i].prompt, sources[i].to);
	if (code == EXIT_OK && in->verify_token.len == 0)
		make_verify_token(in);
	return code;
}

/* ---- what was done, and what comes next */

static bool is_of_service(const struct init *in)
{
	return strcmp(in->path, "/etc/godwit/godwit.conf") == 0 &&
	       access("/run/systemd/system", F_OK) == 0;
}

static void print_next(const struct init *in)
{
	char verify[INIT_PATH_MAX];
	const char *url = config_values(in->config)->public_url;

	init_secret_path(in, "verify_token", verify);
	printf("\n%s %s, its secrets in %s\n", out_mark(in->cli, MARK_OK), in->path, in->folder);
	if (in->kept[0] != '\0')
		printf("  what was there is now %s\n", in->kept);
	printf("\nNext:\n  %s\n", is_of_service(in) ? "systemctl restart godwit" : "godwit serve");
	printf("  App Dashboard, WhatsApp, Configuration: callback URL %s%s,\n"
	       "    verify token as in %s, then subscribe to the field \"messages\"\n",
	       url[0] != '\0' ? url : "https://YOUR.HOST", "/webhook", verify);
	printf("  godwit doctor\n  godwit send PHONE --template hello_world\n");
}

static void print_json(struct init *in)
{
	char verify[INIT_PATH_MAX];
	struct json_writer w;
	struct buf b;

	init_secret_path(in, "verify_token", verify);
	buf_init(&b, 4U << 20);
	json_w_init(&w, &b);
	json_w_object(&w);
	json_w_kv_text(&w, "file", in->path);
	json_w_kv_text(&w, "kept", in->kept[0] != '\0' ? in->kept : NULL);
	json_w_kv_text(&w, "account", in->account);
	json_w_kv_text(&w, "app_id", in->app_found);
	json_w_kv_text(&w, "business_id", in->waba_found);
	json_w_kv_text(&w, "verify_token_file", verify);
	json_w_key(&w, STR("numbers"));
	json_w_array(&w);
	for (size_t i = 0; i < in->number_count; i++)
		json_w_str(&w, str_from(in->numbers[i].id));
	json_w_end(&w);
	(void)findings_write(in->all, &w, NULL);
	json_w_end(&w);
	printf("%.*s\n", STR_ARG(buf_str(&b)));
	buf_release(&b);
}

static int tell(struct init *in)
{
	int code;

	if (cli_is_json(in->cli)) {
		print_json(in);
		return findings_failed(in->all) > 0 ? EXIT_CHECK : EXIT_OK;
	}
	code = findings_print(in->all, NULL);
	print_next(in);
	return code;
}

/* ---- the order */

static int check_options(const struct init *in)
{
	size_t at;

	for (size_t i = 0; i < in->set.count; i++)
		if (!str_find_char(str_from(in->set.items[i]), '=', &at) || at == 0)
			return cli_failf(in->cli, EXIT_USAGE, "want --set KEY=VALUE",
					 "\"%s\" has no key", in->set.items[i]);
	return EXIT_OK;
}

static int go(struct init *in)
{
	int code = check_options(in);

	if (code == EXIT_OK)
		code = init_choose_path(in);
	if (code == EXIT_OK)
		code = get_secrets(in);
	if (code == EXIT_OK)
		code = init_find(in);
	if (code == EXIT_OK)
		code = init_write(in);
	if (code == EXIT_OK)
		code = init_check(in);
	return code == EXIT_OK ? tell(in) : code;
}

static int run(struct cli *cli, int argc, char **argv)
{
	struct init in = { .cli = cli,
			   .account = "main",
			   .app_id = "",
			   .base_url = DEFAULT_URL,
			   .version = DEFAULT_VERSION };
	const struct opt opts[] = {
		{ OPT_TEXT, 0, "token-file", &in.token_file, "FILE",
		  "the access token (GODWIT_TOKEN)" },
		{ OPT_TEXT, 0, "app-secret-file", &in.app_secret_file, "FILE",
		  "the app secret (GODWIT_APP_SECRET)" },
		{ OPT_TEXT, 0, "verify-token-file", &in.verify_token_file, "FILE",
		  "the verify token that Meta knows already; else one is made" },
		{ OPT_TEXT, 0, "public-url", &in.public_url, "URL",
		  "where Meta reaches this machine, such as https://wa.example.com" },
		{ OPT_TEXT, 0, "waba", &in.waba, "ID",
		  "the WhatsApp Business Account, where the token does not name one" },
		{ OPT_LIST, 0, "from", &in.from, "ID", "only this number (several times)" },
		{ OPT_TEXT, 0, "app-id", &in.app_id, "ID", "the app, where Meta asks for it" },
		{ OPT_TEXT, 0, "account", &in.account, "NAME", "what to call it: main" },
		{ OPT_TEXT, 0, "data", &in.data, "DIR", "the data folder" },
		{ OPT_LIST, 0, "set", &in.set, "KEY=VALUE", "more lines of the configuration" },
		{ OPT_TEXT, 0, "base-url", &in.base_url, "URL", "a sandbox instead of Meta" },
		{ OPT_TEXT, 0, "graph-version", &in.version, "VERSION", "of the Graph API: v26.0" },
		{ OPT_FLAG, 0, "force", &in.force, NULL,
		  "write it though there is one, which is kept under another name" },
		OPT_END
	};
	struct clock clock;
	int code;

	if (!opt_parse(cli, &cmd_init, opts, &argc, &argv))
		return cli->code;
	clock_init(&clock);
	in.loop = loop_new(&clock);
	in.all = findings_new(cli);
	in.numbers = xcalloc(DOCTOR_NUMBERS_MAX, sizeof(*in.numbers));
	code = go(&in);
	findings_free(in.all);
	free(in.numbers);
	config_free(in.config);
	loop_free(in.loop);
	secret_release(&in.token);
	secret_release(&in.app_secret);
	secret_release(&in.verify_token);
	return cli_done(cli, code);
}

const struct cmd cmd_init = {
	.name = "init",
	.help = "from a token and an app secret to a gateway that can start",
	.more = "Asks for the access token and the app secret, or takes them from files or the\n"
		"environment; they never stand on a command line. Asks Meta which business\n"
		"account and numbers the token is for, writes configuration and secrets (for\n"
		"you alone; as root, for the group godwit too), subscribes the app, and\n"
		"runs the checks of `godwit doctor`. While it does, it answers /webhook itself if\n"
		"nobody else listens there, so that the callback can be tested.\n"
		"The file is --config, else /etc/godwit/godwit.conf for root and\n"
		"~/.config/godwit/godwit.conf for others. Exit code 9: a check failed; what is\n"
		"written by then stays.",
	.run = run,
};
