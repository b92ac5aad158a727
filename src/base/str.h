/* SPDX-License-Identifier: MIT */
/*
 * str.h - borrowed views of bytes, passed by value
 *
 * A struct str never owns what it points to.  ptr may be NULL only when len
 * is 0.  It is the same layout as the public gw_str.
 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <godwit/types.h>

struct str {
	const char *ptr;
	size_t len;
};

#define STR(literal) ((struct str){ "" literal, sizeof(literal) - 1 })
/* The same where C wants a constant: in static tables. */
#define STR_INIT(literal)                       \
	{                                       \
		"" literal, sizeof(literal) - 1 \
	}
#define STR_EMPTY ((struct str){ "", 0 })
/* For printf: "%.*s", STR_ARG(s). */
#define STR_ARG(s) (int)(s).len, (s).ptr == NULL ? "" : (s).ptr

struct str str_from(const char *text); /* NULL gives empty */
struct str str_make(const char *ptr, size_t len);
static inline struct str str_of_gw(gw_str s)
{
	return (struct str){ s.ptr, s.len };
}
static inline gw_str str_to_gw(struct str s)
{
	return (gw_str){ s.ptr, s.len };
}

bool str_eq(struct str a, struct str b);
bool str_eq_nocase(struct str a, struct str b); /* ASCII only */
int str_cmp(struct str a, struct str b); /* memcmp order, then length */
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
bool str_find(struct str s, struct str needle, size_t *out_at);
bool str_find_char(struct str s, char c, size_t *out_at);
struct str str_slice(struct str s, size_t from, size_t to); /* clamped to s */
struct str str_trim(struct str s); /* ASCII blanks at both ends */
/* Cut the first field up to `sep` off *rest; false when *rest was used up (its ptr is then
 * NULL).  N separators make N + 1 fields, so an empty string that is not NULL has one. */
bool str_split(struct str *rest, char sep, struct str *out_field);
/* Copy into a char[cap] with a NUL, cut when too long; true when it fitted. */
bool str_copy(struct str s, char *out, size_t cap);

/* Decimal integers: the whole string, no blanks; false leaves *out alone. */
bool str_to_i64(struct str s, int64_t *out);
bool str_to_u64(struct str s, uint64_t *out);
bool str_to_u32(struct str s, uint32_t *out);
/* "250ms" "90" "90s" "15m" "36h" "7d", "1h30m"; milliseconds.  No unit: s. */
bool str_to_duration_ms(struct str s, int64_t *out);
/* "4096" "64K" "4M" "1G" (powers of 1024); bytes. */
bool str_to_size(struct str s, uint64_t *out);

#endif
