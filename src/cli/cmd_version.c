/* SPDX-License-Identifier: MIT */
/* cmd_version.c - godwit version: this program's version */
#include "cli/opt.h"

extern const struct cmd cmd_version;

static int run(struct cli *cli, int argc, char **argv)
{

	if (!opt_parse(cli, &cmd_version, NULL, &argc, &argv))
		return cli->code;
	if (cli_is_json(cli))
		printf("{\"name\":\"godwit\",\"version\":\"%s\"}\n", GODWIT_VERSION);
	else if (cli->format == OUT_ID)
		printf("%s\n", GODWIT_VERSION);
	else
		printf("godwit %s\n", GODWIT_VERSION);
	return cli_done(cli, EXIT_OK);
}

const struct cmd cmd_version = {
	.name = "version",
	.help = "print the version of this program",
	.run = run,
};
