/* SPDX-License-Identifier: MIT */
/*
 * body_once.c - see body_once.h; the return values are libcurl's
 *
 * TESTS  tests/unit/test_http_client.c
 */
#include "net/body_once.h"

#include <curl/curl.h>

void body_once_set(struct body_once *b, struct str body)
{
	b->rest = body;
	b->was_pulled = false;
}

size_t body_once_read(char *out, size_t size, size_t count, void *cookie)
{
	struct body_once *b = cookie;
	size_t n = size * count; /* libcurl's size is 1 */

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
