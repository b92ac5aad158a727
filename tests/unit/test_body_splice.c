/* SPDX-License-Identifier: MIT */
/* test_body_splice.c - the caller's bytes with two strings exchanged, and not one more */
#include "unit.h"

#include "gateway/body_splice.h"

static const struct {
	const char *name, *body, *quoted, *want; /* want NULL: refused */
} cases[] = {
	{ "put in", "{\"to\":\"1\"}", "", "{\"biz_opaque_callback_data\":\"T\",\"to\":\"1\"}" },
	{ "into an empty object", "{}", "", "{\"biz_opaque_callback_data\":\"T\"}" },
	{ "into an empty object with blanks", " { } ", "",
	  " {\"biz_opaque_callback_data\":\"T\" } " },
	{ "exchanged", "{\"to\":\"1\",\"biz_opaque_callback_data\":\"order \\\"7\\\"\",\"x\":2}",
	  "", "{\"to\":\"1\",\"biz_opaque_callback_data\":\"T\",\"x\":2}" },
	{ "blanks around it stay", "{ \"biz_opaque_callback_data\"\t:\n\"a\" , \"x\" : 1.0e5 }", "",
	  "{ \"biz_opaque_callback_data\"\t:\n\"T\" , \"x\" : 1.0e5 }" },
	{ "null", "{\"biz_opaque_callback_data\":null}", "",
	  "{\"biz_opaque_callback_data\":\"T\"}" },
	{ "a key with escapes", "{\"biz\\u005fopaque_callback_data\":\"a\"}", "",
	  "{\"biz\\u005fopaque_callback_data\":\"T\"}" },
	{ "every one of two",
	  "{\"biz_opaque_callback_data\":\"a\",\"biz_opaque_callback_data\":\"b\"}", "",
	  "{\"biz_opaque_callback_data\":\"T\",\"biz_opaque_callback_data\":\"T\"}" },
	{ "only at the top", "{\"text\":{\"biz_opaque_callback_data\":\"a\"}}", "",
	  "{\"biz_opaque_callback_data\":\"T\",\"text\":{\"biz_opaque_callback_data\":\"a\"}}" },
	{ "numbers and escapes stay word for word",
	  "{\"n\":12345678901234567890.10,\"s\":\"\\u00e9\\/\xC3\xA9\","
	  "\"biz_opaque_callback_data\":\"a\"}",
	  "",
	  "{\"n\":12345678901234567890.10,\"s\":\"\\u00e9\\/\xC3\xA9\","
	  "\"biz_opaque_callback_data\":\"T\"}" },

	{ "context kept", "{\"context\":{\"message_id\":\"wamid.A\"}}", "",
	  "{\"biz_opaque_callback_data\":\"T\",\"context\":{\"message_id\":\"wamid.A\"}}" },
	{ "context exchanged", "{\"context\":{\"message_id\":\"msg_1\",\"x\":1}}", "wamid.B",
	  "{\"biz_opaque_callback_data\":\"T\",\"context\":{\"message_id\":\"wamid.B\",\"x\":1}}" },
	{ "context before the opaque value",
	  "{\"context\":{\"message_id\":\"msg_1\"},\"biz_opaque_callback_data\":\"a\"}", "wamid.B",
	  "{\"context\":{\"message_id\":\"wamid.B\"},\"biz_opaque_callback_data\":\"T\"}" },
	{ "context behind the opaque value",
	  "{\"biz_opaque_callback_data\":\"a\",\"context\":{\"message_id\":\"msg_1\"}}", "wamid.B",
	  "{\"biz_opaque_callback_data\":\"T\",\"context\":{\"message_id\":\"wamid.B\"}}" },
	{ "context is no object", "{\"context\":7}", "wamid.B",
	  "{\"biz_opaque_callback_data\":\"T\",\"context\":7}" },
	{ "message_id elsewhere", "{\"reaction\":{\"message_id\":\"msg_1\"}}", "wamid.B",
	  "{\"biz_opaque_callback_data\":\"T\",\"reaction\":{\"message_id\":\"msg_1\"}}" },

	{ "an array", "[]", "", NULL },
	{ "a string", "\"a\"", "", NULL },
	{ "no JSON", "{\"a\":}", "", NULL },
	{ "empty", "", "", NULL },
};

static void spliced(void **state)
{
	struct arena *a = arena_new(1U << 20);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct gw_error err = GW_ERROR_INIT;
		struct buf out;
		gw_status st;

		buf_init(&out, 4096);
		st = body_splice(str_from(cases[i].body), STR("T"), str_from(cases[i].quoted), a,
				 &out, &err);
		CHECK_INT(cases[i].name, cases[i].want == NULL ? GW_EPARSE : GW_OK, st);
		if (cases[i].want != NULL)
			CHECK_STR(cases[i].name, cases[i].want, buf_str(&out));
		buf_release(&out);
		arena_reset(a);
	}
	arena_free(a);
}

static void ceiling(void **state)
{
	struct arena *a = arena_new(1U << 20);
	struct buf out;

	(void)state;
	buf_init(&out, 33);
	CHECK_INT("fits", GW_OK, body_splice(STR("{}"), STR("T1"), STR_EMPTY, a, &out, NULL));
	buf_release(&out);
	buf_init(&out, 32);
	CHECK_INT("one less", GW_ELIMIT,
		  body_splice(STR("{}"), STR("T1"), STR_EMPTY, a, &out, NULL));
	buf_release(&out);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spliced),
		cmocka_unit_test(ceiling),
	};

	return cmocka_run_group_tests_name("body_splice", tests, NULL, NULL);
}
