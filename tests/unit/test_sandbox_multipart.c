/* SPDX-License-Identifier: MIT */
/* test_sandbox_multipart.c - forms as clients write them, cut at every byte, and odd ones */
#include "unit.h"

#include "base/buf.h"
#include "base/mem.h"
#include "sandbox/multipart.h"

#define TYPE "multipart/form-data; boundary=B"
#define PART(name, body) \
	"--B\r\nContent-Disposition: form-data; name=\"" name "\"\r\n\r\n" body "\r\n"
#define FILE_PART                                                                        \
	"--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a;b.png\"\r\n" \
	"content-type: image/png\r\n\r\n\x89PNG\r\n--C\r\n"

/* How a body is read: the number of parts, or -1 when it is refused. */
static int count(const char *type, struct str body, struct multipart_part *last)
{
	struct multipart_part part;
	enum multipart_step step;
	struct multipart m;
	int parts = 0;

	if (!multipart_start(&m, str_from(type), body)) {
		assert_non_null(m.error);
		return -1;
	}
	while ((step = multipart_next(&m, &part)) == MULTIPART_PART) {
		parts++;
		if (last != NULL)
			*last = part;
	}
	if (step == MULTIPART_BAD)
		assert_non_null(m.error);
	return step == MULTIPART_END ? parts : -1;
}

static void parts_and_their_heads(void **state)
{
	struct multipart_part part;

	(void)state;
	CHECK_INT("two", 2, count(TYPE, STR(PART("a", "1") FILE_PART "--B--\r\n"), &part));
	assert_true(part.is_file);
	assert_true(str_eq(part.name, STR("file")));
	assert_true(str_eq(part.filename, STR("a;b.png")));
	assert_true(str_eq(part.type, STR("image/png")));
	assert_true(str_eq(part.body, STR("\x89PNG\r\n--C")));
	CHECK_INT("empty body", 1, count(TYPE, STR(PART("a", "") "--B--"), &part));
	CHECK_INT("empty body", 0, part.body.len);
	assert_false(part.is_file);
}

static const struct {
	const char *name, *type, *body;
	int parts;
} bodies[] = {
	{ "no parts", TYPE, "--B--", 0 },
	{ "quoted boundary", "multipart/form-data; charset=x; boundary=\"B\"",
	  PART("a", "1") "--B--", 1 },
	{ "boundary in capitals", "Multipart/Form-Data; BOUNDARY=B", PART("a", "1") "--B--", 1 },
	{ "blank lines behind", TYPE, PART("a", "1") "--B--\r\n\r\n", 1 },
	{ "bare name", TYPE, "--B\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--B--", 1 },
	{ "json", "application/json", "{}", -1 },
	{ "another multipart", "multipart/form-database; boundary=B", "--B--", -1 },
	{ "no boundary", "multipart/form-data", "--B--", -1 },
	{ "empty boundary", "multipart/form-data; boundary=", "--B--", -1 },
	{ "boundary not closed", "multipart/form-data; boundary=\"B", "--B--", -1 },
	{ "long boundary",
	  "multipart/form-data; boundary="
	  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
	  "--x", -1 },
	{ "empty", TYPE, "", -1 },
	{ "preamble", TYPE, "hello\r\n--B--", -1 },
	{ "bytes behind", TYPE, PART("a", "1") "--B--x", -1 },
	{ "no disposition", TYPE, "--B\r\nX: y\r\n\r\n1\r\n--B--", -1 },
	{ "no name", TYPE, "--B\r\nContent-Disposition: form-data\r\n\r\n1\r\n--B--", -1 },
	{ "empty name", TYPE, "--B\r\nContent-Disposition: form-data; name=\"\"\r\n\r\n1\r\n--B--",
	  -1 },
	{ "attachment", TYPE,
	  "--B\r\nContent-Disposition: attachment; name=\"a\"\r\n\r\n1\r\n--B--", -1 },
	{ "two dispositions", TYPE,
	  "--B\r\nContent-Disposition: form-data; name=a; filename=b\r\n"
	  "Content-Disposition: form-data; name=c\r\n\r\n1\r\n--B--",
	  -1 },
	{ "a line without colon", TYPE, "--B\r\nnonsense\r\n\r\n1\r\n--B--", -1 },
	{ "bare line feeds", TYPE, "--B\nContent-Disposition: form-data; name=\"a\"\n\n1\n--B--",
	  -1 },
	{ "a longer boundary", TYPE, "--Bx\r\n", -1 },
};

static void odd_bodies(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++)
		CHECK_INT(bodies[i].name, bodies[i].parts,
			  count(bodies[i].type, str_from(bodies[i].body), NULL));
}

/* Each cut lies at the end of its own allocation, so that reading on is seen. */
static void cut_at_every_byte(void **state)
{
	struct str whole = STR(PART("a", "1") FILE_PART "--B--");

	(void)state;
	for (size_t len = 0; len < whole.len; len++) {
		char *cut = xmalloc(len == 0 ? 1 : len);

		memcpy(cut, whole.ptr, len);
		CHECK_INT("cut", -1, count(TYPE, str_make(cut, len), NULL));
		free(cut);
	}
	CHECK_INT("whole", 2, count(TYPE, whole, NULL));
}

static void bounds(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 1U << 20);
	for (int i = 0; i < MULTIPART_PARTS_MAX; i++)
		buf_put_text(&b, PART("a", "1"));
	buf_put_text(&b, "--B--");
	CHECK_INT("32 parts", MULTIPART_PARTS_MAX, count(TYPE, buf_str(&b), NULL));
	buf_cut(&b, b.len - 5);
	buf_put_text(&b, PART("a", "1") "--B--");
	CHECK_INT("33 parts", -1, count(TYPE, buf_str(&b), NULL));
	buf_reset(&b);
	buf_put_text(&b, "--B\r\nX: ");
	for (int i = 0; i < MULTIPART_HEAD_MAX; i++)
		buf_put_char(&b, 'x');
	buf_put_text(&b, "\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--B--");
	CHECK_INT("long head", -1, count(TYPE, buf_str(&b), NULL));
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_and_their_heads),
		cmocka_unit_test(odd_bodies),
		cmocka_unit_test(cut_at_every_byte),
		cmocka_unit_test(bounds),
	};

	return cmocka_run_group_tests_name("sandbox_multipart", tests, NULL, NULL);
}
