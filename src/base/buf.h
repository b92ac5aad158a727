/* SPDX-License-Identifier: MIT */
/*
 * buf.h - a growing byte string with a ceiling
 *
 * A buffer cannot be made without naming its ceiling.  Any refused append
 * (ceiling or memory) frees the data and sets `failed`, so a chain of appends
 * is checked once, at the end, with buf_failed().  buf_check() asserts the
 * invariants written beside the fields.  What is appended may not lie in the
 * buffer itself: growing moves it.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/str.h"

struct buf {
	char *data; /* NULL until the first append; NUL behind the last byte */
	size_t len; /* bytes in use, not counting the NUL */
	size_t cap; /* bytes allocated; 0 iff data == NULL */
	size_t max; /* hard limit given to buf_init(), never 0 */
	bool failed; /* sticky: an append was refused, data is gone */
};

void buf_init(struct buf *b, size_t max);
void buf_release(struct buf *b); /* as after buf_init(); wipes nothing */
void buf_wipe(struct buf *b); /* release, after zeroing the bytes */
void buf_reset(struct buf *b); /* len = 0, keeps memory; clears failed */
void buf_check(const struct buf *b);

void buf_put(struct buf *b, const void *bytes, size_t len);
void buf_put_str(struct buf *b, struct str s);
void buf_put_text(struct buf *b, const char *text);
void buf_put_char(struct buf *b, char c);
void buf_put_fmt(struct buf *b, const char *fmt, ...) GW_PRINTF(2, 3);
void buf_put_u64(struct buf *b, uint64_t value);
void buf_put_i64(struct buf *b, int64_t value);
void buf_put_hex(struct buf *b, const void *bytes, size_t len);
void buf_fail(struct buf *b); /* force the failed state */
void buf_cut(struct buf *b, size_t len); /* shorten to len <= b->len */
/* Room for `len` more bytes at the returned place (NULL: failed); then always buf_grew(), with 0
 * when nothing came of it. */
char *buf_room(struct buf *b, size_t len);
void buf_grew(struct buf *b, size_t len);

static inline bool buf_failed(const struct buf *b)
{
	return b->failed;
}
/* Borrowed until the next change of b. */
static inline struct str buf_str(const struct buf *b)
{
	return (struct str){ b->data == NULL ? "" : b->data, b->len };
}
/* The bytes go to the caller, who free()s ptr; b is empty afterwards.  ptr is never NULL
 * unless the buffer failed or memory ran out (then len is 0). */
struct str buf_take(struct buf *b);

#endif
