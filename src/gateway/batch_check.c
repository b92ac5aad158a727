/* SPDX-License-Identifier: MIT */
/*
 * batch_check.c - see batch_check.h
 *
 * INVARIANTS  1. Every row of the list is given once, in its order, fit or with one finding: the
 *                first that is true of it.
 *             2. A row that is fit can be built: libgodwit built it here.
 *             3. Two rows of one person are never both fit, unless that was allowed; spellings of a
 *                number are folded as the order of messages folds them (conversation.c).
 * LIMITS      STORE_LINES_MAX rows, BATCH_VALUES_MAX bytes of values a row
 * TESTS       tests/unit/test_batch_check.c
 */
#include "gateway/batch_check.h"

#include "base/mem.h"
#include "gateway/batch_people.h"
#include "gateway/conversation.h"
#include "gateway/csv_read.h"
#include <godwit/message.h>

#include <stdarg.h>

#define PHONE_SHOWN_MAX 64 /* bytes of what stood where the number should be */
#define PHONE_DIGITS_MIN 7
#define COLUMN_NONE SIZE_MAX

static const struct batch_finding_text findings[FINDING_COUNT] = {
#define BATCH_FINDING(symbol, word, reason, fix) [FINDING_##symbol] = { word, reason, fix },
#include "gateway/batch_finding.def"
#undef BATCH_FINDING
};

/* What people call the column of the phone number. */
static const char *const phone_names[] = {
	"phone",     "phone_number", "phonenumber", "phone number", "number",    "to",   "mobile",
	"recipient", "whatsapp",     "msisdn",      "tel",          "telephone", "cell", "wa_id"
};

struct batch_check {
	struct batch_check_options o;
	char *phone_column;
	struct csv_reader *csv; /* NULL: rows of JSON */
	struct people *people;
	size_t phone_at, at[BATCH_COLUMNS_MAX], width; /* places in the first line */
	bool has_header;
	uint32_t rows, ready;
	struct batch_group *group;
	struct buf values, body; /* of the row that is looked at */
	gw_status status; /* sticky */
	struct gw_error error;
};

const struct batch_finding_text *batch_finding_find(struct str word)
{
	for (size_t i = FINDING_NONE + 1; i < FINDING_COUNT; i++) {
		if (str_eq(word, str_from(findings[i].word)))
			return &findings[i];
	}
	return NULL;
}

/* ---- groups */

static struct batch_group *group_new(void)
{
	struct batch_group *g = xcalloc(1, sizeof(*g));

	buf_init(&g->text, BATCH_GROUP_BYTES + BATCH_VALUES_MAX + 4096);
	/* Items point into it, so it may not move. */
	ASSERT(buf_room(&g->text, BATCH_GROUP_BYTES + BATCH_VALUES_MAX + 2048) != NULL);
	buf_grew(&g->text, 0);
	return g;
}

void batch_group_free(struct batch_group *g)
{
	if (g == NULL)
		return;
	buf_release(&g->text);
	free(g);
}

static struct str keep(struct batch_group *g, struct str s)
{
	size_t from = g->text.len;

	buf_put_str(&g->text, s);
	ASSERT(!buf_failed(&g->text));
	return str_make(g->text.data + from, s.len);
}

static void give_group(struct batch_check *c)
{
	struct batch_group *g = c->group;

	c->group = NULL;
	if (g == NULL)
		return;
	g->add.items = g->items;
	c->o.group(c->o.cookie, g);
}

static void add_row(struct batch_check *c, enum batch_finding finding, struct str detail,
		    struct str phone, struct str values)
{
	struct batch_group *g = c->group == NULL ? (c->group = group_new()) : c->group;
	struct store_batch_item *i = &g->items[g->add.count++];

