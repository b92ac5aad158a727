/* SPDX-License-Identifier: MIT */
/* test_sandbox_link.c - links that nobody outside could fetch, and the list of a test number */
#include "sandbox_rig.h"

#include "sandbox/link.h"

static void what_is_public(void **state)
{
	static const struct {
		const char *url;
		bool yes;
	} rows[] = {
		{ "https://shop.example/a.jpg", true },
		{ "http://8.8.8.8:8080/a", true },
		{ "https://shop.example?localhost", true },
		{ "http://localhost:3000/a.jpg", false },
		{ "http://a@localhost/a.jpg", false },
		{ "http://printer/a.jpg", false },
		{ "https://shop.invalid/a.jpg", false },
		{ "https://nas.local/a.jpg", false },
		{ "https://db.internal", false },
		{ "http://127.0.0.1/a", false },
		{ "http://10.1.2.3/a", false },
		{ "http://192.168.0.7:80/a", false },
		{ "http://169.254.169.254/a", false },
		{ "http://[::1]:80/a", false },
		{ "http:///a", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		CHECK_INT(rows[i].url, rows[i].yes, link_is_public(str_from(rows[i].url)));
}

static bool all_public(const char *type, const char *content)
{
	struct arena *a = arena_new(65536);
	const struct json_doc *doc;
	bool yes;

	assert_int_equal(json_scan(str_from(content), a, &doc, NULL), GW_OK);
	yes = link_all_public(type, json_root(doc));
	arena_free(a);
	return yes;
}

static void where_links_stand(void **state)
{
	(void)state;
	assert_true(all_public("text", "{\"body\":\"http://localhost/\"}"));
	assert_true(all_public("image", "{\"id\":\"1\"}"));
	assert_false(all_public("image", "{\"link\":\"http://localhost/a\"}"));
	assert_true(all_public("interactive", "{\"body\":{\"text\":\"a\"}}"));
	assert_false(all_public("interactive",
				"{\"header\":{\"type\":\"image\",\"image\":{\"link\":"
				"\"http://localhost/a\"}}}"));
	assert_false(all_public("template",
				"{\"components\":[{\"type\":\"body\"},{\"type\":\"header\","
				"\"parameters\":[{\"type\":\"document\",\"document\":{\"link\":"
				"\"http://localhost/a\"}}]}]}"));
}

/* A test number writes to those on its list alone, in whatever spelling. */
static void a_test_number(void **state)
{
	struct rig *r = rig_new(1);
	struct number *n = r->world->numbers[0];

	(void)state;
	n->is_test = true;
	rig_send_text(r, ANA, NULL);
	CHECK_INT("nobody on it", 131030, rig_code(r));
	assert_true(str_copy(STR(ANA), n->allowed[0], sizeof(n->allowed[0])));
	n->allowed_count = 1;
	rig_send_text(r, ANA, NULL);
	CHECK_INT("on it", 200, r->answer.status);
	rig_send_text(r, "5571990000002", NULL);
	CHECK_INT("another", 131030, rig_code(r));
	n->is_test = false;
	rig_send_text(r, "5571990000002", NULL);
	CHECK_INT("no test number", 200, r->answer.status);
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_public),
		cmocka_unit_test(where_links_stand),
		cmocka_unit_test(a_test_number),
	};

	return cmocka_run_group_tests_name("sandbox_link", tests, NULL, NULL);
}
