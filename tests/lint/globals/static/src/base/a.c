/* SPDX-License-Identifier: MIT */
/*
 * a.c - a sample that a lint must refuse
 */
static int a;
int next(void);
int next(void)
{
	return a++;
}