	i->n = c->rows;
	i->finding = findings[finding].word;
	i->detail = keep(g, str_slice(detail, 0, 512));
	i->phone = keep(g, str_slice(phone, 0, PHONE_SHOWN_MAX));
	i->values = keep(g, values);
	g->add.ready += finding == FINDING_NONE;
	g->add.refused += finding != FINDING_NONE;
	g->add.duplicates += finding == FINDING_DUPLICATE;
	c->ready += finding == FINDING_NONE;
	if (g->add.count == BATCH_GROUP_ROWS || g->text.len >= BATCH_GROUP_BYTES)
		give_group(c);
}

/* ---- one row */

static bool looks_rounded(struct str phone)
{
	size_t at;

	return (str_find(phone, STR("E+"), &at) || str_find(phone, STR("e+"), &at)) && at > 0 &&
	       phone.ptr[0] >= '0' && phone.ptr[0] <= '9';
}

/* Points and slashes that people write stand for blanks. */
static struct str without_marks(struct str phone, char out[PHONE_SHOWN_MAX])
{
	size_t len = 0;

	for (size_t i = 0; i < phone.len && len < PHONE_SHOWN_MAX; i++) {
		if (phone.ptr[i] != '.' && phone.ptr[i] != '/')
			out[len++] = phone.ptr[i];
	}
	return str_make(out, len);
}

static enum batch_finding judge_phone(struct str phone, char out[GW_PHONE_MAX])
{
	char bare[PHONE_SHOWN_MAX], number[GW_PHONE_MAX];
	const char *digits;

	if (phone.len == 0)
		return FINDING_NO_PHONE;
	if (looks_rounded(phone))
		return FINDING_SPREADSHEET;
	if (phone.len > PHONE_SHOWN_MAX ||
	    gw_phone_normalize(str_to_gw(without_marks(phone, bare)), number, NULL) != GW_OK)
		return FINDING_BAD_PHONE;
	digits = number[0] == '+' ? number + 1 : number;
	if (digits[0] == '0')
		return FINDING_NATIONAL;
	if (strlen(digits) < PHONE_DIGITS_MIN)
		return FINDING_SHORT_PHONE;
	(void)snprintf(out, GW_PHONE_MAX, "+%s", digits);
	return FINDING_NONE;
}

/* 0: nobody of this person was here. */
static uint32_t row_of_person(struct batch_check *c, const char *phone)
{
	char key[RECIPIENT_MAX];
	size_t len = recipient_canonical(str_from(phone), key);

	return c->o.allow_duplicates ? 0 : people_add(c->people, str_make(key, len), c->rows);
}

/* The cell of column i; false: the row has none. */
typedef bool (*cell_fn)(const void *row, const struct batch_check *c, size_t i, struct str *out);

/* FINDING_NONE: c->values is filled. */
static enum batch_finding judge_values(struct batch_check *c, cell_fn cell, const void *row,
				       struct str *detail)
{
	struct str value;

	buf_reset(&c->values);
	for (size_t i = 0; i < c->o.spec->column_count; i++) {
		*detail = str_from(c->o.spec->columns[i]);
		if (!cell(row, c, i, &value) || str_trim(value).len == 0)
			return FINDING_MISSING;
		if (memchr(value.ptr, '\0', value.len) != NULL)
			return FINDING_BAD_VALUE;
		if (i > 0)
			buf_put_char(&c->values, '\0');
		buf_put_str(&c->values, value);
	}
	*detail = STR_EMPTY;
	return buf_failed(&c->values) ? FINDING_LONG : FINDING_NONE;
}

