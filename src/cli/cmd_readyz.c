/* SPDX-License-Identifier: MIT */
/*
 * cmd_readyz.c - godwit readyz: is the gateway ready, or wait until it is
 *
 * TESTS  tests/system/test_cli.py
 */
#include "cli/api.h"
#include "cli/opt.h"
#include "cli/out.h"

extern const struct cmd cmd_readyz;

#define WAIT_MS 30000
#define ASK_AGAIN_MS 50

static void on_time(void *cookie)
{
	*(bool *)cookie = true;
}

static void pause_for(struct loop *loop, int64_t ms)
{
	bool is_over = false;
	struct timer t;

	timer_init(&t, loop, LOOP_REAL, on_time, &is_over);
	timer_in_ms(&t, ms);
	while (!is_over)
		loop_turn(loop, -1);
}

static int report(const struct cli *cli, const struct api_answer *answer)
{
	struct str reason = STR_EMPTY;

	if (answer->status != 200) {
		(void)json_get_str(answer->json, STR("reason"), 256, &reason);
		return cli_failf(cli, EXIT_TEMPORARY, "godwit readyz --wait waits for it",
				 "not ready: %.*s", STR_ARG(reason));
	}
	if (cli_is_json(cli))
		printf("%.*s\n", STR_ARG(answer->body));
	else if (!cli->quiet)
		printf("%s ready\n", out_mark(cli, MARK_OK));
	return EXIT_OK;
}

static int ask(struct cli *cli, struct api *a, bool wait)
{
	int64_t limit_ms = cli->timeout_ms > 0 ? cli->timeout_ms : WAIT_MS;
	int64_t until = clock_real_ns() + limit_ms * NS_PER_MS;
	const struct api_request r = { .method = "GET", .path = "/readyz" };
	struct gw_error err = GW_ERROR_INIT;
	struct api_answer answer;
	bool answered;

	for (;;) {
		gw_error_clear(&err);
		answered = api_try(a, &r, &answer, &err);
		if ((answered && answer.status == 200) || !wait || clock_real_ns() >= until)
			break;
		pause_for(api_loop(a), ASK_AGAIN_MS);
	}
	return answered ? report(cli, &answer) : api_unreachable(a, &err);
}

static int run(struct cli *cli, int argc, char **argv)
{
	bool wait = false;
	const struct opt opts[] = { { OPT_FLAG, 0, "wait", &wait, NULL,
				      "until it is, at most --timeout (30s)" },
				    OPT_END };
	struct api *a;
	int code;

	if (!opt_parse(cli, &cmd_readyz, opts, &argc, &argv))
		return cli->code;
	a = api_open(cli, &code);
	if (a == NULL)
		return code;
	code = ask(cli, a, wait);
	api_close(a);
	return cli_done(cli, code);
}

const struct cmd cmd_readyz = {
	.name = "readyz",
	.help = "is the gateway ready; with --wait until it is",
	.run = run,
};
