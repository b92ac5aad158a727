/* SPDX-License-Identifier: MIT */
/*
 * page.c - `/`: one plain page with the live events, until the dashboard exists
 *
 * live.html beside this file, embedded by the build.  Nothing from elsewhere, no
 * inline event handlers; every value is written as text.  The page reads
 * /api/v1/stream with the key of its own address.
 *
 * THREADS  The loop's.
 * TESTS    tests/system/test_stream.py
 */
#include "base/panic.h"
#include "server/api.h"

extern const char page_live[];
extern const size_t page_live_len;

void api_page(struct api_request *r)
{
	static const struct http_header_out headers[] = {
		{ "Content-Security-Policy",
		  "default-src 'none'; script-src 'nonce-godwit'; style-src 'nonce-godwit'; "
		  "connect-src 'self'; base-uri 'none'; frame-ancestors 'none'" },
		{ "Referrer-Policy", "no-referrer" },
		{ "X-Content-Type-Options", "nosniff" },
		{ "Cache-Control", "no-store" },
	};

	http_reply(r->call, 200, "text/html; charset=utf-8", str_make(page_live, page_live_len),
		   headers, ARRAY_LEN(headers));
}
