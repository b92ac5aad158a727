/* SPDX-License-Identifier: MIT */
/* test_graph_path.c - what the path of a Graph call says, and that no key stays in a target */
#include "unit.h"

#include "server/graph_path.h"

static const struct {
	const char *method, *path, *version, *object, *edge;
	enum graph_kind kind;
} paths[] = {
	{ "POST", "/v26.0/1/messages", "v26.0", "1", "messages", GRAPH_SEND },
	{ "POST", "/1/messages/", "", "1", "messages", GRAPH_SEND },
	{ "POST", "/v1.0/1/marketing_messages", "v1.0", "1", "marketing_messages", GRAPH_SEND },
	{ "GET", "/v26.0/1/messages", "v26.0", "1", "messages", GRAPH_READ },
	{ "POST", "/v26.0/1/media", "v26.0", "1", "media", GRAPH_UPLOAD },
	{ "GET", "/v26.0/77", "v26.0", "77", "", GRAPH_OBJECT },
	{ "DELETE", "/v26.0/77", "v26.0", "77", "", GRAPH_WRITE },
	{ "GET", "/v26.0/1/message_qrdls/X", "v26.0", "1", "message_qrdls/X", GRAPH_READ },
	{ "GET", "/media/1.aa/bb", "", "media", "1.aa/bb", GRAPH_MEDIA_LINK },
	{ "POST", "/media/1.aa/bb", "", "media", "1.aa/bb", GRAPH_WRITE },
	{ "POST", "/v26.0/upload:Mz?", "v26.0", "upload:Mz?", "", GRAPH_WRITE },
	{ "GET", "/v26/77", "", "v26", "77", GRAPH_READ }, /* no version */
	{ "GET", "/v26.x/77", "", "v26.x", "77", GRAPH_READ },
	{ "GET", "/v.0", "", "v.0", "", GRAPH_OBJECT },
};

static void what_paths_say(void **state)
{
	struct graph_path p;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		assert_true(graph_path_read(str_from(paths[i].path), &p));
		CHECK_STR(paths[i].path, paths[i].version, p.version);
		CHECK_STR(paths[i].path, paths[i].object, p.object);
		CHECK_STR(paths[i].path, paths[i].edge, p.edge);
		CHECK_INT(paths[i].path, paths[i].kind, graph_kind(str_from(paths[i].method), &p));
	}
	assert_false(graph_path_read(STR(""), &p));
	assert_false(graph_path_read(STR("/"), &p));
	assert_false(graph_path_read(STR("x"), &p));
	assert_false(graph_path_read(STR("/v26.0"), &p));
	assert_false(graph_path_read(STR("/v26.0/"), &p));
	assert_false(graph_path_read(STR("//1/messages"), &p));
}

static const struct {
	const char *target, *want;
} targets[] = {
	{ "/1", "/1" },
	{ "/1?", "/1" },
	{ "/1?a=1&b", "/1?a=1&b" },
	{ "/1?access_token=k", "/1" },
	{ "/1?access_token=k&a=1", "/1?a=1" },
	{ "/1?a=%20&access_token=k&&b=2&access_token=l", "/1?a=%20&b=2" },
	{ "/1?%61ccess%5Ftoken=k&a", "/1?a" },
	{ "/1?access_token&x_access_token=1&access_tokens=2",
	  "/1?x_access_token=1&access_tokens=2" },
	{ "/1?a=access_token=k", "/1?a=access_token=k" },
};

static void no_key_stays(void **state)
{
	struct buf b;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
		buf_init(&b, GRAPH_TARGET_MAX);
		assert_true(graph_strip_token(str_from(targets[i].target), &b));
		CHECK_STR(targets[i].target, targets[i].want, buf_str(&b));
		buf_release(&b);
	}
	buf_init(&b, 8);
	assert_false(graph_strip_token(STR("/123456789"), &b));
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_paths_say),
		cmocka_unit_test(no_key_stays),
	};

	return cmocka_run_group_tests_name("graph_path", tests, NULL, NULL);
}
