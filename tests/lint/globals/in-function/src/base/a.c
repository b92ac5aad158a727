/* SPDX-License-Identifier: MIT */
/*
 * a.c - a sample that a lint must refuse
 */
int next(void);
int next(void)
{
	static int calls = 1;
	return calls++;
}
