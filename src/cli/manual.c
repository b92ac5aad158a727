/* SPDX-License-Identifier: MIT */
/*
 * manual.c - the manual pages: godwit(1), one for each command, godwit.conf(5)
 *
 * ROLE     Nothing is written twice: commands, options and exit codes come from
 *          the tables of the command line, keys from config.def.
 * TESTS    tests/system/test_manual.py
 */
#include "cli/manual.h"
#include "base/panic.h"
#include "base/sys_file.h"
#include "cli/help.h"

#include <errno.h>
#include <limits.h>
#include <sys/stat.h>

#define PAGE_MAX (1U << 20)
#define FILE_MODE 0644
#define FOLDER_MODE 0755
#define CONFIG_PAGE "godwit.conf"
#define ABOUT "send and receive WhatsApp messages, and know what became of them"

static bool is_shown(const struct opt *opts)
{
	for (; opts != NULL && opts->type != OPT_NONE; opts++)
		if (opts->help != NULL)
			return true;
	return false;
}

static void put_options(struct buf *b, const struct opt *opts)
{
	char name[HELP_NAME_MAX];

	for (const struct opt *o = opts; o != NULL && o->type != OPT_NONE; o++) {
		if (o->help == NULL)
			continue;
		help_option_name(o, name);
		buf_put_text(b, ".TP\n.B ");
		roff_put(b, str_trim(str_from(name)).ptr);
		buf_put_char(b, '\n');
		roff_put(b, o->help);
		buf_put_char(b, '\n');
	}
}

/* "message list" is the page godwit-message-list(1). */
static void put_page_name(struct buf *b, const char *command)
{
	buf_put_text(b, "godwit\\-");
	for (const char *c = command; *c != '\0'; c++)
		buf_put_text(b, *c == ' ' ? "\\-" : (char[]){ *c, '\0' });
}

static void put_reference(struct buf *b, const char *command, const char *between)
{
	buf_put_text(b, between);
	buf_put_text(b, ".BR ");
	put_page_name(b, command);
	buf_put_text(b, " (1)");
}

static void put_synopsis(struct buf *b, const struct cmd *cmd, const struct opt *opts)
{
	buf_put_text(b, ".B godwit ");
	roff_put(b, cmd->name);
	buf_put_char(b, '\n');
	if (cmd->args != NULL) {
		buf_put_text(b, ".I ");
		roff_put(b, cmd->args);
		buf_put_char(b, '\n');
	}
	if (is_shown(opts))
		buf_put_text(b, "[options]\n");
}

static void put_sentence(struct buf *b, const char *text)
{
	size_t n = strlen(text);

	roff_put(b, text);
	buf_put_text(b, n > 0 && strchr(".?!", text[n - 1]) != NULL ? "\n" : ".\n");
}

/* ---- one command */

struct page {
	struct describe d;
	struct buf *out;
};

static struct str noun_of(const char *name)
{
	struct str rest = str_from(name), noun;

	(void)str_split(&rest, ' ', &noun);
	return noun;
}

/* godwit(1), the file's page, and the others of the same noun. */
static void put_see_also(struct buf *b, const struct cmd *cmd)
{
	const struct cmd *other;

	buf_put_text(b, ".SH SEE ALSO\n.BR godwit (1),\n.BR godwit.conf (5)");
	for (size_t i = 0; (other = cli_command_at(i)) != NULL; i++)
		if (other != cmd && str_eq(noun_of(other->name), noun_of(cmd->name)))
			put_reference(b, other->name, ",\n");
	buf_put_char(b, '\n');
}

static void put_command(struct describe *d, const struct cmd *cmd, const struct opt *opts)
{
	struct buf *b = CONTAINER_OF(d, struct page, d)->out;
	char name[HELP_NAME_MAX];

	(void)snprintf(name, sizeof(name), "godwit %s", cmd->name);
	roff_head(b, name, 1, name, cmd->help);
	buf_put_text(b, ".SH SYNOPSIS\n");
	put_synopsis(b, cmd, opts);
	buf_put_text(b, ".SH DESCRIPTION\n");
	put_sentence(b, cmd->help);
	if (cmd->more != NULL) {
		buf_put_text(b, ".PP\n.nf\n");
		roff_put(b, cmd->more);
		buf_put_text(b, "\n.fi\n");
	}
	if (is_shown(opts)) {
		buf_put_text(b, ".SH OPTIONS\n");
		put_options(b, opts);
	}
	buf_put_text(b, ".PP\nThe options that every command takes, and what the exit codes mean, "
			"are in\n.BR godwit (1).\n");
	put_see_also(b, cmd);
}

/* ---- godwit(1) */

static void put_row(struct describe *d, const struct cmd *cmd, const struct opt *opts)
{
	struct buf *b = CONTAINER_OF(d, struct page, d)->out;

	(void)opts;
	buf_put_text(b, ".TP\n.B godwit ");
	roff_put(b, cmd->name);
	if (cmd->args != NULL) {
		buf_put_char(b, ' ');
		roff_put(b, cmd->args);
	}
	buf_put_char(b, '\n');
	put_sentence(b, cmd->help);
	buf_put_text(b, "See\n");
	put_reference(b, cmd->name, "");
	buf_put_text(b, ".\n");
}

