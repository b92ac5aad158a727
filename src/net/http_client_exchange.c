/* SPDX-License-Identifier: MIT */
/*
 * http_client_exchange.c - one request: what libcurl is told, and what came of it
 *
 * An exchange owns one easy handle for life.  All that is the same for every
 * request is set once; a start sets the URL, the header list, the size, and
 * what differs from the request before (measured: a reset and a full set-up
 * cost more than the request itself).  The URL is parsed when it is another than before.
 *
 * ONCE        libcurl repeats requests on its own in one case: a reused
 *             connection that closes before an answer.  A body stops it
 *             (body_once.c).  GET and HEAD may be repeated, which is harmless.
 *             Other methods without a body would be repeated too: they get a
 *             fresh connection, and those are never retried.
 * WRITES      A pulled body leaves in a write of its own, after the head.  One
 *             that may be repeated is libcurl's from the start, which puts it
 *             behind the head in one write (up to 64 KiB): on loopback a write
 *             costs as much as all of libcurl's own work for the request.
 * OUTCOME     With a pulled body: NOT_SENT when no byte of it was pulled.
 *             Otherwise: NOT_SENT when not a byte of the head was written.
 * LIMITS      HEAD_MAX bytes of the answer's head.
 * TESTS       tests/unit/test_http_client.c
 */
#include "http_client_int.h"

#include "base/mem.h"

#define HEAD_MAX ((size_t)32 * 1024) /* Graph's have about 3 KiB */
#define ANSWER_CEILING ((size_t)1 << 30) /* the most an answer_max may ask for */
/* Allocated and freed for every request: 64 KiB, the default, costs 3 us in brk(2) and faults. */
#define UPLOAD_BUFFER 16384L
#define ANSWER_KEPT ((size_t)64 * 1024) /* a pooled exchange keeps no more memory than this */

/* ---- callbacks of libcurl ---- */

static size_t on_header(char *line, size_t size, size_t count, void *cookie)
{
	struct http_exchange *x = cookie;
	struct str s = { line, size * count };
	int64_t seconds;

	x->head_bytes += s.len;
	if (x->head_bytes > HEAD_MAX) {
		x->head_too_large = true;
		return 0;
	}
	if (x->on_header != NULL && !x->is_cancelled)
		x->on_header(x->cookie, s);
	if (str_starts(s, STR("HTTP/"))) {
		x->retry_after_s = -1; /* an interim answer came before */
	} else if (s.len > 12 && str_eq_nocase(str_slice(s, 0, 12), STR("Retry-After:"))) {
		if (str_to_i64(str_trim(str_slice(s, 12, s.len)), &seconds) && seconds >= 0)
			x->retry_after_s = seconds;
	}
	return s.len;
}

static size_t on_bytes(char *bytes, size_t size, size_t count, void *cookie)
{
	struct http_exchange *x = cookie;
	size_t n = size * count;

	if (x->is_cancelled)
		return 0;
	if (x->on_chunk != NULL) {
		x->on_chunk(x->cookie, (struct str){ bytes, n });
		return x->is_cancelled ? 0 : n;
	}
	if (n > x->answer_max - x->answer.len) { /* so the buffer's own ceiling is never met */
		x->answer_too_large = true;
		return 0;
	}
	buf_put(&x->answer, bytes, n);
	return buf_failed(&x->answer) ? 0 : n;
}

/* ---- making and setting up ---- */

#define SET(x, option, value)                                                   \
	do {                                                                    \
		CURLcode set_ = curl_easy_setopt((x)->easy, (option), (value)); \
		if (set_ != CURLE_OK)                                           \
			(x)->broken = set_;                                     \
	} while (0)

