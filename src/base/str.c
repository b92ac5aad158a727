/* SPDX-License-Identifier: MIT */
/*
 * str.c - views of bytes: comparing, cutting, reading numbers
 *
 * Nothing here allocates.  A NULL ptr with len 0 is never handed to mem*():
 * that is undefined behaviour even for a length of 0.
 * TESTS  tests/unit/test_str.c
 */
#include "base/str.h"

struct str str_from(const char *text)
{
	return text == NULL ? STR_EMPTY : (struct str){ text, strlen(text) };
}

struct str str_make(const char *ptr, size_t len)
{
	return (struct str){ ptr, len };
}

bool str_eq(struct str a, struct str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool str_eq_nocase(struct str a, struct str b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++) {
		if (lower(a.ptr[i]) != lower(b.ptr[i]))
			return false;
	}
	return true;
}

int str_cmp(struct str a, struct str b)
{
	size_t len = a.len < b.len ? a.len : b.len;
	int order = len == 0 ? 0 : memcmp(a.ptr, b.ptr, len);

	if (order != 0)
		return order;
	return (a.len > b.len) - (a.len < b.len);
}

bool str_starts(struct str s, struct str prefix)
{
	return s.len >= prefix.len && str_eq(str_make(s.ptr, prefix.len), prefix);
}

bool str_ends(struct str s, struct str suffix)
{
	if (s.len < suffix.len)
		return false;
	return suffix.len == 0 || memcmp(s.ptr + s.len - suffix.len, suffix.ptr, suffix.len) == 0;
}

bool str_find(struct str s, struct str needle, size_t *out_at)
{
	const char *at;

	if (needle.len == 0) {
		*out_at = 0;
		return true;
	}
	if (s.len < needle.len)
		return false;
	at = memmem(s.ptr, s.len, needle.ptr, needle.len);
	if (at == NULL)
		return false;
	*out_at = (size_t)(at - s.ptr);
	return true;
}

bool str_find_char(struct str s, char c, size_t *out_at)
{
	const char *at = s.len == 0 ? NULL : memchr(s.ptr, c, s.len);

	if (at == NULL)
		return false;
	*out_at = (size_t)(at - s.ptr);
	return true;
}

struct str str_slice(struct str s, size_t from, size_t to)
{
	if (to > s.len)
		to = s.len;
	if (from > to)
		from = to;
	return s.ptr == NULL ? s : str_make(s.ptr + from, to - from);
}

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r'); /* \t \n \v \f \r */
}

struct str str_trim(struct str s)
{
	while (s.len > 0 && is_blank(s.ptr[s.len - 1]))
		s.len--;
	while (s.len > 0 && is_blank(s.ptr[0])) {
		s.ptr++;
		s.len--;
	}
	return s;
}

bool str_split(struct str *rest, char sep, struct str *out_field)
{
	size_t at;

	if (rest->ptr == NULL)
		return false;
	if (!str_find_char(*rest, sep, &at)) {
		*out_field = *rest;
		*rest = str_make(NULL, 0);
		return true;
	}
	*out_field = str_make(rest->ptr, at);
	*rest = str_make(rest->ptr + at + 1, rest->len - at - 1);
	return true;
}

bool str_copy(struct str s, char *out, size_t cap)
{
	size_t len = s.len;

	if (cap == 0)
		return false;
	if (len >= cap)
		len = cap - 1;
	if (len > 0)
		memcpy(out, s.ptr, len);
	out[len] = '\0';
	return len == s.len;
}

/* Digits from *rest as long as there are any: at least one, no overflow. */
static bool take_number(struct str *rest, uint64_t *out)
{
	uint64_t value = 0;
	size_t i;

	for (i = 0; i < rest->len && rest->ptr[i] >= '0' && rest->ptr[i] <= '9'; i++) {
		if (__builtin_mul_overflow(value, UINT64_C(10), &value) ||
		    __builtin_add_overflow(value, (uint64_t)(rest->ptr[i] - '0'), &value))
			return false;
	}
	if (i == 0)
		return false;
	*rest = str_make(rest->ptr + i, rest->len - i);
	*out = value;
	return true;
}

bool str_to_u64(struct str s, uint64_t *out)
{
	uint64_t value;

	if (!take_number(&s, &value) || s.len != 0)
		return false;
	*out = value;
	return true;
}

bool str_to_u32(struct str s, uint32_t *out)
{
	uint64_t value;

	if (!str_to_u64(s, &value) || value > UINT32_MAX)
		return false;
	*out = (uint32_t)value;
	return true;
}

bool str_to_i64(struct str s, int64_t *out)
{
	bool negative = s.len > 0 && s.ptr[0] == '-';
	uint64_t value;

	if (negative)
		s = str_make(s.ptr + 1, s.len - 1);
	if (!str_to_u64(s, &value) || value > (uint64_t)INT64_MAX + negative)
		return false;
	if (negative)
		*out = value == 0 ? 0 : -(int64_t)(value - 1) - 1; /* INT64_MIN without overflow */
	else
		*out = (int64_t)value;
	return true;
}

/* The units of durations, longest first: the order in which they may follow. */
static const struct {
	struct str name;
	uint64_t ms;
} durations[] = {
	{ STR_INIT("d"), UINT64_C(86400000) }, { STR_INIT("h"), UINT64_C(3600000) },
	{ STR_INIT("m"), UINT64_C(60000) },    { STR_INIT("s"), UINT64_C(1000) },
	{ STR_INIT("ms"), UINT64_C(1) },
};
#define NDURATIONS (sizeof(durations) / sizeof(durations[0]))

static struct str take_letters(struct str *rest)
{
	struct str word;
	size_t i = 0;

	while (i < rest->len && rest->ptr[i] >= 'a' && rest->ptr[i] <= 'z')
		i++;
	word = str_make(rest->ptr, i);
	*rest = str_make(rest->ptr + i, rest->len - i);
	return word;
}

bool str_to_duration_ms(struct str s, int64_t *out)
{
	uint64_t total = 0;
	uint64_t value;
	size_t unit = 0; /* units before this one have been used or passed */
	struct str word;

	if (str_to_u64(s, &value)) {
		if (value > (uint64_t)INT64_MAX / 1000)
			return false;
		*out = (int64_t)value * 1000;
		return true;
	}
	do {
		if (!take_number(&s, &value))
			return false;
		word = take_letters(&s);
		while (unit < NDURATIONS && !str_eq(durations[unit].name, word))
			unit++;
		if (unit == NDURATIONS)
			return false;
		if (__builtin_mul_overflow(value, durations[unit].ms, &value) ||
		    __builtin_add_overflow(total, value, &total) || total > (uint64_t)INT64_MAX)
			return false;
		unit++;
	} while (s.len > 0);
	*out = (int64_t)total;
	return true;
}

bool str_to_size(struct str s, uint64_t *out)
{
	unsigned shift = 0;
	uint64_t value;

	if (!take_number(&s, &value) || s.len > 1)
		return false;
	if (s.len == 1) {
		switch (lower(s.ptr[0])) {
		case 'k': shift = 10; break;
		case 'm': shift = 20; break;
		case 'g': shift = 30; break;
		default: return false;
		}
	}
	if (value > UINT64_MAX >> shift)
		return false;
	*out = value << shift;
	return true;
}
