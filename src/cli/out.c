/* SPDX-License-Identifier: MIT */
/*
 * out.c - data on standard output
 *
 * TESTS  tests/unit/test_out.c, tests/system/test_cli.py
 */
#include "cli/out.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/panic.h"
#include "base/utf8.h"
#include <stdio.h>

#define COLUMNS_MAX 16
#define CELL_MAX 65536 /* bytes of one cell */
#define PRETTY_SHORT 200 /* bytes of an object that stays on one line */
#define GAP 2 /* blanks between two columns */

const char *out_mark(const struct cli *cli, enum out_mark_kind kind)
{
	static const char *const signs[][2] = { [MARK_OK] = { "ok", "\u2713" },
						[MARK_WARN] = { "!", "!" },
						[MARK_FAIL] = { "x", "\u2717" },
						[MARK_SKIP] = { "-", "-" } };

	return signs[kind][cli->utf8];
}

/* ---- telephone numbers ---- */

/* How many digits the country code has (ITU-T E.164, assignments of 2026). */
static size_t country_digits(struct str d)
{
	static const char two[] = "20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 "
				  "54 55 56 57 58 60 61 62 63 64 65 66 81 82 84 86 90 91 92 93 94 "
				  "95 98 ";
	char want[4];

	if (d.ptr[0] == '1' || d.ptr[0] == '7')
		return 1;
	(void)snprintf(want, sizeof(want), "%.2s ", d.ptr);
	return strstr(two, want) != NULL ? 2 : 3;
}

#define PHONE_DIGITS_MAX 15

/* The digits of "+55 (71) 99000-0001", whatever stands between them; false: no number. */
static bool phone_digits(struct str s, char digits[PHONE_DIGITS_MAX + 1], size_t *count)
{
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];

		if (c >= '0' && c <= '9') {
			if (n == PHONE_DIGITS_MAX)
				return false;
			digits[n++] = c;
		} else if (c == '\0' || strchr("+ -.()/\t", c) == NULL) {
			return false;
		}
	}
	digits[n] = '\0';
	*count = n;
	return n >= 8;
}

void out_phone(const struct cli *cli, struct str phone, char out[OUT_PHONE_MAX])
{
	char plain[PHONE_DIGITS_MAX + 1];
	size_t country, area, count;
	struct str digits;

	if (!phone_digits(phone, plain, &count)) {
		(void)str_copy(phone, out, OUT_PHONE_MAX);
		return;
	}
	digits = str_make(plain, count);
	if (cli->show_pii) {
		(void)snprintf(out, OUT_PHONE_MAX, "+%.*s", STR_ARG(digits));
		return;
	}
	country = country_digits(digits);
	area = digits.len - country < 8 ? 0 : country == 2 && digits.ptr[0] == '5' ? 2 : 3;
	(void)snprintf(out, OUT_PHONE_MAX, "+%.*s%s%.*s %s %.*s", (int)country, digits.ptr,
		       area > 0 ? " " : "", (int)area, digits.ptr + country,
		       cli->utf8 ? "\u2022\u2022\u2022\u2022\u2022" : "*****", 3,
		       digits.ptr + digits.len - 3);
}

/* ---- cells ---- */

void out_line(struct buf *b, struct str text, size_t max)
{
	size_t points = 0;

	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];

		if ((c & 0xC0) != 0x80 && points++ == max) {
			buf_put_text(b, "...");
			return;
		}
		buf_put_char(b, c < 0x20 || c == 0x7F ? ' ' : (char)c);
	}
}

static void put_ago(struct buf *b, const struct cli *cli, struct str stamp)
{
	static const struct {
		int64_t seconds;
		const char *unit;
	} units[] = { { 86400, "d" }, { 3600, "h" }, { 60, "m" }, { 1, "s" } };
	struct tm tm = { 0 };
	char text[32];
	int64_t ago;

	if (!cli->is_tty || stamp.len < 19 || !str_copy(stamp, text, sizeof(text)) ||
	    strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) == NULL) {
		buf_put_str(b, stamp);
		return;
	}
	ago = clock_real_wall_ms() / 1000 - (int64_t)timegm(&tm);
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		if (ago >= units[i].seconds) {
			buf_put_fmt(b, "%lld%s ago", (long long)(ago / units[i].seconds),
				    units[i].unit);
			return;
		}
	}
	buf_put_text(b, ago > -5 ? "now" : text);
}

