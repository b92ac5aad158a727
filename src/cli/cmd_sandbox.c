/* SPDX-License-Identifier: MIT */
/*
 * cmd_sandbox.c - godwit sandbox: Meta's side of the API, in the foreground
 *
 * Whoever supervises it reads "PORT\n" from the descriptor of --ready-fd.
 *
 * TESTS  tests/system/test_cli.py
 */
#include "base/mac.h"
#include "cli/child.h"
#include "cli/opt.h"
#include "sandbox/sandbox.h"
#include <unistd.h>

#define HOST_MAX 128

extern const struct cmd cmd_sandbox;

/* What is not a struct sandbox_options yet. */
struct sandbox_words {
	const char *listen, *secret_file, *verify_file, *log_level;
	int64_t seed, ready_fd;
	struct secret secret, verify;
	struct log log;
	char host[HOST_MAX];
};

static int load(const struct cli *cli, struct sandbox_words *w, struct sandbox_options *o)
{
	struct gw_error err = GW_ERROR_INIT;
	enum log_level level = LOG_WARN;

	if (!child_split_address(w->listen, w->host, sizeof(w->host), &o->port))
		return cli_failf(cli, EXIT_USAGE, "want ADDRESS:PORT, such as 127.0.0.1:8081",
				 "--listen: \"%s\" is no address", w->listen);
	o->address = w->host;
	if (w->log_level != NULL && !log_level_parse(w->log_level, &level))
		return cli_failf(cli, EXIT_USAGE, "there are error, warn, info and debug",
				 "--log-level: \"%s\" is no level", w->log_level);
	log_init(&w->log, STDERR_FILENO, level, "sandbox", NULL);
	o->log = &w->log;
	if (w->secret_file != NULL) {
		if (secret_load(w->secret_file, &w->secret, &err) != GW_OK)
			return cli_failf(cli, EXIT_USAGE, NULL, "%s", err.message);
		o->app_secret = &w->secret;
	}
	if (w->verify_file != NULL) {
		if (secret_load(w->verify_file, &w->verify, &err) != GW_OK)
			return cli_failf(cli, EXIT_USAGE, NULL, "%s", err.message);
		o->verify_token = &w->verify;
	}
	o->seed = (uint64_t)w->seed;
	o->ready_fd = (int)w->ready_fd;
	return EXIT_OK;
}

static int run(struct cli *cli, int argc, char **argv)
{
	struct sandbox_options o = SANDBOX_OPTIONS_INIT;
	struct sandbox_words w = { .listen = "127.0.0.1:8081", .ready_fd = -1 };
	struct gw_error err = GW_ERROR_INIT;
	bool with_parent = false;
	const struct opt opts[] = {
		{ OPT_TEXT, 0, "listen", &w.listen, "ADDRESS:PORT",
		  "127.0.0.1:8081; port 0: any free" },
		{ OPT_TEXT, 0, "callback", &o.callback_url, "URL", "where webhooks go" },
		{ OPT_TEXT, 0, "app-secret-file", &w.secret_file, "FILE", "signs the webhooks" },
		{ OPT_TEXT, 0, "verify-token-file", &w.verify_file, "FILE",
		  "for the handshake with the callback" },
		{ OPT_I64, 0, "seed", &w.seed, "N", "of ids and jitter; 0: drawn anew" },
		{ OPT_FLAG, 0, "freeze", &o.freeze, NULL, "start with the clock standing still" },
		{ OPT_FLAG, 0, "quiet-customer", &o.no_seed_message, NULL,
		  "the first customer does not write by herself" },
		{ OPT_TEXT, 0, "log-level", &w.log_level, "error|warn|info|debug",
		  "what is logged" },
		{ OPT_I64, 0, "ready-fd", &w.ready_fd, "N", NULL },
		{ OPT_FLAG, 0, "with-parent", &with_parent, NULL, NULL },
		OPT_END
	};
	int code;

	if (!opt_parse(cli, &cmd_sandbox, opts, &argc, &argv))
		return cli->code;
	if (with_parent)
		child_ends_with_parent();
	code = load(cli, &w, &o);
	if (code == EXIT_OK && sandbox_run(&o, &err) != 0) {
		code = err.status == GW_EBUSY ? EXIT_TEMPORARY : EXIT_FAILED;
		(void)cli_failf(cli, code, NULL, "%s", err.message);
	}
	secret_release(&w.secret);
	secret_release(&w.verify);
	return code;
}

const struct cmd cmd_sandbox = {
	.name = "sandbox",
	.help = "run an emulation of Meta's API, with customers, faults and a clock to move",
	.more = "It is steered by `godwit sandbox say`, `clock` and `inject`, and by the control\n"
		"API in docs/sandbox.md. With a gateway at its side: godwit up.",
	.run = run,
};
