/* SPDX-License-Identifier: MIT */
/*
 * http_server_head.c - the head of a request: what is refused, and what a handler may ask of it
 *
 * libmicrohttpd 0.9.75 takes Transfer-Encoding beside Content-Length, takes
 * two Content-Lengths, blanks before a colon and folded lines (which it
 * misreads), and takes a body in an encoding it does not know for one without
 * an end.  A proxy in front that reads such a head differently lets one client
 * put requests into another's connection, so all are refused.
 *
 * TESTS  tests/unit/test_http_server.c
 */
#include "http_server_int.h"

#include "base/mem.h"

#define HEADERS_MAX 100 /* fields; Meta sends about 12 */

struct head_scan {
	struct http_pair pairs[HEADERS_MAX];
	size_t count, bytes;
	unsigned hosts, lengths, encodings;
	struct str length, encoding;
	bool is_malformed;
};

/* RFC 9110 5.6.2: what a field's name is made of. */
static bool is_token(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL)))
			return false;
	}
	return s.len > 0;
}

static bool has_control(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return true;
	}
	return false;
}

/*
 * Was the field's line continued on the next one (obs-fold)?  libmicrohttpd
 * 0.9.75 appends the continuation to the name instead of the value, which
 * hides "Transfer-Encoding: chunked\r\n x" from us and from itself, and moves
 * the name to other memory while it does so.  Name and value of a line that
 * was not continued lie side by side, with nothing but blanks between.
 */
static bool is_folded(const char *name, size_t name_len, const char *value)
{
	uintptr_t end = (uintptr_t)name + name_len, start = (uintptr_t)value;

	if (value == NULL)
		return false;
	if (start < end || start - end > HTTP_HEAD_MAX)
		return true;
	for (const char *c = name + name_len; c < value; c++)
		if (*c != '\0' && *c != ' ' && *c != '\t')
			return true;
	return false;
}

static enum MHD_Result scan_field(void *cls, enum MHD_ValueKind kind, const char *name,
				  size_t name_len, const char *value, size_t value_len)
{
	struct head_scan *scan = cls;
	struct str n = { name, name_len };
	struct str v = str_trim((struct str){ value == NULL ? "" : value, value_len });

	(void)kind;
	if (scan->count == HEADERS_MAX) {
		scan->bytes = HTTP_HEAD_MAX + 1; /* too large */
		return MHD_NO;
	}
	scan->pairs[scan->count++] = (struct http_pair){ n, v };
	scan->is_malformed |= !is_token(n) || has_control(v) || is_folded(name, name_len, value);
	scan->bytes += name_len + value_len + 4; /* ": " and the line's end */
	if (str_eq_nocase(n, STR("Host"))) {
		scan->hosts++;
	} else if (str_eq_nocase(n, STR("Content-Length"))) {
		scan->lengths++;
		scan->length = v;
	} else if (str_eq_nocase(n, STR("Transfer-Encoding"))) {
		scan->encodings++;
		scan->encoding = v;
	}
	return MHD_YES;
}

