/* SPDX-License-Identifier: MIT */
/*
 * body_once.c - see body_once.h; the return values are libcurl's
 *
 * TESTS  tests/unit/test_http_client.c
 */
#include "net/body_once.h"

#include <curl/curl.h>
#include <unistd.h>

void body_once_set(struct body_once *b, struct str body)
{
	*b = (struct body_once){ .rest = body, .fd = -1 };
}

void body_once_set_file(struct body_once *b, int fd, uint64_t len)
{
	*b = (struct body_once){ .rest = STR_EMPTY, .fd = fd, .len = len };
}

/* A file that is shorter than was said, or cannot be read, ends the request. */
static size_t read_file(struct body_once *b, char *out, size_t n)
{
	ssize_t got;

	if (n > b->len - b->at)
		n = (size_t)(b->len - b->at);
	if (n == 0)
		return 0;
	got = pread(b->fd, out, n, (off_t)b->at);
	if (got <= 0)
		return CURL_READFUNC_ABORT;
	b->at += (uint64_t)got;
	b->was_pulled = true;
	return (size_t)got;
}

size_t body_once_read(char *out, size_t size, size_t count, void *cookie)
{
	struct body_once *b = cookie;
	size_t n = size * count; /* libcurl's size is 1 */

	if (b->fd >= 0)
		return read_file(b, out, n);
	if (n > b->rest.len)
		n = b->rest.len;
	if (n == 0)
		return 0;
	memcpy(out, b->rest.ptr, n);
	b->rest.ptr += n;
	b->rest.len -= n;
	b->was_pulled = true;
	return n;
}

int body_once_seek(void *cookie, int64_t offset, int origin)
{
	struct body_once *b = cookie;

	/* To the start before anything left is no rewind. */
	if (!b->was_pulled && offset == 0 && origin == SEEK_SET)
		return CURL_SEEKFUNC_OK;
	return CURL_SEEKFUNC_FAIL;
}
