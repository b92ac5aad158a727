/* SPDX-License-Identifier: MIT */
/*
 * fuzz_signature.c - any header, body and secret through the signature check
 *
 * The input is a line each of header and secret, and the rest is the body.
 *
 * INVARIANTS  1. What we sign we accept; with another body, secret or header
 *                it is refused.
 *             2. A header that is not "sha256=" and 64 digits is malformed, a
 *                well-formed one is right or wrong, never anything else.
 *             3. The handshake is granted for "subscribe" and the very token.
 */
#include "fuzz.h"

#include "base/hexb64.h"
#include "base/panic.h"
#include "base/str.h"
#include <godwit/godwit.h>

static bool well_formed(gw_str header)
{
	unsigned char digest[32];
	struct str text = str_of_gw(header);

	return str_starts(text, STR("sha256=")) &&
	       hex_decode(str_slice(text, 7, text.len), digest, sizeof(digest));
}

/* inv. 1 */
static void check_signed(gw_str body, gw_str secret)
{
	char ours[72];

	gw_webhook_sign(body, secret, ours);
	if (secret.len == 0) {
		ASSERT(ours[0] == '\0');
		ASSERT(gw_webhook_verify(body, gw_str_from("sha256=0"), secret, NULL) == GW_EARG);
		return;
	}
	ASSERT(strlen(ours) == 71);
	ASSERT(gw_webhook_verify(body, gw_str_from(ours), secret, NULL) == GW_OK);
	if (body.len > 0)
		ASSERT(gw_webhook_verify((gw_str){ body.ptr, body.len - 1 }, gw_str_from(ours),
					 secret, NULL) == GW_EAUTH);
	ours[70] = ours[70] == '0' ? '1' : '0';
	ASSERT(gw_webhook_verify(body, gw_str_from(ours), secret, NULL) == GW_EAUTH);
	ours[70] = '\0';
	ASSERT(gw_webhook_verify(body, gw_str_from(ours), secret, NULL) == GW_EPARSE);
}

void fuzz_one(const uint8_t *data, size_t size)
{
	struct str rest = { (const char *)data, size }, header = STR_EMPTY, secret = STR_EMPTY;
	struct gw_error err = GW_ERROR_INIT;
	gw_status st;

	(void)str_split(&rest, '\n', &header); /* false: empty, which is a case too */
	(void)str_split(&rest, '\n', &secret);
	check_signed(str_to_gw(rest), str_to_gw(secret));
	st = gw_webhook_verify(str_to_gw(rest), str_to_gw(header), str_to_gw(secret), &err);
	ASSERT(err.status == st && (st == GW_OK) == (err.message[0] == '\0'));
	if (secret.len == 0) /* inv. 2 */
		ASSERT(st == GW_EARG);
	else if (well_formed(str_to_gw(header)))
		ASSERT(st == GW_OK || st == GW_EAUTH);
	else
		ASSERT(st == GW_EPARSE);
	ASSERT(gw_webhook_handshake(gw_str_from("subscribe"), str_to_gw(secret),
				    str_to_gw(secret)) == (secret.len > 0)); /* inv. 3 */
	ASSERT(gw_webhook_handshake(str_to_gw(header), str_to_gw(rest), str_to_gw(secret)) ==
	       (str_eq(header, STR("subscribe")) && str_eq(rest, secret) && secret.len > 0));
}
