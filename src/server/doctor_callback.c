/* SPDX-License-Identifier: MIT */
/*
 * doctor_callback.c - the callback as Meta meets it
 *
 * ROLE        The handshake, a wrong signature, and a right one over a body that is
 *             no event (DOCTOR_PROBE), which a Godwit answers with its nonce and
 *             does not store.  Addresses are checked by the egress guard: what is
 *             private to us cannot be reached by Meta.
 * THREADS     The loop's.
 * TESTS       tests/system/test_doctor.py
 */
#include "server/doctor_int.h"

#include "base/hexb64.h"
#include "base/panic.h"
#include "base/rnd.h"

#define SLOW_MS 1000 /* cloud-api.md 5.1: under 1 % above one second */
#define CHECK "callback"
#define AGENT "User-Agent: " DOCTOR_AGENT

bool doctor_is_probe(struct str body, struct str *nonce)
{
	const size_t prefix = sizeof(DOCTOR_PROBE) - 1;

	if (!str_starts(body, STR(DOCTOR_PROBE)) || !str_ends(body, STR("\"}")) ||
	    body.len < prefix + 2 || body.len > prefix + 64)
		return false;
	*nonce = str_slice(body, prefix, body.len - 2);
	return true;
}

static void stop(struct doctor *d, enum doctor_result r, const char *topic, const char *what)
{
	doctor_tell(d, r, CHECK, NULL, topic, "%s: %s", d->url, what);
	doctor_next(d);
}

static void finish(struct doctor *d, bool is_godwit)
{
	const char *at_meta = d->number_count > 0 ? d->numbers[0].callback : "";
	const char *more = is_godwit ? "" : "; not a Godwit: it did not return the nonce";

	if (at_meta[0] != '\0' && strcmp(at_meta, d->url) != 0) {
		doctor_tell(d, DOCTOR_FAIL, CHECK, NULL, "callback-elsewhere",
			    "%s works, but Meta calls %s", d->url, at_meta);
	} else if (d->handshake_ms > SLOW_MS) {
		doctor_tell(d, DOCTOR_WARN, CHECK, NULL, "callback-slow",
			    "%s took %lld ms to answer", d->url, (long long)d->handshake_ms);
	} else {
		doctor_tell(d, is_godwit ? DOCTOR_OK : DOCTOR_WARN, CHECK, NULL,
			    is_godwit ? NULL : "callback-foreign",
			    "%s echoed the challenge in %lld ms, refused a wrong signature, took "
			    "a right one%s",
			    d->url, (long long)d->handshake_ms, more);
	}
	doctor_next(d);
}

static void on_right(struct doctor *d)
{
	char text[96];

	if (d->reply.end != HTTP_END_ANSWERED) {
		stop(d, DOCTOR_FAIL, "callback-unreachable", d->reply.text);
		return;
	}
	if (d->reply.status < 200 || d->reply.status > 299) {
		(void)snprintf(text, sizeof(text), "HTTP %d to a body with the right signature",
			       d->reply.status);
		stop(d, DOCTOR_FAIL, "callback-signature", text);
		return;
	}
	finish(d, str_eq(str_trim(d->reply.body), str_from(d->nonce)));
}

static void post_probe(struct doctor *d, bool right, void (*then)(struct doctor *d))
{
	const struct secret *s = d->o.account.app_secret;
	struct mac *mac = mac_new(right ? str_make((const char *)s->bytes, s->len)
					: STR("not the app secret"));
	unsigned char raw[SHA256_BYTES];
	char body[128], hex[2 * SHA256_BYTES + 1], line[128];
	const char *headers[3];

	ASSERT(mac != NULL);
	(void)snprintf(body, sizeof(body), DOCTOR_PROBE "%s\"}", d->nonce);
	mac_sign(mac, str_from(body), raw);
	mac_free(mac);
	hex_encode(raw, sizeof(raw), hex);
	(void)snprintf(line, sizeof(line), "X-Hub-Signature-256: sha256=%s", hex);
	headers[0] = line;
	headers[1] = "Content-Type: application/json";
	headers[2] = AGENT;
	(void)snprintf(d->right, sizeof(d->right), "%s", body); /* lives until the outcome */
	doctor_call(d,
		    &(struct http_request){ .method = "POST",
					    .url = d->url,
					    .headers = headers,
					    .header_count = 3,
					    .body = str_from(d->right) },
		    true, then);
}

