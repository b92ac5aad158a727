/* SPDX-License-Identifier: MIT */
/*
 * multipart.c - parts of a form, one after the other
 *
 * ROLE        RFC 7578 as clients of Meta's API write it: quoted or bare
 *             parameters, the file's own Content-Type.  Encodings of a part
 *             (Content-Transfer-Encoding) and nested multiparts are not read.
 * INVARIANTS  1. Never looks behind the body, whatever the boundary is.
 *             2. Each call moves forward, so a body of n bytes is read in O(n).
 * THREADS     Any: no state of its own.
 * TESTS       tests/unit/test_sandbox_multipart.c, fuzz/fuzz_multipart.c
 */
#include "sandbox/multipart.h"

#include <string.h>

#define FORM STR("multipart/form-data")

static bool is_form_end(struct str type)
{
	return type.len == FORM.len || type.ptr[FORM.len] == ';' || type.ptr[FORM.len] == ' ';
}

bool multipart_is(struct str content_type)
{
	return content_type.len >= FORM.len &&
	       str_eq_nocase(str_slice(content_type, 0, FORM.len), FORM) &&
	       is_form_end(content_type);
}

/* The value of ;name=value or ;name="value"; a backslash inside quotes is not taken as an escape,
 * as browsers write it. */
static bool read_parameter(struct str header, struct str name, struct str *out)
{
	struct str rest = header, key;
	size_t at;

	if (!str_find_char(rest, ';', &at))
		return false;
	rest = str_slice(rest, at + 1, rest.len);
	while (str_find_char(rest, '=', &at)) {
		struct str value = str_slice(rest, at + 1, rest.len);
		bool quoted = value.len > 0 && value.ptr[0] == '"';

		key = str_trim(str_slice(rest, 0, at));
		if (quoted)
			value = str_slice(value, 1, value.len);
		if (!str_find_char(value, quoted ? '"' : ';', &at)) {
			if (quoted)
				return false;
			at = value.len;
		}
		if (str_eq_nocase(key, name)) {
			*out = quoted ? str_slice(value, 0, at) : str_trim(str_slice(value, 0, at));
			return true;
		}
		rest = str_slice(value, at + (quoted ? 1 : 0), value.len);
		if (!str_find_char(rest, ';', &at))
			return false;
		rest = str_slice(rest, at + 1, rest.len);
	}
	return false;
}

static bool bad(struct multipart *m, const char *why)
{
	m->error = why;
	return false;
}

/* What stands behind a delimiter: a line end (a part follows), or "--" (the end). */
bool multipart_start(struct multipart *m, struct str content_type, struct str body)
{
	struct str boundary, first;

	memset(m, 0, sizeof(*m));
	if (!multipart_is(content_type) ||
	    !read_parameter(content_type, STR("boundary"), &boundary) || boundary.len == 0)
		return bad(m, "the Content-Type has no boundary");
	if (boundary.len > MULTIPART_BOUNDARY_MAX)
		return bad(m, "the boundary is longer than 70 characters");
	memcpy(m->delimiter, "\r\n--", 4);
	memcpy(m->delimiter + 4, boundary.ptr, boundary.len);
	first = str_make(m->delimiter + 2, boundary.len + 2);
	if (!str_starts(body, first))
		return bad(m, "the body does not begin with its boundary");
	m->rest = str_slice(body, first.len, body.len);
	return true;
}

static bool read_line(struct str *rest, struct str *out)
{
	size_t at;

	if (!str_find(*rest, STR("\r\n"), &at))
		return false;
	*out = str_slice(*rest, 0, at);
	*rest = str_slice(*rest, at + 2, rest->len);
	return true;
}

static bool read_header(struct str line, struct multipart_part *out)
{
	struct str name = line, value;
	size_t at;

	if (!str_find_char(line, ':', &at))
		return false;
	name = str_slice(line, 0, at);
	value = str_trim(str_slice(line, at + 1, line.len));
	if (str_eq_nocase(name, STR("Content-Type")))
		out->type = value;
	if (!str_eq_nocase(name, STR("Content-Disposition")))
		return true;
	if (!str_starts(value, STR("form-data")) || out->name.len > 0)
		return false; /* a second one: whose name would it be? */
	out->is_file = read_parameter(value, STR("filename"), &out->filename);
	return read_parameter(value, STR("name"), &out->name) && out->name.len > 0;
}

static enum multipart_step fail(struct multipart *m, const char *why)
{
	m->error = why;
	return MULTIPART_BAD;
}

static enum multipart_step read_head(struct multipart *m, struct multipart_part *out)
{
	struct str head = str_slice(m->rest, 0, MULTIPART_HEAD_MAX), line;
	size_t whole = head.len;

	for (;;) {
		if (!read_line(&head, &line))
			return fail(m, whole < m->rest.len
					       ? "the header of a part is over 4096 bytes"
					       : "the body ends in a part's header");
		if (line.len == 0)
			break;
		if (!read_header(line, out))
			return fail(m, "a part's header is not well formed");
	}
	m->rest = str_slice(m->rest, whole - head.len, m->rest.len);
	return out->name.len > 0 ? MULTIPART_PART : fail(m, "a part has no name");
}

enum multipart_step multipart_next(struct multipart *m, struct multipart_part *out)
{
	struct str delimiter = str_from(m->delimiter);
	struct multipart_part part = { .name = STR_EMPTY,
				       .filename = STR_EMPTY,
				       .type = STR_EMPTY };
	const char *found;

	if (str_starts(m->rest, STR("--")))
		return str_trim(str_slice(m->rest, 2, m->rest.len)).len == 0
			       ? MULTIPART_END
			       : fail(m, "there are bytes behind the last boundary");
	if (!str_starts(m->rest, STR("\r\n")))
		return fail(m, "the body ends behind a boundary");
	if (m->count++ == MULTIPART_PARTS_MAX)
		return fail(m, "there are more than 32 parts");
	m->rest = str_slice(m->rest, 2, m->rest.len);
	if (read_head(m, &part) != MULTIPART_PART)
		return MULTIPART_BAD;
	found = memmem(m->rest.ptr, m->rest.len, delimiter.ptr, delimiter.len);
	if (found == NULL)
		return fail(m, "a part has no boundary behind it");
	part.body = str_make(m->rest.ptr, (size_t)(found - m->rest.ptr));
	m->rest = str_slice(m->rest, part.body.len + delimiter.len, m->rest.len);
	*out = part;
	return MULTIPART_PART;
}
