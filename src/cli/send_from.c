/* SPDX-License-Identifier: MIT */
/*
 * send_from.c - which number `godwit send` sends from, and whether anybody real gets it
 *
 * TESTS  tests/system/test_cli.py
 */
#include "cli/send.h"

static int list_numbers(const struct cli *cli, struct json_val ids)
{
	char fix[1024] = "say --from ID; there are:";
	size_t at = strlen(fix);
	struct json_iter it;
	struct json_val v;
	struct str id;

	for (it = json_iter(ids); json_next(&it, &v) && at < sizeof(fix);)
		if (json_str(v, 64, &id))
			at += (size_t)snprintf(fix + at, sizeof(fix) - at, " %.*s", STR_ARG(id));
	return cli_failf(cli, EXIT_USAGE, fix, "the gateway has several numbers");
}

int send_from(struct api *a, const struct cli *cli, const char *from, struct send_sender *out)
{
	struct api_answer answer;
	struct json_val ids;
	struct str text;
	int code = api_get(a, "/api/v1/version", &answer);

	if (code != EXIT_OK)
		return code;
	if (json_get_str(answer.json, STR("profile"), 32, &text))
		out->is_sandbox = str_eq(text, STR("sandbox"));
	if (from != NULL && str_copy(str_from(from), out->number, sizeof(out->number)))
		return EXIT_OK;
	ids = json_member(answer.json, STR("number_ids"));
	if (json_count(ids) > 1)
		return list_numbers(cli, ids);
	if (!json_str(json_at(ids, 0), sizeof(out->number) - 1, &text))
		return cli_failf(cli, EXIT_USAGE, "add one to [account NAME] in the configuration",
				 "the gateway has no number to send from");
	(void)str_copy(text, out->number, sizeof(out->number));
	return EXIT_OK;
}
