/* SPDX-License-Identifier: MIT */
/* test_graph_link.c - links in Meta's answers: rewritten, opened, and nothing else touched */
#include "unit.h"

#include "server/graph_link.h"

#define BASE "https://graph.facebook.com"
#define OWN "http://gw.example:8082"
#define TOKEN "EAATOKEN"

static struct graph_links links_of(struct mac *mac, const char *key)
{
	return (struct graph_links){ .mac = mac,
				     .account = 3,
				     .graph_base = STR(BASE),
				     .own_base = STR(OWN),
				     .key = str_from(key),
				     .token = STR(TOKEN) };
}

static bool rewrite(const struct graph_links *l, const char *json, struct buf *out)
{
	struct arena *a = arena_new(1 << 20);
	bool ok;

	buf_init(out, 1 << 20);
	ok = graph_links_rewrite(l, str_from(json), a, out);
	arena_free(a);
	return ok;
}

static const struct {
	const char *name, *key, *json, *want; /* want NULL: not passed on */
} answers[] = {
	{ "untouched", "k", " { \"a\" : 1.50, \"b\":[\"\\u00e9\\/\"] }\n",
	  " { \"a\" : 1.50, \"b\":[\"\\u00e9\\/\"] }\n" },
	{ "a page", "gwk_1",
	  "{\"paging\":{\"next\":\"" BASE "/v26.0/1/x?access_token=" TOKEN "&after=Q\"}, \"z\":1}",
	  "{\"paging\":{\"next\":\"" OWN "/v26.0/1/x?access_token=gwk_1&after=Q\"}, \"z\":1}" },
	{ "a page, escaped slashes", "gwk_1",
	  "[\"https:\\/\\/graph.facebook.com\\/v1.0\\/a?b=1&access_token=" TOKEN "\"]",
	  "[\"" OWN "/v1.0/a?b=1&access_token=gwk_1\"]" },
	{ "no key to give", "", "[\"" BASE "/a?access_token=" TOKEN "&b=1\"]",
	  "[\"" OWN "/a?b=1\"]" },
	{ "a link without a token", "k", "[\"" BASE "/v26.0/x?after=1\"]",
	  "[\"" OWN "/v26.0/x?after=1\"]" },
	{ "another host that begins alike", "k", "[\"" BASE ".example/x\"]",
	  "[\"" BASE ".example/x\"]" },
	{ "another host with a token", "k", "[\"https://x.example/?access_token=" TOKEN "\"]",
	  "[\"https://x.example/?access_token=k\"]" },
	{ "pictures stay", "k", "{\"profile_picture_url\":\"https://pps.whatsapp.net/v/1?x=2\"}",
	  "{\"profile_picture_url\":\"https://pps.whatsapp.net/v/1?x=2\"}" },
	{ "a url that is no medium's", "k", "{\"url\":\"https://a.example\"}",
	  "{\"url\":\"https://a.example\"}" },
	{ "no json", "k", "<html>", "<html>" },
	{ "nothing", "k", "", "" },
	{ "the token elsewhere", "k", "{\"debug\":\"is " TOKEN "\"}", NULL },
	{ "the token behind an escape", "k", "{\"debug\":\"is EAA\\u0054OKEN\"}", NULL },
	{ "almost the token behind an escape", "k", "{\"debug\":\"is EAA\\u0054OKEM\"}",
	  "{\"debug\":\"is EAA\\u0054OKEM\"}" },
	{ "the token in a key, behind an escape", "k", "{\"EAA\\u0054OKEN\":1}", NULL },
	{ "the token in a medium's address", "k",
	  "{\"url\":\"https://m.example/?access_token=" TOKEN "\",\"sha256\":\"0\"}", NULL },
	{ "the token in what is no json", "k", "<" TOKEN ">", NULL },
};

static void answers_come_out_without_the_token(void **state)
{
	struct mac *mac = mac_new(STR("key of the store"));

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		struct graph_links l = links_of(mac, answers[i].key);
		struct buf out;
		bool ok = rewrite(&l, answers[i].json, &out);

		CHECK_INT(answers[i].name, answers[i].want != NULL, ok);
		if (ok)
			CHECK_STR(answers[i].name, answers[i].want, buf_str(&out));
		buf_release(&out);
	}
	mac_free(mac);
}

/* What stands behind "/media/" in the rewritten answer. */
static struct str link_of(struct buf *out)
{
	struct str s = buf_str(out);
	size_t at, end;

