/* SPDX-License-Identifier: MIT */
/*
 * token.c - our mark in biz_opaque_callback_data: made, and told from all others
 *
 *   w1.01JD8K3V9Q7TM2XXXXXXXXXXXX.3.9f2c11aa
 *   ^  message id (base32, 26)    ^ first 4 bytes of the MAC over all before the last dot
 *                                 try
 *
 * Four bytes are enough: a forger must guess for one message id that he does
 * not know, through a webhook signed by Meta, and gains a wrong state of one
 * message.  Reading demands the exact spelling we write (no leading zero, upper
 * case ids, lower case MAC), so that two texts are never the same token.
 * TESTS  tests/unit/test_token.c
 */
#include "gateway/token.h"

#include "base/hexb64.h"
#include "base/panic.h"

#include <inttypes.h>

#define MARK "w1."
#define ID_CHARS 26 /* base32 of 16 bytes */
#define MAC_BYTES 4

void token_make(const struct token_maker *t, const struct id *message, uint32_t try_,
		char out[TOKEN_MAX])
{
	unsigned char mac[SHA256_BYTES];
	char id[ID_CHARS + 1], hex[2 * MAC_BYTES + 1];
	int n;

	(void)base32_encode(message->bytes, ID_BYTES, id);
	n = snprintf(out, TOKEN_MAX, MARK "%s.%" PRIu32, id, try_);
	mac_sign(t->mac, str_make(out, (size_t)n), mac);
	hex_encode(mac, MAC_BYTES, hex);
	n += snprintf(out + n, TOKEN_MAX - (size_t)n, ".%s", hex);
	ASSERT(n > 0 && n < TOKEN_MAX);
}

bool token_read(const struct token_reader *t, struct str text, struct id *out_message,
		uint32_t *out_try)
{
	struct token_maker maker = { .mac = t->mac };
	struct str rest, id, number, mac;
	char again[TOKEN_MAX];
	struct id message;
	uint32_t try_;

	if (text.len >= TOKEN_MAX || !str_starts(text, STR(MARK)))
		return false;
	rest = str_slice(text, sizeof(MARK) - 1, text.len);
	if (!str_split(&rest, '.', &id) || !str_split(&rest, '.', &number) ||
	    !str_split(&rest, '.', &mac) || rest.ptr != NULL || id.len != ID_CHARS ||
	    !base32_decode(id, message.bytes, ID_BYTES) || !str_to_u32(number, &try_))
		return false;
	/* Made anew and compared whole: the MAC and the spelling at once. */
	token_make(&maker, &message, try_, again);
	if (strlen(again) != text.len || !bytes_eq_const_time(again, text.ptr, text.len))
		return false;
	*out_message = message;
	*out_try = try_;
	return true;
}