static void take_row(struct batch_check *c, struct str phone, bool is_wide, cell_fn cell,
		     const void *row)
{
	struct gw_error err = GW_ERROR_INIT;
	char number[GW_PHONE_MAX], other[16];
	struct str detail = STR_EMPTY, shown = str_trim(phone);
	enum batch_finding f = is_wide ? FINDING_EXTRA : judge_phone(shown, number);
	uint32_t before;

	if (f == FINDING_NONE) {
		shown = str_from(number);
		f = judge_values(c, cell, row, &detail);
	}
	if (f == FINDING_NONE) {
		buf_reset(&c->body);
		if (batch_spec_body(c->o.spec, shown, buf_str(&c->values), &c->body, &err) !=
		    GW_OK) {
			f = FINDING_BAD_VALUE;
			detail = str_from(err.message);
		}
	}
	if (f == FINDING_NONE && (before = row_of_person(c, number)) != 0) {
		(void)snprintf(other, sizeof(other), "%u", before);
		detail = str_from(other);
		f = FINDING_DUPLICATE;
	}
	add_row(c, f, detail, shown, f == FINDING_NONE ? buf_str(&c->values) : STR_EMPTY);
}

static gw_status fail(struct batch_check *c, gw_status status, const char *fmt, ...)
	GW_PRINTF(3, 4);
static gw_status fail(struct batch_check *c, gw_status status, const char *fmt, ...)
{
	char text[GW_ERROR_MESSAGE_MAX];
	va_list ap;

	if (c->status != GW_OK)
		return c->status;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	c->status = gw_error_set(&c->error, status, "%s", text);
	return c->status;
}

/* One more row; false: too many. */
static bool count_row(struct batch_check *c)
{
	if (c->rows == STORE_LINES_MAX) {
		(void)fail(c, GW_ELIMIT,
			   "the list has more than %d rows, the most of one batch; split it",
			   STORE_LINES_MAX);
		return false;
	}
	c->rows++;
	return true;
}

/* ---- CSV */

static bool is_phone_name(const struct batch_check *c, struct str name)
{
	if (c->phone_column[0] != '\0')
		return str_eq(name, str_from(c->phone_column));
	for (size_t i = 0; i < ARRAY_LEN(phone_names); i++) {
		if (str_eq_nocase(name, str_from(phone_names[i])))
			return true;
	}
	return false;
}

static void no_column(struct batch_check *c, const char *name, const struct str *cells,
		      size_t count)
{
	struct buf names;

	buf_init(&names, 512);
	for (size_t i = 0; i < count && names.len + cells[i].len < 300; i++)
		buf_put_fmt(&names, "%s%.*s", i > 0 ? ", " : "", STR_ARG(cells[i]));
	(void)fail(c, GW_EARG, "no column \"%s\" in the first line, which has: %.*s", name,
		   STR_ARG(buf_str(&names)));
	buf_release(&names);
}

static size_t find_column(struct batch_check *c, const char *name, const struct str *cells,
			  size_t count)
{
	size_t found = COLUMN_NONE;

	for (size_t i = 0; i < count; i++) {
		if (!str_eq(str_trim(cells[i]), str_from(name)))
			continue;
		if (found != COLUMN_NONE)
			(void)fail(c, GW_EARG, "two columns are called \"%s\"", name);
		found = i;
	}
	if (found == COLUMN_NONE)
		no_column(c, name, cells, count);
	return found;
}

static void take_header(struct batch_check *c, const struct str *cells, size_t count)
{
	c->has_header = true;
	c->width = count;
	c->phone_at = COLUMN_NONE;
	for (size_t i = 0; i < count && c->phone_at == COLUMN_NONE; i++) {
		if (is_phone_name(c, str_trim(cells[i])))
			c->phone_at = i;
	}
	if (c->phone_at == COLUMN_NONE)
		no_column(c, c->phone_column[0] != '\0' ? c->phone_column : "phone", cells, count);
	for (size_t i = 0; i < c->o.spec->column_count; i++)
		c->at[i] = find_column(c, c->o.spec->columns[i], cells, count);
}

struct csv_row {
	const struct str *cells;
	size_t count;
};

static bool csv_cell(const void *row, const struct batch_check *c, size_t i, struct str *out)
{
	const struct csv_row *r = row;

	if (c->at[i] >= r->count)
		return false;
	*out = r->cells[c->at[i]];
	return true;
}

