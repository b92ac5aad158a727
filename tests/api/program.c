/* SPDX-License-Identifier: MIT */
/*
 * program.c - what a user of libgodwit may be: C99 or C++11, with names of its own
 *
 * It defines functions that the library has inside, too.  Where those were
 * visible, a static link would fail and a shared one call the wrong function.
 */
#include <stdio.h>
#include <string.h>
#include <godwit/error.h>
#include <godwit/types.h>

#ifdef __cplusplus
extern "C" {
#endif
void buf_init(void);
void buf_put(void);
void str_from(void);
void xmalloc(void);
#ifdef __cplusplus
}
#endif

void buf_init(void)
{
	puts("wrong buf_init");
}
void buf_put(void)
{
	puts("wrong buf_put");
}
void str_from(void)
{
	puts("wrong str_from");
}
void xmalloc(void)
{
	puts("wrong xmalloc");
}

int main(void)
{
	struct gw_error err = GW_ERROR_INIT;

	if (gw_error_set(&err, GW_ELIMIT, "%d is too much", 42) != GW_ELIMIT)
		return 1;
	gw_error_context(&err, "here");
	if (strcmp(err.message, "here: 42 is too much") != 0)
		return 2;
	if (strcmp(gw_status_name(err.status), "limit") != 0)
		return 3;
	puts(err.message);
	return 0;
}
