/* SPDX-License-Identifier: MIT */
/*
 * conversation.c - canonical recipients and the national spellings of one number
 *
 * Three countries write one subscriber in two ways, and Meta answers with the
 * other one (cloud-api.md 2.1: wa_id may differ from input):
 *
 *            digits                     form we fold to        other spelling
 *   Brazil   55 DD [9] XXXXXXXX         with the 9             without
 *   Mexico   52 [1] 10 digits           without the 1          with
 *   Argentina 54 [9] 10 digits          without the 9          with
 *
 * Brazil: DD is 11 to 99 without zeros; only mobiles have the ninth digit, and
 * an eight-digit number that starts with 2 to 5 is a landline, so it is left
 * alone, as is 9 + such a number (given out after the change; it never had a
 * short form).  The fold is for keys only: what is sent is never rewritten.
 * TESTS  tests/unit/test_conversation.c
 */
#include "gateway/conversation.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_number(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (!is_digit(s.ptr[i]))
			return false;
	}
	return s.len > 0;
}

/* A national spelling: `len` digits that start with `prefix`; the other spelling takes `infix`
 * out at `at`, or puts it in. */
struct spelling {
	const char *prefix;
	size_t national; /* digits behind the prefix in the short form */
	size_t at; /* where the extra digit stands */
	char infix;
	bool folds_long; /* the canonical form is the long one */
	bool (*applies)(const char *subscriber); /* first digit of the short form; NULL: always */
	size_t subscriber; /* where that digit is in the short form */
};

/* The eight digits of a Brazilian mobile start with 6 to 9. */
static bool is_brazilian_mobile(const char *first)
{
	return *first >= '6' && *first <= '9';
}

static const struct spelling spellings[] = {
	{ "55", 10, 4, '9', true, is_brazilian_mobile, 4 },
	{ "52", 10, 2, '1', false, NULL, 0 },
	{ "54", 10, 2, '9', false, NULL, 0 },
};

static bool area_is_odd(const struct spelling *s, struct str digits)
{
	/* 11 to 99 without zeros is Brazil's alone */
	return s->applies != NULL && (digits.ptr[2] == '0' || digits.ptr[3] == '0');
}

/* Put the extra digit into a short form, or take it out of a long one; 0: not that country's. */
static size_t respell(const struct spelling *s, struct str digits, char out[RECIPIENT_MAX],
		      bool *out_was_long)
{
	size_t short_len = strlen(s->prefix) + s->national;
	bool is_long = digits.len == short_len + 1;
	size_t subscriber = s->subscriber + (is_long ? 1 : 0);

	if (!str_starts(digits, str_from(s->prefix)) || (digits.len != short_len && !is_long) ||
	    (is_long && digits.ptr[s->at] != s->infix) || area_is_odd(s, digits))
		return 0;
	if (s->applies != NULL && !s->applies(&digits.ptr[subscriber]))
		return 0;
	memcpy(out, digits.ptr, s->at);
	*out_was_long = is_long;
	if (is_long) {
		memcpy(out + s->at, digits.ptr + s->at + 1, digits.len - s->at - 1);
		return digits.len - 1;
	}
	out[s->at] = s->infix;
	memcpy(out + s->at + 1, digits.ptr + s->at, digits.len - s->at);
	return digits.len + 1;
}

size_t number_variants(struct str digits, char out[VARIANTS_MAX][RECIPIENT_MAX])
{
	size_t count = 0;
	bool was_long;

	if (!is_number(digits) || digits.len >= RECIPIENT_MAX - 1)
		return 0;
	for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
		size_t len = respell(&spellings[i], digits, out[count], &was_long);

		if (len > 0) {
			out[count][len] = '\0';
			count++;
		}
	}
	return count;
}

/* The form all spellings of a number share. */
static size_t fold(char number[RECIPIENT_MAX], size_t len)
{
	char other[RECIPIENT_MAX];
	bool was_long;

	for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
		size_t n = respell(&spellings[i], str_make(number, len), other, &was_long);

		if (n > 0 && was_long != spellings[i].folds_long) {
			memcpy(number, other, n);
			return n;
		}
	}
	return len;
}

size_t recipient_canonical(struct str to, char out[RECIPIENT_MAX])
{
	size_t len = 0;

	to = str_trim(to);
	if (to.len == 0 || to.len >= RECIPIENT_MAX)
		return 0;
	for (size_t i = 0; i < to.len; i++) {
		char c = to.ptr[i];

		if (is_digit(c)) {
			out[len++] = c;
		} else if (c != '+' && c != '-' && c != '(' && c != ')' && c != ' ') {
			memcpy(out, to.ptr, to.len); /* a user id or a group id: as it is */
			out[to.len] = '\0';
			return to.len;
		}
	}
	if (len > 0 && len < RECIPIENT_MAX - 2)
		len = fold(out, len);
	out[len] = '\0';
	return len;
}