static void on_csv_row(void *cookie, const struct str *cells, size_t count)
{
	struct batch_check *c = cookie;
	struct csv_row row = { cells, count };

	if (c->status != GW_OK)
		return;
	if (!c->has_header)
		take_header(c, cells, count);
	else if (count_row(c))
		take_row(c, c->phone_at < count ? cells[c->phone_at] : STR_EMPTY, count > c->width,
			 csv_cell, &row);
}

/* ---- JSON */

static bool json_cell(const void *row, const struct batch_check *c, size_t i, struct str *out)
{
	const struct json_val *v = row;

	return json_get_text(*v, str_from(c->o.spec->columns[i]), BATCH_VALUES_MAX, out);
}

static struct str json_phone(const struct batch_check *c, struct json_val row)
{
	struct str phone = STR_EMPTY;

	if (c->phone_column[0] != '\0') {
		(void)json_get_text(row, str_from(c->phone_column), PHONE_SHOWN_MAX, &phone);
		return phone;
	}
	for (size_t i = 0; i < ARRAY_LEN(phone_names) && phone.len == 0; i++)
		(void)json_get_text(row, str_from(phone_names[i]), PHONE_SHOWN_MAX, &phone);
	return phone;
}

/* ---- life */

struct batch_check *batch_check_new(const struct batch_check_options *o)
{
	struct batch_check *c = xcalloc(1, sizeof(*c));

	c->o = *o;
	c->phone_column = xstrndup(o->phone_column);
	c->people = people_new(STORE_LINES_MAX);
	buf_init(&c->values, BATCH_VALUES_MAX);
	buf_init(&c->body, GW_MESSAGE_MAX);
	return c;
}

void batch_check_free(struct batch_check *c)
{
	if (c == NULL)
		return;
	csv_reader_free(c->csv);
	people_free(c->people);
	batch_group_free(c->group);
	buf_release(&c->values);
	buf_release(&c->body);
	free(c->phone_column);
	free(c);
}

static gw_status tell(struct batch_check *c, struct gw_error *err)
{
	if (c->status != GW_OK && err != NULL)
		*err = c->error;
	return c->status;
}

gw_status batch_check_csv(struct batch_check *c, struct str piece, struct gw_error *err)
{
	struct gw_error what = GW_ERROR_INIT;
	gw_status status;

	if (c->csv == NULL)
		c->csv = csv_reader_new(on_csv_row, c);
	if (c->status != GW_OK)
		return tell(c, err);
	status = csv_read(c->csv, piece, &what);
	if (status != GW_OK)
		(void)fail(c, status, "%s", what.message);
	return tell(c, err);
}

gw_status batch_check_json(struct batch_check *c, struct json_val row, struct gw_error *err)
{
	if (c->status == GW_OK && json_type(row) != JSON_OBJECT)
		(void)fail(c, GW_EPARSE, "row %u is no JSON object", c->rows + 1);
	if (c->status == GW_OK && count_row(c))
		take_row(c, json_phone(c, row), false, json_cell, &row);
	return tell(c, err);
}

gw_status batch_check_end(struct batch_check *c, struct gw_error *err)
{
	struct gw_error what = GW_ERROR_INIT;
	gw_status status = c->csv == NULL || c->status != GW_OK ? GW_OK
								: csv_read_end(c->csv, &what);

	if (status != GW_OK)
		(void)fail(c, status, "%s", what.message);
	give_group(c);
	if (c->rows == 0)
		(void)fail(c, GW_EARG, "the list has no rows");
	else if (c->ready == 0)
		(void)fail(c, GW_EARG, "none of its %u rows can be sent; each has its reason",
			   c->rows);
	return tell(c, err);
}

uint32_t batch_check_rows(const struct batch_check *c)
{
	return c->rows;
}

uint32_t batch_check_ready(const struct batch_check *c)
{
	return c->ready;
}
