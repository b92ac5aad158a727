/* SPDX-License-Identifier: MIT */
/* test_opt.c - options in every spelling, what is left over, and what is refused */
#include "unit.h"

#include "cli/help.h"

#define WORDS_MAX 8

static int not_run(struct cli *cli, int argc, char **argv)
{
	(void)cli;
	(void)argc;
	(void)argv;
	return EXIT_FAILED;
}

static const struct cmd cmd_test = {
	.name = "test", .args = "[A [B]]", .args_max = 2, .help = "for this test", .run = not_run
};

const struct cmd *cli_command_at(size_t index)
{
	return index == 0 ? &cmd_test : NULL;
}

struct seen {
	bool flag, other;
	const char *text;
	struct opt_list list;
	int64_t ms, n;
};

static bool parse(struct cli *cli, struct seen *s, const char *const *words, int *argc,
		  char *argv[WORDS_MAX + 1])
{
	const struct opt opts[] = { { OPT_FLAG, 'f', "flag", &s->flag, NULL, "a flag" },
				    { OPT_FLAG, 'g', "other", &s->other, NULL, "another" },
				    { OPT_TEXT, 't', "text", &s->text, "WORD", "a word" },
				    { OPT_LIST, 'l', "list", &s->list, "WORD", "words" },
				    { OPT_MS, 0, "wait", &s->ms, "DURATION", "how long" },
				    { OPT_I64, 'n', "count", &s->n, "N", "how many" },
				    { OPT_TEXT, 0, "hidden", &s->text, "WORD", NULL },
				    OPT_END };
	char **rest = argv;

	*argc = 0;
	for (; words[*argc] != NULL; (*argc)++)
		argv[*argc] = (char *)(uintptr_t)words[*argc];
	argv[*argc] = NULL;
	memset(s, 0, sizeof(*s));
	return opt_parse(cli, &cmd_test, opts, argc, &rest);
}

#define NO_WORD "-"

