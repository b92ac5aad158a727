/* SPDX-License-Identifier: MIT */
/*
 * token.h - our mark in biz_opaque_callback_data
 *
 *   "w1." 26 base32 chars of the message id "." try in decimal "." 8 hex digits
 *
 * The last part is the start of HMAC-SHA256(store key, all before it), so
 * that foreign tokens are ignored.  About 45 characters; Meta allows 512.
 */
#ifndef GATEWAY_TOKEN_H
#define GATEWAY_TOKEN_H

#include "base/id.h"
#include "base/mac.h"

#define TOKEN_MAX 64 /* bytes with the NUL */

/* One per thread: the MAC context is not shared. */
struct token_maker {
	struct mac *mac;
};
struct token_reader {
	struct mac *mac;
};

void token_make(const struct token_maker *t, const struct id *message, uint32_t try_,
		char out[TOKEN_MAX]);
/* False for anything that is not a token of this store. */
bool token_read(const struct token_reader *t, struct str text, struct id *out_message,
		uint32_t *out_try);

#endif
