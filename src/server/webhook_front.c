/* SPDX-License-Identifier: MIT */
/*
 * webhook_front.c - /webhook: the handshake and the notifications (W1, W2)
 *
 * ROLE        Between Meta and the inbox.  Verifies over the raw bytes before
 *             anything else looks at them; parses on this thread so that the
 *             loop does not have to.  The answer follows the commit (inbox.c).
 * INVARIANTS  1. Nothing unsigned goes past this file, is stored, or is echoed.
 *             2. The secrets are a snapshot: made by the loop, published with
 *                one atomic pointer, used by this thread only, and freed when
 *                the front is (they change a few times in a process's life).
 * FAILURE     Wrong signature 401 with an empty body (counted, not logged each);
 *             stuck store 503, decided before the body is read.
 * THREADS     See webhook_front.h.
 * TESTS       tests/system/test_inbound*.py, tests/system/test_abuse.py
 */
#include "server/webhook_front.h"
#include "base/hexb64.h"
#include "base/mem.h"
#include "base/panic.h"
#include "server/doctor.h"
#include <godwit/webhook.h>

#define SIGNATURE_PREFIX "sha256="

/* One account's keyed contexts; [1] is the secret before the last rotation. */
struct verifier {
	char name[64];
	struct mac *mac[2];
	uint64_t key[2]; /* names the secret: wayback_mark.key */
	struct secret verify_token;
};

struct snapshot {
	struct snapshot *older;
	size_t count;
	struct verifier of[ACCOUNTS_MAX];
};

struct webhook_front {
	struct server *server;
	_Atomic(struct snapshot *) now; /* inv. 2 */
	struct token_reader token;
};

struct put_mail {
	struct mail mail;
	struct server *server;
	struct inbox_item *item;
};

static struct mac *mac_of(const struct secret *s, uint64_t *out_key)
{
	unsigned char name[SHA256_BYTES];
	struct mac *m;

	if (s->len == 0)
		return NULL;
	m = mac_new(str_make((const char *)s->bytes, s->len));
	ASSERT(m != NULL);
	mac_sign(m, STR("the name of this secret"), name);
	memcpy(out_key, name, sizeof(*out_key));
	*out_key |= 1; /* 0: none */
	return m;
}

struct webhook_front *webhook_front_new(struct server *s)
{
	struct webhook_front *f = xcalloc(1, sizeof(*f));

	f->server = s;
	f->token.mac = mac_new(str_make((const char *)store_token_key(s->store), SHA256_BYTES));
	ASSERT(f->token.mac != NULL);
	webhook_front_secrets(f);
	return f;
}

void webhook_front_secrets(struct webhook_front *f)
{
	struct account_secrets *from = account_secrets_copy(f->server->accounts);
	struct snapshot *snap = xcalloc(1, sizeof(*snap));

	for (size_t i = 0; i < from->count; i++) {
		struct verifier *v = &snap->of[snap->count++];

		(void)str_copy(str_from(from->of[i].name), v->name, sizeof(v->name));
		v->mac[0] = mac_of(&from->of[i].app_secret, &v->key[0]);
		v->mac[1] = mac_of(&from->of[i].previous, &v->key[1]);
		v->verify_token = from->of[i].verify_token;
	}
	account_secrets_free(from);
	snap->older = f->now;
	f->now = snap;
}

void webhook_front_free(struct webhook_front *f)
{
	struct snapshot *older;

	if (f == NULL)
		return;
	for (struct snapshot *s = f->now; s != NULL; s = older) {
		older = s->older;
		for (size_t i = 0; i < s->count; i++) {
			mac_free(s->of[i].mac[0]);
			mac_free(s->of[i].mac[1]);
			secret_release(&s->of[i].verify_token);
		}
		free(s);
	}
	mac_free(f->token.mac);
	free(f);
}

bool webhook_is_path(struct str path)
{
	return str_eq(path, STR("/webhook")) || str_starts(path, STR("/webhook/"));
}

/* The account of "/webhook/NAME"; empty: any. */
static struct str wanted_account(const struct http_call *call)
{
	struct str path = http_path(call);
	size_t prefix = sizeof("/webhook/") - 1;

	return path.len > prefix ? str_slice(path, prefix, path.len) : STR_EMPTY;
}

static void count(struct webhook_front *f, enum metric_result result)
{
	metrics_add(f->server->metrics, M_WEBHOOKS, result, 0, 1);
}

static bool is_doctors(const struct http_call *call)
{
	struct str agent;

	return http_header(call, "User-Agent", &agent) && str_eq(agent, STR(DOCTOR_AGENT));
}

/* Anybody may claim to be the doctor; it only means that the call is not noted. */
static void note(struct webhook_front *f, const struct http_call *call, _Atomic int64_t *when)
{
	if (!is_doctors(call))
		*when = clock_wall_ms(&f->server->clock);
}

size_t webhook_on_head(struct webhook_front *f, struct http_call *call)
{
	struct server *s = f->server;

	if (str_eq(http_method(call), STR("POST")) && inbox_is_stuck(s->store, s->disk_min)) {
		count(f, RESULT_BUSY);
		s->wayback.refused++;
		http_reply_retry(call, 5); /* Meta will deliver again */
		return 0;
	}
	return (size_t)s->cfg->webhook_body_max;
}

