/* SPDX-License-Identifier: MIT */
/* help.h - what a command takes, as text, as JSON and as a manual page, from its own tables */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "cli/opt.h"
#include "json/json.h"

enum describe_form { DESCRIBE_JSON, DESCRIBE_MAN };

struct describe {
	enum describe_form form;
	struct buf *out;
	struct json_writer *w; /* DESCRIBE_JSON: inside an array */
};

void help_overview(const struct cli *cli);
void help_command(const struct cli *cli, const struct cmd *cmd, const struct opt *opts);
/* One command into d; called by opt_parse(). */
void help_describe(struct describe *d, const struct cmd *cmd, const struct opt *opts);

#endif
