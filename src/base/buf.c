/* SPDX-License-Identifier: MIT */
/*
 * buf.c - growing byte strings with a ceiling
 *
 * INVARIANTS  those of buf_check(); and cap <= max + 1, so that the one
 *             comparison of the fast path, cap - len > wanted, stands for
 *             "allocated", "under the ceiling" and "room for the NUL" at once.
 *             A failed or fresh buffer has cap 0 and takes the slow path.
 * FAILURE     frees the data and sets failed; later appends do nothing.
 * LIMITS      the ceiling of each buffer
 * TESTS       tests/unit/test_buf.c
 */
#include "base/buf.h"

#include "base/hexb64.h"
#include "base/mem.h"
#include "base/panic.h"

#include <stdarg.h>

#define BUF_FIRST 64 /* smallest allocation: below it malloc's own overhead rules */
#define U64_DIGITS 20 /* 18446744073709551615 */

void buf_init(struct buf *b, size_t max)
{
	ASSERT(max > 0 && max < SIZE_MAX / 2); /* doubling cannot overflow */
	*b = (struct buf){ .max = max };
}

void buf_release(struct buf *b)
{
	free(b->data);
	*b = (struct buf){ .max = b->max };
}

void buf_wipe(struct buf *b)
{
	if (b->data != NULL)
		explicit_bzero(b->data, b->cap);
	buf_release(b);
}

void buf_reset(struct buf *b)
{
	b->len = 0;
	b->failed = false;
	if (b->data != NULL)
		b->data[0] = '\0';
}

void buf_check(const struct buf *b)
{
	ASSERT(b->max > 0);
	ASSERT((b->data == NULL) == (b->cap == 0));
	ASSERT(b->len <= b->max);
	ASSERT(b->data == NULL || b->len < b->cap); /* room for the NUL */
	ASSERT(b->data == NULL || b->cap <= b->max + 1);
	ASSERT(b->data == NULL || b->data[b->len] == '\0');
	ASSERT(!b->failed || b->data == NULL);
}

void buf_fail(struct buf *b)
{
	buf_release(b);
	b->failed = true;
}

/* Make cap - len > len_more, or fail. */
static bool grow(struct buf *b, size_t more)
{
	size_t cap;
	char *moved;

	if (b->failed)
		return false;
	if (more > b->max - b->len) {
		buf_fail(b);
		return false;
	}
	cap = b->cap * 2 > BUF_FIRST ? b->cap * 2 : BUF_FIRST;
	if (cap < b->len + more + 1)
		cap = b->len + more + 1;
	if (cap > b->max + 1)
		cap = b->max + 1;
	moved = realloc(b->data, cap);
	if (moved == NULL) {
		buf_fail(b);
		return false;
	}
	moved[b->len] = '\0';
	b->data = moved;
	b->cap = cap;
	return true;
}

static inline bool has_room(struct buf *b, size_t len)
{
	return b->cap - b->len > len || grow(b, len);
}

void buf_put(struct buf *b, const void *bytes, size_t len)
{
	if (len == 0 || !has_room(b, len))
		return;
	memcpy(b->data + b->len, bytes, len);
	b->len += len;
	b->data[b->len] = '\0';
}

void buf_put_str(struct buf *b, struct str s)
{
	buf_put(b, s.ptr, s.len);
}

void buf_put_text(struct buf *b, const char *text)
{
	buf_put(b, text, strlen(text));
}

void buf_put_char(struct buf *b, char c)
{
	if (!has_room(b, 1))
		return;
	b->data[b->len++] = c;
	b->data[b->len] = '\0';
}

void buf_put_fmt(struct buf *b, const char *fmt, ...)
{
	char small[128];
	va_list ap;
	size_t len;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(small, sizeof(small), fmt, ap);
	va_end(ap);
	if (n < 0) {
		buf_fail(b);
		return;
	}
	len = (size_t)n;
	if (len < sizeof(small)) {
		buf_put(b, small, len);
		return;
	}
	if (!has_room(b, len))
		return;
	va_start(ap, fmt);
	(void)vsnprintf(b->data + b->len, len + 1, fmt, ap); /* measured just above */
	va_end(ap);
	b->len += len;
}

void buf_put_u64(struct buf *b, uint64_t value)
{
	char digits[U64_DIGITS];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	buf_put(b, digits + at, sizeof(digits) - at);
}

void buf_put_i64(struct buf *b, int64_t value)
{
	uint64_t magnitude = (uint64_t)value;

	if (value < 0) {
		buf_put_char(b, '-');
		magnitude = 0 - magnitude; /* defined for INT64_MIN, unlike -value */
	}
	buf_put_u64(b, magnitude);
}

void buf_put_hex(struct buf *b, const void *bytes, size_t len)
{
	size_t text_len;

	if (!size_mul(len, 2, &text_len)) {
		buf_fail(b);
		return;
	}
	if (!has_room(b, text_len))
		return;
	hex_encode(bytes, len, b->data + b->len); /* writes the NUL */
	b->len += text_len;
}

void buf_cut(struct buf *b, size_t len)
{
	ASSERT(len <= b->len);
	b->len = len;
	if (b->data != NULL)
		b->data[len] = '\0';
}

char *buf_room(struct buf *b, size_t len)
{
	return has_room(b, len) ? b->data + b->len : NULL;
}

void buf_grew(struct buf *b, size_t len)
{
	ASSERT(b->data != NULL && len < b->cap - b->len);
	b->len += len;
	b->data[b->len] = '\0';
}

struct str buf_take(struct buf *b)
{
	struct str bytes;

	if (!has_room(b, 0))
		return str_make(NULL, 0);
	bytes = buf_str(b);
	*b = (struct buf){ .max = b->max };
	return bytes;
}