/* The status to refuse the head with, or 0. */
static int check_head(const struct head_scan *scan, const char *version, uint64_t *out_length)
{
	uint64_t length = 0;

	if (scan->bytes > HTTP_HEAD_MAX)
		return 431;
	if (scan->is_malformed || scan->hosts > 1 || scan->lengths > 1 || scan->encodings > 1 ||
	    (scan->lengths > 0 && scan->encodings > 0))
		return 400;
	if (scan->encodings > 0 && (!str_eq_nocase(scan->encoding, STR("chunked")) ||
				    !str_eq(str_from(version), STR("HTTP/1.1"))))
		return 400;
	if (scan->lengths > 0 && !str_to_u64(scan->length, &length))
		return 400;
	*out_length = length;
	return 0;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Undo %XX (and '+', in queries) into out[in.len + 1]; false: malformed, or a NUL. */
static bool decode(struct str in, bool plus_is_blank, char *out, size_t *out_len)
{
	size_t n = 0;

	for (size_t i = 0; i < in.len; i++) {
		char c = in.ptr[i];

		if (c == '%') {
			int hi = in.len - i < 3 ? -1 : hex_value(in.ptr[i + 1]);
			int lo = in.len - i < 3 ? -1 : hex_value(in.ptr[i + 2]);

			if (hi < 0 || lo < 0 || hi + lo == 0)
				return false;
			c = (char)(unsigned char)(hi * 16 + lo);
			i += 2;
		} else if (c == '+' && plus_is_blank) {
			c = ' ';
		}
		out[n++] = c;
	}
	out[n] = '\0';
	*out_len = n;
	return true;
}

/* The path of a target, still encoded: "/a?b", "http://host/a?b" (as proxies ask), "*". */
static struct str raw_path(struct str target)
{
	size_t at;

	if (str_find_char(target, '?', &at))
		target = str_slice(target, 0, at);
	if (target.len == 0 || target.ptr[0] == '/' || !str_find(target, STR("://"), &at))
		return target;
	target = str_slice(target, at + 3, target.len);
	return str_find_char(target, '/', &at) ? str_slice(target, at, target.len) : STR("/");
}

static struct str raw_query(struct str target)
{
	size_t at;

	return str_find_char(target, '?', &at) ? str_slice(target, at + 1, target.len) : STR_EMPTY;
}

/* Copy s to *at with a NUL behind it, and move *at on. */
static struct str put(char **at, struct str s)
{
	struct str copy = { *at, s.len };

	if (s.len > 0)
		memcpy(*at, s.ptr, s.len);
	(*at)[s.len] = '\0';
	*at += s.len + 1;
	return copy;
}

/* The struct and behind it, in one block: the pairs, then the strings. */
static struct http_call *make_call(const struct http_conn *conn, struct str method,
				   const struct head_scan *scan)
{
	struct str target = { conn->target, conn->target_len };
	size_t size = sizeof(struct http_call) + scan->count * sizeof(struct http_pair);
	struct http_call *c;
	size_t path_len;
	char *at;

	/* bytes counts 4 for each field, two of them for the NULs. */
	c = xmalloc(size + scan->bytes + method.len + 2 * (target.len + 1) + 1);
	memset(c, 0, sizeof(*c));
	c->headers = (struct http_pair *)(void *)(c + 1);
	c->header_count = scan->count;
	at = (char *)c + size;
	c->method = put(&at, method);
	c->target = put(&at, target);
	c->path.ptr = at;
	if (!decode(raw_path(target), false, at, &path_len)) {
		free(c);
		return NULL;
	}
	c->path.len = path_len;
	at += path_len + 1;
	for (size_t i = 0; i < scan->count; i++) {
		c->headers[i].name = put(&at, scan->pairs[i].name);
		c->headers[i].value = put(&at, scan->pairs[i].value);
	}
	return c;
}

int call_new(struct http_conn *conn, const char *method, const char *version,
	     struct http_call **out)
{
	struct head_scan scan;
	struct http_call *c;
	uint64_t length = 0;
	int refusal;

	scan.count = scan.bytes = 0;
	scan.hosts = scan.lengths = scan.encodings = 0;
	scan.length = scan.encoding = STR_EMPTY;
	scan.is_malformed = false;
	(void)MHD_get_connection_values_n(conn->mhd, MHD_HEADER_KIND, scan_field, &scan);
	scan.bytes += conn->target_len;
	refusal = check_head(&scan, version, &length);
	if (refusal != 0)
		return refusal;
	c = make_call(conn, str_from(method), &scan);
	if (c == NULL)
		return 400;
	c->self = c;
	c->server = conn->server;
	c->conn = conn;
	c->body_fd = -1;
	c->content_length = length;
	c->has_body = length > 0 || scan.encodings > 0;
	c->is_local = conn->server->unix_path != NULL;
	c->received_ns = clock_real_ns();
	memcpy(c->peer, conn->peer, sizeof(c->peer));
	*out = c;
	return 0;
}

struct str http_method(const struct http_call *c)
{
	return c->method;
}

struct str http_path(const struct http_call *c)
{
	return c->path;
}

struct str http_target(const struct http_call *c)
{
	return c->target;
}

bool http_header(const struct http_call *c, const char *name, struct str *out)
{
	struct str want = str_from(name);

	for (size_t i = 0; i < c->header_count; i++)
		if (str_eq_nocase(c->headers[i].name, want)) {
			*out = c->headers[i].value;
			return true;
		}
	return false;
}

size_t http_header_count(const struct http_call *c, const char *name)
{
	struct str want = str_from(name);
	size_t count = 0;

	for (size_t i = 0; i < c->header_count; i++)
		count += str_eq_nocase(c->headers[i].name, want);
	return count;
}

/*
 * Decode the query into pairs, once: an array and behind it the strings.
 * Parameters that are malformed are left out.
 */
static void parse_query(struct http_call *c)
{
	struct str rest = raw_query(c->target), field;
	size_t max = 1, at;
	char *bytes;

	for (size_t i = 0; i < rest.len; i++)
		max += rest.ptr[i] == '&';
	c->query = xmalloc(max * sizeof(struct http_pair) + rest.len + 2 * max);
	bytes = (char *)(c->query + max);
	while (str_split(&rest, '&', &field)) {
		bool has_value = str_find_char(field, '=', &at);
		struct str name = has_value ? str_slice(field, 0, at) : field;
		struct str value = has_value ? str_slice(field, at + 1, field.len) : STR_EMPTY;
		struct http_pair *p = &c->query[c->query_count];

		p->name.ptr = bytes;
		if (field.len == 0 || !decode(name, true, bytes, &p->name.len))
			continue;
		p->value.ptr = bytes + p->name.len + 1;
		if (!decode(value, true, bytes + p->name.len + 1, &p->value.len))
			continue;
		bytes += p->name.len + p->value.len + 2;
		c->query_count++;
	}
}

bool http_query(const struct http_call *c, const char *name, struct str *out)
{
	if (c->query == NULL)
		parse_query(c->self); /* one thread has the call at a time */
	for (size_t i = 0; i < c->query_count; i++)
		if (str_eq(c->query[i].name, str_from(name))) {
			*out = c->query[i].value;
			return true;
		}
	return false;
}
