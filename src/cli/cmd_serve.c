/* SPDX-License-Identifier: MIT */
/*
 * cmd_serve.c - godwit serve: the gateway in the foreground
 *
 * Whoever supervises it reads "ready public=PORT api=PORT socket=PATH" from
 * the descriptor of --ready-fd.
 *
 * TESTS  tests/system/test_cli.py
 */
#include "cli/child.h"
#include "cli/config_open.h"
#include "server/serve.h"
#include <sys/prctl.h>
#include <sys/stat.h>

extern const struct cmd cmd_serve;

static int run(struct cli *cli, int argc, char **argv)
{
	struct gw_error err = GW_ERROR_INIT;
	struct config_flags flags = { 0 };
	struct config *c = NULL;
	int64_t ready_fd = -1;
	bool with_parent = false;
	const struct opt opts[] = { CONFIG_FLAGS(flags),
				    { OPT_I64, 0, "ready-fd", &ready_fd, "N", NULL },
				    { OPT_FLAG, 0, "with-parent", &with_parent, NULL, NULL },
				    OPT_END };
	int code;

	if (!opt_parse(cli, &cmd_serve, opts, &argc, &argv))
		return cli->code;
	(void)prctl(PR_SET_DUMPABLE, 0); /* no core: its memory holds tokens and secrets */
	(void)umask(077); /* messages and secrets: what is created is for its owner */
	if (with_parent)
		child_ends_with_parent();
	code = config_open(cli, &flags, &c);
	if (code != EXIT_OK)
		return code;
	if (config_path(c) == NULL && config_account_count(c) == 0) {
		config_free(c);
		return cli_failf(
			cli, EXIT_USAGE,
			"`godwit init` writes one for a real number; `godwit up` is gateway "
			"and sandbox and needs none",
			"there is no configuration and no account, so there is nobody to "
			"serve");
	}
	code = serve_run(&(struct serve_options){ .config = c, .ready_fd = (int)ready_fd }, &err);
	if (config_problem_count(c) > 0)
		code = config_refuse(cli, c);
	else if (err.status != GW_OK)
		(void)cli_failf(cli, code, NULL, "%s", err.message);
	config_free(c);
	return code;
}

const struct cmd cmd_serve = {
	.name = "serve",
	.help = "run the gateway until SIGTERM, which drains it",
	.more = "SIGTERM and SIGINT stop it without losing a message, in up to 35 seconds.\n"
		"SIGHUP reads the configuration again: godwit config reload.\n"
		"The configuration: godwit config show. A first look, no account: godwit up.",
	.run = run,
};
