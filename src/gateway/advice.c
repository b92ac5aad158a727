/* SPDX-License-Identifier: MIT */
/*
 * advice.c - see advice.h; the words are those of src/cloudapi/errors.def, the one table
 *
 * TESTS  tests/system/test_advice.py: every code of the sandbox, everywhere it is shown
 */
#include "gateway/advice.h"

#include <godwit/errors.h>

void advice_put(struct json_writer *w, int code, int subcode)
{
	const gw_error_info *info = gw_error_info_find(code, subcode);
	char command[GW_ERROR_COMMAND_MAX];

	if (info == NULL)
		return;
	gw_error_command(info, command);
	json_w_kv_text(w, "meaning", info->meaning);
	json_w_kv_text(w, "fix", info->fix);
	json_w_kv_text(w, "retry", gw_retry_name(info->retry));
	json_w_kv_text(w, "explain", command);
}
