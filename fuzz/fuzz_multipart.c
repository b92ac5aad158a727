/* SPDX-License-Identifier: MIT */
/*
 * fuzz_multipart.c - any bytes as a Content-Type (a line) and the form behind it
 *
 * INVARIANTS  1. Parts lie in the body, one behind the other, and none holds the boundary.
 *             2. It ends: in a whole form or in words that say why it is none.
 *             3. A form written anew from its parts has the same parts.
 */
#include "fuzz.h"

#include "base/buf.h"
#include "base/panic.h"
#include "sandbox/multipart.h"

#define OUT_MAX ((size_t)16 << 20)
#define HEAD_ANEW_MAX 3500 /* a head may grow when it is written anew, and has a limit */

struct form {
	struct multipart_part parts[MULTIPART_PARTS_MAX];
	size_t count;
	char delimiter[MULTIPART_BOUNDARY_MAX + 5];
};

static bool lies_in(struct str inner, const char *from, struct str outer)
{
	return inner.len == 0 ||
	       (inner.ptr >= from && inner.ptr + inner.len <= outer.ptr + outer.len);
}

static bool read_form(struct str type, struct str body, struct form *f)
{
	enum multipart_step step;
	struct multipart m;
	const char *from = body.ptr;
	size_t at;

	f->count = 0;
	if (!multipart_start(&m, type, body)) {
		ASSERT(m.error != NULL);
		return false;
	}
	(void)str_copy(str_from(m.delimiter), f->delimiter, sizeof(f->delimiter));
	for (;;) {
		struct multipart_part p;

		step = multipart_next(&m, &p);
		if (step != MULTIPART_PART)
			break;
		ASSERT(f->count < MULTIPART_PARTS_MAX && p.name.len > 0);
		ASSERT(lies_in(p.name, from, body) && lies_in(p.filename, from, body));
		ASSERT(lies_in(p.type, from, body) && lies_in(p.body, from, body)); /* inv. 1 */
		ASSERT(!str_find(p.body, str_from(m.delimiter), &at));
		from = p.body.ptr + p.body.len;
		f->parts[f->count++] = p;
	}
	ASSERT(step == MULTIPART_END || m.error != NULL); /* inv. 2 */
	return step == MULTIPART_END;
}

/* false: it cannot be written with quotes around its names. */
static bool put_part(struct buf *b, const struct multipart_part *p, struct str dashes)
{
	size_t at;

	if (str_find_char(p->name, '"', &at) || str_find_char(p->filename, '"', &at) ||
	    p->name.len + p->filename.len + p->type.len > HEAD_ANEW_MAX)
		return false;
	buf_put_str(b, dashes);
	buf_put_fmt(b, "\r\nContent-Disposition: form-data; name=\"%.*s\"", STR_ARG(p->name));
	if (p->is_file)
		buf_put_fmt(b, "; filename=\"%.*s\"", STR_ARG(p->filename));
	if (p->type.len > 0)
		buf_put_fmt(b, "\r\ncontent-type:%.*s", STR_ARG(p->type));
	buf_put_text(b, "\r\n\r\n");
	buf_put_str(b, p->body);
	buf_put_text(b, "\r\n");
	return true;
}

/* inv. 3 */
static void check_again(struct str type, const struct form *f)
{
	struct str dashes = str_from(f->delimiter + 2);
	struct form again;
	bool ok = true;
	struct buf b;

	buf_init(&b, OUT_MAX);
	for (size_t i = 0; i < f->count && ok; i++)
		ok = put_part(&b, &f->parts[i], dashes);
	if (ok && f->count > 0) {
		buf_put_str(&b, dashes);
		buf_put_text(&b, "--\r\n");
		ASSERT(!buf_failed(&b) && read_form(type, buf_str(&b), &again));
		ASSERT(again.count == f->count);
		for (size_t i = 0; i < f->count; i++) {
			ASSERT(str_eq(again.parts[i].name, f->parts[i].name));
			ASSERT(str_eq(again.parts[i].filename, f->parts[i].filename));
			ASSERT(str_eq(again.parts[i].type, f->parts[i].type));
			ASSERT(str_eq(again.parts[i].body, f->parts[i].body));
			ASSERT(again.parts[i].is_file == f->parts[i].is_file);
		}
	}
	buf_release(&b);
}

void fuzz_one(const uint8_t *data, size_t size)
{
	struct str body = str_make((const char *)data, size), type;
	struct form f;
	size_t at;

	/* the line of a head has no zero byte; a name with one cannot be written with a format */
	if (!str_split(&body, '\n', &type) || str_find_char(type, '\0', &at))
		return;
	if (body.ptr == NULL)
		body = STR_EMPTY;
	if (read_form(type, body, &f) && !str_find_char(body, '\0', &at))
		check_again(type, &f);
}
