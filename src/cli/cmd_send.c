/* SPDX-License-Identifier: MIT */
/*
 * cmd_send.c - godwit send: the words of the command
 *
 * TESTS    tests/system/test_cli.py, tests/system/test_send_list.py
 */
#include "cli/send.h"

extern const struct cmd cmd_send;

static int run(struct cli *cli, int argc, char **argv)
{
	static const char var[] = "want 1=TEXT or NAME=TEXT";
	struct send_wish w = { 0 };
	const struct opt opts[] = {
		{ OPT_TEXT, 0, "from", &w.from, "ID",
		  "the sending number's id, if there are several" },
		{ OPT_TEXT, 0, "template", &w.template, "NAME", "an approved template" },
		{ OPT_TEXT, 0, "lang", &w.lang, "CODE", "its language (en_US)" },
		{ OPT_LIST, 0, "var", &w.vars, "N=TEXT",
		  "a variable of its body, by number or name" },
		{ OPT_TEXT, 0, "fallback-template", &w.fallback, "NAME[:LANG]",
		  "send this template instead when the 24-hour window is shut" },
		{ OPT_LIST, 0, "fallback-var", &w.fallback_vars, "N=TEXT",
		  "a variable of its body, by number or name" },
		{ OPT_FLAG, 0, "park", &w.park, NULL,
		  "wait until the customer writes when the window is shut" },
		{ OPT_TEXT, 0, "category", &w.category, "WORD",
		  "marketing, utility or authentication: marketing is refused to who opted out" },
		{ OPT_TEXT, 0, "json-body", &w.json_body, "FILE",
		  "the whole message as the Graph API takes it; - is standard input" },
		{ OPT_TEXT, 0, "wait", &w.wait, "STATUS",
		  "until accepted, sent, delivered or read" },
		{ OPT_TEXT, 0, "idempotency-key", &w.key, "KEY",
		  "the same key is never sent twice" },
		{ OPT_FLAG, 0, "async", &w.async, NULL, "return when it is on disk" },
		{ OPT_TEXT, 0, "csv", &w.csv, "FILE",
		  "send to everybody in this list; its first line names the columns" },
		{ OPT_TEXT, 0, "text", &w.text, "TEXT",
		  "the text for a list, with {{column}} places" },
		{ OPT_TEXT, 0, "phone", &w.phone, "COLUMN", "where the numbers stand (phone)" },
		{ OPT_TEXT, 0, "name", &w.name, "LABEL", "what the list is called in lists" },
		{ OPT_FLAG, 'n', "dry-run", &w.dry_run, NULL,
		  "check the list, show what would be sent, send nothing" },
		{ OPT_TEXT, 0, "confirm", &w.confirm, "COUNT",
		  "how many messages you expect to be sent, instead of typing it" },
		{ OPT_TEXT, 0, "resume", &w.resume, "ID",
		  "go on with a list that was paused, or follow one" },
		{ OPT_TEXT, 0, "results", &w.results, "FILE",
		  "what became of each row, as .csv or .json, when the list is done" },
		{ OPT_TEXT, 0, "progress", &w.progress, "auto|bar|plain|json|none",
		  "how to show how far a list is" },
		OPT_END
	};

	if (!opt_parse(cli, &cmd_send, opts, &argc, &argv) ||
	    !send_vars_check(cli, &w.vars, "--var",
			     w.csv != NULL ? "want 1=COLUMN or NAME=COLUMN" : var) ||
	    !send_vars_check(cli, &w.fallback_vars, "--fallback-var", var))
		return cli->code;
	if (w.csv != NULL || w.resume != NULL)
		return send_list(cli, &w, argc);
	if (w.text != NULL || w.phone != NULL || w.name != NULL || w.dry_run || w.confirm != NULL ||
	    w.results != NULL || w.progress != NULL)
		return cli_failf(cli, EXIT_USAGE,
				 "godwit send TO TEXT for one message, --csv FILE for a list",
				 "--text, --phone, --name, --dry-run, --confirm, --results and "
				 "--progress are for lists");
	return send_one(cli, &w, argv, argc);
}

const struct cmd cmd_send = {
	.name = "send",
	.args = "TO [TEXT]",
	.args_max = 2,
	.help = "send a message, or one to everybody in a list, and follow what becomes of it",
	.more = "godwit send +5571990000001 \"Yes\"\n"
		"godwit send +4915112345678 --template order_shipped --lang en \\\n"
		"            --var 1=Ada --var 2=A-123\n"
		"godwit send +4915112345678 \"Your parcel is here\" --park \\\n"
		"            --fallback-template may_we_talk:en\n"
		"With --park and a template: the template invites, the text waits for the answer.\n"
		"In the sandbox it follows to read; live it stops at accepted unless --wait.\n"
		"\n"
		"godwit send --csv people.csv --template order_shipped --lang en \\\n"
		"            --var 1=name --var 2=order\n"
		"The list is checked first and what would be sent is shown; a live gateway asks\n"
		"for the count. Then it is the gateway's: Ctrl-C pauses it, closing the terminal\n"
		"does not, `godwit send --resume ID` goes on where it stopped or follows it.\n"
		"Exit code 8: some rows were not sent.",
	.run = run,
};