static const char environment[] =
	".SH ENVIRONMENT\n"
	".TP\n.B GODWIT_SERVER\nThe gateway to talk to, as with\n.BR \\-\\-server .\n"
	".TP\n.BR GODWIT_KEY \", \" GODWIT_KEY_FILE\nThe key for a gateway reached over TCP, "
	"or the file it is in.\n"
	".TP\n.B GODWIT_CONFIG\nThe configuration file, as with\n.BR \\-\\-config .\n"
	".TP\n.B GODWIT_OUTPUT\nThe format of answers, as with\n.BR \\-\\-output .\n"
	".TP\n.B GODWIT_SANDBOX\nThe sandbox that\n.B godwit sandbox\ncommands steer.\n"
	".TP\n.BR NO_COLOR \", \" FORCE_COLOR\nNever, or always, with colours.\n"
	".PP\nKeys of the configuration can be set in the environment too: see\n"
	".BR godwit.conf (5).\n";

static void put_overview(struct cli *cli, struct buf *b)
{
	struct opt globals[OPT_GLOBALS_MAX];
	struct page p = { .d = { put_row }, .out = b };

	roff_head(b, "godwit", 1, "godwit", ABOUT);
	buf_put_text(b,
		     ".SH SYNOPSIS\n.B godwit\n.I COMMAND\n[words] [options]\n"
		     ".SH DESCRIPTION\nGodwit runs WhatsApp messaging over Meta\\(aqs Cloud "
		     "API:\n.B godwit serve\nis the gateway, the other commands speak to it, and\n"
		     ".B godwit up\nis the first minute, with a sandbox and no account.\n"
		     ".SH COMMANDS\n");
	help_describe_all(cli, &p.d);
	buf_put_text(b, ".SH OPTIONS\nThese are understood by every command.\n");
	opt_globals(cli, globals);
	put_options(b, globals);
	buf_put_text(b, ".SH EXIT STATUS\n");
	for (size_t i = 0; help_exit_codes[i][0] != NULL; i++) {
		buf_put_fmt(b, ".TP\n.B %s\n", help_exit_codes[i][0]);
		roff_put(b, help_exit_codes[i][1]);
		buf_put_char(b, '\n');
	}
	buf_put_text(b, environment);
	buf_put_text(b, ".SH SEE ALSO\n.BR godwit.conf (5)\n");
}

/* ---- which page */

static const struct cmd *command_of(int argc, char **argv)
{
	const struct cmd *cmd;
	char name[HELP_NAME_MAX];

	(void)snprintf(name, sizeof(name), "%s%s%s", argv[0], argc > 1 ? " " : "",
		       argc > 1 ? argv[1] : "");
	for (size_t i = 0; (cmd = cli_command_at(i)) != NULL; i++)
		if (strcmp(cmd->name, name) == 0)
			return cmd;
	return NULL;
}

bool manual_put(struct cli *cli, int argc, char **argv, struct buf *out)
{
	struct page p = { .d = { put_command }, .out = out };
	const struct cmd *cmd;

	if (argc == 0) {
		put_overview(cli, out);
		return true;
	}
	if (argc == 1 && strcmp(argv[0], CONFIG_PAGE) == 0) {
		manual_put_config(out);
		return true;
	}
	cmd = command_of(argc, argv);
	if (cmd == NULL)
		return false;
	help_describe(cli, &p.d, cmd);
	return true;
}

/* ---- all of them, as files */

static int write_page(struct cli *cli, const char *dir, int section, const char *name,
		      struct buf *b)
{
	struct gw_error err = GW_ERROR_INIT;
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/man%d/%s.%d", dir, section, name, section);

	ASSERT(!buf_failed(b));
	for (char *c = n > 0 ? path + strlen(dir) : path; *c != '\0'; c++)
		if (*c == ' ')
			*c = '-';
	if ((size_t)n >= sizeof(path))
		return cli_failf(cli, EXIT_USAGE, NULL, "%s is too long a path", dir);
	if (sys_write_file(path, buf_str(b), FILE_MODE, &err) != GW_OK)
		return cli_failf(cli, EXIT_FAILED, NULL, "%s", err.message);
	buf_reset(b);
	return EXIT_OK;
}

static int make_folder(struct cli *cli, const char *dir, const char *below)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s%s", dir, below) >= (int)sizeof(path))
		return cli_failf(cli, EXIT_USAGE, NULL, "%s is too long a path", dir);
	if (mkdir(path, FOLDER_MODE) != 0 && errno != EEXIST)
		return cli_failf(cli, EXIT_FAILED, NULL, "cannot make %s: %s", path,
				 strerror(errno));
	return EXIT_OK;
}

static int write_commands(struct cli *cli, const char *dir, struct buf *b)
{
	struct page p = { .d = { put_command }, .out = b };
	const struct cmd *cmd;
	char name[HELP_NAME_MAX];
	int code = EXIT_OK;

	for (size_t i = 0; code == EXIT_OK && (cmd = cli_command_at(i)) != NULL; i++) {
		help_describe(cli, &p.d, cmd);
		(void)snprintf(name, sizeof(name), "godwit-%s", cmd->name);
		code = write_page(cli, dir, 1, name, b);
	}
	return code;
}

int manual_write(struct cli *cli, const char *dir)
{
	static const char *const folders[] = { "", "/man1", "/man5" };
	int code = EXIT_OK;
	struct buf b;

	buf_init(&b, PAGE_MAX);
	for (size_t i = 0; code == EXIT_OK && i < ARRAY_LEN(folders); i++)
		code = make_folder(cli, dir, folders[i]);
	if (code == EXIT_OK) {
		put_overview(cli, &b);
		code = write_page(cli, dir, 1, "godwit", &b);
	}
	if (code == EXIT_OK) {
		manual_put_config(&b);
		code = write_page(cli, dir, 5, CONFIG_PAGE, &b);
	}
	if (code == EXIT_OK)
		code = write_commands(cli, dir, &b);
	buf_release(&b);
	return cli_done(cli, code);
}
