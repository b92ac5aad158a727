/* SPDX-License-Identifier: MIT */
/* test_batch_check.c - rows that are fit or have a finding, duplicates, the millionth */
#include "unit.h"

#include "gateway/batch_check.h"
#include "gateway/batch_people.h"

struct seen {
	char text[4096]; /* "1:+4915..=Ann^A-1/ 2:bad_phone/" */
	uint32_t rows, ready, refused, duplicates;
};

static void on_group(void *cookie, struct batch_group *g)
{
	struct seen *s = cookie;
	size_t at = strlen(s->text);

	for (size_t i = 0; i < g->add.count; i++) {
		const struct store_batch_item *item = &g->add.items[i];

		assert_int_equal(item->n, ++s->rows); /* once, in order */
		if (s->rows > 50)
			continue;
		if (item->finding != NULL)
			at += (size_t)snprintf(s->text + at, sizeof(s->text) - at, "%u:%s %.*s/",
					       item->n, item->finding, STR_ARG(item->detail));
		else
			at += (size_t)snprintf(s->text + at, sizeof(s->text) - at, "%u:%.*s=%s/",
					       item->n, STR_ARG(item->phone),
					       item->values.len > 0 ? item->values.ptr : "");
	}
	s->ready += g->add.ready;
	s->refused += g->add.refused;
	s->duplicates += g->add.duplicates;
	batch_group_free(g);
}

static struct batch_spec *spec_of(const char *text)
{
	struct batch_spec *s = batch_spec_new();

	batch_spec_text(s, str_from(text));
	assert_int_equal(batch_spec_finish(s, NULL), GW_OK);
	return s;
}

static gw_status check(const char *csv, const char *text, bool duplicates, struct seen *s,
		       struct gw_error *err)
{
	struct batch_spec *spec = spec_of(text);
	struct batch_check *c = batch_check_new(
		&(struct batch_check_options){ .spec = spec,
					       .phone_column = STR_EMPTY,
					       .allow_duplicates = duplicates,
					       .group = on_group,
					       .cookie = s });
	gw_status status;

	memset(s, 0, sizeof(*s));
	status = batch_check_csv(c, str_from(csv), err);
	if (status == GW_OK)
		status = batch_check_end(c, err);
	batch_check_free(c);
	batch_spec_free(spec);
	return status;
}

static const struct {
	const char *csv, *text, *want; /* want NULL: refused, text of the reason in why */
	const char *why;
} cases[] = {
	{ "phone,name\n+4915112345678,Ann\n", "Hi {{name}}", "1:+4915112345678=Ann/", NULL },
	{ "Phone\n49 (151) 123-456.78\n", "Hi", "1:+4915112345678=/", NULL },
	{ "name;to\nAnn;+4915112345678\n", "Hi {{ name }}", "1:+4915112345678=Ann/", NULL },
	{ "phone\n123456\n+4915112345678\n", "Hi", "1:short_phone /2:+4915112345678=/", NULL },
	{ "phone\n1234567890123456\n+4915112345678\n", "Hi", "1:bad_phone /2:+4915112345678=/",
	  NULL },
	{ "phone\n4,91512E+12\n+4915112345678\n", "Hi", "1:extra_cells /2:+4915112345678=/", NULL },
	{ "phone\n4.91512E+12\n0049151\n+4915112345678\n", "Hi",
	  "1:spreadsheet_number /2:national_phone /3:+4915112345678=/", NULL },
	{ "phone,n\n+4915112345678,\n+4915112345678,x\n", "{{n}}",
	  "1:missing_value n/2:+4915112345678=x/", NULL },
	/* Brazil, Mexico, Argentina: one person each */
	{ "phone\n+5571987654321\n557187654321\n", "Hi", "1:+5571987654321=/2:duplicate 1/", NULL },
	{ "phone\n+525512345678\n+5215512345678\n", "Hi", "1:+525512345678=/2:duplicate 1/", NULL },
	{ "phone\n+541112345678\n+5491112345678\n", "Hi", "1:+541112345678=/2:duplicate 1/", NULL },
	{ "who\n+4915112345678\n", "Hi", NULL, "no column \"phone\"" },
	{ "phone,a,a\n+4915112345678,1,2\n", "{{a}}", NULL, "two columns" },
	{ "", "Hi", NULL, "no column \"phone\"" },
	{ "phone\n", "Hi", NULL, "no rows" },
	{ "phone\nx\ny\n", "Hi", NULL, "none of its 2 rows" },
};

static void rows_and_findings(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct gw_error err = GW_ERROR_INIT;
		struct seen s;
		gw_status status = check(cases[i].csv, cases[i].text, false, &s, &err);

		if (cases[i].want != NULL && strcmp(s.text, cases[i].want) != 0)
			fail_msg("%s: %s (%s)", cases[i].csv, s.text, err.message);
		if (cases[i].want == NULL &&
		    (status == GW_OK ||
		     (cases[i].csv[0] != '\0' && strstr(err.message, cases[i].why) == NULL)))
			fail_msg("%s: %s", cases[i].csv, err.message);
	}
}

static void duplicates_where_they_are_meant(void **state)
{
	struct seen s;

	(void)state;
	assert_int_equal(check("phone\n+4915112345678\n+4915112345678\n", "Hi", true, &s, NULL),
			 GW_OK);
	assert_int_equal(s.ready, 2);
}

static void one_row_too_many(void **state)
{
	struct gw_error err = GW_ERROR_INIT;
	struct buf b;
	struct seen s;

	(void)state;
	buf_init(&b, 64U << 20);
	buf_put_text(&b, "phone\n");
	for (unsigned i = 0; i < STORE_LINES_MAX; i++)
		buf_put_fmt(&b, "491%09u\n", i);
	assert_int_equal(check(b.data, "Hi", false, &s, &err), GW_OK);
	assert_int_equal(s.ready, STORE_LINES_MAX);
	buf_put_text(&b, "4920000000001\n");
	assert_int_equal(check(b.data, "Hi", false, &s, &err), GW_ELIMIT);
	assert_non_null(strstr(err.message, "1000000 rows"));
	buf_release(&b);
}

static void every_finding_has_words(void **state)
{
	(void)state;
	assert_null(batch_finding_find(STR("never")));
	assert_non_null(batch_finding_find(STR("duplicate"))->fix);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_and_findings),
		cmocka_unit_test(duplicates_where_they_are_meant),
		cmocka_unit_test(one_row_too_many),
		cmocka_unit_test(every_finding_has_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