static void on_wrong(struct doctor *d)
{
	char text[96];

	if (d->reply.end != HTTP_END_ANSWERED) {
		stop(d, DOCTOR_FAIL, "callback-unreachable", d->reply.text);
		return;
	}
	if (d->reply.status < 400 || d->reply.status > 499) {
		(void)snprintf(text, sizeof(text), "HTTP %d to a body with a wrong signature",
			       d->reply.status);
		stop(d, DOCTOR_FAIL,
		     d->reply.status < 300 ? "callback-unsigned" : "callback-unreachable", text);
		return;
	}
	post_probe(d, true, on_right);
}

static void on_handshake(struct doctor *d)
{
	const struct doctor_reply *r = &d->reply;
	char text[160];
	size_t at;

	if (r->end == HTTP_END_REFUSED) {
		stop(d, DOCTOR_FAIL, "callback-private", r->text);
		return;
	}
	if (r->end != HTTP_END_ANSWERED) {
		stop(d, DOCTOR_FAIL, "callback-unreachable", r->text);
		return;
	}
	d->handshake_ms = r->ms;
	if (r->status != 200) {
		(void)snprintf(text, sizeof(text), "HTTP %d to the handshake", r->status);
		stop(d, DOCTOR_FAIL, "callback-refused", text);
	} else if (!str_eq(r->body, str_from(d->nonce))) {
		(void)snprintf(text, sizeof(text), "the challenge %s comes back as %.*s", d->nonce,
			       STR_ARG(str_slice(r->body, 0, 60)));
		stop(d, DOCTOR_FAIL,
		     str_find(r->body, str_from(d->nonce), &at) ? "callback-json"
								: "callback-refused",
		     text);
	} else {
		post_probe(d, false, on_wrong);
	}
}

/* What is tested: the public URL, else what Meta calls; false: neither is known. */
static bool choose_url(struct doctor *d)
{
	struct str url = STR_EMPTY;

	if (d->o.public_url != NULL)
		url = str_from(d->o.public_url);
	while (str_ends(url, STR("/")))
		url.len--;
	if (url.len > 0)
		return snprintf(d->url, sizeof(d->url), "%.*s%s", STR_ARG(url),
				str_ends(url, STR("/webhook")) ? "" : "/webhook") <
		       (int)sizeof(d->url);
	if (d->number_count == 0 || d->numbers[0].callback[0] == '\0')
		return false;
	return str_copy(str_from(d->numbers[0].callback), d->url, sizeof(d->url));
}

static void shake_hands(struct doctor *d)
{
	const struct secret *v = d->o.account.verify_token;
	struct str token = str_make((const char *)v->bytes, v->len);
	unsigned char raw[8];
	const char *agent = AGENT;
	struct rnd rnd;
	struct buf url;

	rnd_init_system(&rnd);
	rnd_bytes(&rnd, raw, sizeof(raw));
	(void)snprintf(d->nonce, sizeof(d->nonce), "1");
	for (size_t i = 0; i < sizeof(raw); i++)
		(void)snprintf(d->nonce + 1 + 2 * i, 3, "%02u", raw[i] % 100U);
	buf_init(&url, 8192);
	buf_put_fmt(&url, "%s?hub.mode=subscribe&hub.challenge=%s&hub.verify_token=", d->url,
		    d->nonce);
	doctor_put_escaped(&url, token);
	doctor_call(
		d,
		&(struct http_request){
			.method = "GET", .url = url.data, .headers = &agent, .header_count = 1 },
		true, on_handshake);
	buf_wipe(&url);
}

void doctor_callback(struct doctor *d)
{
	struct gw_error err = GW_ERROR_INIT;

	if (!choose_url(d)) {
		doctor_tell(d, DOCTOR_SKIP, CHECK, NULL, NULL,
			    "no public URL is known: public.url, or --public-url");
		doctor_next(d);
		return;
	}
	if (egress_check_url(str_from(d->url), false, &err) != GW_OK) {
		stop(d, DOCTOR_FAIL, "callback-unreachable", err.message);
		return;
	}
	if (d->o.account.verify_token->len == 0) {
		stop(d, DOCTOR_FAIL, "callback-refused", "there is no verify_token_file");
		return;
	}
	shake_hands(d);
}
