/* SPDX-License-Identifier: MIT */
/*
 * sign.c - signatures of requests to destinations, and the text form of their secrets
 *
 * Source: Standard Webhooks specification 1.0.0 (standard-webhooks b2fa7b87);
 * Meta's header as read in November 2026.
 * TESTS  tests/unit/test_sign.c
 */
#include "gateway/sign.h"

#include "base/panic.h"

#include <inttypes.h>
#include <string.h>

#define SECRET_PREFIX "whsec_"

void sign_secret_make(struct rnd *r, unsigned char out[SIGN_SECRET_BYTES])
{
	rnd_bytes(r, out, SIGN_SECRET_BYTES);
}

void sign_secret_text(struct str raw, char out[SIGN_SECRET_TEXT_MAX])
{
	ASSERT(raw.len <= SIGN_SECRET_MAX);
	memcpy(out, SECRET_PREFIX, sizeof(SECRET_PREFIX) - 1);
	(void)b64_encode(raw.ptr, raw.len, out + sizeof(SECRET_PREFIX) - 1);
}

gw_status sign_secret_parse(struct str text, unsigned char out[SIGN_SECRET_MAX], size_t *out_len,
			    struct gw_error *err)
{
	unsigned char raw[SIGN_SECRET_TEXT_MAX];
	struct str digits;
	size_t len = 0;

	if (!str_starts(text, STR(SECRET_PREFIX)))
		return gw_error_set(err, GW_EPARSE, "secret: must begin with " SECRET_PREFIX);
	digits = str_slice(text, sizeof(SECRET_PREFIX) - 1, text.len);
	if (digits.len > B64_LEN(SIGN_SECRET_MAX))
		return gw_error_set(err, GW_ELIMIT, "secret: longer than %d bytes",
				    SIGN_SECRET_MAX);
	if (!b64_decode(digits, raw, sizeof(raw), &len))
		return gw_error_set(err, GW_EPARSE, "secret: not base64 behind " SECRET_PREFIX);
	if (len < SIGN_SECRET_MIN || len > SIGN_SECRET_MAX) {
		explicit_bzero(raw, sizeof(raw));
		return gw_error_set(err, GW_ELIMIT, "secret: want %d to %d bytes, this has %zu",
				    SIGN_SECRET_MIN, SIGN_SECRET_MAX, len);
	}
	memcpy(out, raw, len);
	*out_len = len;
	explicit_bzero(raw, sizeof(raw));
	return GW_OK;
}

static size_t put_one(struct mac *mac, const struct str *parts, size_t count, char *out)
{
	unsigned char digest[SHA256_BYTES];

	mac_sign_parts(mac, parts, count, digest);
	memcpy(out, "v1,", 3);
	return 3 + b64_encode(digest, sizeof(digest), out + 3);
}

void sign_standard(struct mac *now, struct mac *previous, struct str id, int64_t timestamp_s,
		   struct str body, char out[SIGN_HEADER_MAX])
{
	char stamp[24];
	int n = snprintf(stamp, sizeof(stamp), ".%" PRId64 ".", timestamp_s);
	const struct str parts[] = { id, { stamp, (size_t)n }, body };
	size_t at = put_one(now, parts, ARRAY_LEN(parts), out);

	if (previous == NULL)
		return;
	out[at++] = ' ';
	(void)put_one(previous, parts, ARRAY_LEN(parts), out + at);
}

void sign_hub(struct mac *app, struct str body, char out[SIGN_HUB_MAX])
{
	unsigned char digest[SHA256_BYTES];

	mac_sign(app, body, digest);
	memcpy(out, "sha256=", 7);
	hex_encode(digest, sizeof(digest), out + 7);
}
