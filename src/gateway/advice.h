/* SPDX-License-Identifier: MIT */
/* advice.h - the catalogue's words on a code, as members of a JSON object */
#ifndef GATEWAY_ADVICE_H
#define GATEWAY_ADVICE_H

#include "json/json.h"

/* "meaning", "fix", "retry" and "explain" (a command); nothing when the code is not listed. */
void advice_put(struct json_writer *w, int code, int subcode);

#endif
