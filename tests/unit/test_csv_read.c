/* SPDX-License-Identifier: MIT */
/* test_csv_read.c - what spreadsheets write, in pieces of any size; refusals */
#include "unit.h"

#include "base/buf.h"
#include "gateway/csv_read.h"

struct seen {
	char text[4096]; /* cells with | behind each, rows with / */
};

static void on_row(void *cookie, const struct str *cells, size_t count)
{
	struct seen *s = cookie;
	size_t at = strlen(s->text);

	for (size_t i = 0; i < count; i++)
		at += (size_t)snprintf(s->text + at, sizeof(s->text) - at, "%.*s|",
				       STR_ARG(cells[i]));
	(void)snprintf(s->text + at, sizeof(s->text) - at, "/");
}

static gw_status read_in(struct str text, size_t piece, struct seen *s, struct gw_error *err)
{
	struct csv_reader *c = csv_reader_new(on_row, s);
	gw_status status = GW_OK;

	s->text[0] = '\0';
	for (size_t at = 0; at < text.len && status == GW_OK; at += piece)
		status = csv_read(c, str_slice(text, at, at + piece), err);
	if (status == GW_OK)
		status = csv_read_end(c, err);
	csv_reader_free(c);
	return status;
}

static const struct {
	const char *name;
	struct str in;
	const char *want; /* NULL: refused */
	const char *why;
} cases[] = {
	{ "plain", STR_INIT("a,b\n1,2\n"), "a|b|/1|2|/", NULL },
	{ "no last line end", STR_INIT("a,b\n1,2"), "a|b|/1|2|/", NULL },
	{ "one line", STR_INIT("a,b"), "a|b|/", NULL },
	{ "crlf", STR_INIT("a,b\r\n1,2\r\n"), "a|b|/1|2|/", NULL },
	{ "mark",
	  STR_INIT("\xef\xbb\xbf"
		   "a,b\n1,2\n"),
	  "a|b|/1|2|/", NULL },
	{ "semicolons", STR_INIT("a;b\n1,5;2\n"), "a|b|/1,5|2|/", NULL },
	{ "tabs", STR_INIT("a\tb\n1\t2\n"), "a|b|/1|2|/", NULL },
	{ "quotes", STR_INIT("a,b\n\"1,\"\"x\"\"\n2\",3\n"), "a|b|/1,\"x\"\n2|3|/", NULL },
	{ "separator in quotes", STR_INIT("\"a;b;c\",d\n1,2\n"), "a;b;c|d|/1|2|/", NULL },
	{ "blank lines", STR_INIT("a\n\n\n1\n"), "a|/1|/", NULL },
	{ "empty cells", STR_INIT("a,b,c\n,,\n"), "a|b|c|/|||/", NULL },
	{ "blanks", STR_INIT("a,b\n 1 ,\" 2 \"\n"), "a|b|/1| 2 |/", NULL },
	{ "empty", STR_INIT(""), "", NULL },
	{ "odd quote", STR_INIT("a,b\n1,2\nx\"y,2\n"), NULL, "line 3: a quote" },
	{ "open quote", STR_INIT("a,b\n\"1,2\n"), NULL, "ends inside a quoted cell" },
	{ "latin 1", STR_INIT("a\nb\nM\xfcller\n"), NULL, "not UTF-8" },
	{ "a character over two cells", STR_INIT("a,b\nM\xc3,\xbcller\n"), NULL, "line 2: bytes" },
	{ "zero behind a row", STR_INIT("a\r1\r2\0003\n"), NULL, "line 3: a zero byte" },
	{ "utf 16",
	  STR_INIT("\xff\xfe"
		   "a\0\n\0"),
	  NULL, "UTF-16" },
	{ "zero", STR_INIT("a\n1\0002\n"), NULL, "line 2: a zero byte" },
};

static void files_in_pieces(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		for (size_t piece = 1; piece < 40; piece += 6) {
			struct gw_error err = GW_ERROR_INIT;
			struct seen s;
			gw_status status = read_in(cases[i].in, piece, &s, &err);

			if (cases[i].want == NULL) {
				if (status == GW_OK || strstr(err.message, cases[i].why) == NULL)
					fail_msg("%s: %s", cases[i].name, err.message);
			} else if (status != GW_OK || strcmp(s.text, cases[i].want) != 0) {
				fail_msg("%s by %zu: %s %s", cases[i].name, piece, s.text,
					 err.message);
			}
		}
	}
}

/* A cell and a row have ceilings, whatever comes. */
static void ceilings(void **state)
{
	struct gw_error err = GW_ERROR_INIT;
	struct buf b;
	struct seen s;

	(void)state;
	buf_init(&b, 1U << 20);
	buf_put_text(&b, "a\n");
	for (unsigned i = 0; i < CSV_CELL_MAX + 2048; i++)
		buf_put_char(&b, 'x');
	assert_int_equal(read_in(buf_str(&b), 8192, &s, &err), GW_ELIMIT);
	assert_non_null(strstr(err.message, "line 2"));
	buf_reset(&b);
	buf_put_text(&b, "a\n");
	for (unsigned i = 0; i < CSV_CELLS_MAX + 1; i++)
		buf_put_text(&b, "x,");
	buf_put_text(&b, "\n");
	assert_int_equal(read_in(buf_str(&b), 8192, &s, &err), GW_ELIMIT);
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_in_pieces),
		cmocka_unit_test(ceilings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
