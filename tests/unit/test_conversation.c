/* SPDX-License-Identifier: MIT */
/* test_conversation.c - one recipient, one key, whatever way it is written */
#include "unit.h"

#include "gateway/conversation.h"

static const struct {
	const char *name, *in, *want;
} canonical[] = {
	{ "digits", "14155550100", "14155550100" },
	{ "plus", "+14155550100", "14155550100" },
	{ "punctuation", " +1 (415) 555-0100 ", "14155550100" },
	{ "empty", "", "" },
	{ "blank", "   ", "" },
	{ "only a plus", "+", "" },
	{ "user id", "US.13491208655302741918", "US.13491208655302741918" },
	{ "user id with blanks around", " US.134 ", "US.134" },
	{ "parent user id", "US.ENT.134", "US.ENT.134" },
	{ "group id", "Y2FwaV9ncm91cDoxNzA1NTU1MDE=", "Y2FwaV9ncm91cDoxNzA1NTU1MDE=" },
	{ "letters among digits", "49a151", "49a151" },

	{ "Brazil with the 9", "5511987654321", "5511987654321" },
	{ "Brazil without", "551187654321", "5511987654321" },
	{ "Brazil, another area", "+55 71 9000-0001", "5571990000001" },
	{ "Brazil, mobile from 6", "551161234567", "5511961234567" },
	{ "Brazil, landline from 5", "551151234567", "551151234567" },
	{ "Brazil, landline from 2", "551121234567", "551121234567" },
	{ "Brazil, 9 before a landline's digits", "5511951234567", "5511951234567" },
	{ "Brazil, area 10 does not exist", "551087654321", "551087654321" },
	{ "Brazil, area 01 does not exist", "550187654321", "550187654321" },
	{ "Brazil, too short", "55118765432", "55118765432" },
	{ "Brazil, too long", "55119876543210", "55119876543210" },
	{ "Brazil, thirteen digits without a 9", "5511887654321", "5511887654321" },

	{ "Mexico without", "525512345678", "525512345678" },
	{ "Mexico with the 1", "5215512345678", "525512345678" },
	{ "Mexico, short", "52155123456", "52155123456" },
	{ "Argentina without", "541112345678", "541112345678" },
	{ "Argentina with the 9", "5491112345678", "541112345678" },
	{ "Argentina, another digit", "5481112345678", "5481112345678" },
	{ "Germany", "4915112345678", "4915112345678" },
};

static void canonical_recipients(void **state)
{
	char out[RECIPIENT_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(canonical); i++) {
		size_t len = recipient_canonical(str_from(canonical[i].in), out);

		CHECK_STR(canonical[i].name, canonical[i].want, str_make(out, len));
	}
}

static void too_long_is_none(void **state)
{
	char in[RECIPIENT_MAX + 1], out[RECIPIENT_MAX];

	(void)state;
	memset(in, 'a', sizeof(in));
	CHECK_INT("one less", RECIPIENT_MAX - 1,
		  recipient_canonical(str_make(in, RECIPIENT_MAX - 1), out));
	CHECK_INT("as long", 0, recipient_canonical(str_make(in, RECIPIENT_MAX), out));
	memset(in, '5', sizeof(in));
	CHECK_INT("digits", RECIPIENT_MAX - 1,
		  recipient_canonical(str_make(in, RECIPIENT_MAX - 1), out));
}

static const struct {
	const char *in, *want; /* NULL: no other spelling */
} variants[] = {
	{ "5511987654321", "551187654321" },
	{ "551187654321", "5511987654321" },
	{ "551131234567", NULL },
	{ "5511931234567", NULL },
	{ "525512345678", "5215512345678" },
	{ "5215512345678", "525512345678" },
	{ "541112345678", "5491112345678" },
	{ "5491112345678", "541112345678" },
	{ "14155550100", NULL },
	{ "", NULL },
	{ "+551187654321", NULL }, /* digits only */
	{ "US.134", NULL },
};

static void spellings_of_a_number(void **state)
{
	char out[VARIANTS_MAX][RECIPIENT_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(variants); i++) {
		size_t n = number_variants(str_from(variants[i].in), out);

		CHECK_INT(variants[i].in, variants[i].want == NULL ? 0 : 1, n);
		if (n == 1)
			CHECK_STR(variants[i].in, variants[i].want, str_from(out[0]));
	}
}

/* Folding is one key for all spellings, and folding twice changes nothing. */
static void spellings_share_the_key(void **state)
{
	char other[VARIANTS_MAX][RECIPIENT_MAX], a[RECIPIENT_MAX], b[RECIPIENT_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(variants); i++) {
		if (variants[i].want == NULL)
			continue;
		size_t la = recipient_canonical(str_from(variants[i].in), a);
		size_t n = number_variants(str_from(variants[i].in), other);
		size_t lb = recipient_canonical(str_from(other[n - 1]), b);

		CHECK_STR(variants[i].in, a, str_make(b, lb));
		CHECK_INT("twice", la, recipient_canonical(str_make(a, la), b));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(canonical_recipients),
		cmocka_unit_test(too_long_is_none),
		cmocka_unit_test(spellings_of_a_number),
		cmocka_unit_test(spellings_share_the_key),
	};

	return cmocka_run_group_tests_name("conversation", tests, NULL, NULL);
}
