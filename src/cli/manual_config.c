/* SPDX-License-Identifier: MIT */
/*
 * manual_config.c - godwit.conf(5), from config.def and config_account.def
 *
 * TESTS  tests/system/test_manual.py
 */
#include "cli/manual.h"
#include "server/config.h"

static const char opening[] =
	".SH SYNOPSIS\n.nf\n\\&./godwit.conf\n$XDG_CONFIG_HOME/godwit/godwit.conf\n"
	"/etc/godwit/godwit.conf\n.fi\n"
	".SH DESCRIPTION\n"
	"The first of these files that is there is read, or the one that\n.B \\-\\-config\nor\n"
	".B GODWIT_CONFIG\nnames; files are never merged.  A line is\n.IR \"key = value\" ;\n"
	"a line that begins with # or ; is a comment.  Accounts follow in sections of their own.\n"
	".PP\nA flag of the command line wins over the environment, the environment over the file, "
	"the file over the default.  In the environment a key is in capitals, with\n.B GODWIT_\n"
	"before it and _ for each dot:\n.B GODWIT_LISTEN_PUBLIC .\n"
	".PP\n.B godwit config check\nlists every problem at once,\n.B godwit config show "
	"\\-\\-origin\nwhat is in force and where it comes from.  Keys that are called live "
	"follow\n.B godwit config reload\nand SIGHUP, the others a restart.\n"
	".PP\nDurations are written 250ms, 30s, 10m or 24h; sizes 4096, 64K, 4M or 1G.\n";

static const char accounts[] =
	".SH ACCOUNTS\nEach account is a section\n.BR [account\\~NAME] :\n"
	"one app of Meta\\(aqs with its numbers.  Secrets are never in this file, but in files "
	"that only the gateway can read.\n";

static const char closing[] =
	".SH ENVIRONMENT\n.TP\n.BR GODWIT_TOKEN_FILE \", \" GODWIT_APP_SECRET_FILE \", \" "
	"GODWIT_VERIFY_TOKEN_FILE\n"
	"Where the secrets of the one account are, if its section names no file.\n"
	".TP\n.B CREDENTIALS_DIRECTORY\nSet by systemd: its files token, app_secret and "
	"verify_token are taken likewise.\n"
	".SH EXAMPLE\n.nf\ndata = /var/lib/godwit\nlisten.public = 127.0.0.1:8080\n\n"
	"[account main]\napp_secret_file = /etc/godwit/credentials/app_secret\n"
	"verify_token_file = /etc/godwit/credentials/verify_token\n"
	"token_file = /etc/godwit/credentials/token\nnumbers = 106540352242922\n.fi\n"
	".SH SEE ALSO\n.BR godwit (1),\n.BR godwit\\-serve (1),\n.BR godwit\\-config\\-check (1),\n"
	".BR godwit\\-config\\-show (1),\n.BR godwit\\-config\\-reload (1)\n";

static void put_key(struct buf *b, const struct config_key_info *k)
{
	buf_put_text(b, ".TP\n.B ");
	roff_put(b, k->key);
	buf_put_char(b, '\n');
	roff_put(b, k->help);
	buf_put_fmt(b, ".\n.br\n(%s", k->type);
	if (k->max[0] != '\0') {
		buf_put_text(b, ", ");
		roff_put(b, k->min);
		buf_put_text(b, " to ");
		roff_put(b, k->max);
	}
	if (k->live)
		buf_put_text(b, ", live");
	buf_put_text(b, "; default: ");
	roff_put(b, k->def[0] != '\0' ? k->def : "empty");
	buf_put_text(b, ")\n");
}

void manual_put_config(struct buf *out)
{
	struct config_key_info k;
	const char *key, *help;

	roff_head(out, "godwit.conf", 5, "godwit.conf", "configuration of the Godwit gateway");
	buf_put_text(out, opening);
	buf_put_text(out, ".SH KEYS\n");
	for (size_t i = 0; config_key_at(i, &k); i++)
		put_key(out, &k);
	buf_put_text(out, accounts);
	for (size_t i = 0; config_account_key_at(i, &key, &help); i++) {
		buf_put_text(out, ".TP\n.B ");
		roff_put(out, key);
		buf_put_char(out, '\n');
		roff_put(out, help);
		buf_put_text(out, ".\n");
	}
	buf_put_text(out, closing);
}