static void put_list(struct buf *b, struct json_val list)
{
	struct json_iter it;
	struct json_val v;
	struct str text;
	bool first = true;

	for (it = json_iter(list); json_next(&it, &v); first = false) {
		if (!first)
			buf_put_char(b, ' ');
		if (json_str(v, CELL_MAX, &text))
			buf_put_str(b, text);
		else
			buf_put_str(b, json_bytes(v));
	}
}

/* One value as people read it; empty when there is none. */
static void put_cell(struct buf *b, const struct cli *cli, struct json_val v, enum out_kind kind)
{
	char phone[OUT_PHONE_MAX];
	struct str text;

	if (json_type(v) == JSON_ARRAY) {
		put_list(b, v);
		return;
	}
	if (json_type(v) == JSON_NONE || json_type(v) == JSON_NULL)
		return;
	if (!json_str(v, CELL_MAX, &text)) {
		out_line(b, json_bytes(v), CELL_MAX);
		return;
	}
	if (kind == OUT_PHONE) {
		out_phone(cli, text, phone);
		buf_put_text(b, phone);
	} else if (kind == OUT_TIME) {
		put_ago(b, cli, text);
	} else {
		out_line(b, text, CELL_MAX);
	}
}

static size_t width_of(struct str s)
{
	return utf8_valid(s) ? utf8_count(s) : s.len;
}

/* ---- tables ---- */

struct table {
	const struct cli *cli;
	const struct out_column *columns;
	size_t count;
	char **cells; /* row by row */
	size_t rows;
	size_t width[COLUMNS_MAX];
};

static void table_add(struct table *t, struct json_val row)
{
	t->cells = xreallocarray(t->cells, (t->rows + 1) * t->count, sizeof(*t->cells));
	for (size_t i = 0; i < t->count; i++) {
		struct buf b;
		size_t width;

		buf_init(&b, CELL_MAX * 4);
		put_cell(&b, t->cli, json_path(row, t->columns[i].path), t->columns[i].kind);
		t->cells[t->rows * t->count + i] = xstrndup(buf_str(&b));
		width = width_of(buf_str(&b));
		if (width > t->width[i])
			t->width[i] = width;
		buf_release(&b);
	}
	t->rows++;
}

static void print_padded(const char *text, size_t width, bool right, bool last)
{
	size_t have = width_of(str_from(text)), pad = have < width ? width - have : 0;

	if (right)
		printf("%*s%s", (int)pad, "", text);
	else
		printf("%s%*s", text, last ? 0 : (int)pad, "");
	if (!last)
		printf("%*s", GAP, "");
}

/* The last column gives way when the terminal is too narrow. */
static void print_row(const struct table *t, char *const *cells)
{
	size_t used = 0;

	for (size_t i = 0; i < t->count; i++) {
		bool last = i + 1 == t->count;
		struct buf b;

		if (last && t->cli->columns > used + 8) {
			buf_init(&b, CELL_MAX * 4);
			if (width_of(str_from(cells[i])) > t->cli->columns - used)
				out_line(&b, str_from(cells[i]), t->cli->columns - used - 3);
			else
				buf_put_text(&b, cells[i]);
			print_padded(buf_failed(&b) || b.data == NULL ? "" : b.data, t->width[i],
				     t->columns[i].kind == OUT_NUMBER, true);
			buf_release(&b);
		} else {
			print_padded(cells[i], t->width[i], t->columns[i].kind == OUT_NUMBER, last);
		}
		used += t->width[i] + GAP;
	}
	printf("\n");
}

void out_rows(const struct cli *cli, struct json_val rows, const struct out_column *columns,
	      size_t count)
{
	struct table t = { .cli = cli, .columns = columns, .count = count };
	struct json_iter it;
	struct json_val row;

	ASSERT(count <= COLUMNS_MAX);
	for (size_t i = 0; i < count; i++)
		t.width[i] = width_of(str_from(columns[i].title));
	for (it = json_iter(rows); json_next(&it, &row);)
		table_add(&t, row);
	if (t.rows > 0) {
		printf("%s", cli->color_out ? "\033[1m" : "");
		for (size_t i = 0; i < count; i++)
			print_padded(columns[i].title, t.width[i], columns[i].kind == OUT_NUMBER,
				     i + 1 == count);
		printf("%s\n", cli->color_out ? "\033[0m" : "");
	}
	for (size_t r = 0; r < t.rows; r++)
		print_row(&t, t.cells + r * count);
	for (size_t i = 0; i < t.rows * count; i++)
		free(t.cells[i]);
	free(t.cells);
}