	assert_true(str_find(s, STR(OWN "/media/"), &at));
	s = str_slice(s, at + sizeof(OWN "/media/") - 1, s.len);
	assert_true(str_find_char(s, '"', &end));
	return str_slice(s, 0, end);
}

static void media_links_open_and_nothing_forged_does(void **state)
{
	static const char url[] = "https://lookaside.example/?mid=1&hash=\xc3\xa9?~>";
	struct mac *mac = mac_new(STR("key of the store")), *other = mac_new(STR("another"));
	struct graph_links l = links_of(mac, "k");
	struct buf out, opened;
	char forged[512];
	struct str link;
	int64_t account;

	(void)state;
	assert_true(rewrite(
		&l,
		"{\"id\":\"7\",\"url\":\"https://lookaside.example/?mid=1&hash=\\u00e9?~>\","
		"\"sha256\":\"x\"}",
		&out));
	link = link_of(&out);
	buf_init(&opened, 4096);
	assert_true(graph_link_open(mac, link, &opened, &account));
	CHECK_STR("url", url, buf_str(&opened));
	CHECK_INT("account", 3, account);
	assert_false(graph_link_open(other, link, &opened, &account));
	for (size_t i = 0; i < link.len; i++) { /* any letter changed, and cut anywhere */
		assert_true(str_copy(link, forged, sizeof(forged)));
		forged[i] = forged[i] == 'B' ? 'C' : 'B';
		assert_false(graph_link_open(mac, str_from(forged), &opened, &account));
		assert_false(graph_link_open(mac, str_slice(link, 0, i), &opened, &account));
	}
	assert_false(graph_link_open(mac, STR("3"), &opened, &account));
	buf_release(&opened);
	buf_release(&out);
	mac_free(mac);
	mac_free(other);
}

#define LONGEST 8192 /* bytes of an address that is looked at */

/* [{"url":"https://mmm...","sha256":""}], the address of `len` bytes. */
static void put_long_medium(struct buf *b, size_t len)
{
	buf_put_text(b, "[{\"url\":\"https://");
	for (size_t i = sizeof("https://") - 1; i < len; i++)
		buf_put_char(b, 'm');
	buf_put_text(b, "\",\"sha256\":\"\"}]");
}

static void the_longest_link_opens(void **state)
{
	struct mac *mac = mac_new(STR("key of the store"));
	struct graph_links l = links_of(mac, "k");

	(void)state;
	for (size_t len = LONGEST - 3; len <= LONGEST + 1; len++) {
		struct buf json, out, opened;
		int64_t account;

		buf_init(&json, 1 << 20);
		buf_init(&opened, 1 << 20);
		put_long_medium(&json, len);
		assert_true(rewrite(&l, json.data, &out));
		if (len > LONGEST) {
			CHECK_STR("stays", json.data, buf_str(&out));
		} else {
			assert_true(graph_link_open(mac, link_of(&out), &opened, &account));
			CHECK_INT("whole", len, opened.len);
		}
		buf_release(&opened);
		buf_release(&out);
		buf_release(&json);
	}
	mac_free(mac);
}

/* Every "access_token=&" becomes one with the caller's key: with 100 bytes of it, 8 KiB to 64. */
static void a_link_that_grows_too_long_is_not_passed_on_cut(void **state)
{
	static const struct {
		unsigned tokens;
		bool want;
	} cases[] = { { 100, true }, { 580, false } };
	char key[101];
	struct mac *mac = mac_new(STR("key of the store"));
	struct graph_links l;

	(void)state;
	memset(key, 'k', sizeof(key) - 1);
	key[sizeof(key) - 1] = '\0';
	l = links_of(mac, key);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf json, out;

		buf_init(&json, 1 << 20);
		buf_put_text(&json, "[\"" BASE "/x?");
		for (unsigned n = 0; n < cases[i].tokens; n++)
			buf_put_text(&json, "access_token=&");
		buf_put_text(&json, "\"]");
		CHECK_INT("passed on", cases[i].want, rewrite(&l, json.data, &out));
		buf_release(&out);
		buf_release(&json);
	}
	mac_free(mac);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_come_out_without_the_token),
		cmocka_unit_test(media_links_open_and_nothing_forged_does),
		cmocka_unit_test(the_longest_link_opens),
		cmocka_unit_test(a_link_that_grows_too_long_is_not_passed_on_cut),
	};

	return cmocka_run_group_tests_name("graph_link", tests, NULL, NULL);
}