static void handshake(struct webhook_front *f, struct http_call *call)
{
	const struct snapshot *snap = f->now;
	struct str mode, token, challenge, name = wanted_account(call);

	if (!http_query(call, "hub.mode", &mode) || !http_query(call, "hub.verify_token", &token) ||
	    !http_query(call, "hub.challenge", &challenge)) {
		http_reply_empty(call, 403);
		return;
	}
	for (size_t i = 0; i < snap->count; i++) {
		const struct verifier *v = &snap->of[i];
		gw_str expected = { (const char *)v->verify_token.bytes, v->verify_token.len };

		if (name.len > 0 && !str_eq(str_from(v->name), name))
			continue;
		if (expected.len > 0 &&
		    gw_webhook_handshake(str_to_gw(mode), str_to_gw(token), expected)) {
			count(f, RESULT_HANDSHAKE);
			note(f, call, &f->server->heard.shaken_ms);
			http_reply(call, 200, "text/plain", challenge, NULL, 0);
			return;
		}
	}
	note(f, call, &f->server->heard.unshaken_ms);
	log_warn(&f->server->log, "webhook: handshake refused peer=%.*s", STR_ARG(http_peer(call)));
	http_reply_empty(call, 403);
}

/* Whose secret signed it, and which; NULL: nobody's. */
static const struct verifier *verify(const struct snapshot *snap, struct str header,
				     struct str body, struct str name, uint64_t *out_key)
{
	unsigned char got[SHA256_BYTES], want[SHA256_BYTES];
	struct str digits;

	if (!str_starts(header, STR(SIGNATURE_PREFIX)))
		return NULL;
	digits = str_slice(header, sizeof(SIGNATURE_PREFIX) - 1, header.len);
	if (!hex_decode(digits, got, sizeof(got)))
		return NULL;
	for (size_t i = 0; i < snap->count; i++) {
		const struct verifier *v = &snap->of[i];

		if (name.len > 0 && !str_eq(str_from(v->name), name))
			continue;
		for (size_t k = 0; k < ARRAY_LEN(v->mac); k++) {
			if (v->mac[k] == NULL)
				continue;
			mac_sign(v->mac[k], body, want);
			if (!bytes_eq_const_time(got, want, sizeof(want)))
				continue;
			*out_key = v->key[k];
			return v;
		}
	}
	return NULL;
}

static void on_put(struct mail *mail)
{
	struct put_mail *m = CONTAINER_OF(mail, struct put_mail, mail);

	inbox_put(m->server->inbox, m->item);
	free(m);
}

static void notification(struct webhook_front *f, struct http_call *call)
{
	struct server *s = f->server;
	struct str header = STR_EMPTY, nonce;
	const struct verifier *v = NULL;
	struct wayback_mark mark = { .unverified = s->wayback.unverified };
	struct put_mail *m;

	if (http_header_count(call, "X-Hub-Signature-256") == 1 &&
	    http_header(call, "X-Hub-Signature-256", &header))
		v = verify(f->now, header, http_body(call), wanted_account(call), &mark.key);
	if (v == NULL) { /* an attack or a wrong secret; inv. 1 */
		count(f, RESULT_SIGNATURE);
		if (header.len > 0)
			note(f, call, &s->heard.unsigned_ms);
		s->wayback.unverified++;
		http_reply_empty(call, 401);
		return;
	}
	if (doctor_is_probe(http_body(call), &nonce)) {
		http_reply(call, 200, "text/plain", nonce, NULL, 0);
		return;
	}
	note(f, call, &s->heard.signed_ms);
	m = xcalloc(1, sizeof(*m));
	m->mail.deliver = on_put;
	m->server = s;
	m->item = inbox_item_new(http_take_body(call),
				 &(struct inbox_source){ .signature = header,
							 .account = str_from(v->name),
							 .received_ms = clock_wall_ms(&s->clock),
							 .call = call,
							 .token = &f->token,
							 .mark = mark });
	mailbox_post(s->mail, &m->mail);
}

void webhook_on_unheard(struct webhook_front *f, const struct http_call *call,
			enum http_unheard why)
{
	struct server *s = f->server;

	if (call != NULL &&
	    !(webhook_is_path(http_path(call)) && str_eq(http_method(call), STR("POST"))))
		return;
	switch (why) {
	case HTTP_UNHEARD_FULL: s->wayback.refused++; break;
	case HTTP_UNHEARD_PARTIAL:
		count(f, RESULT_PARTIAL);
		s->wayback.partial++;
		break;
	case HTTP_UNHEARD_LARGE:
		count(f, RESULT_TOO_LARGE);
		if (s->cfg->webhook_body_max < WAYBACK_META_BODY_MAX)
			s->wayback.refused++; /* else it was not Meta's */
		break;
	}
}

void webhook_on_request(struct webhook_front *f, struct http_call *call)
{
	if (str_eq(http_method(call), STR("GET")))
		handshake(f, call);
	else if (str_eq(http_method(call), STR("POST")))
		notification(f, call);
	else
		http_reply(call, 405, NULL, STR_EMPTY,
			   &(struct http_header_out){ "Allow", "GET, POST" }, 1);
}