static void print_id(struct json_val object, const char *id_path)
{
	struct str id;

	if (json_str(json_path(object, id_path), CELL_MAX, &id))
		printf("%.*s\n", STR_ARG(id));
}

void out_list(const struct cli *cli, struct json_val answer, const struct out_column *columns,
	      size_t count, const char *id_path, const char *none)
{
	struct json_val rows = json_member(answer, STR("data")), row;
	struct json_iter it;

	switch (cli->format) {
	case OUT_JSON: printf("%.*s\n", STR_ARG(json_bytes(answer))); return;
	case OUT_JSONL:
		for (it = json_iter(rows); json_next(&it, &row);)
			printf("%.*s\n", STR_ARG(json_bytes(row)));
		return;
	case OUT_ID:
		for (it = json_iter(rows); json_next(&it, &row);)
			print_id(row, id_path);
		return;
	case OUT_TABLE:
		if (json_count(rows) == 0)
			cli_note(cli, "%s", none);
		out_rows(cli, rows, columns, count);
		return;
	}
}

void out_object(const struct cli *cli, struct json_val object, const struct out_column *columns,
		size_t count, const char *id_path)
{
	size_t width = 0;
	struct buf b;

	if (cli_is_json(cli)) {
		printf("%.*s\n", STR_ARG(json_bytes(object)));
		return;
	}
	if (cli->format == OUT_ID) {
		print_id(object, id_path);
		return;
	}
	for (size_t i = 0; i < count; i++)
		if (strlen(columns[i].title) > width)
			width = strlen(columns[i].title);
	for (size_t i = 0; i < count; i++) {
		buf_init(&b, CELL_MAX * 4);
		put_cell(&b, cli, json_path(object, columns[i].path), columns[i].kind);
		if (b.len > 0)
			printf("%-*s  %.*s\n", (int)width, columns[i].title, STR_ARG(buf_str(&b)));
		buf_release(&b);
	}
}

/* ---- JSON for people ---- */

static void new_line(struct buf *b, unsigned margin, unsigned depth)
{
	buf_put_fmt(b, "\n%*s", (int)(margin + depth * 2), "");
}

/* The bytes from an opening bracket to its end, when they are few enough to stay on one line. */
static bool is_short(struct str json, size_t at)
{
	bool in_string = false;
	unsigned depth = 0;

	for (size_t i = at; i < json.len && i < at + PRETTY_SHORT; i++) {
		char c = json.ptr[i];

		if (in_string && c == '\\')
			i++;
		else if (c == '"')
			in_string = !in_string;
		else if (!in_string && (c == '{' || c == '['))
			depth++;
		else if (!in_string && (c == '}' || c == ']') && --depth == 0)
			return true;
	}
	return false;
}

void out_pretty(struct buf *b, struct str json, unsigned margin)
{
	unsigned depth = 0, flat = 0; /* flat: brackets open on a line that stays whole */
	bool in_string = false;

	for (size_t i = 0; i < json.len; i++) {
		char c = json.ptr[i];

		if (in_string && c == '\\' && i + 1 < json.len) {
			buf_put(b, json.ptr + i++, 2);
			continue;
		}
		if (c == '"')
			in_string = !in_string;
		if (!in_string && (c == '}' || c == ']')) {
			if (flat > 0)
				flat--;
			else
				new_line(b, margin, --depth);
		}
		buf_put_char(b, c);
		if (in_string)
			continue;
		if (c == '{' || c == '[') {
			if (flat > 0 || is_short(json, i))
				flat++;
			else
				new_line(b, margin, ++depth);
		} else if (c == ',' && flat == 0) {
			new_line(b, margin, depth);
		} else if (c == ',' || c == ':') {
			buf_put_char(b, ' ');
		}
	}
}
