/* SPDX-License-Identifier: MIT */
/* help.h - what a command takes, as text and as JSON, from its own tables */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "cli/opt.h"
#include "json/json.h"

/* Who wants to see the options of a command; called by opt_parse(), where they live. */
struct describe {
	void (*put)(struct describe *d, const struct cmd *cmd, const struct opt *opts);
};

/* Have one command, or every one in the table's order, described. */
void help_describe(struct cli *cli, struct describe *d, const struct cmd *cmd);
void help_describe_all(struct cli *cli, struct describe *d);

void help_overview(const struct cli *cli);
void help_command(const struct cli *cli, const struct cmd *cmd, const struct opt *opts);
void help_tree(struct cli *cli, struct buf *out); /* all of it as JSON */

/* "-o, --output FORMAT"; without a letter its room stays blank. */
#define HELP_NAME_MAX 160
void help_option_name(const struct opt *o, char out[HELP_NAME_MAX]);
/* The exit codes and what they mean; {NULL, NULL} at the end. */
extern const char *const help_exit_codes[][2];

#endif
