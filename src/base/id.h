/* SPDX-License-Identifier: MIT */
/*
 * id.h - our ids: a prefix and 26 characters of Crockford base32
 *
 *   byte  0..5   milliseconds since the epoch, big-endian (48 bits)
 *   byte  6..15  random (80 bits); ids of one struct id_maker grow strictly:
 *                within a millisecond the random part counts up
 *
 * Text: "evt_" "msg_" "cnv_" "ctc_" "dst_" "key_" "bat_" + 26, upper case, case
 * ignored when read.  The store keeps the 16 bytes.
 */
#ifndef BASE_ID_H
#define BASE_ID_H

#include "base/clock.h"
#include "base/rnd.h"
#include "base/str.h"

#define ID_BYTES 16
#define ID_TEXT_MAX 31 /* "evt_" + 26 + NUL */

struct id {
	uint8_t bytes[ID_BYTES];
};

enum id_kind {
	ID_EVENT,
	ID_MESSAGE,
	ID_CONVERSATION,
	ID_CONTACT,
	ID_DESTINATION,
	ID_KEY,
	ID_BATCH,
	ID_NKINDS
};

struct id_maker {
	struct id last;
};

void id_make(struct id_maker *m, const struct clock *c, struct rnd *r, struct id *out);
void id_text(enum id_kind kind, const struct id *id, char out[ID_TEXT_MAX]);
bool id_parse(enum id_kind kind, struct str text, struct id *out); /* prefix must match */
bool id_kind_of(struct str text, enum id_kind *out); /* by its prefix, well-formed only */
int64_t id_time_ms(const struct id *id);
bool id_eq(const struct id *a, const struct id *b);

/* Bare base32 of any bytes (Crockford, upper case, no padding). */
size_t base32_encode(const void *bytes, size_t len, char *out); /* (len*8+4)/5 chars + NUL */
bool base32_decode(struct str text, void *out, size_t out_len); /* exact length only */

#endif
