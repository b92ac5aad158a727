/* SPDX-License-Identifier: MIT */
/* meta.c - Meta's errors as a user of the command line meets them */
#include "cli/meta.h"
#include <godwit/errors.h>

int meta_exit(int code, int subcode)
{
	const gw_error_info *info = gw_error_info_find(code, subcode);

	if (info == NULL)
		return EXIT_REJECTED;
	switch (info->retry) {
	case GW_RETRY_NOW:
	case GW_RETRY_LATER:
	case GW_RETRY_UNKNOWN: return EXIT_TEMPORARY;
	case GW_RETRY_ACCOUNT: return code == 190 ? EXIT_AUTH : EXIT_REJECTED;
	case GW_RETRY_AFTER:
	case GW_RETRY_NEVER: break;
	}
	return EXIT_REJECTED;
}

/* What Godwit itself refused ends with the advice, which here has lines of its own. */
static struct str without_advice(struct str details, int code, int subcode)
{
	char advice[GW_ERROR_ADVICE_MAX];
	struct str tail;

	if (!gw_error_advice(code, subcode, advice))
		return details;
	tail = str_from(advice);
	if (!str_ends(details, tail))
		return details;
	details = str_slice(details, 0, details.len - tail.len);
	return str_ends(details, STR(". ")) ? str_slice(details, 0, details.len - 2) : details;
}

int meta_fail(const struct cli *cli, int exit, const char *what, int code, int subcode,
	      struct str details, const char *id)
{
	const gw_error_info *info = gw_error_info_find(code, subcode);
	struct cli_error e = { .exit = exit, .code = code, .subcode = subcode };
	char message[2048], fix[1024], command[GW_ERROR_COMMAND_MAX] = "";

	details = without_advice(details, code, subcode);
	(void)snprintf(message, sizeof(message), "%s: %d %s%s%.*s", what, code,
		       info != NULL ? info->title : "", details.len > 0 && info != NULL ? ": " : "",
		       STR_ARG(details));
	e.message = message;
	if (info != NULL)
		gw_error_command(info, command);
	(void)snprintf(fix, sizeof(fix), "%s%s%s%s%s%s%s%s", info != NULL ? info->meaning : "",
		       info != NULL ? " " : "", info != NULL ? info->fix : "",
		       info != NULL ? "\n  " : "", command,
		       info != NULL && id[0] != '\0' ? "\n  " : "",
		       id[0] != '\0' ? "godwit why " : "", id);
	if (fix[0] != '\0')
		e.fix = fix;
	return cli_fail(cli, &e);
}
