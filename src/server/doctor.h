/* SPDX-License-Identifier: MIT */
/*
 * doctor.h - what can be found out about one account by asking Meta and its callback
 *
 * The gateway runs it for POST /api/v1/doctor, `godwit doctor` itself when no
 * gateway runs, and `godwit init` before there is one.  A finding says what was
 * seen; what it means and what to do stands in the catalogue of codes and topics.
 *
 * THREADS  The loop's.
 */
#ifndef SERVER_DOCTOR_H
#define SERVER_DOCTOR_H

#include "base/mac.h"
#include "net/egress.h"
#include "net/loop.h"

#define DOCTOR_EVIDENCE_MAX 768
#define DOCTOR_NUMBERS_MAX 64 /* looked at of one account */
#define DOCTOR_WABAS_MAX 16
#define DOCTOR_PROBE \
	"{\"object\":\"godwit_probe\",\"nonce\":\"" /* a signed body that is no event */

#define DOCTOR_AGENT "godwit-doctor" /* User-Agent of its calls to the callback */

/* Is it one?  A doctor asks who holds the app secret; the nonce is the answer. */
bool doctor_is_probe(struct str body, struct str *nonce);

enum doctor_result { DOCTOR_OK, DOCTOR_WARN, DOCTOR_FAIL, DOCTOR_SKIP };
const char *doctor_result_word(enum doctor_result r); /* "ok", "warn", "fail", "skip" */

struct doctor_finding {
	const char *check; /* "token", "number", ... */
	enum doctor_result result;
	const char *number; /* id; NULL: of the account */
	const char *evidence; /* a few words, no period */
	const char *topic; /* of cli/topics.def; NULL: none */
	int code, subcode; /* Meta's; 0: none */
};

struct doctor_number {
	char id[40], display[40], name[128], status[24], quality[16], level[24], verified[24];
	char callback[512]; /* where Meta sends what is not overridden */
	uint32_t limit_mps; /* as configured; 0: not */
	bool is_good; /* its id was found to be one */
};

/* Borrowed until done(). */
struct doctor_account {
	const char *app_id, *base_url, *version, *business_id; /* may be empty, but base_url */
	const struct secret *token, *app_secret, *verify_token;
	const struct doctor_number *numbers; /* id and limit_mps */
	size_t number_count; /* 0: those of the business account */
};

struct doctor_options {
	struct loop *loop;
	const struct egress *egress; /* for the callback */
	const char *ca_file; /* of Graph; NULL: the system's */
	struct doctor_account account;
	const char *only_number; /* NULL: all */
	const char *template, *language; /* NULL: not asked, any */
	const char *public_url; /* without /webhook; NULL or empty: what Meta has */
	bool fix; /* subscribe the app */
	bool only_find; /* token and business account, and no further */
	void (*found)(void *cookie, const struct doctor_finding *f);
	void (*done)(void *cookie);
	void *cookie;
};

/* What was learnt on the way. */
struct doctor_facts {
	char app_id[64], app_name[128], business_id[64];
	char wabas[DOCTOR_WABAS_MAX][64]; /* that the token is for */
	size_t waba_count;
	struct doctor_number numbers[DOCTOR_NUMBERS_MAX]; /* of the business account */
	size_t number_count;
	bool is_token_good, is_waba_good, is_subscribed;
	int64_t skew_ms; /* of our clock against Meta's; INT64_MIN: not known */
};

struct doctor;
/* done() comes later, on the loop, once; doctor_free() then or before. */
GW_NODISCARD gw_status doctor_new(const struct doctor_options *o, struct doctor **out,
				  struct gw_error *err);
void doctor_free(struct doctor *d);
const struct doctor_facts *doctor_facts(const struct doctor *d);

#endif
