/* SPDX-License-Identifier: MIT */
/*
 * verify.c - signatures of notifications and the GET handshake
 *
 * Meta signs the exact bytes it sends (HMAC-SHA256 with the app secret), with
 * non-ASCII written as \uXXXX; so the check is over the received bytes, never
 * over something parsed and written again.
 */
#include "base/hexb64.h"
#include "base/mac.h"
#include <godwit/webhook.h>

#define PREFIX "sha256="
#define PREFIX_LEN (sizeof(PREFIX) - 1)
#define HEADER_LEN (PREFIX_LEN + 2 * (size_t)SHA256_BYTES)

static bool sign(gw_str body, gw_str app_secret, unsigned char out[SHA256_BYTES])
{
	struct mac *m = mac_new(str_of_gw(app_secret));

	if (m == NULL)
		return false;
	mac_sign(m, str_of_gw(body), out);
	mac_free(m);
	return true;
}

gw_status gw_webhook_verify(gw_str body, gw_str header, gw_str app_secret, struct gw_error *err)
{
	unsigned char given[SHA256_BYTES], ours[SHA256_BYTES];
	struct str text = str_of_gw(header);

	if (app_secret.len == 0)
		return gw_error_set(err, GW_EARG, "the app secret is empty");
	if (text.len == 0)
		return gw_error_set(err, GW_EPARSE, "no X-Hub-Signature-256 header");
	if (text.len != HEADER_LEN || !str_starts(text, STR(PREFIX)) ||
	    !hex_decode(str_slice(text, PREFIX_LEN, text.len), given, sizeof(given)))
		return gw_error_set(err, GW_EPARSE,
				    "X-Hub-Signature-256 is not \"sha256=\" and 64 hex digits");
	if (!sign(body, app_secret, ours))
		return gw_error_set(err, GW_ENOMEM, "no memory for a signature");
	if (!bytes_eq_const_time(given, ours, sizeof(ours)))
		return gw_error_set(err, GW_EAUTH, "the signature does not match the body");
	return GW_OK;
}

void gw_webhook_sign(gw_str body, gw_str app_secret, char out[72])
{
	unsigned char ours[SHA256_BYTES];

	out[0] = '\0';
	if (app_secret.len == 0 || !sign(body, app_secret, ours))
		return;
	memcpy(out, PREFIX, PREFIX_LEN);
	hex_encode(ours, sizeof(ours), out + PREFIX_LEN);
}

bool gw_webhook_handshake(gw_str mode, gw_str verify_token, gw_str expected_token)
{
	unsigned char given[SHA256_BYTES], expected[SHA256_BYTES];

	if (expected_token.len == 0 || !str_eq(str_of_gw(mode), STR("subscribe")))
		return false;
	/* Hashes have one length, so the comparison tells nothing about that either. */
	sha256(str_of_gw(verify_token), given);
	sha256(str_of_gw(expected_token), expected);
	return bytes_eq_const_time(given, expected, sizeof(given));
}