static void accepted(void **state)
{
	static const struct {
		const char *name, *words[WORDS_MAX + 1];
		bool flag, other;
		const char *text, *first, *second; /* NULL: none */
		size_t list;
		int64_t ms, n;
	} table[] = {
		{ "nothing", { NULL }, 0, 0, NULL, NULL, NULL, 0, 0, 0 },
		{ "long flag", { "--flag", NULL }, 1, 0, NULL, NULL, NULL, 0, 0, 0 },
		{ "letters together", { "-fg", NULL }, 1, 1, NULL, NULL, NULL, 0, 0, 0 },
		{ "value behind", { "--text", "x", NULL }, 0, 0, "x", NULL, NULL, 0, 0, 0 },
		{ "value in it", { "--text=x=y", NULL }, 0, 0, "x=y", NULL, NULL, 0, 0, 0 },
		{ "empty value", { "--text=", NULL }, 0, 0, "", NULL, NULL, 0, 0, 0 },
		{ "value like an option",
		  { "--text", "--flag", NULL },
		  0,
		  0,
		  "--flag",
		  NULL,
		  NULL,
		  0,
		  0,
		  0 },
		{ "letter, value behind", { "-t", "x", NULL }, 0, 0, "x", NULL, NULL, 0, 0, 0 },
		{ "letter, value in it", { "-tx", NULL }, 0, 0, "x", NULL, NULL, 0, 0, 0 },
		{ "flag, letter, value", { "-ftx", NULL }, 1, 0, "x", NULL, NULL, 0, 0, 0 },
		{ "list", { "-l", "a", "--list=b", "-lc", NULL }, 0, 0, NULL, NULL, NULL, 3, 0, 0 },
		{ "duration", { "--wait", "1m30s", NULL }, 0, 0, NULL, NULL, NULL, 0, 90000, 0 },
		{ "number", { "-n0", "--count", "7", NULL }, 0, 0, NULL, NULL, NULL, 0, 0, 7 },
		{ "hidden", { "--hidden", "h", NULL }, 0, 0, "h", NULL, NULL, 0, 0, 0 },
		{ "one word", { "a", NULL }, 0, 0, NULL, "a", NULL, 0, 0, 0 },
		{ "mixed", { "a", "-f", "b", "--wait=1", NULL }, 1, 0, NULL, "a", "b", 0, 1000, 0 },
		{ "the end of options",
		  { "--", "-f", "--text", NULL },
		  0,
		  0,
		  NULL,
		  "-f",
		  "--text",
		  0,
		  0,
		  0 },
		{ "standard input", { "-f", NO_WORD, NULL }, 1, 0, NULL, NO_WORD, NULL, 0, 0, 0 },
		{ "a number",
		  { "+5571990000001", NULL },
		  0,
		  0,
		  NULL,
		  "+5571990000001",
		  NULL,
		  0,
		  0,
		  0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct cli cli = { 0 };
		char *argv[WORDS_MAX + 1];
		struct seen s;
		int argc;

		CHECK_INT(table[i].name, true, parse(&cli, &s, table[i].words, &argc, argv));
		CHECK_INT(table[i].name, table[i].flag, s.flag);
		CHECK_INT(table[i].name, table[i].other, s.other);
		CHECK_INT(table[i].name, table[i].list, s.list.count);
		CHECK_INT(table[i].name, table[i].ms, s.ms);
		CHECK_INT(table[i].name, table[i].n, s.n);
		CHECK_INT(table[i].name, table[i].text != NULL, s.text != NULL);
		if (s.text != NULL)
			CHECK_STR(table[i].name, table[i].text, str_from(s.text));
		CHECK_INT(table[i].name, (table[i].first != NULL) + (table[i].second != NULL),
			  argc);
		if (argc > 0)
			CHECK_STR(table[i].name, table[i].first, str_from(argv[0]));
		if (argc > 1)
			CHECK_STR(table[i].name, table[i].second, str_from(argv[1]));
	}
}

static void refused(void **state)
{
	static const struct {
		const char *name, *words[WORDS_MAX + 1];
	} table[] = {
		{ "unknown", { "--flug", NULL } },
		{ "unknown letter", { "-x", NULL } },
		{ "unknown among letters", { "-fx", NULL } },
		{ "a part of a name", { "--fla", NULL } },
		{ "no value", { "--text", NULL } },
		{ "no value for a letter", { "-t", NULL } },
		{ "value for a flag", { "--flag=yes", NULL } },
		{ "no duration", { "--wait=soon", NULL } },
		{ "no number", { "-nx", NULL } },
		{ "negative", { "--count=-1", NULL } },
		{ "too many words", { "a", "b", "c", NULL } },
		{ "too many words behind --", { "a", "--", "b", "c", NULL } },
		{ "an output that is none", { "-o", "xml", NULL } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct cli cli = { 0 };
		char *argv[WORDS_MAX + 1];
		struct seen s;
		int argc;

		CHECK_INT(table[i].name, false, parse(&cli, &s, table[i].words, &argc, argv));
		CHECK_INT(table[i].name, EXIT_USAGE, cli.code);
	}
}

static void too_long_a_list(void **state)
{
	struct opt_list list = { .count = 0 };
	const struct opt opts[] = { { OPT_LIST, 'l', "list", &list, "WORD", "words" }, OPT_END };
	char *argv[OPT_LIST_MAX + 2], word[] = "-lx", **rest;
	struct cli cli = { 0 };
	int argc = OPT_LIST_MAX;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(argv); i++)
		argv[i] = word;
	rest = argv;
	assert_true(opt_parse(&cli, &cmd_test, opts, &argc, &rest));
	CHECK_INT("all of them", OPT_LIST_MAX, list.count);
	list.count = 0;
	argc = OPT_LIST_MAX + 1;
	rest = argv;
	assert_false(opt_parse(&cli, &cmd_test, opts, &argc, &rest));
	CHECK_INT("one more", EXIT_USAGE, cli.code);
}

static void globals(void **state)
{
	static const char *const words[] = { "-ojson", "--server", "unix:/x", "-q", "a", NULL };
	struct cli cli = { 0 };
	char *argv[WORDS_MAX + 1];
	struct seen s;
	int argc;

	(void)state;
	assert_true(parse(&cli, &s, words, &argc, argv));
	CHECK_INT("format", OUT_JSON, cli.format);
	CHECK_STR("server", "unix:/x", str_from(cli.server));
	CHECK_INT("quiet", true, cli.quiet);
	CHECK_INT("words", 1, argc);
}

static void leading(void **state)
{
	char json[] = "--json", config[] = "-c", file[] = "f", send[] = "send", flag[] = "-q";
	char end[] = "--", odd[] = "--odd";
	char *some[] = { json, config, file, send, flag }, *ended[] = { end, flag },
	     *bad[] = { odd };
	struct cli cli = { 0 };

	(void)state;
	CHECK_INT("up to the command", 3, opt_leading(&cli, 5, some));
	CHECK_STR("config", "f", str_from(cli.config));
	CHECK_INT("not those behind it", false, cli.quiet);
	CHECK_INT("none", 0, opt_leading(&cli, 1, some + 3));
	CHECK_INT("no words", 0, opt_leading(&cli, 0, some));
	CHECK_INT("the end of options", 1, opt_leading(&cli, 2, ended));
	CHECK_INT("unknown", -1, opt_leading(&cli, 1, bad));
}

static void nearest(void **state)
{
	static const char *const words[] = { "send", "sandbox", "message list", "message get" };
	static const struct {
		const char *typed, *want; /* NULL: none is near */
	} table[] = {
		{ "send", "send" },
		{ "sned", "send" },
		{ "sendd", "send" },
		{ "snd", "send" },
		{ "sandbax", "sandbox" },
		{ "mesage list", "message list" },
		{ "message lsit", "message list" },
		{ "message", NULL },
		{ "xyz", NULL },
		{ "", NULL },
		{ "se", NULL },
		{ "abcdefghijklmnopqrstuvwxyzabcdefghijkl", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		const char *got = opt_nearest(table[i].typed, words, ARRAY_LEN(words));

		CHECK_STR(table[i].typed, table[i].want == NULL ? "-" : table[i].want,
			  str_from(got == NULL ? "-" : got));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepted),        cmocka_unit_test(refused),
		cmocka_unit_test(too_long_a_list), cmocka_unit_test(globals),
		cmocka_unit_test(leading),         cmocka_unit_test(nearest),
	};

	return cmocka_run_group_tests_name("opt", tests, NULL, NULL);
}
