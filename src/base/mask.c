/* SPDX-License-Identifier: MIT */
/*
 * mask.c - numbers of people as logs may show them
 *
 * What is not printable ASCII becomes a star too: a cut through a character
 * would make the line bad UTF-8.
 * TESTS  tests/unit/test_mask.c
 */
#include "base/mask.h"

#define SHOWN_FRONT 5
#define SHOWN_BACK 2
#define SHOWN_FROM 8 /* shorter ones would show too much of themselves */

static char shown(char c)
{
	return c > ' ' && c <= '~' ? c : '*';
}

void mask_number(struct str number, char out[MASK_MAX])
{
	size_t len = number.len < MASK_MAX ? number.len : MASK_MAX - 1;

	memset(out, '*', len);
	out[len] = '\0';
	if (len < SHOWN_FROM)
		return;
	for (size_t i = 0; i < SHOWN_FRONT; i++)
		out[i] = shown(number.ptr[i]);
	for (size_t i = 1; i <= SHOWN_BACK; i++)
		out[len - i] = shown(number.ptr[number.len - i]);
}