/* All that is the same for every request of the client. */
static void set_for_life(struct http_exchange *x)
{
	const struct http_client *c = x->client;

	SET(x, CURLOPT_PRIVATE, x);
	SET(x, CURLOPT_ERRORBUFFER, x->error_text);
	SET(x, CURLOPT_NOSIGNAL, 1L);
	SET(x, CURLOPT_QUICK_EXIT, 1L); /* a cancel does not wait for a name look-up */
	SET(x, CURLOPT_PROTOCOLS_STR, "http,https");
	SET(x, CURLOPT_FOLLOWLOCATION, 0L);
	SET(x, CURLOPT_PROXY, ""); /* not even the environment's */
	SET(x, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	SET(x, CURLOPT_TCP_NODELAY, 1L);
	SET(x, CURLOPT_TCP_KEEPALIVE, 1L);
	SET(x, CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BUFFER);
	SET(x, CURLOPT_HTTP_VERSION,
	    (long)(c->http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
	if (c->ca_file != NULL)
		SET(x, CURLOPT_CAINFO, c->ca_file);
	SET(x, CURLOPT_OPENSOCKETFUNCTION, client_open_socket);
	SET(x, CURLOPT_OPENSOCKETDATA, x);
	SET(x, CURLOPT_CLOSESOCKETFUNCTION, client_close_socket);
	SET(x, CURLOPT_CLOSESOCKETDATA, x->client);
	SET(x, CURLOPT_HEADERFUNCTION, on_header);
	SET(x, CURLOPT_HEADERDATA, x);
	SET(x, CURLOPT_WRITEFUNCTION, on_bytes);
	SET(x, CURLOPT_WRITEDATA, x);
	SET(x, CURLOPT_READFUNCTION, body_once_read);
	SET(x, CURLOPT_READDATA, &x->body);
	SET(x, CURLOPT_SEEKFUNCTION, body_once_seek);
	SET(x, CURLOPT_SEEKDATA, &x->body);
}

struct http_exchange *exchange_new(struct http_client *c)
{
	struct http_exchange *x = xcalloc(1, sizeof(*x));

	x->client = c;
	x->easy = curl_easy_init();
	x->url = curl_url();
	if (x->easy == NULL || x->url == NULL)
		PANIC("no memory for a request");
	set_for_life(x);
	return x;
}

void exchange_free(struct http_exchange *x)
{
	curl_easy_cleanup(x->easy);
	curl_url_cleanup(x->url);
	free(x->url_text);
	buf_release(&x->answer);
	free(x->headers);
	free(x);
}

/*
 * Parsed here, and again only when it is another: libcurl would parse it and put it together anew
 * for every request.
 */
static void set_url(struct http_exchange *x, const char *url)
{
	CURLUcode code;

	free(x->url_text);
	x->url_text = NULL;
	(void)curl_url_set(x->url, CURLUPART_URL, NULL, 0); /* or the new one is relative to it */
	code = curl_url_set(x->url, CURLUPART_URL, url,
			    CURLU_GUESS_SCHEME | CURLU_NON_SUPPORT_SCHEME);
	if (code != CURLUE_OK) {
		x->broken = code == CURLUE_OUT_OF_MEMORY ? CURLE_OUT_OF_MEMORY
							 : CURLE_URL_MALFORMAT;
		return;
	}
	SET(x, CURLOPT_URL, url); /* for what libcurl says about it */
	SET(x, CURLOPT_CURLU, x->url);
	if (x->broken == CURLE_OK)
		x->url_text = xstrdup(url);
}

static bool has_header(const struct http_request *r, struct str name)
{
	for (size_t i = 0; i < r->header_count; i++) {
		struct str line = str_from(r->headers[i]);

		if (line.len > name.len && line.ptr[name.len] == ':' &&
		    str_eq_nocase(str_slice(line, 0, name.len), name))
			return true;
	}
	return false;
}

/*
 * The list libcurl walks: the caller's lines, and what keeps libcurl from
 * adding its own.  "Expect" would cost a round trip on bodies over 1 MiB; a
 * default Content-Type would claim a form.
 */
static void set_headers(struct http_exchange *x, const struct http_request *r)
{
	const char *lines[2] = { "Expect:", "Content-Type:" };
	size_t own = has_header(r, STR("Content-Type")) ? 1 : 2;
	size_t count = r->header_count + own, size = count * sizeof(struct curl_slist);
	char *at;

	for (size_t i = 0; i < count; i++)
		size += strlen(i < own ? lines[i] : r->headers[i - own]) + 1;
	free(x->headers);
	x->headers = xmalloc(size);
	at = (char *)(x->headers + count);
	for (size_t i = 0; i < count; i++) {
		const char *line = i < own ? lines[i] : r->headers[i - own];
		size_t len = strlen(line) + 1;

		memcpy(at, line, len);
		x->headers[i].data = at;
		x->headers[i].next = i + 1 < count ? &x->headers[i + 1] : NULL;
		at += len;
	}
	SET(x, CURLOPT_HTTPHEADER, x->headers);
}

static void set_body(struct http_exchange *x, const struct http_request *r, bool has_body)
{
	bool is_file = r->body_file_len > 0;

	x->is_pulled = !(has_body && !is_file && r->may_repeat && strcmp(r->method, "POST") == 0);
	x->body_len = !has_body ? 0 : is_file ? r->body_file_len : r->body.len;
	if (has_body && is_file)
		body_once_set_file(&x->body, r->body_fd, r->body_file_len);
	else
		body_once_set(&x->body, has_body && x->is_pulled ? r->body : STR_EMPTY);
}

static void set_method(struct http_exchange *x, const struct http_request *r, bool has_body)
{
	struct str method = str_from(r->method);
	enum exchange_form form = FORM_OTHER;

	if (str_eq(method, STR("GET")))
		form = FORM_GET;
	else if (str_eq(method, STR("HEAD")))
		form = FORM_HEAD;
	else if (str_eq(method, STR("POST")))
		form = FORM_POST;
	if (!x->is_pulled || x->has_fields) { /* first: it makes the request a POST */
		SET(x, CURLOPT_POSTFIELDS, x->is_pulled ? NULL : r->body.ptr);
		x->has_fields = !x->is_pulled;
	}
	if (form != x->form || form == FORM_OTHER) {
		SET(x, CURLOPT_NOBODY, form == FORM_HEAD ? 1L : 0L);
		if (form == FORM_POST || (form == FORM_OTHER && has_body))
			SET(x, CURLOPT_POST, 1L);
		else if (form != FORM_HEAD)
			SET(x, CURLOPT_HTTPGET, 1L);
		SET(x, CURLOPT_CUSTOMREQUEST, form == FORM_OTHER ? r->method : NULL);
		x->form = form;
	}
	if (form == FORM_POST || has_body)
		SET(x, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)(has_body ? x->body_len : 0));
}

void exchange_set_up(struct http_exchange *x, const struct http_request *r)
{
	bool is_plain = strcmp(r->method, "GET") == 0 || strcmp(r->method, "HEAD") == 0;
	bool has_body = !is_plain && (r->body.len > 0 || r->body_file_len > 0);
	long fresh = !is_plain && !has_body; /* ONCE, above */

	x->broken = CURLE_OK;
	x->on_chunk = r->on_chunk;
	x->on_header = r->on_header;
	set_body(x, r, has_body);
	ASSERT(r->answer_max <= ANSWER_CEILING);
	x->answer_max = r->answer_max;
	if (x->answer.data == NULL)
		buf_init(&x->answer, ANSWER_CEILING);
	x->head_bytes = 0;
	x->answer_too_large = x->head_too_large = x->is_cancelled = false;
	x->addresses_tried = x->addresses_refused = 0;
	x->retry_after_s = -1;
	x->error_text[0] = '\0';
	if (x->url_text == NULL || strcmp(x->url_text, r->url) != 0)
		set_url(x, r->url);
	if (r->unix_path != NULL || x->has_unix_path) {
		SET(x, CURLOPT_UNIX_SOCKET_PATH, r->unix_path);
		x->has_unix_path = r->unix_path != NULL;
	}
	/*
	 * Rather share a connection than open another; but whether one can be
	 * shared is known from the handshake only with TLS.  Without it every
	 * request would wait for the first answer, which may never come.
	 */
	SET(x, CURLOPT_PIPEWAIT,
	    x->client->http2 && str_starts(str_from(r->url), STR("https:")) ? 1L : 0L);
	set_headers(x, r);
	set_method(x, r, has_body);
	if (x->timeout_ms != (long)r->timeout_ms) {
		x->timeout_ms = (long)r->timeout_ms;
		SET(x, CURLOPT_TIMEOUT_MS, x->timeout_ms);
	}
	if (x->connect_timeout_ms != (long)r->connect_timeout_ms) {
		x->connect_timeout_ms = (long)r->connect_timeout_ms;
		SET(x, CURLOPT_CONNECTTIMEOUT_MS, x->connect_timeout_ms);
	}
	if (x->is_fresh != fresh) {
		x->is_fresh = fresh;
		SET(x, CURLOPT_FRESH_CONNECT, fresh);
	}
}

void exchange_clean(struct http_exchange *x)
{
	if (x->answer.cap > ANSWER_KEPT)
		buf_release(&x->answer);
	else
		buf_reset(&x->answer);
	x->state = EXCHANGE_IDLE;
}

/* ---- the outcome ---- */

static enum http_end how_it_ended(const struct http_exchange *x, CURLcode code)
{
	bool was_sent = x->body.was_pulled;
	long head = 0;

	if (code == CURLE_OK)
		return HTTP_END_ANSWERED;
	if (x->body_len == 0 || !x->is_pulled) {
		(void)curl_easy_getinfo(x->easy, CURLINFO_REQUEST_SIZE, &head);
		was_sent = head > 0;
	}
	if (was_sent)
		return HTTP_END_LOST; /* whatever a second connection met */
	if (x->addresses_refused > 0 && x->addresses_refused == x->addresses_tried)
		return HTTP_END_REFUSED;
	return HTTP_END_NOT_SENT;
}

static void describe(const struct http_exchange *x, CURLcode code, struct http_outcome *out)
{
	const char *text = x->error_text[0] != '\0' ? x->error_text : curl_easy_strerror(code);
	struct gw_error *err = &out->error;

	if (out->end == HTTP_END_REFUSED)
		(void)gw_error_set(err, GW_ENET,
				   "the address is not allowed: %s (egress.allow can permit it)",
				   x->refusal);
	else if (x->answer_too_large)
		(void)gw_error_set(err, GW_ELIMIT, "the answer is larger than %zu bytes",
				   x->answer_max);
	else if (x->head_too_large)
		(void)gw_error_set(err, GW_ELIMIT,
				   "the head of the answer is larger than %zu bytes", HEAD_MAX);
	else if (code == CURLE_SEND_FAIL_REWIND)
		(void)gw_error_set(err, GW_ENET, "the connection closed before an answer came");
	else if (code == CURLE_OPERATION_TIMEDOUT)
		(void)gw_error_set(err, GW_ETIMEOUT, "%s", text);
	else if (code == CURLE_OUT_OF_MEMORY)
		(void)gw_error_set(err, GW_ENOMEM, "%s", text);
	else
		(void)gw_error_set(err, GW_ENET, "%s", text);
	err->http_status = out->status;
	err->retry = out->end == HTTP_END_NOT_SENT ? GW_RETRY_NOW
		     : out->end == HTTP_END_LOST   ? GW_RETRY_UNKNOWN
						   : GW_RETRY_NEVER;
}

void exchange_outcome(const struct http_exchange *x, CURLcode code, struct http_outcome *out)
{
	curl_off_t connect_us = 0, tls_us = 0;
	const char *type = NULL;
	long status = 0, connects = 0;

	memset(out, 0, sizeof(*out));
	(void)curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
	(void)curl_easy_getinfo(x->easy, CURLINFO_NUM_CONNECTS, &connects);
	if (connects > 0) {
		(void)curl_easy_getinfo(x->easy, CURLINFO_CONNECT_TIME_T, &connect_us);
		(void)curl_easy_getinfo(x->easy, CURLINFO_APPCONNECT_TIME_T, &tls_us);
	}
	(void)curl_easy_getinfo(x->easy, CURLINFO_CONTENT_TYPE, &type);
	out->end = how_it_ended(x, code);
	out->status = (int)status;
	out->answer = buf_str(&x->answer);
	out->content_type = str_from(type);
	out->retry_after_s = x->retry_after_s;
	out->timed_out = code == CURLE_OPERATION_TIMEDOUT;
	out->connect_ms = (tls_us > connect_us ? tls_us : connect_us) / 1000;
	out->total_ms = (clock_real_ns() - x->started_ns) / NS_PER_MS;
	if (code != CURLE_OK)
		describe(x, code, out);
}
