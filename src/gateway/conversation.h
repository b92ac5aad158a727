/* SPDX-License-Identifier: MIT */
/*
 * conversation.h - who is who: canonical recipients, number variants, windows
 *
 * National variants of one number (Brazil's ninth digit, Mexico's 1,
 * Argentina's 9) are one contact; what is sent is never rewritten.
 */
#ifndef GATEWAY_CONVERSATION_H
#define GATEWAY_CONVERSATION_H

#include "base/str.h"

#define RECIPIENT_MAX 160 /* a user id or digits */
#define VARIANTS_MAX 3

/*
 * The key that orders messages to one recipient, of what a body's `to` (or
 * `recipient`) says: digits without + - ( ) and blanks, variants folded to one
 * of them; user ids and group ids as they are.  Returns its length, 0 when
 * there is none.
 */
size_t recipient_canonical(struct str to, char out[RECIPIENT_MAX]);
/* Other spellings of a telephone number (digits); the number itself not among them. */
size_t number_variants(struct str digits, char out[VARIANTS_MAX][RECIPIENT_MAX]);

#define WINDOW_MS (INT64_C(24) * 3600 * 1000)

#endif
