/* SPDX-License-Identifier: MIT */
/* test_media_link.c - links to media lead here, and every other byte stays */
#include "unit.h"

#include "base/panic.h"
#include "gateway/media_link.h"

#define BASE "http://gw:8082"
#define OURS "\"" BASE "/media/573/77\""

static const struct {
	const char *name, *in, *want; /* NULL: nothing is exchanged */
} cases[] = {
	{ "a webhook's medium",
	  "{\"id\":\"77\",\"mime_type\":\"image/jpeg\",\"url\":\"https:\\/\\/x\\/?a=1\"}",
	  "{\"id\":\"77\",\"mime_type\":\"image/jpeg\",\"url\":" OURS "}" },
	{ "by its sum, blanks stay",
	  "[ {\"url\" : \"http://x\" ,\n\"sha256\":\"s\", \"id\":\"77\"} ]",
	  "[ {\"url\" : " OURS " ,\n\"sha256\":\"s\", \"id\":\"77\"} ]" },
	{ "deep in a body",
	  "{\"a\":[{\"image\":{\"id\":\"77\",\"sha256\":\"s\",\"url\":\"https://x\"}}],\"z\":1}",
	  "{\"a\":[{\"image\":{\"id\":\"77\",\"sha256\":\"s\",\"url\":" OURS "}}],\"z\":1}" },
	{ "two of them",
	  "[{\"id\":\"77\",\"sha256\":\"s\",\"url\":\"https://x\"},"
	  "{\"id\":\"77\",\"sha256\":\"t\",\"url\":\"https://y\"}]",
	  "[{\"id\":\"77\",\"sha256\":\"s\",\"url\":" OURS
	  "},{\"id\":\"77\",\"sha256\":\"t\",\"url\":" OURS "}]" },
	{ "no url", "{\"id\":\"77\",\"mime_type\":\"image/jpeg\"}", NULL },
	{ "no medium: a button", "{\"id\":\"77\",\"url\":\"https://x\"}", NULL },
	{ "no id", "{\"mime_type\":\"image/jpeg\",\"url\":\"https://x\"}", NULL },
	{ "an id that breaks out", "{\"id\":\"../me\",\"sha256\":\"s\",\"url\":\"https://x\"}",
	  NULL },
	{ "an empty id", "{\"id\":\"\",\"sha256\":\"s\",\"url\":\"https://x\"}", NULL },
	{ "a url that is none", "{\"id\":\"77\",\"sha256\":\"s\",\"url\":\"javascript:x\"}", NULL },
	{ "a url that is no text", "{\"id\":\"77\",\"sha256\":\"s\",\"url\":{\"url\":1}}", NULL },
	{ "a text that tells of one", "{\"body\":\"\\\"url\\\":\\\"https://x\\\"\"}", NULL },
	{ "no JSON", "{\"url\"", NULL },
};

static void links_lead_here_and_nothing_else_changes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf b;
		bool any;

		buf_init(&b, 65536);
		any = media_links_put(&b, str_from(cases[i].in), STR(BASE), STR("573"));
		CHECK_INT(cases[i].name, cases[i].want != NULL, any);
		CHECK_STR(cases[i].name, cases[i].want != NULL ? cases[i].want : "", buf_str(&b));
		buf_release(&b);
	}
}

/* So many media, the shortest that there are but for their id, and the longest links. */
static size_t growth_of(unsigned media, struct str base, struct str number, struct str id)
{
	struct buf in, out;
	size_t growth;

	buf_init(&in, 1 << 20);
	for (unsigned i = 0; i < media; i++)
		buf_put_fmt(&in, "%c{\"id\":\"%.*s\",\"url\":\"http://\",\"sha256\":1}",
			    i == 0 ? '[' : ',', STR_ARG(id));
	buf_put_char(&in, ']');
	buf_init(&out, in.len + MEDIA_GROWTH_MAX);
	assert_int_equal(number.len <= MEDIA_ID_MAX,
			 media_links_put(&out, buf_str(&in), base, number));
	assert_false(buf_failed(&out));
	growth = out.len == 0 ? 0 : out.len - in.len;
	buf_release(&out);
	buf_release(&in);
	return growth;
}

static void so_many_are_exchanged_and_no_more(void **state)
{
	char text[MEDIA_BASE_MAX] = "";
	struct str base = str_make(text, MEDIA_BASE_MAX - 1), id = str_make(text, MEDIA_ID_MAX);
	size_t one, most = MEDIA_LINKS_MAX;

	(void)state;
	memset(text, 'm', sizeof(text));
	one = growth_of(1, base, id, id);
	assert_int_equal(one * (most - 1), growth_of(MEDIA_LINKS_MAX - 1, base, id, id));
	assert_int_equal(one * most, growth_of(MEDIA_LINKS_MAX, base, id, id));
	assert_int_equal(one * most, growth_of(MEDIA_LINKS_MAX + 1, base, id, id));
	assert_int_equal(0, growth_of(1, base, str_make(text, MEDIA_ID_MAX + 1), id));
}

static void without_a_place_to_lead_to_they_stay(void **state)
{
	const char *medium = cases[0].in;
	struct buf b;

	(void)state;
	buf_init(&b, 65536);
	assert_false(media_links_put(&b, str_from(medium), STR_EMPTY, STR("573")));
	assert_false(media_links_put(&b, str_from(medium), STR(BASE), STR_EMPTY));
	assert_false(media_links_put(&b, str_from(medium), STR(BASE), STR("5/3")));
	CHECK_INT("nothing was put", 0, b.len);
	buf_release(&b);
}

static void the_base_is_told_or_made(void **state)
{
	static const struct {
		const char *url, *listen;
		unsigned port;
		const char *want;
	} bases[] = {
		{ "https://wa.example.com/", "127.0.0.1:8082", 0, "https://wa.example.com" },
		{ "", "127.0.0.1:8082", 0, "http://127.0.0.1:8082" },
		{ "", "127.0.0.1:0", 0, "" },
		{ "", "127.0.0.1:0", 4711, "http://127.0.0.1:4711" },
		{ "", "0.0.0.0:80", 0, "http://127.0.0.1:80" },
		{ "", "[::]:80", 0, "http://[::1]:80" },
		{ "", "[fd00::1]:80", 0, "http://[fd00::1]:80" },
	};

	(void)state;
	CHECK_STR("none", "", media_base_get(NULL));
	for (size_t i = 0; i < ARRAY_LEN(bases); i++) {
		struct media_base b = { .text = "" };

		media_base_set(&b, bases[i].url, bases[i].listen, bases[i].port);
		CHECK_STR(bases[i].listen, bases[i].want, media_base_get(&b));
		if (bases[i].want[0] == '\0')
			continue;
		media_base_set(&b, "http://other", bases[i].listen, 1); /* once */
		CHECK_STR(bases[i].listen, bases[i].want, media_base_get(&b));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(links_lead_here_and_nothing_else_changes),
		cmocka_unit_test(so_many_are_exchanged_and_no_more),
		cmocka_unit_test(without_a_place_to_lead_to_they_stay),
		cmocka_unit_test(the_base_is_told_or_made),
	};

	return cmocka_run_group_tests_name("media_link", tests, NULL, NULL);
}
